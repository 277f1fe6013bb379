package array

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// layout says where the elements of an array are in its storage, in elements: element (i, j, ...) is at off + i*strides[0] +
// j*strides[1] + ...
type layout struct {
	off     int
	strides []int
}

// contiguous is the layout of an array in row-major order from the beginning of its storage.
func contiguous(shape []int) layout {
	l := layout{strides: make([]int, len(shape))}
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		l.strides[i] = step
		step *= shape[i]
	}
	return l
}

// isContiguous reports row-major order without gaps, whatever the offset. Extents of 1 have no stride that matters.
func (l layout) isContiguous(shape []int) bool {
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && l.strides[i] != step {
			return false
		}
		step *= shape[i]
	}
	return true
}

// size is the number of elements.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// checkShape refuses negative extents and sizes beyond what can be addressed.
func checkShape(op string, shape []int) error {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return failure(ErrShape, "%s: shape %s has a negative extent", op, tuple(shape))
		}
		if d > 0 && n > maxElements/d {
			return failure(ErrShape, "%s: shape %s has more than 2^56 elements", op, tuple(shape))
		}
		n *= max(d, 1)
	}
	return nil
}

const maxElements = 1 << 56

// tuple prints a shape as NumPy does: "()", "(3,)", "(2, 3)".
func tuple(shape []int) string {
	if len(shape) == 1 {
		return fmt.Sprintf("(%d,)", shape[0])
	}
	return "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + ")"
}

// broadcast is the shape that both shapes are stretched to: extents are compared from the last to the first, one of 1 fits
// any other.
func broadcast(a, b []int) ([]int, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i := 1; i <= len(b); i++ {
		x, y := a[len(a)-i], b[len(b)-i]
		switch {
		case x == y || y == 1:
		case x == 1:
			out[len(a)-i] = y
		default:
			return nil, false
		}
	}
	return out, true
}

// stretch is the layout of an array of shape from when it is broadcast to shape to, which it fits.
func (l layout) stretch(from, to []int) layout {
	out := layout{off: l.off, strides: make([]int, len(to))}
	for i := 1; i <= len(from); i++ {
		if from[len(from)-i] != 1 {
			out.strides[len(to)-i] = l.strides[len(from)-i]
		}
	}
	return out
}

// extent is the range of elements that the layout reaches, both ends included. The array is not empty.
func (l layout) extent(shape []int) (lo, hi int) {
	lo, hi = l.off, l.off
	for i, d := range shape {
		if s := l.strides[i] * (d - 1); s < 0 {
			lo += s
		} else {
			hi += s
		}
	}
	return lo, hi
}

// overlaps reports whether two layouts of one storage may have an element in common: their ranges meet, and the difference
// of their offsets is a multiple of what all their strides are multiples of. It may report overlap where there is none.
func overlaps(a layout, as []int, b layout, bs []int) bool {
	if size(as) == 0 || size(bs) == 0 {
		return false
	}
	alo, ahi := a.extent(as)
	blo, bhi := b.extent(bs)
	if ahi < blo || bhi < alo {
		return false
	}
	g := 0
	for i, d := range as {
		if d > 1 {
			g = gcd(g, a.strides[i])
		}
	}
	for i, d := range bs {
		if d > 1 {
			g = gcd(g, b.strides[i])
		}
	}
	if g == 0 {
		return a.off == b.off
	}
	return (a.off-b.off)%g == 0
}

func gcd(a, b int) int {
	a, b = max(a, -a), max(b, -b)
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// repeats reports whether elements of the array share memory, as after broadcasting.
func (l layout) repeats(shape []int) bool {
	type axis struct{ stride, extent int }
	var axes []axis
	for i, d := range shape {
		if d > 1 {
			axes = append(axes, axis{max(l.strides[i], -l.strides[i]), d})
		}
	}
	slices.SortFunc(axes, func(a, b axis) int { return a.stride - b.stride })
	reach := 0 // of the axes before
	for _, a := range axes {
		if a.stride <= reach {
			return true // or perhaps not: strides that interleave; no view of a contiguous array has them
		}
		reach += a.stride * (a.extent - 1)
	}
	return false
}

// walk is how a strided kernel goes over operands of one shape: axes of extent 1 are gone and neighbours that every operand
// walks through as one are merged. Axis 0 is the outermost.
type walk struct {
	shape   []int
	strides [][]int // by operand
}

// merged makes the walk of operands with the given strides.
func merged(shape []int, operands [][]int) walk {
	w := walk{strides: make([][]int, len(operands))}
	for i, d := range shape {
		if d == 1 {
			continue
		}
		joins := len(w.shape) > 0
		for k, s := range operands {
			joins = joins && w.strides[k][len(w.shape)-1] == s[i]*d
		}
		if joins {
			last := len(w.shape) - 1
			w.shape[last] *= d
			for k, s := range operands {
				w.strides[k][last] = s[i]
			}
			continue
		}
		w.shape = append(w.shape, d)
		for k, s := range operands {
			w.strides[k] = append(w.strides[k], s[i])
		}
	}
	return w
}

// isFlat reports that the first operands, the outputs, are contiguous, and every other is contiguous or one element.
func (w *walk) isFlat(outputs int) bool {
	if len(w.shape) > 1 {
		return false
	}
	for i, s := range w.strides {
		if len(s) == 1 && s[0] != 1 && (s[0] != 0 || i < outputs) {
			return false
		}
	}
	return true
}

// Space and Strides of the prelude.
type kernelSpace struct {
	Cols       uint64
	Rows, Rank uint32
	Dim        [expr.MaxDims]uint32
}

type kernelStrides struct{ S [expr.MaxDims]int64 }

// space is the walk for kernels.
func (w *walk) space() (kernelSpace, []kernelStrides, error) {
	sp := kernelSpace{Cols: 1, Rows: 1}
	strides := make([]kernelStrides, len(w.strides))
	n := len(w.shape)
	if n > expr.MaxDims {
		return sp, nil, failure(ErrShape, "%d dimensions that cannot be merged, at most %d can be computed with; copy the arrays", n, expr.MaxDims)
	}
	if n == 0 {
		return sp, strides, nil
	}
	sp.Cols = uint64(w.shape[n-1])
	rows := 1
	for k := range n - 1 { // the innermost of the outer axes is number 0
		d := w.shape[n-2-k]
		sp.Dim[k] = uint32(d)
		rows *= d
		for o := range strides {
			strides[o].S[k] = int64(w.strides[o][n-2-k])
		}
	}
	if rows > 1<<32-1 {
		return sp, nil, failure(ErrShape, "%d rows that cannot be merged, at most 2^32-1 can be computed with", rows)
	}
	sp.Rows, sp.Rank = uint32(rows), uint32(n-1)
	for o := range strides {
		strides[o].S[expr.MaxDims-1] = int64(w.strides[o][n-1])
	}
	return sp, strides, nil
}
