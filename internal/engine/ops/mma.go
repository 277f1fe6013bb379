package ops

import (
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/internal/ir"
)

// Products of matrices (PTX ISA, Warp Level Matrix Multiply-Accumulate Instructions). The ISA leaves the order of the
// sum open; here an element of D is C, to which the products are added one by one with k ascending. Products of f16,
// bf16, tf32 and f64 are added by fused multiply-add, rounded to nearest in f32, or in f64 as the instruction says; an
// f16 result is rounded from f32 once, at the end. Integer sums are exact before they saturate or wrap around.
var mmaOps = map[ir.Op]compiler{ir.OpMma: mma}

// maxInner is the largest K: mma.m16n8k256 on single bits.
const maxInner = 256

// matrix is an operand of a product by elements: its rows or columns one behind the other.
type matrix [16 * maxInner]uint64

// mma executes ir.OpMma. What lanes hold that do not take part is 0.
func mma(in *ir.Instr) (Func, error) {
	m := ir.DecodeMma(in.Imm)
	sum := dot(in, m)
	if sum == nil || m.A.Bits() == 0 || m.M == 0 || m.K > maxInner || in.Round > ir.RP {
		return nil, unsupported(in)
	}
	na, nb, nc, _ := m.Registers()
	return func(_ *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		var a, b matrix
		var c [16 * 8]uint64
		gather(m.A, args[:na], mask, func(lane, r, e int, v uint64) {
			row, column := place(m.A, lane, r/(m.M/8), e)
			a[(row+8*(r%(m.M/8)))*m.K+column] = v
		})
		gather(m.B, args[na:na+nb], mask, func(lane, r, e int, v uint64) {
			column, row := place(m.B, lane, r, e)
			b[column*m.K+row] = v
		})
		gather(m.C, args[na+nb:na+nb+nc], mask, func(lane, r, e int, v uint64) { c[sumPlace(m.C, lane, r, e)] = v })
		for i := range m.M * 8 {
			row, column := i/8, i%8
			c[i] = sum(a[row*m.K:][:m.K], b[column*m.K:][:m.K], c[i])
		}
		scatter(m.D, results, mask, func(lane, r, e int) uint64 { return c[sumPlace(m.D, lane, r, e)] })
		return nil
	}, nil
}

// place is the row, of B the column, of an element of a factor in the upper half, and its index along the other extent.
func place(t ir.MmaType, lane, r, e int) (outer, inner int) {
	p := t.Packed()
	return lane / 4, 4*p*r + p*(lane%4) + e
}

// sumPlace is the index of an element of C or D, row by row.
func sumPlace(t ir.MmaType, lane, r, e int) int {
	i := t.Packed()*r + e
	return (lane/4+8*(i/2))*8 + lane%4*2 + i%2
}

// gather calls f with each element of the registers of a matrix.
func gather(t ir.MmaType, registers []*Lanes, mask uint32, f func(lane, r, e int, v uint64)) {
	n := t.Bits()
	keep := ^uint64(0) >> (64 - n)
	for r, v := range registers {
		for l := mask; l != 0; l &= l - 1 {
			lane := bits.TrailingZeros32(l)
			for e := range t.Packed() {
				f(lane, r, e, v[lane]>>(n*e)&keep)
			}
		}
	}
}

// scatter sets the elements of the registers of a matrix.
func scatter(t ir.MmaType, registers []*Lanes, mask uint32, f func(lane, r, e int) uint64) {
	n := t.Bits()
	for r, v := range registers {
		for l := mask; l != 0; l &= l - 1 {
			lane := bits.TrailingZeros32(l)
			var word uint64
			for e := range t.Packed() {
				word |= f(lane, r, e) << (n * e)
			}
			v[lane] = word
		}
	}
}

// dot returns c plus the products of a row and a column, nil if there is no such product.
func dot(in *ir.Instr, m ir.Mma) func(a, b []uint64, c uint64) uint64 {
	switch m.A {
	case ir.MmaF64:
		round := fpmath.F64{Round: fpmath.Round(in.Round)}
		return func(a, b []uint64, c uint64) uint64 {
			sum := f64(c)
			for k := range a {
				sum = round.Fma(f64(a[k]), f64(b[k]), sum)
			}
			return bits64(sum)
		}
	case ir.MmaF16, ir.MmaBF16, ir.MmaTF32:
		return dotSingle(m)
	case ir.MmaB1:
		combine := func(a, b uint64) uint64 { return a ^ b }
		if m.And {
			combine = func(a, b uint64) uint64 { return a & b }
		}
		return func(a, b []uint64, c uint64) uint64 {
			for k := range a {
				c += combine(a[k], b[k])
			}
			return c & math.MaxUint32
		}
	}
	return dotInteger(m)
}

// widen turns elements of a factor into f32, exactly.
var widen = map[ir.MmaType]func(uint64) float32{
	ir.MmaF16:  func(v uint64) float32 { return fpmath.F16ToF32(uint16(v)) },
	ir.MmaBF16: func(v uint64) float32 { return fpmath.BF16ToF32(uint16(v)) },
	ir.MmaTF32: func(v uint64) float32 { return f32(v &^ 0x1fff) },
}

func dotSingle(m ir.Mma) func(a, b []uint64, c uint64) uint64 {
	wa, wb := widen[m.A], widen[m.B]
	if wa == nil || wb == nil {
		return nil
	}
	half := func(t ir.MmaType) bool { return t == ir.MmaF16 }
	return func(a, b []uint64, c uint64) uint64 {
		sum := f32(c)
		if half(m.C) {
			sum = fpmath.F16ToF32(uint16(c))
		}
		for k := range a {
			sum = fpmath.F32{}.Fma(wa(a[k]), wb(b[k]), sum)
		}
		if half(m.D) {
			return uint64(fpmath.F32ToF16(sum, fpmath.RN))
		}
		return bits32(sum)
	}
}

func dotInteger(m ir.Mma) func(a, b []uint64, c uint64) uint64 {
	value := func(t ir.MmaType) func(uint64) int64 {
		n := t.Bits()
		if t == ir.MmaS8 || t == ir.MmaS4 {
			return func(v uint64) int64 { return int64(signExtend(v, n)) }
		}
		return func(v uint64) int64 { return int64(v) }
	}
	va, vb := value(m.A), value(m.B)
	return func(a, b []uint64, c uint64) uint64 {
		sum := int64(int32(c))
		for k := range a {
			sum += va(a[k]) * vb(b[k])
		}
		if m.Saturate {
			sum = max(math.MinInt32, min(math.MaxInt32, sum))
		}
		return uint64(uint32(sum))
	}
}
