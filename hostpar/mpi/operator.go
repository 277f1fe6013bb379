package mpi

import (
	"cmp"
	"fmt"
)

// Operator combines the elements of two ranks in Reduce, Allreduce and Scan: a Builtin, or one made by NewOperator.
type Operator interface {
	// named returns the name in errors.
	named() string
}

// Builtin is an operator of MPI.
type Builtin int

// The operators. Min and Max serve real numbers, the Bit operators integers, Sum and Product all. Replace is for the
// methods of Window: the new element takes the place of the old one.
const (
	Sum Builtin = iota + 1
	Product
	Min
	Max
	BitAnd
	BitOr
	BitXor
	Replace
	operators // their number, with 0
)

var builtinNames = [operators]string{Sum: "Sum", Product: "Product", Min: "Min", Max: "Max", BitAnd: "BitAnd", BitOr: "BitOr", BitXor: "BitXor", Replace: "Replace"}

func (b Builtin) named() string {
	if b < Sum || b >= operators {
		return fmt.Sprintf("operator %d", int(b))
	}
	return builtinNames[b]
}

// String returns the name.
func (b Builtin) String() string { return b.named() }

type operator[T Number] struct{ fn func(a, b T) T }

func (operator[T]) named() string { return "operator of the program on " + elemOf[T]().String() }

// NewOperator makes an operator of a function, which must be associative and is called concurrently. It is applied in
// the order of ranks, a from the lower ones, so that it need not be commutative.
func NewOperator[T Number](fn func(a, b T) T) Operator { return operator[T]{fn} }

// combine sets b[i] = a[i] op b[i] for the elements in two buffers.
type combine func(a, b []byte)

// combiner finds the function for the elements; builtin is 0 for an operator of the program.
func combiner[T Number](op Operator) (fn combine, builtin Builtin, err error) {
	bad := func() error { return fmt.Errorf("%w: %s for %v", ErrOperator, nameOf(op), elemOf[T]()) }
	switch op := op.(type) {
	case operator[T]:
		if op.fn == nil {
			return nil, 0, bad()
		}
		return each(op.fn), 0, nil
	case Builtin:
		if fn := builtinOn[T](op); fn != nil {
			return fn, op, nil
		}
	}
	return nil, 0, bad()
}

func nameOf(op Operator) string {
	if op == nil {
		return "nil"
	}
	return op.named()
}

func each[T Number](fn func(a, b T) T) combine {
	return func(a, b []byte) {
		x, y := ofBytes[T](a), ofBytes[T](b)
		for i := range y {
			y[i] = fn(x[i], y[i])
		}
	}
}

type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func builtinOn[T Number](op Builtin) combine {
	switch op {
	case Sum:
		return each(func(a, b T) T { return a + b })
	case Product:
		return each(func(a, b T) T { return a * b })
	}
	return orderedOn(op, elemOf[T]())
}

var ordered = [elems]func(Builtin) combine{
	elemI8: integers[int8], elemI16: integers[int16], elemI32: integers[int32], elemI64: integers[int64],
	elemU8: integers[uint8], elemU16: integers[uint16], elemU32: integers[uint32], elemU64: integers[uint64],
	elemF32: reals[float32], elemF64: reals[float64],
}

func orderedOn(op Builtin, e elem) combine {
	if ordered[e] == nil {
		return nil
	}
	return ordered[e](op)
}

func reals[T interface {
	cmp.Ordered
	Number
}](op Builtin) combine {
	switch op {
	case Min:
		return each(func(a, b T) T { return min(a, b) })
	case Max:
		return each(func(a, b T) T { return max(a, b) })
	}
	return nil
}

func integers[T integer](op Builtin) combine {
	switch op {
	case BitAnd:
		return each(func(a, b T) T { return a & b })
	case BitOr:
		return each(func(a, b T) T { return a | b })
	case BitXor:
		return each(func(a, b T) T { return a ^ b })
	}
	return reals[T](op)
}
