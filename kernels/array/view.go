package array

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// axisOf resolves an axis, which counts from the end if it is negative.
func axisOf(op string, axis, dims int) (int, error) {
	k := axis
	if k < 0 {
		k += dims
	}
	if k < 0 || k >= dims {
		return 0, failure(ErrShape, "%s: axis %d of an array of %d dimensions", op, axis, dims)
	}
	return k, nil
}

// view describes another shape and layout of the same elements. It sees the shape and layout of a.
func (a *Array[T]) view(f func(shape []int, l layout) ([]int, layout, error)) *Array[T] {
	if a.err != nil {
		return a
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	shape, l, err := f(a.n.shape, a.n.layoutNow())
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	return wrap[T](a.ws, a.n.seen(shape, l), nil)
}

// Transpose is a view with the axes in another order; without arguments they are reversed.
func (a *Array[T]) Transpose(axes ...int) *Array[T] {
	return a.view(func(shape []int, l layout) ([]int, layout, error) {
		n := len(shape)
		order := slices.Clone(axes)
		if len(order) == 0 {
			for i := range n {
				order = append(order, n-1-i)
			}
		}
		out, to := make([]int, n), layout{off: l.off, strides: make([]int, n)}
		used := make([]bool, n)
		if len(order) != n {
			return nil, l, failure(ErrShape, "transpose: %d axes for shape %s", len(order), tuple(shape))
		}
		for i, axis := range order {
			k, err := axisOf("transpose", axis, n)
			if err != nil {
				return nil, l, err
			}
			if used[k] {
				return nil, l, failure(ErrShape, "transpose: axis %d comes twice in %v", axis, axes)
			}
			used[k] = true
			out[i], to.strides[i] = shape[k], l.strides[k]
		}
		return out, to, nil
	})
}

// T is Transpose without arguments.
func (a *Array[T]) T() *Array[T] { return a.Transpose() }

// Reshape has the same elements in row-major order in another shape; one extent may be -1, which is what is left. It is a view
// where the elements lie so that it can be, a copy otherwise.
func (a *Array[T]) Reshape(shape ...int) *Array[T] {
	if a.err != nil {
		return a
	}
	out, err := inferred(a.n.shape, shape)
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	a.ws.mu.Lock()
	l, ok := a.n.layoutNow().reshape(a.n.shape, out)
	n := a.n
	if !ok {
		n = a.ws.compute("copy", n.typ, n.shape, n)
		l = contiguous(out)
	}
	n = n.seen(out, l)
	a.ws.mu.Unlock()
	return wrap[T](a.ws, n, nil)
}

// inferred fills the -1 of a shape in.
func inferred(from, shape []int) ([]int, error) {
	out, open, n := slices.Clone(shape), -1, 1
	for i, d := range shape {
		switch {
		case d == -1 && open < 0:
			open = i
		case d < 0:
			return nil, failure(ErrShape, "reshape %s to %s: a negative extent", tuple(from), tuple(shape))
		default:
			n *= d
		}
	}
	if open >= 0 && n > 0 && size(from)%n == 0 {
		out[open] = size(from) / n
		n *= out[open]
	}
	if n != size(from) || open >= 0 && out[open] < 0 {
		return nil, failure(ErrShape, "reshape: %s has %d elements, which do not fill %s", tuple(from), size(from), tuple(shape))
	}
	return out, nil
}

// reshape is the layout of the same elements in another shape; ok is false if there is none.
func (l layout) reshape(from, to []int) (layout, bool) {
	out := layout{off: l.off, strides: contiguous(to).strides}
	if l.isContiguous(from) || size(to) == 0 {
		return out, true
	}
	w := merged(from, [][]int{l.strides})
	// Extents of the new shape are taken from the right until they fill an axis that can be walked as one.
	k := len(to)
	for i := len(w.shape) - 1; i >= 0; i-- {
		n, step := 1, w.strides[0][i]
		for k > 0 && n < w.shape[i] {
			k--
			out.strides[k] = step * n
			n *= to[k]
		}
		if n != w.shape[i] {
			return l, false
		}
	}
	return out, true
}

// Ravel has the elements in one dimension: a view where they are contiguous.
func (a *Array[T]) Ravel() *Array[T] { return a.Reshape(-1) }

// Squeeze is a view without the axes of extent 1; with arguments, only without those, which must be of extent 1.
func (a *Array[T]) Squeeze(axes ...int) *Array[T] {
	return a.view(func(shape []int, l layout) ([]int, layout, error) {
		drop := make([]bool, len(shape))
		for i, d := range shape {
			drop[i] = len(axes) == 0 && d == 1
		}
		for _, axis := range axes {
			k, err := axisOf("squeeze", axis, len(shape))
			if err != nil {
				return nil, l, err
			}
			if shape[k] != 1 {
				return nil, l, failure(ErrShape, "squeeze: axis %d of shape %s is not 1", axis, tuple(shape))
			}
			drop[k] = true
		}
		out, to := []int{}, layout{off: l.off, strides: []int{}}
		for i, d := range shape {
			if !drop[i] {
				out, to.strides = append(out, d), append(to.strides, l.strides[i])
			}
		}
		return out, to, nil
	})
}

// ExpandDims is a view with a new axis of extent 1 in that place.
func (a *Array[T]) ExpandDims(axis int) *Array[T] {
	return a.view(func(shape []int, l layout) ([]int, layout, error) {
		k, err := axisOf("expand dims", axis, len(shape)+1)
		if err != nil {
			return nil, l, err
		}
		return slices.Insert(slices.Clone(shape), k, 1), layout{l.off, slices.Insert(slices.Clone(l.strides), k, 0)}, nil
	})
}

// BroadcastTo is a view in which extents of 1, and missing ones on the left, are repeated. It cannot be written in place.
func (a *Array[T]) BroadcastTo(shape ...int) *Array[T] {
	return a.view(func(from []int, l layout) ([]int, layout, error) {
		if both, ok := broadcast(from, shape); !ok || !slices.Equal(both, shape) {
			return nil, l, failure(ErrShape, "broadcast: shape %s does not broadcast to %s", tuple(from), tuple(shape))
		}
		return slices.Clone(shape), l.stretch(from, shape), nil
	})
}

// Flip is a view with the elements along the axes backwards; without arguments, along all.
func (a *Array[T]) Flip(axes ...int) *Array[T] {
	return a.view(func(shape []int, l layout) ([]int, layout, error) {
		to := layout{l.off, slices.Clone(l.strides)}
		flip := func(k int) {
			if shape[k] > 0 {
				to.off += (shape[k] - 1) * to.strides[k]
			}
			to.strides[k] = -to.strides[k]
		}
		for k := range shape {
			if len(axes) == 0 {
				flip(k)
			}
		}
		for _, axis := range axes {
			k, err := axisOf("flip", axis, len(shape))
			if err != nil {
				return nil, l, err
			}
			flip(k)
		}
		return shape, to, nil
	})
}

// ViewAs takes the bytes of the elements for elements of another type of the same size, as NumPy's view. The array is
// computed in its own type first.
func ViewAs[U, T Element](a *Array[T]) *Array[U] {
	if a.err != nil {
		return wrap[U](a.ws, nil, a.err)
	}
	t := typeOf[U]()
	if t.Size() != a.n.typ.Size() || t == expr.Bool && a.n.typ != expr.Bool {
		return wrap[U](a.ws, nil, failure(ErrType, "view of %v as %v: elements of another size, or numbers as bool", a.n.typ, t))
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return wrap[U](a.ws, a.n.bits(t), nil)
}

// Index is one entry of an index: what is taken of one axis.
type Index struct {
	kind         indexKind
	lo, hi, step int
}

type indexKind uint8

const (
	takeRange indexKind = iota
	takeOne
	newAxis
	ellipsis
)

// open is an end that was left out.
const open = math.MinInt

// At takes one element of an axis, which is gone then. A negative i counts from the end.
func At(i int) Index { return Index{kind: takeOne, lo: i} }

// Range takes the elements from lo up to hi, hi not included. Negative numbers count from the end, and what is beyond the axis
// is left out.
func Range(lo, hi int) Index { return Index{lo: lo, hi: hi, step: 1} }

// Step takes every step-th element from lo up to hi; backwards, from lo down to hi, if step is negative. OpenEnd leaves an end
// out.
func Step(lo, hi, step int) Index { return Index{lo: lo, hi: hi, step: step} }

// OpenEnd is an end of Range or Step that reaches to the end of the axis.
const OpenEnd = open

// All takes the whole axis, NewAxis makes one of extent 1, Ellipsis stands for as many All as are missing.
var (
	All      = Index{lo: open, hi: open, step: 1}
	NewAxis  = Index{kind: newAxis}
	Ellipsis = Index{kind: ellipsis}
)

// Index is a view of a part of the array: an entry for each axis; those that are missing are All.
func (a *Array[T]) Index(entries ...Index) *Array[T] {
	return a.view(func(shape []int, l layout) ([]int, layout, error) { return l.index(shape, entries) })
}

// Slice is Index with the entries in Python's notation, separated by commas: "1:5, ::-1", "..., 0", "newaxis, :".
func (a *Array[T]) Slice(spec string) *Array[T] {
	if a.err != nil {
		return a
	}
	entries, err := parseSlice(spec)
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	return a.Index(entries...)
}

func parseSlice(spec string) ([]Index, error) {
	var out []Index
	for _, field := range strings.Split(spec, ",") {
		text := strings.TrimSpace(field)
		switch text {
		case "...":
			out = append(out, Ellipsis)
			continue
		case "newaxis":
			out = append(out, NewAxis)
			continue
		}
		parts := strings.Split(text, ":")
		numbers := [3]int{open, open, 1}
		for i, p := range parts {
			p = strings.TrimSpace(p)
			if i >= 3 || p == "" && len(parts) == 1 {
				return nil, failure(ErrIndex, "slice %q: %q is no index", spec, field)
			}
			if p == "" {
				continue
			}
			v, err := strconv.Atoi(p)
			if err != nil {
				return nil, failure(ErrIndex, "slice %q: %q is no number", spec, p)
			}
			numbers[i] = v
		}
		if len(parts) == 1 {
			out = append(out, At(numbers[0]))
			continue
		}
		out = append(out, Step(numbers[0], numbers[1], numbers[2]))
	}
	return out, nil
}

// index applies entries to a layout.
func (l layout) index(shape []int, entries []Index) ([]int, layout, error) {
	taken := 0
	dots := -1
	for i, e := range entries {
		switch e.kind {
		case takeRange, takeOne:
			taken++
		case ellipsis:
			if dots >= 0 {
				return nil, l, failure(ErrIndex, "index of shape %s: more than one ellipsis", tuple(shape))
			}
			dots = i
		}
	}
	if taken > len(shape) {
		return nil, l, failure(ErrIndex, "index of shape %s: %d entries for %d axes", tuple(shape), taken, len(shape))
	}
	missing := slices.Repeat([]Index{All}, len(shape)-taken)
	if dots >= 0 {
		entries = slices.Concat(entries[:dots], missing, entries[dots+1:])
	} else {
		entries = slices.Concat(entries, missing)
	}
	out, to, axis := []int{}, layout{off: l.off, strides: []int{}}, 0
	for _, e := range entries {
		if e.kind == newAxis {
			out, to.strides = append(out, 1), append(to.strides, 0)
			continue
		}
		d, s := shape[axis], l.strides[axis]
		if e.kind == takeOne {
			i := e.lo
			if i < 0 {
				i += d
			}
			if i < 0 || i >= d {
				return nil, l, failure(ErrIndex, "index %d is out of range for axis %d of shape %s", e.lo, axis, tuple(shape))
			}
			to.off += i * s
		} else {
			if e.step == 0 {
				return nil, l, failure(ErrIndex, "index of axis %d of shape %s: the step is 0", axis, tuple(shape))
			}
			lo, n := e.span(d)
			if n > 0 {
				to.off += lo * s
			}
			out, to.strides = append(out, n), append(to.strides, s*e.step)
		}
		axis++
	}
	return out, to, nil
}

// span is the first element that a range takes of an axis of d, and how many there are.
func (e Index) span(d int) (lo, n int) {
	clamp := func(v, missing, least, most int) int {
		if v == open {
			return missing
		}
		if v < 0 {
			v += d
		}
		return min(max(v, least), most)
	}
	if e.step > 0 {
		lo = clamp(e.lo, 0, 0, d)
		hi := clamp(e.hi, d, 0, d)
		return lo, max(0, (hi-lo+e.step-1)/e.step)
	}
	lo = clamp(e.lo, d-1, -1, d-1)
	hi := clamp(e.hi, -1, -1, d-1)
	return lo, max(0, (lo-hi-e.step-1)/-e.step)
}

// String prints the entry in Python's notation.
func (e Index) String() string {
	end := func(v int) string {
		if v == open {
			return ""
		}
		return strconv.Itoa(v)
	}
	switch e.kind {
	case takeOne:
		return strconv.Itoa(e.lo)
	case newAxis:
		return "newaxis"
	case ellipsis:
		return "..."
	}
	if e.step == 1 {
		return end(e.lo) + ":" + end(e.hi)
	}
	return fmt.Sprintf("%s:%s:%d", end(e.lo), end(e.hi), e.step)
}
