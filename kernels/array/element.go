package array

import (
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Element is what arrays are made of.
type Element interface {
	bool | int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | Float16 | float32 | float64 | complex64 | complex128
}

// Number is an Element that cuda.Buffer has too.
type Number interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | Float16 | float32 | float64 | complex64 | complex128
}

// Real is the elements that make up complex numbers, Complex those.
type Real interface{ float32 | float64 }

// Complex is the complex elements.
type Complex interface{ complex64 | complex128 }

// Float16 is a number in IEEE 754 binary16. It is stored only: operations compute with float32 and round their result.
type Float16 uint16

// ToFloat16 rounds to the nearest, ties to even.
func ToFloat16(x float64) Float16 {
	b := math.Float64bits(x)
	sign := uint16(b >> 48 & 0x8000)
	switch a := math.Abs(x); {
	case x != x:
		return Float16(sign | 0x7e00)
	case a >= 65520: // halfway to the next power of two
		return Float16(sign | 0x7c00)
	case a < 0x1p-14: // subnormal: a multiple of 2^-24
		return Float16(sign | uint16(math.RoundToEven(a*0x1p24)))
	}
	e := int(b>>52&0x7ff) - 1023
	m := math.RoundToEven(math.Ldexp(math.Abs(x), 10-e)) // 1024 to 2048
	return Float16(sign | uint16((e+14)<<10+int(m)))
}

// Float64 is the number.
func (h Float16) Float64() float64 {
	m, e := float64(h&0x3ff), int(h>>10&0x1f)
	switch {
	case e == 31 && m != 0:
		return math.NaN()
	case e == 31:
		m = math.Inf(1)
	case e == 0:
		m = math.Ldexp(m, -24)
	default:
		m = math.Ldexp(m+1024, e-25)
	}
	if h&0x8000 != 0 {
		m = -m
	}
	return m
}

// String prints the number in the fewest digits that no other Float16 has.
func (h Float16) String() string { return shortest(h.Float64(), 16) }

// shortest prints x of so many bits in the fewest digits that identify it.
func shortest(x float64, bits int) string {
	if bits != 16 {
		return strconv.FormatFloat(x, 'g', -1, bits)
	}
	for p := 1; ; p++ {
		s := strconv.FormatFloat(x, 'g', p, 64)
		if back, err := strconv.ParseFloat(s, 64); p >= 5 || err == nil && ToFloat16(back) == ToFloat16(x) {
			return s
		}
	}
}

// typeOf is T's type.
func typeOf[T Element]() expr.Type {
	switch any(*new(T)).(type) {
	case bool:
		return expr.Bool
	case int8:
		return expr.Int8
	case uint8:
		return expr.Uint8
	case int16:
		return expr.Int16
	case uint16:
		return expr.Uint16
	case int32:
		return expr.Int32
	case uint32:
		return expr.Uint32
	case int64:
		return expr.Int64
	case uint64:
		return expr.Uint64
	case Float16:
		return expr.Float16
	case float32:
		return expr.Float32
	case float64:
		return expr.Float64
	case complex64:
		return expr.Complex64
	}
	return expr.Complex128
}

// constant turns v into a value of type t. A value of t itself is taken as it is; an int, a float64 or a complex128, which
// are what Go's literals become, are taken where t can hold them: floating point is rounded, integers must fit.
func constant(t expr.Type, v any) (any, error) {
	if typeOfValue(v) == int(t) {
		return v, nil
	}
	refuse := func() (any, error) {
		return nil, failure(ErrType, "%v of type %T is no operand for elements of type %v", v, v, t)
	}
	switch {
	case t == expr.Bool:
		return refuse()
	case t.IsInteger():
		return integerConstant(t, v, refuse)
	}
	var c complex128
	switch x := v.(type) {
	case int:
		c = complex(float64(x), 0)
	case float64:
		c = complex(x, 0)
	case complex128:
		c = x
	default:
		return refuse()
	}
	if !t.IsComplex() && imag(c) != 0 {
		return refuse()
	}
	switch t {
	case expr.Float16:
		return ToFloat16(real(c)), nil
	case expr.Float32:
		return float32(real(c)), nil
	case expr.Float64:
		return real(c), nil
	case expr.Complex64:
		return complex64(c), nil
	}
	return c, nil
}

func integerConstant(t expr.Type, v any, refuse func() (any, error)) (any, error) {
	var x int64
	switch n := v.(type) {
	case int:
		x = int64(n)
	case float64:
		if n != math.Trunc(n) || math.Abs(n) > 1<<53 {
			return refuse()
		}
		x = int64(n)
	default:
		return refuse()
	}
	out := reflect.New(goTypes[t]).Elem()
	if t.IsSigned() {
		out.SetInt(x)
		if out.Int() != x {
			return nil, failure(ErrType, "%v does not fit into %v", v, t)
		}
		return out.Interface(), nil
	}
	out.SetUint(uint64(x))
	if x < 0 || out.Uint() != uint64(x) {
		return nil, failure(ErrType, "%v does not fit into %v", v, t)
	}
	return out.Interface(), nil
}

var goTypes = [expr.NumTypes]reflect.Type{
	expr.Bool: reflect.TypeFor[bool](), expr.Int8: reflect.TypeFor[int8](), expr.Uint8: reflect.TypeFor[uint8](),
	expr.Int16: reflect.TypeFor[int16](), expr.Uint16: reflect.TypeFor[uint16](), expr.Int32: reflect.TypeFor[int32](),
	expr.Uint32: reflect.TypeFor[uint32](), expr.Int64: reflect.TypeFor[int64](), expr.Uint64: reflect.TypeFor[uint64](),
	expr.Float16: reflect.TypeFor[Float16](), expr.Float32: reflect.TypeFor[float32](), expr.Float64: reflect.TypeFor[float64](),
	expr.Complex64: reflect.TypeFor[complex64](), expr.Complex128: reflect.TypeFor[complex128](),
}

// typeOfValue is the type of a Go value, -1 if arrays have none such.
func typeOfValue(v any) int {
	t := reflect.TypeOf(v)
	for i := range goTypes {
		if goTypes[i] == t {
			return i
		}
	}
	return -1
}

// numberOf is the number i as a value of type t.
func numberOf(t expr.Type, i int) any {
	if t == expr.Bool {
		return i != 0
	}
	v, err := constant(t, i)
	if err != nil {
		panic(fmt.Sprintf("array: %d is no %v", i, t)) // 0 and 1 are values of every type
	}
	return v
}
