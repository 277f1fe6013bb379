package ops

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// Constants, addresses of variables, and special registers (PTX ISA, Special Registers).
var constantOps = map[ir.Op]compiler{
	ir.OpConst: constant, ir.OpSpecial: special, ir.OpSymbol: symbol, ir.OpFuncAddr: funcAddr,
}

func constant(in *ir.Instr) (Func, error) {
	if in.As == ir.B128 || in.As == ir.Void {
		return nil, unsupported(in)
	}
	v := in.Imm & width(in.Results[0].Type)
	return uniform(func(*Warp) uint64 { return v }), nil
}

func symbol(in *ir.Instr) (Func, error) {
	offset, index := in.Imm, in.Index
	switch in.Space {
	case ir.SpaceGlobal, ir.SpaceConst:
		return uniform(func(w *Warp) uint64 { return w.Globals[index] + offset }), nil
	case ir.SpaceShared, ir.SpaceParam:
		return uniform(func(*Warp) uint64 { return offset }), nil
	case ir.SpaceLocal:
		return uniform(func(w *Warp) uint64 { return w.Frame + offset }), nil
	}
	return nil, unsupported(in)
}

func funcAddr(in *ir.Instr) (Func, error) {
	addr := uint64(ir.FuncAddressBase + 16*in.Index)
	return uniform(func(*Warp) uint64 { return addr }), nil
}

func special(in *ir.Instr) (Func, error) {
	f := specials[ir.SReg(in.Index)]
	if f == nil {
		return nil, unsupported(in)
	}
	return f, nil
}

var specials = map[ir.SReg]Func{
	ir.TidX: thread(0), ir.TidY: thread(1), ir.TidZ: thread(2),
	ir.NtidX: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Block }, 0),
	ir.NtidY: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Block }, 1),
	ir.NtidZ: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Block }, 2),

	ir.CtaidX:  extent(func(w *Warp) *[3]uint32 { return &w.Block }, 0),
	ir.CtaidY:  extent(func(w *Warp) *[3]uint32 { return &w.Block }, 1),
	ir.CtaidZ:  extent(func(w *Warp) *[3]uint32 { return &w.Block }, 2),
	ir.NctaidX: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Grid }, 0),
	ir.NctaidY: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Grid }, 1),
	ir.NctaidZ: extent(func(w *Warp) *[3]uint32 { return &w.Launch.Grid }, 2),

	ir.LaneID:     perLane(func(_ *Warp, lane int) uint64 { return uint64(lane) }),
	ir.LanemaskEq: perLane(func(_ *Warp, lane int) uint64 { return 1 << lane }),
	ir.LanemaskLt: perLane(func(_ *Warp, lane int) uint64 { return 1<<lane - 1 }),
	ir.LanemaskLe: perLane(func(_ *Warp, lane int) uint64 { return 2<<lane - 1 }),
	ir.LanemaskGt: perLane(func(_ *Warp, lane int) uint64 { return (1<<32 - 1) &^ (2<<lane - 1) }),
	ir.LanemaskGe: perLane(func(_ *Warp, lane int) uint64 { return (1<<32 - 1) &^ (1<<lane - 1) }),

	ir.WarpID:  uniform(func(w *Warp) uint64 { return uint64(w.ID) }),
	ir.NwarpID: uniform(func(w *Warp) uint64 { return uint64((w.threads() + engine.WarpSize - 1) / engine.WarpSize) }),
	ir.SMID:    uniform(func(w *Warp) uint64 { return uint64(w.Windows.Worker) }),
	ir.NSMID:   uniform(func(w *Warp) uint64 { return uint64(w.Launch.Workers) }),
	ir.GridID:  uniform(func(w *Warp) uint64 { return w.Launch.ID }),

	ir.Clock:         half(func(w *Warp) uint64 { return w.Launch.Runtime.Clock() }, 0),
	ir.ClockHi:       half(func(w *Warp) uint64 { return w.Launch.Runtime.Clock() }, 32),
	ir.Clock64:       uniform(func(w *Warp) uint64 { return w.Launch.Runtime.Clock() }),
	ir.Globaltimer:   uniform(func(w *Warp) uint64 { return w.Launch.Runtime.Globaltimer() }),
	ir.GlobaltimerLo: half(func(w *Warp) uint64 { return w.Launch.Runtime.Globaltimer() }, 0),
	ir.GlobaltimerHi: half(func(w *Warp) uint64 { return w.Launch.Runtime.Globaltimer() }, 32),

	ir.DynamicSmemSize: uniform(func(w *Warp) uint64 { return uint64(w.Launch.DynamicBytes) }),
	ir.TotalSmemSize:   uniform(func(w *Warp) uint64 { return uint64(w.Launch.SharedBytes) }),

	// The driver sets these for itself. What is known of them is that two hold the address of the grid's workspace.
	ir.EnvReg0: uniform(func(*Warp) uint64 { return 0 }),
	ir.EnvReg1: half(func(w *Warp) uint64 { return w.Launch.GridWorkspace }, 32),
	ir.EnvReg2: half(func(w *Warp) uint64 { return w.Launch.GridWorkspace }, 0),
}

// thread is a component of %tid.
func thread(axis int) Func {
	return func(w *Warp, mask uint32, _, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			results[0][i] = uint64(w.Thread(i)[axis])
		}
		return nil
	}
}

func extent(of func(*Warp) *[3]uint32, axis int) Func {
	return uniform(func(w *Warp) uint64 { return uint64(of(w)[axis]) })
}

// half is 32 bits of a timer.
func half(timer func(*Warp) uint64, shift int) Func {
	return uniform(func(w *Warp) uint64 { return timer(w) >> shift & (1<<32 - 1) })
}
