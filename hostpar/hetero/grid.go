package hetero

import (
	"fmt"

	"github.com/tandem-go/tandem/cuda"
)

// Grid is the extent of a job in threads, and of its blocks. It is split along the last axis, of x, y and z, that has more
// than one block.
type Grid struct{ N, Block cuda.Dim3 }

// Grid1 is a job of n threads in blocks of the given size.
func Grid1(n, block int) Grid { return Grid{cuda.D1(n), cuda.D1(block)} }

// Range is items from Lo up to Hi.
type Range struct{ Lo, Hi int }

// String returns "[lo,hi)".
func (r Range) String() string { return fmt.Sprintf("[%d,%d)", r.Lo, r.Hi) }

// layout is a grid as the scheduler sees it: units, which are rows of blocks across the split axis.
type layout struct {
	grid  cuda.Dim3 // blocks
	block cuda.Dim3
	axis  int // 0 is x
	items int // threads along the axis
	unit  int // items of a unit
	units int
	wide  int // blocks of a unit
}

func (g Grid) layout() (l layout, err error) {
	n, b := axes(g.N), axes(g.Block)
	var blocks [3]int
	for i := range 3 {
		if n[i] < 1 || b[i] < 1 {
			return l, fmt.Errorf("%w: a grid of %v threads in blocks of %v: every extent must be at least 1", ErrDeclaration, g.N, g.Block)
		}
		blocks[i] = (n[i]-1)/b[i] + 1
		if blocks[i] > 1 {
			l.axis = i
		}
	}
	l.grid, l.block = cuda.D3(blocks[0], blocks[1], blocks[2]), g.Block
	l.items, l.unit, l.units, l.wide = n[l.axis], b[l.axis], blocks[l.axis], 1
	for i := range l.axis {
		l.wide *= blocks[i]
	}
	return l, nil
}

// rows is the items of a range of units.
func (l *layout) rows(lo, hi int) Range {
	return Range{lo * l.unit, min(hi*l.unit, l.items)}
}

// part is the launch over a range of items that begins with a unit.
func (l *layout) part(r Range) cuda.BlockRange {
	lo, hi := r.Lo/l.unit, (r.Hi-1)/l.unit+1
	return cuda.BlockRange{First: lo * l.wide, Count: (hi - lo) * l.wide}
}

// subgrid is a grid of just those blocks, for kernels that add an offset.
func (l *layout) subgrid(r Range) cuda.Dim3 {
	n := axes(l.grid)
	n[l.axis] = (r.Hi-1)/l.unit + 1 - r.Lo/l.unit
	return cuda.D3(n[0], n[1], n[2])
}

func axes(d cuda.Dim3) [3]int { return [3]int{d.X, d.Y, d.Z} }
