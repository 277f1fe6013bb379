//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file bounds floats whose history is known: what began as an integer or a constant and was only added, multiplied and cut off
// since may be too small to become infinite. Such a value is no NaN, and nobody has to ask whether it is.

// unbounded is the magnitude of what may be anything.
const unbounded = math.MaxInt16

// magnitude is an exponent e so that the absolute value of v, read as the float of its width, is at most 2^e; or unbounded.
func (p *plan) magnitude(v *ir.Value) int {
	const known = 1 << 14 // what a magnitude is above is noted as nothing: zero stands for those that nobody has asked for
	if p.magnitudes == nil {
		p.magnitudes = make([]int16, p.f.Values)
	}
	m := &p.magnitudes[v.ID]
	if *m == 0 {
		*m = unbounded
		if e := p.findMagnitude(v.Def); e < unbounded {
			*m = int16(known + e)
		}
	}
	if *m == unbounded {
		return unbounded
	}
	return int(*m) - known
}

func (p *plan) findMagnitude(in *ir.Instr) int {
	switch {
	case in == nil || len(in.Results) != 1:
		return unbounded
	case in.Op == ir.OpConst && in.Results[0].Type == ir.B32:
		return magnitudeOf(float64(math.Float32frombits(uint32(in.Imm))))
	case in.Op == ir.OpConst && in.Results[0].Type == ir.B64:
		return magnitudeOf(math.Float64frombits(in.Imm))
	case in.As != ir.F32 && in.As != ir.F64:
		return unbounded
	}
	of := func(i int) int { return p.magnitude(in.Args[i]) }
	e := unbounded
	switch in.Op {
	case ir.OpNeg, ir.OpAbs:
		e = of(0)
	case ir.OpAdd, ir.OpSub:
		e = max(of(0), of(1)) + 1
	case ir.OpMul:
		e = of(0) + of(1)
	case ir.OpFma:
		e = max(of(0)+of(1), of(2)) + 1
	case ir.OpCvt:
		switch {
		case in.From.Integer():
			e = in.From.Bits()
		case in.Flags&ir.Sat != 0:
			return 0 // a NaN gives 0
		case in.From == ir.F32 || in.From == ir.F64:
			e = max(of(0), 0) // it may be rounded to an integer
		}
	}
	if most := map[ir.Type]int{ir.F32: 127, ir.F64: 1023}[in.As]; e > most {
		return unbounded
	}
	return max(e, -most32) // sums of the least stay in range
}

// most32 is the greatest exponent of f32. Lesser magnitudes than its negative make no difference.
const most32 = 127

// magnitudeOf is the magnitude of a constant.
func magnitudeOf(x float64) int {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return unbounded
	}
	_, e := math.Frexp(x)
	return max(e, -most32)
}
