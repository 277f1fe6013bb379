//go:build linux && (amd64 || arm64)

package jit

import (
	"math"
	"math/bits"
	"slices"

	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// index is an address as kernels write it: base + add + v << shift. The base is the same in all lanes, and v a number of 32
// bits that differs from lane to lane. Accesses to it gather with vectors of 32 bits, and check these: the address, of 64
// bits, is never computed.
type index struct {
	base   *ir.Value // nil: there is none
	v      *ir.Value
	add    int64
	shift  uint8
	signed bool // v is extended by its sign
}

// mostAdd bounds what is added to a base.
const mostAdd = 1 << 28

// most is the bound of what indices are compared with, for accesses that shift the indices left by so much: no sum or shift
// leaves 32 bits.
func mostIndex(left uint8) int64 { return 1 << (30 - left) }

// findIndexed makes indexed values of addresses that are nothing else, and of what they are computed from. Their parts are
// then needed where the addresses were: if lanes wait there, the rest of the analysis begins again. It reports whether it found any.
func (p *plan) findIndexed() bool {
	found, walkers := p.decomposeAll()
	for len(found) > 0 && !p.onlyAddresses(found) {
	}
	if len(found) == 0 {
		return false
	}
	for {
		p.indexes = found
		p.liveness()
		if !p.findMasked() {
			break // nobody waits for what was not needed before, so that all holds that was found
		}
		p.classify()
		again := false
		for id, x := range found { // lanes may wait for longer now, and what was the same in all is so no more
			if !p.indexable(x) {
				delete(found, id)
				again = true
			}
		}
		if !again {
			break
		}
		for !p.onlyAddresses(found) {
		}
	}
	for id := range found {
		p.vals[id].class = indexed
	}
	for _, w := range walkers {
		if found[w.pointer().ID] == nil {
			continue
		}
		for _, s := range w.steps {
			if !slices.Contains(p.steps[s.sum.Def], s) {
				p.steps[s.sum.Def] = append(p.steps[s.sum.Def], s)
			}
		}
	}
	return len(found) > 0
}

// indexable tells that the parts of x are what they have to be.
func (p *plan) indexable(x *index) bool {
	v := &p.vals[x.v.ID]
	return v.class == vector && !v.nan && !v.wide() && (x.base == nil || p.same(x.base))
}

// same tells that v is a scalar, or a constant, that is the same in all lanes.
func (p *plan) same(v *ir.Value) bool {
	x := &p.vals[v.ID]
	return (x.class == scalar || x.class == constant) && x.uniform()
}

// decompose returns the parts of the result of in, nil if it has none. found are those of other values.
func (p *plan) decompose(in *ir.Instr, found map[int]*index) *index {
	arg := func(i int) *value { return &p.vals[in.Args[i].ID] }
	var x index
	word := in.As.Integer() && in.As.Bits() == 64 && in.Flags == 0
	power := func(v *value, bits int) (uint8, bool) { // of two
		c := v.imm & (^uint64(0) >> (64 - bits))
		return uint8(trailing(c)), v.class == constant && c != 0 && c&(c-1) == 0 && c <= 256
	}
	switch in.Op {
	case ir.OpMulWide:
		a, b := 0, 1
		if arg(a).class == constant {
			a, b = b, a
		}
		n, ok := power(arg(b), 32)
		if !ok || in.As.Bits() != 32 {
			return nil
		}
		x = index{v: in.Args[a], shift: n, signed: in.As.Signed()}
	case ir.OpExtend, ir.OpCvt:
		if in.Args[0].Type != ir.B32 || in.From.Bits() != 32 || !in.From.Integer() || in.Flags != 0 || in.As.Float() {
			return nil
		}
		x = index{v: in.Args[0], signed: in.From.Signed()}
	case ir.OpShl, ir.OpMul:
		of := found[in.Args[0].ID]
		n, ok := power(arg(1), 64)
		if in.Op == ir.OpShl {
			n, ok = uint8(arg(1).imm), arg(1).class == constant && arg(1).imm <= 8
		}
		if of == nil || of.base != nil || !ok || in.As.Bits() != 64 {
			return nil
		}
		x = *of
		x.shift, x.add = x.shift+n, x.add<<n
	case ir.OpAdd, ir.OpSub:
		a, b := 0, 1
		if found[in.Args[a].ID] == nil && in.Op == ir.OpAdd {
			a, b = b, a
		}
		of := found[in.Args[a].ID]
		switch {
		case of == nil || !word:
			return nil
		case arg(b).class == constant && fits(int64(arg(b).imm)):
			x = *of
			if in.Op == ir.OpSub {
				x.add -= int64(arg(b).imm)
			} else {
				x.add += int64(arg(b).imm)
			}
		case of.base == nil && in.Op == ir.OpAdd && p.same(in.Args[b]):
			x = *of
			x.base = in.Args[b]
		default:
			return nil
		}
	case ir.OpCvta, ir.OpCvtaTo:
		of := found[in.Args[0].ID]
		if of == nil || in.Space != ir.SpaceGlobal && in.Space != ir.SpaceConst {
			return nil
		}
		x = *of
	default:
		return nil
	}
	if !p.indexable(&x) || !fits(x.add) {
		return nil
	}
	return &x
}

func fits(n int64) bool { return n < mostAdd && n > -mostAdd }

func trailing(c uint64) int { return bits.TrailingZeros64(c) }

// onlyAddresses removes values that are used otherwise than as addresses of accesses that have code for them, or for
// values of the same kind; false if it has to be asked again, since the code of what was removed has operands.
func (p *plan) onlyAddresses(found map[int]*index) bool {
	done := true
	drop := func(v *ir.Value) {
		if found[v.ID] != nil {
			delete(found, v.ID)
			done = false
		}
	}
	for _, b := range p.f.Blocks {
		for _, in := range b.Instrs {
			if len(in.Results) == 1 && found[in.Results[0].ID] != nil {
				continue
			}
			for i, a := range in.Args {
				if x := found[a.ID]; x != nil && (i > 0 || !p.target.indexed(p, in, x)) {
					drop(a)
				}
			}
			for _, e := range in.Targets {
				for i, a := range e.Args {
					if found[e.To.Params[i].ID] == nil {
						drop(a)
					}
				}
			}
		}
	}
	return done
}

// canIndex tells that an access can be compiled with its address in parts.
func (p *plan) canIndex(in *ir.Instr, x *index) bool {
	n, size := elements(in), int64(in.As.Bytes())
	if in.Op == ir.OpAtom || in.Op == ir.OpRed {
		n = 1
	}
	total := size * int64(n)
	if n == 0 || size > 8 || x.shift > 8 || !fits(int64(in.Imm)) {
		return false
	}
	switch in.Space {
	case ir.SpaceShared:
		at := x.add + int64(in.Imm)
		return x.base == nil && at >= 0 && at%total == 0 && uint64(total)>>x.shift <= p.boundsOf(x.v).factor
	case ir.SpaceGlobal, ir.SpaceConst, ir.SpaceGeneric:
		return x.base != nil && total <= 1<<x.shift
	}
	return false
}

// insideShared tells that no index is too large for so many bytes of shared memory, where accesses end so far behind the address.
func (p *plan) insideShared(x *index, end, bytes int64) bool {
	most := p.boundsOf(x.v).most
	return most <= math.MaxInt32 && int64(most)<<x.shift+end <= bytes
}

// indexOf returns the parts of the address of in, nil if it is a value by itself.
func (p *plan) indexOf(in *ir.Instr) *index {
	if len(p.indexes) == 0 || len(in.Args) == 0 {
		return nil
	}
	switch in.Op {
	case ir.OpLoad, ir.OpStore, ir.OpAtom, ir.OpRed:
		return p.indexes[in.Args[0].ID]
	}
	return nil
}

// operands calls f for each operand of in that its code reads, guards and arguments of edges included.
func (p *plan) operands(in *ir.Instr, f func(v *ir.Value)) {
	args := in.Args
	if by := p.joined[in]; by != nil {
		args = by.Args
	}
	if len(p.indexes) > 0 {
		if len(in.Results) == 1 && p.indexes[in.Results[0].ID] != nil {
			return // not computed
		}
		if x := p.indexOf(in); x != nil {
			args = args[1:]
			f(x.v)
			if x.base != nil {
				f(x.base)
			}
		}
	}
	for _, v := range args {
		f(v)
	}
	if in.Guard != nil {
		f(in.Guard)
	}
	for _, e := range in.Targets {
		for _, v := range e.Args {
			f(v)
		}
	}
}

// extend returns lane l of the index, at its place.
func (x *index) extend(v uint64) int64 {
	if x.signed {
		return int64(int32(v))
	}
	return int64(uint32(v))
}

// readIndexed gives the lanes of an address that is not computed.
func (b *running) readIndexed(w *warp, x *index, to *ops.Lanes) {
	var base ops.Lanes
	if x.base != nil {
		b.read(w, x.base, &base)
	}
	b.read(w, x.v, to)
	for l, v := range to {
		to[l] = base[l] + uint64(x.add+x.extend(v)<<x.shift)
	}
}

// learnIndexed looks up the region of an access by index, or of several, and reports whether the fast check will approve now.
func (b *running) learnIndexed(w *warp, x *index) bool {
	s := w.site
	var at, v ops.Lanes
	if x.base != nil {
		b.read(w, x.base, &at)
	}
	b.read(w, x.v, &v)
	mask := b.guarded(w)
	if mask == 0 {
		return false
	}
	first := bits.TrailingZeros32(mask)
	base := at[first] + uint64(x.add) + s.in.Imm + uint64(s.least)
	lo, n, ok := b.region(s.in, base+uint64(x.extend(v[first])<<x.shift))
	if skip := -lo & (1<<x.shift - 1); skip < n {
		lo, n = lo+skip, n-skip
	} else {
		return false
	}
	most := mostIndex(s.left)
	behind := (s.most - s.least + 1<<x.shift - 1) >> x.shift
	count, begin := min(int64(n>>x.shift)-behind, most), int64(base-lo)>>x.shift
	if !ok || base&uint64(s.size-1) != 0 || begin < -most || begin >= most {
		return false
	}
	for m := mask; m != 0; m &= m - 1 {
		i := x.extend(v[bits.TrailingZeros32(m)])
		if i+begin < 0 || i+begin >= count || i >= 1<<31 {
			return false
		}
	}
	le.PutUint64(b.area[s.access:], lo)
	le.PutUint64(b.area[s.access+8:], n-uint64(s.size)+1)
	le.PutUint64(b.area[s.each:], uint64(count))
	return true
}
