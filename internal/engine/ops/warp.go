package ops

import (
	"math/bits"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// Warp is what an operation can ask of the warp that executes it. The engine fills it in; it belongs to one goroutine at
// a time.
type Warp struct {
	// Memory is the device's memory and Cache the block's memory of it.
	Memory *mem.Space
	Cache  *mem.Cache
	// Launch is the launch that the block belongs to, Globals the addresses of the kernel's variables.
	Launch  *engine.Launch
	Globals []uint64
	// Windows are the block's shared and local memory.
	Windows engine.Windows
	// LocalBytes is the local memory of a thread, at most Windows.LocalStride.
	LocalBytes uint64
	// Block is the block's coordinate, ID the number of the warp in it.
	Block [3]uint32
	ID    int
	// Frame is the offset of the current function's frame in a thread's local memory.
	Frame uint64
	// Watch, if not nil, sees what the warp does.
	Watch  engine.BlockWatch
	seen   engine.Access
	places Lanes

	fence atomic.Uint32
}

// threads is the number of threads of the block.
func (w *Warp) threads() uint32 { return w.Launch.Block[0] * w.Launch.Block[1] * w.Launch.Block[2] }

// thread is the linear index of a lane's thread in its block.
func (w *Warp) thread(lane int) uint32 { return uint32(w.ID*engine.WarpSize + lane) }

// Thread is the coordinate of a lane's thread.
func (w *Warp) Thread(lane int) [3]uint32 {
	t, x, y := w.thread(lane), w.Launch.Block[0], w.Launch.Block[1]
	return [3]uint32{t % x, t / x % y, t / x / y}
}

// local is the address of a lane's local memory.
func (w *Warp) local(lane int) uint64 {
	return w.Windows.Local + uint64(w.thread(lane))*uint64(w.Windows.LocalStride)
}

// Fault makes a fault of a lane with what the warp knows.
func (w *Warp) Fault(code uint32, lane int, detail string) *engine.Fault {
	return &engine.Fault{Code: code, Block: w.Block, Thread: w.Thread(lane), Detail: detail}
}

// Warp-level communication (PTX ISA, Parallel Synchronization and Communication Instructions). What a lane of the member
// mask that does not execute the instruction would have given is treated as absent.
var warpOps = map[ir.Op]compiler{
	ir.OpShfl: shfl, ir.OpVote: vote, ir.OpMatch: match, ir.OpRedux: redux,
	ir.OpActiveMask: only(activeMask),
	ir.OpWarpSync: only(func(w *Warp, mask uint32, _, _ []*Lanes) *engine.Fault {
		if w.Watch != nil {
			w.Watch.WarpSync(w.ID, mask)
		}
		return nil
	}),
}

func activeMask(_ *Warp, mask uint32, _, results []*Lanes) *engine.Fault {
	for m := mask; m != 0; m &= m - 1 {
		results[0][bits.TrailingZeros32(m)] = uint64(mask)
	}
	return nil
}

// source returns the lane that a shuffle reads and whether it lies in the segment (PTX ISA, shfl.sync, Semantics).
type source func(lane, b, lowest, highest, segment int) (from int, inside bool)

var shuffles = map[ir.ShuffleMode]source{
	ir.ShflUp: func(lane, b, _, highest, _ int) (int, bool) { return lane - b, lane-b >= highest },
	ir.ShflDown: func(lane, b, _, highest, _ int) (int, bool) {
		return lane + b, lane+b <= highest
	},
	ir.ShflBfly: func(lane, b, _, highest, _ int) (int, bool) { return lane ^ b, lane^b <= highest },
	ir.ShflIdx: func(_, b, lowest, highest, segment int) (int, bool) {
		from := lowest | b&^segment
		return from, from <= highest
	},
}

func shfl(in *ir.Instr) (Func, error) {
	choose := shuffles[ir.ShuffleMode(in.Sub)]
	if choose == nil {
		return nil, unsupported(in)
	}
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		a, b, c := *args[0], args[1], args[2]
		for m := mask; m != 0; m &= m - 1 {
			lane := bits.TrailingZeros32(m)
			segment, clamp := int(c[lane]>>8&31), int(c[lane]&31)
			highest := lane&segment | clamp&^segment
			from, inside := choose(lane, int(b[lane]&31), lane&segment, highest, segment)
			if !inside || mask>>from&1 == 0 {
				from, inside = lane, false
			}
			results[0][lane] = a[from]
			if len(results) > 1 {
				results[1][lane] = b2u(inside)
			}
		}
		return nil
	}, nil
}

// votes give the result from the lanes that take part and those of them whose predicate is true.
var votes = map[ir.VoteMode]func(part, yes uint32) uint64{
	ir.VoteAll:    func(part, yes uint32) uint64 { return b2u(yes == part) },
	ir.VoteAny:    func(_, yes uint32) uint64 { return b2u(yes != 0) },
	ir.VoteUni:    func(part, yes uint32) uint64 { return b2u(yes == part || yes == 0) },
	ir.VoteBallot: func(_, yes uint32) uint64 { return uint64(yes) },
}

func vote(in *ir.Instr) (Func, error) {
	f := votes[ir.VoteMode(in.Sub)]
	if f == nil {
		return nil, unsupported(in)
	}
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		var yes uint32
		for m := mask; m != 0; m &= m - 1 {
			lane := bits.TrailingZeros32(m)
			yes |= uint32(args[0][lane]) << lane
		}
		for m := mask; m != 0; m &= m - 1 {
			lane := bits.TrailingZeros32(m)
			part := mask & uint32(args[1][lane])
			results[0][lane] = f(part, yes&part)
		}
		return nil
	}, nil
}

func match(in *ir.Instr) (Func, error) {
	all := in.Sub == 1
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for m := mask; m != 0; m &= m - 1 {
			lane := bits.TrailingZeros32(m)
			part := mask & uint32(args[1][lane])
			var same uint32
			for p := part; p != 0; p &= p - 1 {
				if i := bits.TrailingZeros32(p); args[0][i] == args[0][lane] {
					same |= 1 << i
				}
			}
			if all && same != part {
				same = 0
			}
			results[0][lane] = uint64(same)
			if len(results) > 1 {
				results[1][lane] = b2u(same != 0)
			}
		}
		return nil
	}, nil
}

func redux(in *ir.Instr) (Func, error) {
	op := ir.AtomicOp(in.Sub)
	f := atomicFunc(op, in.As)
	if in.As == ir.F32 && (op == ir.AtomMin || op == ir.AtomMax) {
		f = minMax(&ir.Instr{Op: map[ir.AtomicOp]ir.Op{ir.AtomMin: ir.OpMin, ir.AtomMax: ir.OpMax}[op], As: ir.F32, Mods: in.Mods})
	}
	if f == nil || in.As.Bits() != 32 || in.As.Float() && op != ir.AtomMin && op != ir.AtomMax || op == ir.AtomInc || op == ir.AtomDec || op == ir.AtomExch {
		return nil, unsupported(in)
	}
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for m := mask; m != 0; m &= m - 1 {
			lane := bits.TrailingZeros32(m)
			part := mask & uint32(args[1][lane])
			if part == 0 {
				part = 1 << lane
			}
			v := args[0][bits.TrailingZeros32(part)]
			for p := part & (part - 1); p != 0; p &= p - 1 {
				v = f(v, args[0][bits.TrailingZeros32(p)])
			}
			results[0][lane] = v
		}
		return nil
	}, nil
}
