package mpi

import (
	"context"
	"fmt"
	"slices"
)

// Grid is a communicator whose ranks stand on a Cartesian grid, in row-major order: the last coordinate runs fastest.
type Grid struct {
	*Comm
	dims     []int
	periodic []bool
}

// NewGrid arranges the first ranks of c on a grid of the given size; periodic says of each dimension whether it is
// closed to a ring, nil of none. All ranks of c call it; those that find no place get nil.
func NewGrid(ctx context.Context, c *Comm, dims []int, periodic []bool) (*Grid, error) {
	places := 1
	for _, d := range dims {
		if d < 1 || places > c.size/d {
			return nil, c.fail("NewGrid", fmt.Errorf("%w: %v needs other than the %d ranks there are", ErrCount, dims, c.size))
		}
		places *= d
	}
	if periodic == nil {
		periodic = make([]bool, len(dims))
	}
	if len(periodic) != len(dims) {
		return nil, c.fail("NewGrid", fmt.Errorf("%w: %d dimensions, %d of them said to be periodic or not", ErrCount, len(dims), len(periodic)))
	}
	color := 0
	if c.rank >= places {
		color = Undefined
	}
	n, err := Split(ctx, c, color, c.rank)
	if n == nil {
		return nil, err
	}
	return &Grid{n, slices.Clone(dims), slices.Clone(periodic)}, nil
}

// Dims cuts n ranks into a grid of nearly equal sides, in decreasing order: Dims(12, 2) is 4, 3. It returns nil if n or
// dimensions is not positive.
func Dims(n, dimensions int) []int {
	if n < 1 || dimensions < 1 {
		return nil
	}
	dims := make([]int, dimensions)
	for i := range dims {
		dims[i] = 1
	}
	var primes []int
	for p := 2; n > 1; p++ {
		if p*p > n {
			p = n
		}
		for ; n%p == 0; n /= p {
			primes = append(primes, p)
		}
	}
	for _, p := range slices.Backward(primes) { // the largest prime to the smallest side
		slices.Sort(dims)
		dims[0] *= p
	}
	slices.Sort(dims)
	slices.Reverse(dims)
	return dims
}

// Coords returns where a rank stands; nil if there is no such rank.
func (g *Grid) Coords(rank int) []int {
	if g.toRank(rank) != nil {
		return nil
	}
	at := make([]int, len(g.dims))
	for i := len(at) - 1; i >= 0; i-- {
		at[i] = rank % g.dims[i]
		rank /= g.dims[i]
	}
	return at
}

// At returns the rank at a place. Coordinates of periodic dimensions wrap around; beyond the edge of the others, and for
// another number of coordinates, it is NoRank.
func (g *Grid) At(coords ...int) int {
	if len(coords) != len(g.dims) {
		return NoRank
	}
	rank := 0
	for i, x := range coords {
		d := g.dims[i]
		if g.periodic[i] {
			x = (x%d + d) % d
		}
		if x < 0 || x >= d {
			return NoRank
		}
		rank = rank*d + x
	}
	return rank
}

// Shift returns the ranks that this rank receives from and sends to when all pass something on by that many steps along
// a dimension; NoRank beyond an edge, and in a dimension that the grid does not have.
func (g *Grid) Shift(dimension, steps int) (source, dest int) {
	if dimension < 0 || dimension >= len(g.dims) {
		return NoRank, NoRank
	}
	at := g.Coords(g.rank)
	at[dimension] -= steps
	source = g.At(at...)
	at[dimension] += 2 * steps
	return source, g.At(at...)
}

// Sub makes, for each rank, the grid of the ranks that differ from it only in the dimensions to keep. All ranks call it
// with the same argument.
func (g *Grid) Sub(ctx context.Context, keep []bool) (*Grid, error) {
	if len(keep) != len(g.dims) {
		return nil, g.fail("Sub", fmt.Errorf("%w: %d dimensions, %d said to be kept or not", ErrCount, len(g.dims), len(keep)))
	}
	color := 0
	sub := &Grid{}
	for i, x := range g.Coords(g.rank) {
		if keep[i] {
			sub.dims, sub.periodic = append(sub.dims, g.dims[i]), append(sub.periodic, g.periodic[i])
		} else {
			color = color*g.dims[i] + x
		}
	}
	c, err := Split(ctx, g.Comm, color, g.rank)
	if err != nil {
		return nil, err
	}
	sub.Comm = c
	return sub, nil
}
