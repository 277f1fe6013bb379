package ops

import (
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// The functions here lift a scalar function over the lanes of a mask.
type (
	scalar1 = func(a uint64) uint64
	scalar2 = func(a, b uint64) uint64
	scalar3 = func(a, b, c uint64) uint64
)

func lift1(f scalar1) Func {
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		a, d := args[0], results[0]
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			d[i] = f(a[i])
		}
		return nil
	}
}

func lift2(f scalar2) Func {
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		a, b, d := args[0], args[1], results[0]
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			d[i] = f(a[i], b[i])
		}
		return nil
	}
}

func lift3(f scalar3) Func {
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		a, b, c, d := args[0], args[1], args[2], results[0]
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			d[i] = f(a[i], b[i], c[i])
		}
		return nil
	}
}

// everyLane lifts a function that computes all lanes at once, those outside the mask too: it must not mind what they hold.
func everyLane(f func(args []*Lanes, d *Lanes)) Func {
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		d := results[0]
		if mask == 1<<engine.WarpSize-1 {
			f(args, d)
			return nil
		}
		var t Lanes
		f(args, &t)
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			d[i] = t[i]
		}
		return nil
	}
}

// liftN is for operations with other numbers of operands or results: f gets slices that it must not keep.
func liftN(f func(args, results []uint64)) Func {
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		var a, d [8]uint64
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			for k, v := range args {
				a[k] = v[i]
			}
			f(a[:len(args)], d[:len(results)])
			for k, v := range results {
				v[i] = d[k]
			}
		}
		return nil
	}
}

// perLane is for operations that ask the warp.
func perLane(f func(w *Warp, lane int) uint64) Func {
	return func(w *Warp, mask uint32, _, results []*Lanes) *engine.Fault {
		d := results[0]
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			d[i] = f(w, i)
		}
		return nil
	}
}

// uniform is for operations that give each lane the same.
func uniform(f func(w *Warp) uint64) Func {
	return func(w *Warp, mask uint32, _, results []*Lanes) *engine.Fault {
		d, v := results[0], f(w)
		for ; mask != 0; mask &= mask - 1 {
			d[bits.TrailingZeros32(mask)] = v
		}
		return nil
	}
}

// width returns the mask of a value of type t.
func width(t ir.Type) uint64 { return ^uint64(0) >> (64 - t.Bits()) }

// signExtend copies the top bit of an n-bit value upwards.
func signExtend(v uint64, n int) uint64 { return uint64(int64(v<<(64-n)) >> (64 - n)) }

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func f32(v uint64) float32    { return math.Float32frombits(uint32(v)) }
func f64(v uint64) float64    { return math.Float64frombits(v) }
func bits32(x float32) uint64 { return uint64(math.Float32bits(x)) }
func bits64(x float64) uint64 { return math.Float64bits(x) }
func only(f Func) compiler    { return func(*ir.Instr) (Func, error) { return f, nil } }
