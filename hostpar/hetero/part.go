package hetero

import (
	"fmt"
	"slices"
)

// Part says which elements of a slice belong to an item.
type Part struct {
	kind          partKind
	stride        int // Rows
	before, after int // Halo
	wrap          bool
	num, den      int // Scaled
	f             func(Range) Range
	offsets       []int
}

type partKind uint8

const (
	byRows partKind = iota
	byScale
	byMap
	byOffsets
	byBlocks
	whole
)

// Rows gives item i the elements from i*stride up to (i+1)*stride. The slice has as many rows as the split axis has items.
func Rows(stride int) Part { return Part{stride: stride} }

// Replicate gives every item the whole slice, which is only read.
func Replicate() Part { return Part{kind: whole} }

// Scaled gives the items from lo up to hi the elements from lo*num/den up to hi*num/den: more or fewer than one an item.
// The items of a block must be a multiple of den.
func Scaled(num, den int) Part { return Part{kind: byScale, num: num, den: den} }

// Mapped gives the items of one row of blocks the elements that f returns for them. Both ends must grow with the items,
// or stay; of a slice that is written, ranges must not overlap. f is called for single rows of blocks only, and again for
// each chunk: equal items must give equal ranges.
func Mapped(f func(items Range) (elements Range)) Part { return Part{kind: byMap, f: f} }

// Irregular gives item i the elements from offsets[i] up to offsets[i+1], like the rows of a sparse matrix in CSR form.
// There is one offset more than items, and none is smaller than the one before. The offsets must not change.
func Irregular(offsets []int) Part { return Part{kind: byOffsets, offsets: offsets} }

// Edge says what lies beyond the first and last row.
type Edge uint8

const (
	// Stop: nothing is brought; the kernel minds the edges itself, by clamping its index or taking a value of its own.
	Stop Edge = iota
	// Wrap: the rows at the other end.
	Wrap
)

// Halo gives an item of Rows also so many rows before and after its own, to read.
func (p Part) Halo(before, after int, e Edge) Part {
	p.before, p.after, p.wrap = before, after, e == Wrap
	return p
}

// halo reports whether items read rows of others.
func (p *Part) halo() bool { return p.before != 0 || p.after != 0 }

// own is the elements of a range of items that begins with a unit, of a slice of so many.
func (p *Part) own(r Range, l *layout, length int) (out Range) {
	switch p.kind {
	case byRows:
		return Range{r.Lo * p.stride, r.Hi * p.stride}
	case byScale:
		out = Range{r.Lo / p.den * p.num, (r.Hi*p.num + p.den - 1) / p.den}
	case byOffsets:
		return Range{p.offsets[r.Lo], p.offsets[r.Hi]}
	case byBlocks:
		return Range{r.Lo / l.unit * l.wide, ((r.Hi-1)/l.unit + 1) * l.wide}
	case byMap:
		last := (r.Hi - 1) / l.unit * l.unit
		out = Range{p.f(Range{r.Lo, min(r.Lo+l.unit, r.Hi)}).Lo, p.f(Range{last, r.Hi}).Hi}
	default:
		return Range{0, length}
	}
	// What a function of the program says is not trusted with memory.
	out.Lo = min(max(out.Lo, 0), length)
	return Range{out.Lo, min(max(out.Hi, out.Lo), length)}
}

// reads is the ranges of elements that a range of items reads, at most three, without overlap.
func (p *Part) reads(r Range, l *layout, length int) (out [3]Range, k int) {
	if !p.halo() {
		out[0] = p.own(r, l, length)
		return out, 1
	}
	n := l.items
	lo, hi := r.Lo-p.before, r.Hi+p.after
	row := func(lo, hi int) {
		out[k] = Range{lo * p.stride, hi * p.stride}
		k++
	}
	if p.wrap && hi-lo >= n {
		row(0, n)
		return out, k
	}
	row(max(lo, 0), min(hi, n))
	if p.wrap && lo < 0 {
		row(n+lo, n)
	}
	if p.wrap && hi > n {
		row(0, hi-n)
	}
	return out, k
}

// check reports why a slice of so many elements cannot be divided so.
func (p *Part) check(l *layout, length int, written bool) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrDeclaration, fmt.Sprintf(format, args...))
	}
	if p.kind != byRows && p.halo() {
		return bad("only Rows have a halo")
	}
	switch {
	case p.kind == whole && written:
		return bad("a replicated slice is only read; several devices cannot write it")
	case written && p.halo():
		return bad("a slice that is written cannot have a halo: its neighbours would read rows that change; use two slices")
	case p.kind == byRows && (p.stride < 1 || p.before < 0 || p.after < 0):
		return bad("rows of %d elements with a halo of %d and %d", p.stride, p.before, p.after)
	case p.kind == byRows && (length/p.stride != l.items || length%p.stride != 0):
		return bad("%d elements are not %d rows of %d", length, l.items, p.stride)
	case p.kind == byScale && (p.num < 1 || p.den < 1 || l.unit%p.den != 0):
		return bad("%d elements for %d items: the %d items of a block must be a multiple of that", p.num, p.den, l.unit)
	case p.kind == byScale && length != (l.items*p.num+p.den-1)/p.den:
		return bad("%d elements are not %d for %d of %d items", length, p.num, p.den, l.items)
	case p.kind == byOffsets && len(p.offsets) != l.items+1:
		return bad("%d offsets for %d items: there must be one more", len(p.offsets), l.items)
	case p.kind == byOffsets && (p.offsets[0] < 0 || p.offsets[l.items] > length || !slices.IsSorted(p.offsets)):
		return bad("offsets from %d to %d of a slice of %d elements, which must not fall", p.offsets[0], p.offsets[l.items], length)
	case p.kind == byMap:
		return p.checkMap(l, length, written)
	}
	return nil
}

// checkMap asks for the elements of each unit.
func (p *Part) checkMap(l *layout, length int, written bool) error {
	if p.f == nil {
		return fmt.Errorf("%w: no function", ErrDeclaration)
	}
	var last Range
	for u := range l.units {
		items := l.rows(u, u+1)
		e := p.f(items)
		switch {
		case e.Lo < 0 || e.Hi < e.Lo || e.Hi > length:
			return fmt.Errorf("%w: items %v are mapped to %v of %d elements", ErrDeclaration, items, e, length)
		case e.Lo < last.Lo || e.Hi < last.Hi:
			return fmt.Errorf("%w: items %v are mapped to %v, below those of the items before, %v", ErrDeclaration, items, e, last)
		case written && e.Lo < last.Hi:
			return fmt.Errorf("%w: items %v are mapped to %v, which the items before write too, %v", ErrDeclaration, items, e, last)
		}
		last = e
	}
	return nil
}

// spans is a set of elements: ranges in order and apart from each other.
type spans []Range

// add puts a range into the set.
func (s *spans) add(r Range) {
	if r.Lo >= r.Hi {
		return
	}
	i, _ := slices.BinarySearchFunc(*s, r.Lo, func(e Range, lo int) int { return e.Hi - lo }) // the first that ends at r.Lo or later
	j := i
	for ; j < len(*s) && (*s)[j].Lo <= r.Hi; j++ {
		r = Range{min(r.Lo, (*s)[j].Lo), max(r.Hi, (*s)[j].Hi)}
	}
	*s = slices.Replace(*s, i, j, r)
}

// remove takes a range out of the set.
func (s *spans) remove(r Range) {
	if r.Lo >= r.Hi {
		return
	}
	i, _ := slices.BinarySearchFunc(*s, r.Lo+1, func(e Range, lo int) int { return e.Hi - lo }) // the first that ends behind r.Lo
	j := i
	var left [2]Range
	k := 0
	for ; j < len(*s) && (*s)[j].Lo < r.Hi; j++ {
		if e := (*s)[j]; e.Lo < r.Lo {
			left[k] = Range{e.Lo, r.Lo}
			k++
		}
		if e := (*s)[j]; e.Hi > r.Hi {
			left[k] = Range{r.Hi, e.Hi}
			k++
		}
	}
	*s = slices.Replace(*s, i, j, left[:k]...)
}

// missing appends the ranges of r that are not in the set.
func (s spans) missing(out []Range, r Range) []Range {
	i, _ := slices.BinarySearchFunc(s, r.Lo+1, func(e Range, lo int) int { return e.Hi - lo })
	for ; i < len(s) && s[i].Lo < r.Hi; i++ {
		if s[i].Lo > r.Lo {
			out = append(out, Range{r.Lo, s[i].Lo})
		}
		r.Lo = s[i].Hi
	}
	if r.Lo < r.Hi {
		out = append(out, r)
	}
	return out
}
