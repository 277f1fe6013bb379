package ptx

import (
	"math"
	"strconv"
)

// warpSize is the predefined constant of that name.
const warpSize = "WARP_SZ"

type constKind uint8

const (
	cInt  constKind = iota // .s64
	cUint                  // .u64
	cFloat
)

// constVal is the value of a constant expression: integers are 64 bits wide, signed unless written with U or too large
// for .s64; floating-point values are double (PTX ISA, Constant Expressions).
type constVal struct {
	kind   constKind
	single bool // a literal 0f...: bits holds an IEEE single
	bits   uint64
}

func (v constVal) float() float64 {
	switch {
	case v.single:
		return float64(math.Float32frombits(uint32(v.bits)))
	case v.kind == cFloat:
		return math.Float64frombits(v.bits)
	case v.kind == cInt:
		return float64(int64(v.bits))
	}
	return float64(v.bits)
}

func (v constVal) init() InitKind {
	switch {
	case v.single:
		return InitFloat32
	case v.kind == cFloat:
		return InitFloat64
	}
	return InitInt
}

func (v constVal) operand() Kind {
	switch {
	case v.single:
		return KindFloat32
	case v.kind == cFloat:
		return KindFloat64
	}
	return KindInt
}

func intVal(n int64) constVal     { return constVal{bits: uint64(n)} }
func floatVal(f float64) constVal { return constVal{kind: cFloat, bits: math.Float64bits(f)} }

func boolVal(b bool) constVal {
	if b {
		return intVal(1)
	}
	return intVal(0)
}

// Binding strength of binary operators, as in C.
const (
	precOr = iota + 1
	precAnd
	precBitOr
	precXor
	precBitAnd
	precEqual
	precCompare
	precShift
	precAdd
	precMul
)

var precedence = map[string]int{
	"||": precOr, "&&": precAnd, "|": precBitOr, "^": precXor, "&": precBitAnd, "==": precEqual, "!=": precEqual,
	"<": precCompare, "<=": precCompare, ">": precCompare, ">=": precCompare, "<<": precShift, ">>": precShift,
	"+": precAdd, "-": precAdd, "*": precMul, "/": precMul, "%": precMul,
}

// uint reads one integer literal from 0 to limit.
func (p *parser) uint(limit uint64) (uint64, bool) {
	if p.tok.kind != tokInt {
		return 0, p.fail("a number")
	}
	v, ok := p.literal()
	if ok && v.bits > limit {
		p.errorf(p.tok.pos, "number %d is larger than %d", v.bits, limit)
		return 0, false
	}
	return v.bits, ok
}

// constInt reads an integer constant expression.
func (p *parser) constInt() (int64, bool) {
	at := p.tok.pos
	v, ok := p.constant()
	if ok && v.kind == cFloat {
		p.errorf(at, "constant is not an integer")
		return 0, false
	}
	return int64(v.bits), ok
}

// constant reads a constant expression.
func (p *parser) constant() (constVal, bool) {
	if !p.enter() {
		return constVal{}, false
	}
	defer p.leave()
	v, ok := p.binary(precOr)
	if !ok || !p.tok.is('?') {
		return v, ok
	}
	p.next()
	yes, ok := p.constant()
	if !ok || !p.expect(':') {
		return v, false
	}
	no, ok := p.constant()
	if v.float() != 0 {
		return yes, ok
	}
	return no, ok
}

// binary reads a binary expression whose operators bind at least as strongly as min.
func (p *parser) binary(min int) (constVal, bool) {
	left, ok := p.unary()
	for ok {
		p.splitPercent()
		prec := 0
		if p.tok.kind == tokPunct {
			prec = precedence[p.tok.text]
		}
		if prec == 0 || prec < min {
			break
		}
		op := p.tok
		p.next()
		var right constVal
		if right, ok = p.binary(prec + 1); ok {
			left, ok = p.apply(op, left, right)
		}
	}
	return left, ok
}

// splitPercent cuts a name such as %4 into an operator and what follows: after a value no name can stand.
func (p *parser) splitPercent() {
	if p.tok.kind == tokIdent && p.tok.text[0] == '%' {
		p.off = p.tok.off + 1
		p.tok.kind, p.tok.c, p.tok.text = tokPunct, '%', "%"
	}
}

func (p *parser) unary() (constVal, bool) {
	switch t := &p.tok; {
	case t.is('+'), t.is('-'), t.is('~'), t.is('!'):
		op := *t
		if !p.enter() {
			return constVal{}, false
		}
		defer p.leave()
		p.next()
		v, ok := p.unary()
		if !ok {
			return v, false
		}
		return p.applyUnary(op, v)
	case t.is('('):
		return p.paren()
	case t.kind == tokInt, t.kind == tokFloat:
		return p.literal()
	case t.kind == tokIdent && t.text == warpSize:
		p.next()
		return intVal(32), true
	}
	return constVal{}, p.fail("a constant")
}

// paren reads (expression), (.s64) value and (.u64) value.
func (p *parser) paren() (constVal, bool) {
	if !p.enter() {
		return constVal{}, false
	}
	defer p.leave()
	p.next()
	if p.tok.kind == tokDot && (p.tok.text == "s64" || p.tok.text == "u64") {
		kind := cInt
		if p.tok.text == "u64" {
			kind = cUint
		}
		at := p.tok.pos
		p.next()
		if !p.expect(')') {
			return constVal{}, false
		}
		v, ok := p.unary()
		if ok && v.kind == cFloat {
			p.errorf(at, "a floating-point constant cannot be cast")
			return v, false
		}
		v.kind = kind
		return v, ok
	}
	v, ok := p.constant()
	return v, ok && p.expect(')')
}

// literal reads a number.
func (p *parser) literal() (constVal, bool) {
	s := p.tok.text
	if p.tok.kind == tokFloat {
		p.next()
		if s[0] == '0' && len(s) > 1 && (s[1]|0x20 == 'f' || s[1]|0x20 == 'd') {
			bits, _ := strconv.ParseUint(s[2:], 16, 64) // the scanner saw to the digits
			return constVal{kind: cFloat, single: s[1]|0x20 == 'f', bits: bits}, true
		}
		f, _ := strconv.ParseFloat(s, 64) // out of range gives infinity, as wanted
		return floatVal(f), true
	}
	v := constVal{}
	if last := len(s) - 1; s[last] == 'U' || s[last] == 'u' {
		v.kind = cUint
		s = s[:last]
	}
	base := 10
	if len(s) > 1 && s[0] == '0' {
		switch s[1] {
		case 'x', 'X':
			base, s = 16, s[2:]
		case 'b', 'B':
			base, s = 2, s[2:]
		default:
			base, s = 8, s[1:]
		}
	}
	bits, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		p.errorf(p.tok.pos, "malformed or too large number %s", p.tok.describe())
		p.next()
		return v, false
	}
	p.next()
	v.bits = bits
	if int64(bits) < 0 {
		v.kind = cUint
	}
	return v, true
}

func (p *parser) applyUnary(op token, v constVal) (constVal, bool) {
	if v.kind == cFloat {
		switch op.c {
		case '+':
			return v, true
		case '-':
			if v.single {
				v.bits ^= 1 << 31
				return v, true
			}
			return floatVal(-v.float()), true
		}
		p.errorf(op.pos, "operator %s does not take a floating-point constant", op.text)
		return v, false
	}
	switch op.c {
	case '-':
		v.bits = -v.bits
	case '~':
		v.bits = ^v.bits
	case '!':
		return boolVal(v.bits == 0), true
	}
	return v, true
}

func (p *parser) apply(op token, a, b constVal) (constVal, bool) {
	if a.kind == cFloat || b.kind == cFloat {
		return p.applyFloat(op, a.float(), b.float())
	}
	kind := max(a.kind, b.kind)
	if op.text == "<<" || op.text == ">>" {
		kind = a.kind
	}
	signed := kind == cInt
	x, y := a.bits, b.bits
	r := constVal{kind: kind}
	switch op.text {
	case "+":
		r.bits = x + y
	case "-":
		r.bits = x - y
	case "*":
		r.bits = x * y
	case "/", "%":
		if y == 0 {
			p.errorf(op.pos, "division by zero in a constant")
			return r, false
		}
		r.bits = divide(op.text == "/", signed, x, y)
	case "<<":
		r.bits = x << y
	case ">>":
		r.bits = x >> y
		if signed {
			r.bits = uint64(int64(x) >> y)
		}
	case "&":
		r.bits = x & y
	case "|":
		r.bits = x | y
	case "^":
		r.bits = x ^ y
	case "&&":
		return boolVal(x != 0 && y != 0), true
	case "||":
		return boolVal(x != 0 || y != 0), true
	default:
		less, equal := x < y, x == y
		if signed {
			less = int64(x) < int64(y)
		}
		return boolVal(compare(op.text, less, equal)), true
	}
	return r, true
}

// divide returns quotient or remainder; y is not zero. -1<<63 / -1 wraps, as Go defines it.
func divide(quotient, signed bool, x, y uint64) uint64 {
	switch {
	case quotient && signed:
		return uint64(int64(x) / int64(y))
	case quotient:
		return x / y
	case signed:
		return uint64(int64(x) % int64(y))
	}
	return x % y
}

func compare(op string, less, equal bool) bool {
	switch op {
	case "<":
		return less
	case "<=":
		return less || equal
	case ">":
		return !less && !equal
	case ">=":
		return !less
	case "==":
		return equal
	}
	return !equal
}

func (p *parser) applyFloat(op token, x, y float64) (constVal, bool) {
	switch op.text {
	case "+":
		return floatVal(x + y), true
	case "-":
		return floatVal(x - y), true
	case "*":
		return floatVal(x * y), true
	case "/":
		return floatVal(x / y), true
	case "<", "<=", ">", ">=", "==", "!=":
		if x != x || y != y {
			return boolVal(op.text == "!="), true
		}
		return boolVal(compare(op.text, x < y, x == y)), true
	}
	p.errorf(op.pos, "operator %s does not take a floating-point constant", op.text)
	return constVal{}, false
}

func quoteByte(s string) string { return strconv.QuoteToASCII(s) }
