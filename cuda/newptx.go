package cuda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvjitlink"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// ErrDriverTooOld: the driver is older than the version of the PTX, and nothing was found that makes machine code of it. The
// error names both versions.
var ErrDriverTooOld = errors.New("the driver is older than the PTX")

// driverTooOld is CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the driver does not know the version of the PTX.
const driverTooOld = driver.UnsupportedPTX

// tooNew reports whether a device refused PTX for its version. Some drivers call it invalid and say why in the log.
func tooNew(err error, log string) bool {
	var s driver.Status
	if !errors.As(err, &s) {
		return false
	}
	return s == driverTooOld || s == driver.InvalidPTX && strings.Contains(log, "Unsupported .version")
}

// jitLinker is what this package needs of nvJitLink.
type jitLinker interface {
	Link(arch string, inputs []nvjitlink.Input, options ...string) (cubin []byte, log string, err error)
	Version() string
}

// openLinker finds nvJitLink, once; tests put another linker here. TANDEM_NVJITLINK names a library.
var openLinker = sync.OnceValues(func() (jitLinker, error) { return nvjitlink.Open(os.Getenv("TANDEM_NVJITLINK")) })

// ptxVersion reads the version of PTX text, as 84 for 8.4; 0 if it has none.
func ptxVersion(text []byte) int {
	m := ptxVersionLine.FindSubmatch(text[:min(len(text), 64<<10)])
	if m == nil {
		return 0
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return major*10 + minor
}

var ptxVersionLine = regexp.MustCompile(`(?m)^\s*\.version\s+(\d+)\.(\d+)`)

// cudaOfPTX is the release of CUDA that introduced a version of PTX (PTX ISA, Release Notes), the newest first.
var cudaOfPTX = []struct{ ptx, cuda int }{
	{90, 13000}, {88, 12090}, {87, 12080}, {86, 12070}, {85, 12050}, {84, 12040}, {83, 12030}, {82, 12020}, {81, 12010}, {80, 12000},
	{78, 11080}, {77, 11070}, {76, 11060}, {75, 11050}, {74, 11040}, {73, 11030}, {72, 11020}, {71, 11010}, {70, 11000},
}

// describeVersions names the version of the PTX and that of the driver: "the PTX is version 8.4, of CUDA 12.4; the driver,
// for CUDA 12.2, knows PTX up to 8.2".
func describeVersions(text []byte, driverVersion int) string {
	var b strings.Builder
	version := ptxVersion(text)
	fmt.Fprintf(&b, "the PTX is version %d.%d", version/10, version%10)
	for _, r := range cudaOfPTX {
		if r.ptx == version {
			fmt.Fprintf(&b, ", of CUDA %d.%d", r.cuda/1000, r.cuda%1000/10)
		}
	}
	if driverVersion > 0 {
		fmt.Fprintf(&b, "; the driver, for CUDA %d.%d,", driverVersion/1000, driverVersion%1000/10)
		for _, r := range cudaOfPTX {
			if r.cuda <= driverVersion {
				fmt.Fprintf(&b, " knows PTX up to %d.%d", r.ptx/10, r.ptx%10)
				return b.String()
			}
		}
		b.WriteString(" knows only older ones")
	}
	return b.String()
}

// machineCode compiles the program to machine code for the device with NVRTC, which the driver need not understand. It is nil if
// NVRTC does not know the device's generation, or what it makes is for another.
func (d *Device) machineCode(ctx context.Context, comp compiler, p nvrtc.Program) (*nvrtc.Result, error) {
	have := d.info.ComputeMajor*10 + d.info.ComputeMinor
	best := 0
	for _, a := range comp.SupportedArchs() {
		if a <= have && a/10 == have/10 {
			best = max(best, a)
		}
	}
	if best == 0 {
		return nil, fmt.Errorf("NVRTC %v makes no machine code for compute capability %d.%d", comp.Version(), have/10, have%10)
	}
	p.Arch = fmt.Sprintf("sm_%d", best)
	p.Options = withoutTarget(p.Options)
	return comp.Compile(ctx, p)
}

// withoutTarget leaves out the options that choose a target.
func withoutTarget(options []string) []string {
	var out []string
	for i := 0; i < len(options); i++ {
		switch name, _, joined := strings.Cut(options[i], "="); {
		case name != "--gpu-architecture" && name != "-arch":
			out = append(out, options[i])
		case !joined:
			i++ // its value is the next
		}
	}
	return out
}

// assemble makes machine code for the device of pieces with nvJitLink.
func (d *Device) assemble(inputs []nvjitlink.Input, cfg *LoadConfig) (cubin []byte, said string, err error) {
	l, err := openLinker()
	if err != nil {
		return nil, "", fmt.Errorf("nvJitLink is not there: %w", err)
	}
	var options []string
	if cfg.LineInfo {
		options = append(options, "-lineinfo")
	}
	if cfg.Debug {
		options = append(options, "-g")
	}
	if cfg.MaxRegisters > 0 {
		options = append(options, fmt.Sprintf("-maxrregcount=%d", cfg.MaxRegisters))
	}
	cubin, log, err := l.Link(fmt.Sprintf("sm_%d%d", d.info.ComputeMajor, d.info.ComputeMinor), inputs, options...)
	if err != nil {
		return nil, "", err
	}
	return cubin, strings.TrimSpace(fmt.Sprintf("made machine code with nvJitLink %s\n%s", l.Version(), log)), nil
}

// tooOld is the error of PTX that neither the driver nor anything else makes machine code of.
func (d *Device) tooOld(err error, text []byte, others ...error) error {
	detail := describeVersions(text, d.driverVersion)
	for _, e := range others {
		if e != nil {
			detail += "; " + e.Error()
		}
	}
	var e *Error
	if errors.As(err, &e) {
		e.Detail = detail
		e.wraps = append(e.wraps, ErrDriverTooOld)
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrDriverTooOld, detail, err)
}
