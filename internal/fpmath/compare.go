package fpmath

import "math"

// Cmp is a floating-point comparison of setp and set (PTX ISA, Comparison and Selection Instructions).
type Cmp uint8

// The comparisons. EQ to GE are false when an operand is NaN, EQU to GEU true; NUM is true when neither operand is NaN,
// NAN when at least one is.
const (
	EQ Cmp = iota
	NE
	LT
	LE
	GT
	GE
	EQU
	NEU
	LTU
	LEU
	GTU
	GEU
	NUM
	NAN
)

// String returns the comparison as PTX writes it, without the dot.
func (c Cmp) String() string {
	if int(c) < len(cmpNames) {
		return cmpNames[c]
	}
	return "invalid"
}

var cmpNames = [...]string{"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"}

// The four ways in which two floats stand to each other, and for each comparison the set that makes it true.
const (
	less = 1 << iota
	equal
	greater
	unordered
)

var cmpSets = [...]uint8{
	EQ: equal, NE: less | greater, LT: less, LE: less | equal, GT: greater, GE: greater | equal,
	EQU: equal | unordered, NEU: less | greater | unordered, LTU: less | unordered, LEU: less | equal | unordered,
	GTU: greater | unordered, GEU: greater | equal | unordered, NUM: less | equal | greater, NAN: unordered,
}

// Float64 compares f64 operands. An invalid comparison is false.
func (c Cmp) Float64(a, b float64) bool {
	if int(c) >= len(cmpSets) {
		return false
	}
	relation := uint8(unordered)
	switch {
	case a < b:
		relation = less
	case a == b:
		relation = equal
	case a > b:
		relation = greater
	}
	return cmpSets[c]&relation != 0
}

// Float32 compares f32 operands; ftz flushes subnormal ones to zero first.
func (c Cmp) Float32(a, b float32, ftz bool) bool {
	if ftz {
		a, b = Flush32(a), Flush32(b)
	}
	return c.Float64(float64(a), float64(b))
}

// Float16 compares f16 operands; ftz flushes subnormal ones to zero first.
func (c Cmp) Float16(a, b uint16, ftz bool) bool {
	if ftz {
		a, b = Flush16(a), Flush16(b)
	}
	return c.Float64(decode16(a), decode16(b))
}

// BFloat16 compares bf16 operands.
func (c Cmp) BFloat16(a, b uint16) bool { return c.Float64(decodeBF16(a), decodeBF16(b)) }

// Class is a property tested by testp (PTX ISA, testp).
type Class uint8

// The properties. Normal is false for zero, Subnormal too.
const (
	Finite Class = iota
	Infinite
	Number
	NotANumber
	Normal
	Subnormal
)

// Float32 reports whether x has the property.
func (c Class) Float32(x float32) bool {
	return c.test(uint64(math.Float32bits(x)&^sign32), binary32.infinity, 1<<23)
}

// Float64 reports whether x has the property.
func (c Class) Float64(x float64) bool {
	return c.test(math.Float64bits(x)&^sign64, binary64.infinity, 1<<52)
}

func (c Class) test(magnitude, infinity, smallestNormal uint64) bool {
	switch c {
	case Finite:
		return magnitude < infinity
	case Infinite:
		return magnitude == infinity
	case Number:
		return magnitude <= infinity
	case NotANumber:
		return magnitude > infinity
	case Normal:
		return magnitude >= smallestNormal && magnitude < infinity
	case Subnormal:
		return magnitude > 0 && magnitude < smallestNormal
	}
	return false
}
