package expr

import "fmt"

// result says what type an operation gives.
type result uint8

const (
	same   result = iota // as its last argument
	truth                // bool
	part                 // the real part's type
	chosen               // what the node says
)

// Op is an element-wise operation: a function of the prelude with the same name. Its arguments have one type, except that
// the first of where is bool.
type Op struct {
	// Name is the function.
	Name string
	// Arity is the number of arguments.
	Arity int
	// Types are the types that it is defined on.
	Types Types
	gives result
	// swap names the operation with the arguments the other way round; empty if there is none.
	swap   string
	family string
}

// Result is the type that the operation gives for arguments of type t.
func (o *Op) Result(t Type) Type {
	switch o.gives {
	case truth:
		return Bool
	case part:
		return t.Part()
	}
	return t
}

// Ops are the operations by name. Cast is not among them: each pair of types is a cast.
var Ops = func() map[string]*Op {
	m := map[string]*Op{}
	for i := range ops {
		m[ops[i].Name] = &ops[i]
	}
	return m
}()

// Lookup finds an operation that is known to exist.
func Lookup(name string) *Op {
	if o := Ops[name]; o != nil {
		return o
	}
	panic(fmt.Sprintf("expr: there is no operation %q", name))
}

// Cast is the name of the operation that changes the type.
const Cast = "cast"

var ops = []Op{
	{"add", 2, numbers, same, "add", "arith"},
	{"sub", 2, numbers, same, "", "arith"},
	{"mul", 2, numbers, same, "mul", "arith"},
	{"div", 2, analytic, same, "", "arith"},
	{"floordiv", 2, reals, same, "", "arith"},
	{"mod", 2, reals, same, "", "arith"},
	{"minimum", 2, ordered, same, "", "arith"},
	{"maximum", 2, ordered, same, "", "arith"},
	{"copy", 1, anyType, same, "", "arith"},
	{"neg", 1, numbers, same, "", "arith"},
	{"abs", 1, reals, same, "", "arith"},
	{"sign", 1, reals, same, "", "arith"},
	{"square", 1, numbers, same, "", "arith"},

	{"bitand", 2, bitwise, same, "bitand", "bits"},
	{"bitor", 2, bitwise, same, "bitor", "bits"},
	{"bitxor", 2, bitwise, same, "bitxor", "bits"},
	{"bitnot", 1, bitwise, same, "", "bits"},
	{"shl", 2, integers, same, "", "bits"},
	{"shr", 2, integers, same, "", "bits"},

	{"eq", 2, anyType, truth, "eq", "compare"},
	{"ne", 2, anyType, truth, "ne", "compare"},
	{"lt", 2, ordered, truth, "gt", "compare"},
	{"le", 2, ordered, truth, "ge", "compare"},
	{"gt", 2, ordered, truth, "lt", "compare"},
	{"ge", 2, ordered, truth, "le", "compare"},
	{"land", 2, anyType, truth, "land", "compare"},
	{"lor", 2, anyType, truth, "lor", "compare"},
	{"lxor", 2, anyType, truth, "lxor", "compare"},
	{"lnot", 1, anyType, truth, "", "compare"},
	{"isnan", 1, numbers, truth, "", "compare"},
	{"isinf", 1, numbers, truth, "", "compare"},
	{"isfinite", 1, numbers, truth, "", "compare"},
	{"where", 3, anyType, same, "", "compare"},

	{"pow", 2, numbers, same, "", "power"},
	{"sqrt", 1, analytic, same, "", "power"},
	{"rsqrt", 1, floats, same, "", "power"},
	{"cbrt", 1, floats, same, "", "power"},
	{"reciprocal", 1, analytic, same, "", "power"},
	{"hypot", 2, floats, same, "hypot", "power"},
	{"exp", 1, analytic, same, "", "power"},
	{"exp2", 1, floats, same, "", "power"},
	{"exp10", 1, floats, same, "", "power"},
	{"expm1", 1, floats, same, "", "power"},
	{"log", 1, analytic, same, "", "power"},
	{"log2", 1, floats, same, "", "power"},
	{"log10", 1, floats, same, "", "power"},
	{"log1p", 1, floats, same, "", "power"},

	{"sin", 1, analytic, same, "", "angle"},
	{"cos", 1, analytic, same, "", "angle"},
	{"tan", 1, analytic, same, "", "angle"},
	{"asin", 1, floats, same, "", "angle"},
	{"acos", 1, floats, same, "", "angle"},
	{"atan", 1, floats, same, "", "angle"},
	{"atan2", 2, floats, same, "", "angle"},
	{"sinh", 1, analytic, same, "", "angle"},
	{"cosh", 1, analytic, same, "", "angle"},
	{"tanh", 1, analytic, same, "", "angle"},
	{"asinh", 1, floats, same, "", "angle"},
	{"acosh", 1, floats, same, "", "angle"},
	{"atanh", 1, floats, same, "", "angle"},

	{"floor", 1, floats, same, "", "parts"},
	{"ceil", 1, floats, same, "", "parts"},
	{"trunc", 1, floats, same, "", "parts"},
	{"rint", 1, floats, same, "", "parts"},
	{"fmod", 2, floats, same, "", "parts"},
	{"copysign", 2, floats, same, "", "parts"},
	{"ldexp", 2, floats, same, "", "parts"},
	{"frexpm", 1, floats, same, "", "parts"},
	{"frexpe", 1, floats, same, "", "parts"},
	{"modff", 1, floats, same, "", "parts"},
	{"erf", 1, floats, same, "", "parts"},
	{"erfc", 1, floats, same, "", "parts"},
	{"tgamma", 1, floats, same, "", "parts"},
	{"lgamma", 1, floats, same, "", "parts"},
	{"real", 1, complexes, part, "", "parts"},
	{"imag", 1, complexes, part, "", "parts"},
	{"conj", 1, complexes, same, "", "parts"},
	{"magnitude", 1, complexes, part, "", "parts"},
	{"phase", 1, complexes, part, "", "parts"},
	{"join32", 2, 1 << Float32, chosen, "", "parts"},
	{"join64", 2, 1 << Float64, chosen, "", "parts"},
}

// Swapped returns the operation with its two arguments the other way round; nil if it has none.
func (o *Op) Swapped() *Op { return Ops[o.swap] }
