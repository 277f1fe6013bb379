package hetero

import (
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
)

// Arg is an argument of a kernel and how it follows the split: In, Out, InOut, Val or Offset.
type Arg interface {
	// check reports why the argument cannot be split over the layout.
	check(l *layout) error
	// span is its memory, 0 and 0 if it has none, and whether a run writes it.
	span() (lo, hi uintptr, written bool)
}

// Part says which elements of a slice belong to an item.
type Part struct {
	stride        int
	before, after int
	wrap          bool
	whole         bool
}

// Rows gives item i the elements from i*stride up to (i+1)*stride. The slice has as many rows as the split axis has items.
func Rows(stride int) Part { return Part{stride: stride} }

// Replicate gives every item the whole slice, which is only read.
func Replicate() Part { return Part{whole: true} }

// Edge says what lies beyond the first and last row.
type Edge uint8

const (
	// Stop: nothing; the kernel minds the edges itself.
	Stop Edge = iota
	// Wrap: the rows at the other end.
	Wrap
)

// Halo gives an item also so many rows before and after its own, to read.
func (p Part) Halo(before, after int, e Edge) Part {
	p.before, p.after, p.wrap = before, after, e == Wrap
	return p
}

// spans are the row ranges that the items r of n read, at most three, without overlap.
func (p Part) spans(r Range, n int) (out [3]Range, k int) {
	lo, hi := r.Lo-p.before, r.Hi+p.after
	if p.whole || p.wrap && hi-lo >= n {
		out[0] = Range{0, n}
		return out, 1
	}
	out[0], k = Range{max(lo, 0), min(hi, n)}, 1
	if p.wrap && lo < 0 {
		out[k] = Range{n + lo, n}
		k++
	}
	if p.wrap && hi > n {
		out[k] = Range{0, hi - n}
		k++
	}
	return out, k
}

// slice is a Go slice as an argument.
type slice[T cuda.Element] struct {
	data    []T
	part    Part
	in, out bool
}

// In is a slice that the kernel reads. It must not change during the run.
func In[T cuda.Element](s []T, p Part) Arg { return &slice[T]{data: s, part: p, in: true} }

// Out is a slice whose rows the kernel writes, all elements of them, and does not read. Elements that it does not write are
// undefined after the run.
func Out[T cuda.Element](s []T, p Part) Arg { return &slice[T]{data: s, part: p, out: true} }

// InOut is a slice whose rows the kernel reads and writes. A chunk finds the rows as they were before the run.
func InOut[T cuda.Element](s []T, p Part) Arg {
	return &slice[T]{data: s, part: p, in: true, out: true}
}

func (a *slice[T]) check(l *layout) error {
	p := a.part
	switch {
	case p.whole && a.out:
		return fmt.Errorf("%w: a replicated slice is only read; several devices cannot write it", ErrDeclaration)
	case p.whole:
		return nil
	case a.out && (p.before != 0 || p.after != 0):
		return fmt.Errorf("%w: a slice that is written cannot have a halo: its neighbours would read rows that change; use two slices", ErrDeclaration)
	case p.stride < 1 || p.before < 0 || p.after < 0:
		return fmt.Errorf("%w: rows of %d elements with a halo of %d and %d", ErrDeclaration, p.stride, p.before, p.after)
	case len(a.data)/p.stride != l.items || len(a.data)%p.stride != 0:
		return fmt.Errorf("%w: %d elements are not %d rows of %d", ErrDeclaration, len(a.data), l.items, p.stride)
	}
	return nil
}

func (a *slice[T]) span() (lo, hi uintptr, written bool) {
	if len(a.data) == 0 {
		return 0, 0, false
	}
	lo = reflect.ValueOf(a.data).Pointer()
	return lo, lo + uintptr(len(a.data))*reflect.TypeFor[T]().Size(), a.out
}

// value is a scalar or structure.
type value struct{ v any }

// Val is a scalar or a structure by value, as cuda.Function.Launch takes it.
func Val(v any) Arg { return value{v} }

func (value) check(*layout) error            { return nil }
func (value) span() (lo, hi uintptr, w bool) { return }

// offset is the place of a chunk.
type offset[T Integer] struct{}

// Integer is the type of an Offset.
type Integer interface {
	~int32 | ~uint32 | ~int64 | ~uint64
}

// Offset is the first item of the chunk, for kernels that add it to their index along the split axis. They see a grid of
// the chunk's blocks only. It lets devices take part that cannot launch a part of a grid.
func Offset[T Integer]() Arg { return offset[T]{} }

func (offset[T]) check(*layout) error            { return nil }
func (offset[T]) span() (lo, hi uintptr, w bool) { return }
func (offset[T]) at(item int) any                { return T(item) }

// placed is an Offset of any type.
type placed interface{ at(item int) any }

// checkArgs checks all arguments by themselves and against each other.
func checkArgs(args []Arg, l *layout) error {
	for i, a := range args {
		if a == nil {
			return fmt.Errorf("argument %d: %w: it is nil", i, ErrDeclaration)
		}
		if err := a.check(l); err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
	}
	for i, a := range args {
		lo, hi, written := a.span()
		for j, b := range args {
			blo, bhi, _ := b.span()
			if i != j && written && lo < bhi && blo < hi {
				return fmt.Errorf("arguments %d and %d: %w: they share memory that argument %d writes", i, j, ErrDeclaration, i)
			}
		}
	}
	return nil
}
