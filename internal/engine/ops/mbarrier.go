package ops

import "github.com/tandem-go/tandem/internal/ir"

// Barriers in shared memory (PTX ISA, Parallel Synchronization: mbarrier). The fields are those of package ir.
var mbarrierOps = map[ir.Op]compiler{ir.OpMbarrier: mbarrier}

// barrierState is the contents of a barrier by fields.
type barrierState struct {
	pending, expected, bytes, phase uint64
}

const (
	countMask = 1<<ir.MbarrierCount - 1
	bytesMask = 1<<(ir.MbarrierPhase-ir.MbarrierBytes) - 1
)

func barrierOf(v uint64) barrierState {
	return barrierState{v & countMask, v >> ir.MbarrierExpected & countMask, v >> ir.MbarrierBytes & bytesMask, v >> ir.MbarrierPhase}
}

// word is the contents of a barrier in memory; a phase that is complete has given way to the next.
func (s barrierState) word() uint64 {
	if s.pending&countMask == 0 && s.bytes&bytesMask == 0 {
		s.phase, s.pending = s.phase^1, s.expected
	}
	return s.pending&countMask | s.expected&countMask<<ir.MbarrierExpected | s.bytes&bytesMask<<ir.MbarrierBytes | s.phase<<ir.MbarrierPhase
}

// barrierUpdates change a barrier by an operand.
var barrierUpdates = map[ir.MbarrierKind]func(s *barrierState, n uint64){
	ir.MbarrierExpect:   func(s *barrierState, n uint64) { s.bytes += n },
	ir.MbarrierComplete: func(s *barrierState, n uint64) { s.bytes -= n },
	ir.MbarrierArrive:   func(s *barrierState, n uint64) { s.pending -= n },
	ir.MbarrierDrop: func(s *barrierState, n uint64) {
		s.pending -= n
		s.expected -= n
	},
	ir.MbarrierArriveExpect: func(s *barrierState, n uint64) {
		s.bytes += n
		s.pending--
	},
	ir.MbarrierDropExpect: func(s *barrierState, n uint64) {
		s.bytes += n
		s.pending--
		s.expected--
	},
}

// mbarrier executes ir.OpMbarrier. Lanes come one after the other.
func mbarrier(in *ir.Instr) (Func, error) {
	a, err := newAccess(in, "atomic", 1)
	if err != nil || a.size != 8 || in.Space != ir.SpaceShared && in.Space != ir.SpaceGeneric {
		return nil, unsupported(in)
	}
	kind := ir.MbarrierKind(in.Sub)
	switch kind {
	case ir.MbarrierInit:
		return a.each(in, func(_ *Warp, at uint64, args []*Lanes, lane int) uint64 {
			n := args[1][lane] & countMask
			return update(at, 8, func(uint64) uint64 { return n | n<<ir.MbarrierExpected })
		}), nil
	case ir.MbarrierTest: // the phase of the state is over when the barrier is in another one
		return a.each(in, func(_ *Warp, at uint64, args []*Lanes, lane int) uint64 {
			return (loadOrdered(at, 8) ^ args[1][lane]) >> ir.MbarrierPhase
		}), nil
	case ir.MbarrierParity:
		return a.each(in, func(_ *Warp, at uint64, args []*Lanes, lane int) uint64 {
			return (loadOrdered(at, 8)>>ir.MbarrierPhase ^ args[1][lane]) & 1
		}), nil
	}
	change := barrierUpdates[kind]
	if change == nil {
		return nil, unsupported(in)
	}
	return a.each(in, func(_ *Warp, at uint64, args []*Lanes, lane int) uint64 {
		n := args[1][lane]
		return update(at, 8, func(old uint64) uint64 {
			s := barrierOf(old)
			change(&s, n)
			return s.word()
		})
	}), nil
}
