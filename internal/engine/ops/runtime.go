package ops

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// What CUDA C++ calls the device runtime: printf, malloc, assert, and trap.
var runtimeOps = map[ir.Op]compiler{
	ir.OpPrintf: only(printf), ir.OpAssertFail: only(assertFail),
	ir.OpMalloc: malloc, ir.OpFreeHeap: freeHeap,
	ir.OpTrap: only(func(w *Warp, mask uint32, _, _ []*Lanes) *engine.Fault {
		return firstLane(w, mask, launchFailed, "trap")
	}),
	// Time goes on without the warp, and no debugger waits for a breakpoint.
	ir.OpNanosleep:  only(func(*Warp, uint32, []*Lanes, []*Lanes) *engine.Fault { return nil }),
	ir.OpBreakpoint: only(func(*Warp, uint32, []*Lanes, []*Lanes) *engine.Fault { return nil }),
}

func firstLane(w *Warp, mask uint32, code uint32, detail string) *engine.Fault {
	if mask == 0 {
		return nil
	}
	return w.Fault(code, bits.TrailingZeros32(mask), detail)
}

// reader reads memory through generic addresses for a lane and keeps the fault if it may not.
type reader struct {
	w     *Warp
	lane  int
	fault *engine.Fault
}

func (r *reader) read(addr uint64, n int) (uint64, bool) {
	a := access{space: ir.SpaceGeneric, size: uint64(n), kind: "read"}
	at, code := a.find(r.w, r.lane, addr)
	if code != 0 {
		r.fault = a.fault(r.w, r.lane, addr, code)
		return 0, false
	}
	return mem.Load(at, n), true
}

func printf(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
	for ; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros32(mask)
		r := reader{w: w, lane: i}
		n, ok := w.Launch.Runtime.Printf(r.read, args[0][i], args[1][i])
		if !ok {
			return r.fault
		}
		if len(results) > 0 {
			results[0][i] = uint64(uint32(n))
		}
	}
	return nil
}

func malloc(in *ir.Instr) (Func, error) {
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			addr := w.Launch.Runtime.Malloc(args[0][i])
			results[0][i] = addr
			if w.Watch != nil && addr != 0 {
				w.Watch.Heap(in, w.ID, i, addr, args[0][i])
			}
		}
		return nil
	}, nil
}

func freeHeap(in *ir.Instr) (Func, error) {
	return func(w *Warp, mask uint32, args, _ []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			addr := args[0][i]
			if !w.Launch.Runtime.Free(addr) {
				return w.Fault(illegalAddress, i, fmt.Sprintf("free of %#x, which is not a live allocation of the device heap", addr))
			}
			if w.Watch != nil && addr != 0 {
				w.Watch.Heap(in, w.ID, i, addr, 0)
			}
		}
		return nil
	}, nil
}

// assertFail tells which assertion failed, for the lowest lane. A string that cannot be read is left out.
func assertFail(w *Warp, mask uint32, args, _ []*Lanes) *engine.Fault {
	if mask == 0 {
		return nil
	}
	lane := bits.TrailingZeros32(mask)
	text := func(addr uint64) string {
		r, b := reader{w: w, lane: lane}, []byte{}
		for len(b) < 4096 {
			c, ok := r.read(addr+uint64(len(b)), 1)
			if !ok || c == 0 {
				break
			}
			b = append(b, byte(c))
		}
		return string(b)
	}
	return w.Fault(assertFailed, lane, fmt.Sprintf("%s:%d: %s: assertion `%s` failed",
		text(args[1][lane]), uint32(args[2][lane]), text(args[3][lane]), text(args[0][lane])))
}
