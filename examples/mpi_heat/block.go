package main

import (
	"context"
	_ "embed"
	"fmt"
	"math"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/mpi"
)

const (
	side  = 48 // points in each direction
	steps = 200
	alpha = 0.2 // stable up to 1/4
)

//go:embed heat.cu
var source string

// embedded is PTX made from source by `go generate`: it runs where NVIDIA's compiler is not installed.
//
//go:generate go test -run TestEmbedded -args -rewrite
//go:embed heat.ptx
var embedded []byte

// compile says how the source is compiled.
var compile = cuda.CompileConfig{Name: "heat.cu", Embedded: embedded}

// halo is what a rank exchanges with one of its neighbours, in the memory of its device.
type halo struct {
	rank      int // mpi.NoRank at the edge of the plate, where it is always cold
	out, from *cuda.Buffer[float64]
}

// The sides of a block.
const (
	up = iota
	down
	left
	right
	sides
)

// block is a rank's part of the plate, which stays in the memory of its device.
type block struct {
	grid        *mpi.Grid
	rows, cols  int
	row0, col0  int
	now, next   *cuda.Buffer[float64]
	halos       [sides]halo
	edges, step *cuda.Function
}

func newBlock(ctx context.Context, dev *cuda.Device, g *mpi.Grid, dims []int) (*block, error) {
	at := g.Coords(g.Rank())
	rows, row0 := mpi.Counts(side, dims[0])
	cols, col0 := mpi.Counts(side, dims[1])
	b := &block{grid: g, rows: rows[at[0]], cols: cols[at[1]], row0: row0[at[0]], col0: col0[at[1]]}
	if b.rows*b.cols == 0 {
		return nil, fmt.Errorf("%d points are too few for %d ranks", side, dims[0]*dims[1])
	}
	mod, err := dev.Compile(ctx, source, compile)
	if err != nil {
		return nil, err
	}
	if b.edges, err = mod.Function("edges"); err != nil {
		return nil, err
	}
	if b.step, err = mod.Function("step"); err != nil {
		return nil, err
	}
	points := make([]float64, b.rows*b.cols)
	for i := range points {
		points[i] = start(b.row0+i/b.cols, b.col0+i%b.cols)
	}
	if b.now, err = cuda.Upload(ctx, dev, points); err != nil {
		return nil, err
	}
	if b.next, err = cuda.Alloc[float64](dev, len(points)); err != nil {
		return nil, err
	}
	b.halos[up].rank, b.halos[down].rank = g.Shift(0, 1)
	b.halos[left].rank, b.halos[right].rank = g.Shift(1, 1)
	for i, n := range [sides]int{b.cols, b.cols, b.rows, b.rows} {
		h := &b.halos[i]
		if h.out, err = cuda.Alloc[float64](dev, n); err != nil {
			return nil, err
		}
		if h.from, err = cuda.Upload(ctx, dev, make([]float64, n)); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// start is the lowest mode of a plate with cold edges, which keeps its shape and fades.
func start(i, j int) float64 {
	const h = math.Pi / (side + 1)
	return math.Sin(h*float64(i+1)) * math.Sin(h*float64(j+1))
}

// exchange sends the edge of one side to the neighbour there while the opposite one's comes in.
func (b *block) exchange(ctx context.Context, to, from int) error {
	out, in := &b.halos[to], &b.halos[from]
	_, err := mpi.SendrecvDevice(ctx, b.grid.Comm, out.out, out.rank, to, in.from, in.rank, to)
	return err
}

func (b *block) advance(ctx context.Context) error {
	h, rows, cols := &b.halos, int32(b.rows), int32(b.cols)
	line := cuda.LaunchConfig{Grid: cuda.Blocks(max(b.rows, b.cols), 128), Block: cuda.D1(128)}
	if err := b.edges.Launch(line, h[up].out, h[down].out, h[left].out, h[right].out, b.now, rows, cols); err != nil {
		return err
	}
	for to, from := range [sides]int{up: down, down: up, left: right, right: left} {
		if err := b.exchange(ctx, to, from); err != nil {
			return err
		}
	}
	plate := cuda.LaunchConfig{Grid: cuda.D2((b.cols+31)/32, (b.rows+7)/8), Block: cuda.D2(32, 8)}
	err := b.step.Launch(plate, b.next, b.now, h[up].from, h[down].from, h[left].from, h[right].from, rows, cols, alpha)
	b.now, b.next = b.next, b.now
	return err
}
