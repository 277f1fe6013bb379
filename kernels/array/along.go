package array

import (
	"context"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/linalg"
	"github.com/tandem-go/tandem/kernels/random"
	"github.com/tandem-go/tandem/kernels/scan"
	"github.com/tandem-go/tandem/kernels/sort"
)

// The functions of this file compute by the packages beside this one: scan, sort, linalg and random.

// typed is the elements of n, which is in row-major order, as a buffer.
func typed[T Number](n *node) (*cuda.Buffer[T], error) {
	lo := n.lay.off * n.typ.Size()
	bytes, err := n.st.buf.Slice(lo, lo+size(n.shape)*n.typ.Size())
	if err != nil {
		return nil, err
	}
	return cuda.Reinterpret[T](bytes)
}

// along describes an array of a's shape that f computes from lines along an axis, which follow each other in memory.
func along[R, T Number](a *Array[T], op string, axis int, f func(ctx context.Context, lines int, dst *cuda.Buffer[R], src *cuda.Buffer[T]) error) *Array[R] {
	if a.err != nil {
		return wrap[R](a.ws, nil, a.err)
	}
	k, err := axisOf(op, axis, len(a.n.shape))
	if err != nil {
		return wrap[R](a.ws, nil, err)
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return wrap[R](a.ws, a.ws.later(typeOf[R](), a.n.shape, []*node{a.n}, func(ctx context.Context, n *node) error {
		if size(n.shape) == 0 {
			n.store(&storage{}, contiguous(n.shape))
			return nil
		}
		src, err := n.args[0].lines(ctx, k)
		if err != nil {
			return err
		}
		st, err := n.ws.alloc(n.typ, size(n.shape))
		if err != nil {
			return err
		}
		out := n.ws.stored(n.typ, src.shape, st, contiguous(src.shape))
		from, err := typed[T](src)
		if err != nil {
			return err
		}
		to, err := typed[R](out)
		if err != nil {
			return err
		}
		if err := f(ctx, size(n.shape)/n.shape[k], to, from); err != nil {
			return err
		}
		return n.storeLines(ctx, out, k)
	}), nil)
}

// lines is n in row-major order with axis k moved to the end.
func (n *node) lines(ctx context.Context, k int) (*node, error) {
	if err := n.eval(ctx); err != nil {
		return nil, err
	}
	return n.ws.stored(n.typ, toEnd(n.shape, k), n.st, layout{n.lay.off, toEnd(n.lay.strides, k)}).rowMajor(ctx)
}

// toEnd moves entry k to the end.
func toEnd(list []int, k int) []int {
	return append(slices.Delete(slices.Clone(list), k, k+1), list[k])
}

// storeLines stores out, whose last axis is n's axis k.
func (n *node) storeLines(ctx context.Context, out *node, k int) error {
	last := len(n.shape) - 1
	l := layout{out.lay.off, slices.Insert(slices.Clone(out.lay.strides[:last]), k, out.lay.strides[last])}
	c, err := n.ws.stored(n.typ, n.shape, out.st, l).rowMajor(ctx)
	if err != nil {
		return err
	}
	n.store(c.st, c.lay)
	return nil
}

// CumSum is the running sums along an axis; see package scan for order and errors.
func CumSum[T scan.Number](a *Array[T], axis int) *Array[T] {
	return running(a, "cumsum", axis, scan.Add)
}

// CumProd is the running products along an axis.
func CumProd[T scan.Number](a *Array[T], axis int) *Array[T] {
	return running(a, "cumprod", axis, scan.Mul)
}

func running[T scan.Number](a *Array[T], name string, axis int, op scan.Op) *Array[T] {
	return along(a, name, axis, func(ctx context.Context, lines int, dst, src *cuda.Buffer[T]) error {
		return scan.InclusiveRows(ctx, a.ws.scanner(), op, lines, dst, src, a.ws.stream)
	})
}

func (ws *Workspace) scanner() *scan.Library {
	if ws.scans == nil {
		ws.scans = scan.New(ws.dev)
	}
	return ws.scans
}

func (ws *Workspace) sorter() *sort.Library {
	if ws.sorts == nil {
		ws.sorts = sort.New(ws.dev)
	}
	return ws.sorts
}

// Sort is the elements of each line along an axis in ascending order, NaN last.
func Sort[T sort.Key](a *Array[T], axis int) *Array[T] {
	return along(a, "sort", axis, func(ctx context.Context, lines int, dst, src *cuda.Buffer[T]) error {
		return sort.Keys(ctx, a.ws.sorter(), lines, sort.Ascending, dst, src, a.ws.stream)
	})
}

// ArgSort is, for each line along an axis, the numbers of its elements in the order of Sort; equal elements stay in order.
func ArgSort[T sort.Key](a *Array[T], axis int) *Array[int64] {
	return along(a, "argsort", axis, func(ctx context.Context, lines int, dst *cuda.Buffer[int64], src *cuda.Buffer[T]) error {
		return sort.Arg(ctx, a.ws.sorter(), lines, sort.Ascending, dst, src, a.ws.stream)
	})
}

// MatMul is the product of two matrices, arrays of two dimensions; see package linalg for order and errors.
func MatMul[T linalg.Number](a, b *Array[T]) *Array[T] {
	ws := a.ws
	if a.err != nil {
		return a
	}
	right, err := ws.operand("matmul", typeOf[T](), b)
	if err != nil {
		return wrap[T](ws, nil, err)
	}
	if len(a.n.shape) != 2 || len(right.shape) != 2 || a.n.shape[1] != right.shape[0] {
		return wrap[T](ws, nil, failure(ErrShape, "matmul: shapes %s and %s are not two matrices with one inner extent", tuple(a.n.shape), tuple(right.shape)))
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return wrap[T](ws, ws.later(a.n.typ, []int{a.n.shape[0], right.shape[1]}, []*node{a.n, right}, product[T]), nil)
}

// product stores n, the product of its arguments.
func product[T linalg.Number](ctx context.Context, n *node) error {
	ws, inner := n.ws, n.args[0].shape[1]
	if size(n.shape) == 0 || inner == 0 {
		zero := ws.konst(n.typ, n.shape, numberOf(n.typ, 0))
		if err := zero.eval(ctx); err != nil {
			return err
		}
		n.store(zero.st, contiguous(n.shape))
		return nil
	}
	var sides [2]*cuda.Buffer[T]
	for i, a := range n.args {
		m, err := a.rowMajor(ctx)
		if err != nil {
			return err
		}
		if sides[i], err = typed[T](m); err != nil {
			return err
		}
	}
	st, err := ws.alloc(n.typ, size(n.shape))
	if err != nil {
		return err
	}
	out, err := typed[T](ws.stored(n.typ, n.shape, st, contiguous(n.shape)))
	if err != nil {
		return err
	}
	if ws.products == nil {
		ws.products = linalg.New(ws.dev)
	}
	rows, cols := n.shape[0], n.shape[1]
	err = linalg.Gemm(ctx, ws.products, linalg.NoTrans, linalg.NoTrans, T(1), linalg.Matrix[T]{Rows: rows, Cols: inner, Data: sides[0]},
		linalg.Matrix[T]{Rows: inner, Cols: cols, Data: sides[1]}, T(0), linalg.Matrix[T]{Rows: rows, Cols: cols, Data: out}, ws.stream)
	if err != nil {
		return err
	}
	n.store(st, contiguous(n.shape))
	return nil
}

// Uniform draws an array of numbers from low up to high, not included; see package random. It draws now, so that the order of calls is
// that of the generator's numbers.
func Uniform[T Real](ctx context.Context, ws *Workspace, g *random.Generator, low, high T, shape ...int) *Array[T] {
	return drawn(ws, shape, func(dst *cuda.Buffer[T]) error { return random.Uniform(ctx, g, low, high, dst, ws.stream) })
}

// Normal draws an array of normally distributed numbers, now; see package random.
func Normal[T Real](ctx context.Context, ws *Workspace, g *random.Generator, mean, deviation T, shape ...int) *Array[T] {
	return drawn(ws, shape, func(dst *cuda.Buffer[T]) error { return random.Normal(ctx, g, mean, deviation, dst, ws.stream) })
}

func drawn[T Real](ws *Workspace, shape []int, draw func(dst *cuda.Buffer[T]) error) *Array[T] {
	shape = slices.Clone(shape)
	if err := checkShape("random array", shape); err != nil {
		return wrap[T](ws, nil, err)
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if err := ws.usable(); err != nil {
		return wrap[T](ws, nil, err)
	}
	st, err := ws.alloc(typeOf[T](), size(shape))
	if err != nil {
		return wrap[T](ws, nil, err)
	}
	n := ws.stored(typeOf[T](), shape, st, contiguous(shape))
	if size(shape) > 0 {
		dst, err := typed[T](n)
		if err == nil {
			err = draw(dst)
		}
		if err != nil {
			return wrap[T](ws, nil, err)
		}
	}
	return wrap[T](ws, n, nil)
}
