//go:build linux && (amd64 || arm64)

package jit

import (
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/ir"
)

// form names what an instruction does as far as it matters to whether a target compiles it: operation, variant, space and
// types, in the manner of PTX.
func form(in *ir.Instr) string {
	var b strings.Builder
	b.WriteString(in.Op.String())
	for _, f := range []struct {
		flag ir.Flags
		name string
	}{{ir.Approx, ".approx"}, {ir.Full, ".full"}, {ir.FTZ, ".ftz"}, {ir.Sat, ".sat"}, {ir.RoundInt, ".int"}, {ir.Relu, ".relu"}, {ir.XorSign, ".xorsign"}} {
		if in.Flags&f.flag != 0 {
			b.WriteString(f.name)
		}
	}
	switch in.Op {
	case ir.OpLoad, ir.OpStore, ir.OpAtom, ir.OpRed, ir.OpCvta, ir.OpCvtaTo, ir.OpIsSpace, ir.OpSymbol:
		b.WriteString("." + map[ir.Space]string{ir.SpaceGeneric: "generic", ir.SpaceGlobal: "global", ir.SpaceConst: "const", ir.SpaceShared: "shared", ir.SpaceLocal: "local", ir.SpaceParam: "param"}[in.Space])
	case ir.OpSpecial:
		fmt.Fprintf(&b, "%d", in.Index)
	}
	if in.Sub != 0 {
		b.WriteString("." + variant(in))
	}
	if n := elements(in); n > 1 {
		fmt.Fprintf(&b, ".v%d", n)
	}
	if in.As != ir.Void {
		b.WriteString("." + in.As.String())
	}
	if in.From != ir.Void {
		b.WriteString("." + in.From.String())
	}
	return b.String()
}

// elements is how many elements a lane loads or stores.
func elements(in *ir.Instr) int {
	switch in.Op {
	case ir.OpLoad:
		return len(in.Results)
	case ir.OpStore:
		return len(in.Args) - 1
	}
	return 0
}

// variant is the name of Sub.
func variant(in *ir.Instr) string {
	names := map[ir.Op][]string{
		ir.OpAtom: {"", "add", "and", "or", "xor", "min", "max", "inc", "dec", "exch", "cas"},
		ir.OpShfl: {"", "up", "down", "bfly", "idx"},
		ir.OpVote: {"", "all", "any", "uni", "ballot"},
		ir.OpBar:  {"", "sync", "arrive", "red.popc", "red.and", "red.or"},
	}
	names[ir.OpRed], names[ir.OpRedux] = names[ir.OpAtom], names[ir.OpAtom]
	if list := names[in.Op]; int(in.Sub) < len(list) {
		return list[in.Sub]
	}
	return fmt.Sprint(in.Sub)
}
