package linalg

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

// Shapes of the kernels, which linalg.cu fixes.
const (
	tile        = 64  // rows and columns of a block of tile
	tileThreads = 256 // threads of it
	lanes       = 32  // columns of a warp of wide
	chunk       = 256 // rows that columns adds up
	rank1Rows   = 8   // rows that outer changes
	threads     = 128 // threads of a block of the others
	maxBatch    = 65535
)

// panelRows is how many rows of the result a warp of wide computes; MR in linalg.cu.
var panelRows = map[string]int{"f32": 8, "f64": 4, "c64": 4, "c128": 2}

// call is one operation.
type call[T Number] struct {
	ctx     context.Context
	lib     *library.Library
	path    path
	variant string
	s       *cuda.Stream
}

func (c *call[T]) launch(kernel string, grid cuda.Dim3, threads int, args ...any) error {
	if grid.X == 0 {
		return nil
	}
	f, err := c.lib.Function(c.ctx, c.variant, kernel)
	if err != nil {
		return err
	}
	return f.Launch(cuda.LaunchConfig{Grid: grid, Block: cuda.D1(threads), Stream: c.s}, args...)
}

// up is n/d, rounded up.
func up(n, d int) int { return (n + d - 1) / d }

// product is what Gemm and GemmBatched are asked for.
type product[T Number] struct {
	ta, tb      Transpose
	m, n, k     int
	count       int
	a, b, c     Batch[T]
	alpha, beta [2]any
}

func gemm[T Number](ctx context.Context, l *Library, what string, ta, tb Transpose, count int, alpha T, a, b Batch[T], beta T, c Batch[T], s *cuda.Stream) error {
	m, k := a.shape(ta)
	kb, n := b.shape(tb)
	err := first(
		func() error { return ta.check("transA") },
		func() error { return tb.check("transB") },
		func() error {
			if count < 0 {
				return fmt.Errorf("%d products: %w", count, cuda.ErrInvalidValue)
			}
			return nil
		},
		func() error { return a.check(l.lib, "A", count, a.Next) },
		func() error { return b.check(l.lib, "B", count, b.Next) },
		func() error { return c.check(l.lib, "C", count, c.Next) },
		func() error { return mismatch("the inner dimension of A", k, "of B", kb) },
		func() error { return mismatch("the number of rows of A", m, "of C", c.Rows) },
		func() error { return mismatch("the number of columns of B", n, "of C", c.Cols) },
		func() error {
			if extent := need(1, 0, c.Rows, c.stride(), c.Cols); count > 1 && c.Next < extent && c.Rows > 0 && c.Cols > 0 {
				return fmt.Errorf("matrices of C of %d elements are %d apart: %w", extent, c.Next, cuda.ErrInvalidValue)
			}
			return nil
		},
		func() error { return library.Apart(c.Data, "C", a.Data, "A") },
		func() error { return library.Apart(c.Data, "C", b.Data, "B") },
	)
	if err == nil {
		q := &call[T]{ctx, l.lib, l.path, library.Suffix[T](), s}
		p := product[T]{ta, tb, m, n, k, count, a, b, c, parts(alpha), parts(beta)}
		err = q.multiply(p, alpha == 0)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// multiply chooses the kernels.
func (c *call[T]) multiply(p product[T], nothing bool) error {
	switch {
	case p.m == 0 || p.n == 0 || p.count == 0:
		return nil
	case nothing:
		p.k = 0
	}
	work := float64(p.m) * float64(p.n) * float64(p.k)
	wide := c.path == alwaysWide || c.path == byDevice && c.lib.Host() && work >= 64*64*64 && p.m >= panelRows[c.variant]
	if !wide || p.k == 0 {
		return c.tiles(p)
	}
	return c.wide(p)
}

// tiles multiplies with the kernel for GPUs and for small matrices.
func (c *call[T]) tiles(p product[T]) error {
	across := up(p.n, tile)
	arow, acol := p.a.steps(p.ta)
	brow, bcol := p.b.steps(p.tb)
	for q := 0; q < p.count; q += maxBatch {
		views, err := p.from(q)
		if err != nil {
			return err
		}
		grid := cuda.D2(across*up(p.m, tile), min(p.count-q, maxBatch))
		err = c.launch("tile", grid, tileThreads, views[2], uint64(p.c.stride()), uint64(p.c.Next), views[0], arow, acol, uint64(p.a.Next), conj(p.ta),
			views[1], brow, bcol, uint64(p.b.Next), conj(p.tb), uint32(p.m), uint32(p.n), uint32(p.k),
			p.alpha[0], p.alpha[1], p.beta[0], p.beta[1], uint32(across))
		if err != nil {
			return err
		}
	}
	return nil
}

// from is the operands of the products from the q-th on.
func (p *product[T]) from(q int) (views [3]*cuda.Buffer[T], err error) {
	for i, m := range []*Batch[T]{&p.a, &p.b, &p.c} {
		if views[i], err = m.Data.Slice(min(q*m.Next, m.Data.Len()), m.Data.Len()); err != nil {
			return views, err
		}
	}
	return views, nil
}

// wide multiplies with the kernel for the host device: it wants the operands in panels.
func (c *call[T]) wide(p product[T]) error {
	mr := panelRows[c.variant]
	aPanels, bPanels := up(p.m, mr), up(p.n, lanes)
	a, err := library.Temp[T](c.lib, aPanels*mr*p.k)
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := library.Temp[T](c.lib, bPanels*lanes*p.k)
	if err != nil {
		return err
	}
	defer b.Close()
	across := up(p.k, lanes)
	for q := range p.count {
		views, err := p.from(q)
		if err != nil {
			return err
		}
		if q == 0 || p.a.Next != 0 {
			row, col := p.a.steps(p.ta)
			if err := c.launch("pack", cuda.D1(across*aPanels), lanes, a, views[0], row, col, uint32(p.m), uint32(p.k), uint32(mr), conj(p.ta), uint32(across)); err != nil {
				return err
			}
		}
		if q == 0 || p.b.Next != 0 {
			row, col := p.b.steps(p.tb)
			if err := c.launch("pack", cuda.D1(across*bPanels), lanes, b, views[1], col, row, uint32(p.n), uint32(p.k), uint32(lanes), conj(p.tb), uint32(across)); err != nil {
				return err
			}
		}
		err = c.launch("wide", cuda.D1(aPanels*bPanels), lanes, views[2], uint64(p.c.stride()), a, b,
			uint32(p.m), uint32(p.n), uint32(p.k), p.alpha[0], p.alpha[1], p.beta[0], p.beta[1])
		if err != nil {
			return err
		}
	}
	return nil
}

func gemv[T Number](ctx context.Context, l *Library, trans Transpose, alpha T, a Matrix[T], x Vector[T], beta T, y Vector[T], s *cuda.Stream) error {
	m, n := a.shape(trans)
	err := first(
		func() error { return trans.check("trans") },
		func() error { return a.check(l.lib, "A", 1, 0) },
		func() error { return x.check(l.lib, "x") },
		func() error { return y.check(l.lib, "y") },
		func() error { return mismatch("the number of columns of A", n, "the length of x", x.N) },
		func() error { return mismatch("the number of rows of A", m, "the length of y", y.N) },
		func() error { return library.Apart(y.Data, "y", a.Data, "A") },
		func() error { return library.Apart(y.Data, "y", x.Data, "x") },
	)
	if err == nil && m > 0 {
		c := &call[T]{ctx, l.lib, l.path, library.Suffix[T](), s}
		if alpha == 0 {
			n = 0
		}
		if trans == NoTrans {
			al, be := parts(alpha), parts(beta)
			err = c.launch("dots", cuda.D1(up(m, threads/lanes)), threads, y.Data, uint64(y.step()), a.Data, uint64(a.stride()), x.Data, uint64(x.step()),
				uint32(m), uint32(n), conj(trans), al[0], al[1], be[0], be[1])
		} else {
			err = c.columns(n, m, conj(trans), parts(alpha), a, x, parts(beta), y)
		}
	}
	if err != nil {
		return fmt.Errorf("gemv: %w", err)
	}
	return nil
}

// columns multiplies the transpose of a matrix of rows by cols with x.
func (c *call[T]) columns(rows, cols int, conj int32, alpha [2]any, a Matrix[T], x Vector[T], beta [2]any, y Vector[T]) error {
	chunks := up(rows, chunk)
	part, err := library.Temp[T](c.lib, chunks*cols)
	if err != nil {
		return err
	}
	defer part.Close()
	across := up(cols, threads)
	if err := c.launch("columns", cuda.D1(across*chunks), threads, part, a.Data, uint64(a.stride()), x.Data, uint64(x.step()),
		uint32(rows), uint32(cols), conj, uint32(across)); err != nil {
		return err
	}
	return c.launch("add_chunks", cuda.D1(across), threads, y.Data, uint64(y.step()), part, uint32(chunks), uint32(cols),
		alpha[0], alpha[1], beta[0], beta[1])
}

func ger[T Number](ctx context.Context, l *Library, trans Transpose, alpha T, x, y Vector[T], a Matrix[T], s *cuda.Stream) error {
	err := first(
		func() error {
			if trans == NoTrans {
				return fmt.Errorf("trans is %v: want Trans or ConjTrans: %w", trans, cuda.ErrInvalidValue)
			}
			return trans.check("trans")
		},
		func() error { return a.check(l.lib, "A", 1, 0) },
		func() error { return x.check(l.lib, "x") },
		func() error { return y.check(l.lib, "y") },
		func() error { return mismatch("the number of rows of A", a.Rows, "the length of x", x.N) },
		func() error { return mismatch("the number of columns of A", a.Cols, "the length of y", y.N) },
		func() error { return library.Apart(a.Data, "A", x.Data, "x") },
		func() error { return library.Apart(a.Data, "A", y.Data, "y") },
	)
	if err == nil && alpha != 0 && a.Rows > 0 && a.Cols > 0 {
		c := &call[T]{ctx, l.lib, l.path, library.Suffix[T](), s}
		across := up(a.Cols, threads)
		al := parts(alpha)
		err = c.launch("outer", cuda.D1(across*up(a.Rows, rank1Rows)), threads, a.Data, uint64(a.stride()), x.Data, uint64(x.step()), y.Data, uint64(y.step()),
			uint32(a.Rows), uint32(a.Cols), conj(trans), al[0], al[1], uint32(across))
	}
	if err != nil {
		return fmt.Errorf("ger: %w", err)
	}
	return nil
}
