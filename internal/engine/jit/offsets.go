//go:build linux && (amd64 || arm64)

package jit

import (
	"math"

	"github.com/tandem-go/tandem/internal/ir"
)

// This file follows values whose lanes differ by constants that are no multiples of the lane's number, such as those that
// masks and shifts of a thread index give: 0 0 2 2 4 4 ...

// offsets are what each lane has above lane 0.
type offsets [32]int64

// tabled is the s of a scalar whose offsets are in a table: no stride that anything asks for.
const tabled = math.MinInt64 + 1

// mostOffset keeps offsets small enough for every place that computes with them.
const mostOffset = 1 << 28

func (f fact) offsets() *offsets {
	if f.table != nil {
		return f.table
	}
	var t offsets
	for l := range t {
		t[l] = f.s*int64(l%16) + f.d*int64(l/16)
	}
	return &t
}

// shaped gives f offsets: a stride in each half and a distance of the halves where that describes them, else a table if
// the target has code for those.
func (p *plan) shaped(f fact, t *offsets) (fact, bool) {
	f.s, f.d, f.table = t[1], t[16], nil
	plain := true
	for l, n := range t {
		plain = plain && n == f.s*int64(l%16)+f.d*int64(l/16)
		if n > mostOffset || n < -mostOffset {
			return fact{}, false
		}
	}
	if plain {
		return f, !tooSteep(f)
	}
	if !p.target.tables() {
		return fact{}, false
	}
	known := p.tables[*t]
	if known == nil {
		known = t
		if p.tables == nil {
			p.tables = map[offsets]*offsets{}
		}
		p.tables[*t] = t
	}
	f.s, f.d, f.table = tabled, 0, known
	return f, true
}

// lanewise is a fact about a op b where the offsets of the result are those of a and b combined, by an op that is linear.
func (p *plan) lanewise(a, b fact, align uint64, op func(a, b int64) int64) (fact, bool) {
	if a.table == nil && b.table == nil {
		f := fact{class: scalar, s: op(a.s, b.s), d: op(a.d, b.d), align: align}
		return f, !tooSteep(f)
	}
	x, y := a.offsets(), b.offsets()
	var t offsets
	for l := range t {
		t[l] = op(x[l], y[l])
	}
	return p.shaped(fact{class: scalar, align: align}, &t)
}

// bitwise is a op c where the bits of a's offsets do not meet those of its lane 0.
func (p *plan) bitwise(op ir.Op, a fact, c uint64) (fact, bool) {
	low, ok := within(a)
	if !ok {
		return fact{}, false
	}
	f := fact{class: scalar}
	apply := func(n uint64) int64 { return int64(n & (c & low)) }
	switch op {
	case ir.OpAnd:
		f.align = max(a.align, alignOf(c))
		if c < a.align && a.align < 1<<63 {
			f.align = 1 << 63 // nothing is left of lane 0
		}
	case ir.OpOr:
		f.align = min(a.align, alignOf(c))
		apply = func(n uint64) int64 { return int64(n|c&low) - int64(c&low) }
	case ir.OpXor:
		f.align = min(a.align, alignOf(c))
		apply = func(n uint64) int64 { return int64(n^c&low) - int64(c&low) }
	case ir.OpShr:
		f.align = max(1, a.align>>c)
		apply = func(n uint64) int64 { return int64(n >> c) }
	}
	from := a.offsets()
	var t offsets
	for l, n := range from {
		t[l] = apply(uint64(n))
	}
	return p.shaped(f, &t)
}
