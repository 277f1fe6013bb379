package main

import (
	"context"
	"math"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

const (
	side  = 48 // inner points in each direction
	steps = 200
	alpha = 0.2 // stable up to 1/4
)

// block is a rank's part of the plate, with one more point all around for the neighbours' edges.
type block struct {
	grid          *mpi.Grid
	rows, cols    int
	row0, col0    int
	now, next     []float64
	width         int // points from one row to the next
	up, down      int
	left, right   int
	across, along mpi.Layout
}

func newBlock(g *mpi.Grid, dims []int) *block {
	at := g.Coords(g.Rank())
	rows, row0 := mpi.Counts(side, dims[0])
	cols, col0 := mpi.Counts(side, dims[1])
	b := &block{grid: g, rows: rows[at[0]], cols: cols[at[1]], row0: row0[at[0]], col0: col0[at[1]]}
	b.width = b.cols + 2
	b.now, b.next = make([]float64, (b.rows+2)*b.width), make([]float64, (b.rows+2)*b.width)
	b.up, b.down = g.Shift(0, 1)
	b.left, b.right = g.Shift(1, 1)
	b.across = mpi.Layout{Count: 1, Block: b.cols, Stride: b.width}
	b.along = mpi.Layout{Count: b.rows, Block: 1, Stride: b.width}
	for i := range b.rows {
		for j := range b.cols {
			b.now[(i+1)*b.width+j+1] = start(b.row0+i, b.col0+j)
		}
	}
	return b
}

// start is the lowest mode of a plate with cold edges, which keeps its shape and fades.
func start(i, j int) float64 {
	const h = math.Pi / (side + 1)
	return math.Sin(h*float64(i+1)) * math.Sin(h*float64(j+1))
}

// exchange sends an edge to one neighbour while the opposite edge comes from the other.
func (b *block) exchange(ctx context.Context, l mpi.Layout, edge, to, halo, from int) error {
	sent := make(chan error, 1)
	go func() { sent <- mpi.SendLayout(ctx, b.grid.Comm, b.now[edge:], l, to, 0) }()
	_, err := mpi.RecvLayout(ctx, b.grid.Comm, b.now[halo:], l, from, 0)
	if failed := <-sent; failed != nil {
		return failed
	}
	return err
}

func (b *block) step(ctx context.Context) error {
	w := b.width
	for _, e := range []struct {
		layout               mpi.Layout
		edge, to, halo, from int
	}{
		{b.across, w + 1, b.up, (b.rows+1)*w + 1, b.down},
		{b.across, b.rows*w + 1, b.down, 1, b.up},
		{b.along, w + 1, b.left, w + b.cols + 1, b.right},
		{b.along, w + b.cols, b.right, w, b.left},
	} {
		if err := b.exchange(ctx, e.layout, e.edge, e.to, e.halo, e.from); err != nil {
			return err
		}
	}
	for i := 1; i <= b.rows; i++ {
		for k := i*w + 1; k <= i*w+b.cols; k++ {
			b.next[k] = b.now[k] + alpha*(b.now[k-w]+b.now[k+w]+b.now[k-1]+b.now[k+1]-4*b.now[k])
		}
	}
	b.now, b.next = b.next, b.now
	return nil
}
