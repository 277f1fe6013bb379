package nvrtc

import (
	"context"
	"strings"

	"github.com/tandem-go/tandem/internal/nvrtc/debuginfo"
)

// DebugInfo compiles the program a second time, with -G, and returns what that tells of its functions' parameters. The
// result of that compilation is cached as any other. Its errors are those of Compile and of debuginfo.Parse.
func (c *Compiler) DebugInfo(ctx context.Context, p Program) (*debuginfo.Info, error) {
	res, err := c.Compile(ctx, debugVariant(p))
	if err != nil {
		return nil, err
	}
	return debuginfo.Parse(res.PTX)
}

// debugVariant is p with debug information instead of line information, and without machine code, which would only
// take time.
func debugVariant(p Program) Program {
	if sm, ok := strings.CutPrefix(p.Arch, "sm_"); ok {
		p.Arch = "compute_" + sm
	}
	options := []string{"-G"}
	for i, o := range p.Options {
		isValue := i > 0 && separateValue[p.Options[i-1]]
		switch name := splitOption(o).name; {
		case isValue, !droppedForDebug[name]:
			options = append(options, o)
		}
	}
	p.Options = options
	return p
}

// droppedForDebug are the options that contradict -G or that it implies.
var droppedForDebug = set("generate-line-info lineinfo device-debug G Ofast-compile Ofc minimal")
