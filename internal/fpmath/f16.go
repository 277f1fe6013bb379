package fpmath

// F16 is the modifiers of an f16 instruction, which always rounds to nearest even; its methods are the instructions (PTX
// ISA, Half Precision Floating-Point Instructions). Operands and results are bit patterns; NaN results are NaN16.
//
// Sums of f16 are exact in float64 (their bits lie between 2^-24 and 2^16), products too; the sum of a product and an
// addend is rounded to odd there. So each result is rounded once.
type F16 struct {
	// FTZ flushes subnormal operands and results to zero of the same sign.
	FTZ bool
	// Sat clamps the result to [+0, 1].
	Sat bool
	// ReLU replaces a negative result by +0 and NaN by the canonical NaN (fma.relu).
	ReLU bool
}

// Add returns a + b.
func (m F16) Add(a, b uint16) uint16 { return m.result(m.operand(a) + m.operand(b)) }

// Sub returns a - b.
func (m F16) Sub(a, b uint16) uint16 { return m.result(m.operand(a) - m.operand(b)) }

// Mul returns a × b.
func (m F16) Mul(a, b uint16) uint16 { return m.result(m.operand(a) * m.operand(b)) }

// Fma returns a × b + c with one rounding.
func (m F16) Fma(a, b, c uint16) uint16 {
	return m.result(sumOdd(float64(m.operand(a)*m.operand(b)), m.operand(c)))
}

// Neg flips the sign bit, also of a NaN.
func (m F16) Neg(a uint16) uint16 { return m.flushed(a) ^ sign16 }

// Abs clears the sign bit, also of a NaN.
func (m F16) Abs(a uint16) uint16 { return m.flushed(a) &^ sign16 }

func (m F16) flushed(a uint16) uint16 {
	if m.FTZ {
		return Flush16(a)
	}
	return a
}

func (m F16) operand(a uint16) float64 { return decode16(m.flushed(a)) }

func (m F16) result(x float64) uint16 {
	if m.Sat {
		x = saturate64(x) // 0 and 1 are f16, so that clamping before rounding is the same
	}
	h := m.flushed(uint16(binary16.encode(x, RN)))
	if m.ReLU {
		return relu16(h)
	}
	return h
}

// relu16 replaces a negative number by +0; 0x7fff, the only NaN that comes here, stays.
func relu16(h uint16) uint16 {
	if h&sign16 != 0 {
		return 0
	}
	return h
}

// Ex2 is ex2.approx.f16: the f32 approximation rounded to f16. Error at most 0.51 ulp, relative error 2^-10.9 for a normal
// result (PTX ISA: 2^-9.9). Exact for integers.
func (m F16) Ex2(a uint16) uint16 { return F32ToF16(Approx{}.Ex2(F16ToF32(a)), RN) }

// Tanh is tanh.approx.f16: the f32 approximation rounded to f16. Error at most 0.51 ulp (PTX ISA: absolute error 2^-10.987).
func (m F16) Tanh(a uint16) uint16 { return F32ToF16(Approx{}.Tanh(F16ToF32(a)), RN) }

// F16x2 is F16 on two packed values, low half first.
type F16x2 F16

// Add returns a + b for each half.
func (m F16x2) Add(a, b uint32) uint32 {
	return pack2(F16(m).Add(uint16(a), uint16(b)), F16(m).Add(uint16(a>>16), uint16(b>>16)))
}

// Sub returns a - b for each half.
func (m F16x2) Sub(a, b uint32) uint32 {
	return pack2(F16(m).Sub(uint16(a), uint16(b)), F16(m).Sub(uint16(a>>16), uint16(b>>16)))
}

// Mul returns a × b for each half.
func (m F16x2) Mul(a, b uint32) uint32 {
	return pack2(F16(m).Mul(uint16(a), uint16(b)), F16(m).Mul(uint16(a>>16), uint16(b>>16)))
}

// Fma returns a × b + c with one rounding for each half.
func (m F16x2) Fma(a, b, c uint32) uint32 {
	return pack2(F16(m).Fma(uint16(a), uint16(b), uint16(c)), F16(m).Fma(uint16(a>>16), uint16(b>>16), uint16(c>>16)))
}

// Neg flips both sign bits.
func (m F16x2) Neg(a uint32) uint32 { return pack2(F16(m).Neg(uint16(a)), F16(m).Neg(uint16(a>>16))) }

// Abs clears both sign bits.
func (m F16x2) Abs(a uint32) uint32 { return pack2(F16(m).Abs(uint16(a)), F16(m).Abs(uint16(a>>16))) }

// Min16x2 returns the lesser of each half of packed f16.
func (m MinMax) Min16x2(a, b uint32) uint32 {
	return pack2(m.Min16(uint16(a), uint16(b)), m.Min16(uint16(a>>16), uint16(b>>16)))
}

// Max16x2 returns the greater of each half of packed f16.
func (m MinMax) Max16x2(a, b uint32) uint32 {
	return pack2(m.Max16(uint16(a), uint16(b)), m.Max16(uint16(a>>16), uint16(b>>16)))
}

func pack2(low, high uint16) uint32 { return uint32(low) | uint32(high)<<16 }

// BF16 is the modifiers of a bf16 instruction, which always rounds to nearest even; its methods are the instructions (PTX
// ISA, Half Precision Floating-Point Instructions). Operands and results are bit patterns; NaN results are NaN16.
//
// Products of bf16 are exact in float64; sums are rounded to odd there. So each result is rounded once.
type BF16 struct {
	// ReLU replaces a negative result by +0 and NaN by the canonical NaN (fma.relu).
	ReLU bool
}

// Add returns a + b.
func (m BF16) Add(a, b uint16) uint16 { return m.result(sumOdd(decodeBF16(a), decodeBF16(b))) }

// Sub returns a - b.
func (m BF16) Sub(a, b uint16) uint16 { return m.result(sumOdd(decodeBF16(a), -decodeBF16(b))) }

// Mul returns a × b.
func (m BF16) Mul(a, b uint16) uint16 { return m.result(decodeBF16(a) * decodeBF16(b)) }

// Fma returns a × b + c with one rounding.
func (m BF16) Fma(a, b, c uint16) uint16 {
	return m.result(sumOdd(float64(decodeBF16(a)*decodeBF16(b)), decodeBF16(c)))
}

// Neg flips the sign bit, also of a NaN.
func (m BF16) Neg(a uint16) uint16 { return a ^ sign16 }

// Abs clears the sign bit, also of a NaN.
func (m BF16) Abs(a uint16) uint16 { return a &^ sign16 }

// Ex2 is ex2.approx.ftz.bf16: the f32 approximation with flushed subnormals, rounded to bf16. Relative error at most
// 2^-7.9 (PTX ISA: 2^-7). Exact for integers.
func (m BF16) Ex2(a uint16) uint16 { return F32ToBF16(Approx{FTZ: true}.Ex2(BF16ToF32(a)), RN) }

// Tanh is tanh.approx.bf16: the f32 approximation rounded to bf16. Error at most 0.51 ulp (PTX ISA: absolute error 2^-8).
func (m BF16) Tanh(a uint16) uint16 { return F32ToBF16(Approx{}.Tanh(BF16ToF32(a)), RN) }

func (m BF16) result(x float64) uint16 {
	h := uint16(bfloat16.encode(x, RN))
	if m.ReLU {
		return relu16(h)
	}
	return h
}

// BF16x2 is BF16 on two packed values, low half first.
type BF16x2 BF16

// Add returns a + b for each half.
func (m BF16x2) Add(a, b uint32) uint32 {
	return pack2(BF16(m).Add(uint16(a), uint16(b)), BF16(m).Add(uint16(a>>16), uint16(b>>16)))
}

// Sub returns a - b for each half.
func (m BF16x2) Sub(a, b uint32) uint32 {
	return pack2(BF16(m).Sub(uint16(a), uint16(b)), BF16(m).Sub(uint16(a>>16), uint16(b>>16)))
}

// Mul returns a × b for each half.
func (m BF16x2) Mul(a, b uint32) uint32 {
	return pack2(BF16(m).Mul(uint16(a), uint16(b)), BF16(m).Mul(uint16(a>>16), uint16(b>>16)))
}

// Fma returns a × b + c with one rounding for each half.
func (m BF16x2) Fma(a, b, c uint32) uint32 {
	return pack2(BF16(m).Fma(uint16(a), uint16(b), uint16(c)), BF16(m).Fma(uint16(a>>16), uint16(b>>16), uint16(c>>16)))
}
