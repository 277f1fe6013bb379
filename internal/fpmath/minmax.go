package fpmath

import "math"

// MinMax is the modifiers of a floating-point min or max; its methods are the instructions (PTX ISA, min and max). One NaN
// operand is ignored unless NaN is set; -0 is less than +0. A NaN result is canonical.
type MinMax struct {
	// FTZ flushes subnormal f32 and f16 operands and results to zero of the same sign.
	FTZ bool
	// NaN makes the result NaN if an operand is (.NaN).
	NaN bool
	// XorSignAbs compares magnitudes and gives a result that is not NaN the xor of the operands' signs (.xorsign.abs).
	XorSignAbs bool
}

// Min32 returns the lesser of a and b.
func (m MinMax) Min32(a, b float32) float32 {
	return math.Float32frombits(uint32(m.select32(a, b, false)))
}

// Max32 returns the greater of a and b.
func (m MinMax) Max32(a, b float32) float32 {
	return math.Float32frombits(uint32(m.select32(a, b, true)))
}

// Min64 returns the lesser of a and b; FTZ has no effect.
func (m MinMax) Min64(a, b float64) float64 {
	return math.Float64frombits(m.choose(math.Float64bits(a), math.Float64bits(b), &binary64, false))
}

// Max64 returns the greater of a and b; FTZ has no effect.
func (m MinMax) Max64(a, b float64) float64 {
	return math.Float64frombits(m.choose(math.Float64bits(a), math.Float64bits(b), &binary64, true))
}

// Min16 returns the lesser of two f16.
func (m MinMax) Min16(a, b uint16) uint16 { return m.select16(a, b, false) }

// Max16 returns the greater of two f16.
func (m MinMax) Max16(a, b uint16) uint16 { return m.select16(a, b, true) }

// MinBF16 returns the lesser of two bf16; FTZ has no effect.
func (m MinMax) MinBF16(a, b uint16) uint16 {
	return uint16(m.choose(uint64(a), uint64(b), &bfloat16, false))
}

// MaxBF16 returns the greater of two bf16; FTZ has no effect.
func (m MinMax) MaxBF16(a, b uint16) uint16 {
	return uint16(m.choose(uint64(a), uint64(b), &bfloat16, true))
}

func (m MinMax) select32(a, b float32, greater bool) uint64 {
	if m.FTZ {
		a, b = Flush32(a), Flush32(b)
	}
	return m.choose(uint64(math.Float32bits(a)), uint64(math.Float32bits(b)), &binary32, greater)
}

func (m MinMax) select16(a, b uint16, greater bool) uint16 {
	if m.FTZ {
		a, b = Flush16(a), Flush16(b)
	}
	return uint16(m.choose(uint64(a), uint64(b), &binary16, greater))
}

// choose works on bit patterns: sign and magnitude order floats as integers do, -0 below +0 included.
func (m MinMax) choose(a, b uint64, f *format, greater bool) uint64 {
	sign := (a ^ b) & f.sign
	if m.XorSignAbs {
		a, b = a&^f.sign, b&^f.sign
	}
	aNaN, bNaN := a&^f.sign > f.infinity, b&^f.sign > f.infinity
	var d uint64
	switch {
	case aNaN && bNaN, m.NaN && (aNaN || bNaN):
		return f.nan
	case aNaN:
		d = b
	case bNaN:
		d = a
	case f.ordered(a, b) != greater:
		d = a
	default:
		d = b
	}
	if m.XorSignAbs {
		d |= sign
	}
	return d
}

// ordered reports a ≤ b for bit patterns that are not NaN, with -0 < +0.
func (f *format) ordered(a, b uint64) bool {
	switch {
	case a&f.sign != b&f.sign:
		return a&f.sign != 0
	case a&f.sign != 0:
		return a >= b
	}
	return a <= b
}

// Abs32 clears the sign bit, also of a NaN; ftz flushes a subnormal to zero.
func Abs32(x float32, ftz bool) float32 {
	if ftz {
		x = Flush32(x)
	}
	return math.Float32frombits(math.Float32bits(x) &^ sign32)
}

// Neg32 flips the sign bit, also of a NaN; ftz flushes a subnormal to zero.
func Neg32(x float32, ftz bool) float32 {
	if ftz {
		x = Flush32(x)
	}
	return math.Float32frombits(math.Float32bits(x) ^ sign32)
}

// Abs64 clears the sign bit, also of a NaN.
func Abs64(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ sign64) }

// Neg64 flips the sign bit, also of a NaN.
func Neg64(x float64) float64 { return math.Float64frombits(math.Float64bits(x) ^ sign64) }

// Copysign32 returns b with the sign of a, which is PTX's order of operands (PTX ISA, copysign).
func Copysign32(a, b float32) float32 {
	return math.Float32frombits(math.Float32bits(a)&sign32 | math.Float32bits(b)&^sign32)
}

// Copysign64 returns b with the sign of a, which is PTX's order of operands (PTX ISA, copysign).
func Copysign64(a, b float64) float64 {
	return math.Float64frombits(math.Float64bits(a)&sign64 | math.Float64bits(b)&^sign64)
}
