package array

import (
	"context"
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Reductions combine elements in an order that depends on the shape and the axes alone: results have the same bits on every
// device and for every grid. Without axes the whole array is reduced, to an array without dimensions. Axes count from the
// end if they are negative. The axes that are reduced vanish; Keep leaves them with extent 1.
//
// Sums are at most d additions deep, with d = 45 + n/2^21 for n elements of rows and 74 + n/1024 of columns (where the last axis
// stays): the error of floating point is below d u Σ|x[i]| to first order, where u is half an ulp of 1 (Higham, Accuracy and
// Stability of Numerical Algorithms, 4.2). Float16 is added up in float32.

// reduce describes a reduction over axes.
func (a *Array[T]) reduce(op string, axes []int) (*node, error) {
	if a.err != nil {
		return nil, a.err
	}
	r := expr.Reduction(op)
	if !r.Types.Has(a.n.typ) {
		return nil, failure(ErrType, "%s is not defined for %v but for %v; use AsType", op, a.n.typ, r.Types)
	}
	kept, reduced, err := splitAxes(op, axes, len(a.n.shape))
	if err != nil {
		return nil, err
	}
	n := 1
	for _, k := range reduced {
		n *= a.n.shape[k]
	}
	shape := []int{}
	for _, k := range kept {
		shape = append(shape, a.n.shape[k])
	}
	if n == 0 && size(shape) > 0 && (op == "min" || op == "max" || op == "argmin" || op == "argmax") {
		return nil, failure(ErrShape, "%s of shape %s: no elements, and no value that stands for none", op, tuple(a.n.shape))
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return a.ws.later(expr.ReductionResult(op, a.n.typ), shape, []*node{a.n}, func(ctx context.Context, to *node) error {
		return reduction{op: op, kept: kept, reduced: reduced, n: n}.run(ctx, to.args[0], to)
	}), nil
}

// splitAxes tells the axes that stay from those that are reduced, both in order.
func splitAxes(op string, axes []int, dims int) (kept, reduced []int, err error) {
	gone := make([]bool, dims)
	for k := range gone {
		gone[k] = len(axes) == 0
	}
	for _, axis := range axes {
		k, err := axisOf(op, axis, dims)
		if err != nil {
			return nil, nil, err
		}
		if gone[k] {
			return nil, nil, failure(ErrShape, "%s: axis %d comes twice in %v", op, k, axes)
		}
		gone[k] = true
	}
	for k, g := range gone {
		if g {
			reduced = append(reduced, k)
		} else {
			kept = append(kept, k)
		}
	}
	return kept, reduced, nil
}

// reduction is a reduction of an array over some of its axes, n elements for each result.
type reduction struct {
	op            string
	kept, reduced []int
	n             int
}

// kernelReduction is Reduction of the prelude.
type kernelReduction struct{ Outer, N, Inner, Part, Parts uint64 }

// run reduces from and stores the result in to.
func (r reduction) run(ctx context.Context, from, to *node) error {
	ws := to.ws
	total := size(to.shape)
	if total == 0 || r.n == 0 {
		if total == 0 {
			to.store(&storage{}, contiguous(to.shape))
			return nil
		}
		return r.nothing(ctx, to)
	}
	p, outer, inner, err := r.source(ctx, from)
	if err != nil {
		return err
	}
	out, err := ws.alloc(to.typ, total)
	if err != nil {
		return err
	}
	if err := r.launch(ctx, p, out, outer, inner); err != nil {
		return err
	}
	to.store(out, contiguous(to.shape))
	return nil
}

// nothing stores what a reduction of no elements gives.
func (r reduction) nothing(ctx context.Context, to *node) error {
	v := 0
	if r.op == "prod" || r.op == "all" {
		v = 1
	}
	c := to.ws.konst(to.typ, to.shape, numberOf(to.typ, v))
	if err := c.eval(ctx); err != nil {
		return err
	}
	to.store(c.st, c.lay)
	return nil
}

// adjacent reports whether the reduced axes follow each other, axes of extent 1 apart, and how many elements there are of
// the axes before and behind them.
func (r reduction) adjacent(shape []int) (outer, inner int, ok bool) {
	outer, inner, ok = 1, 1, true
	first, last := len(shape), -1
	for _, k := range r.reduced {
		if shape[k] != 1 {
			first, last = min(first, k), max(last, k)
		}
	}
	for _, k := range r.kept {
		switch {
		case k < first:
			outer *= shape[k]
		case k > last:
			inner *= shape[k]
		case shape[k] != 1:
			ok = false
		}
	}
	if last < 0 { // everything that is reduced has extent 1
		outer, inner = size(shape), 1
	}
	return outer, inner, ok
}

// narrow is how few columns are too few for a thread each: they are transposed to rows first.
const narrow = 16

// source finds the expression that is reduced, computed as far as it cannot be part of the kernel, in row-major order with
// the reduced axes side by side.
func (r reduction) source(ctx context.Context, from *node) (p *plan, outer, inner int, err error) {
	outer, inner, ok := r.adjacent(from.shape)
	columns := inner > 1 && inner < narrow && r.n > 64
	if ok && !columns && from.state == compute && from.uses == 1 {
		if p, err := r.fuse(ctx, from); p != nil || err != nil {
			return p, outer, inner, err
		}
	}
	if err := from.eval(ctx); err != nil {
		return nil, 0, 0, err
	}
	if !ok || columns || !from.lay.isContiguous(from.shape) {
		moved := from
		if !ok || columns {
			order := slices.Concat(r.kept, r.reduced)
			shape, l := make([]int, len(order)), layout{off: from.lay.off, strides: make([]int, len(order))}
			for i, k := range order {
				shape[i], l.strides[i] = from.shape[k], from.lay.strides[k]
			}
			moved = from.ws.stored(from.typ, shape, from.st, l)
			outer, inner = size(from.shape)/r.n, 1
		}
		if from, err = moved.rowMajor(ctx); err != nil {
			return nil, 0, 0, err
		}
	}
	p = &plan{shape: from.shape, leaves: []*node{from}}
	p.s = expr.Structure{Leaves: kindsOf(p.leaves), Outputs: []int{0}, Reduce: r.op}
	return p, outer, inner, nil
}

// fuse makes the expression part of the reduction's kernel, if it may be.
func (r reduction) fuse(ctx context.Context, from *node) (*plan, error) {
	g, err := from.gather(ctx)
	if err != nil || from.state == stored {
		return nil, err
	}
	p := &plan{s: g.structure([]*node{from}), shape: g.shape, leaves: g.leaves}
	if p.lay(nil); p.s.Strided {
		return nil, nil
	}
	p.s.Reduce = r.op
	if !from.ws.mayFuse(&p.s, p.s.Key(), size(p.shape)) {
		return nil, nil
	}
	f, err := from.ws.compile(ctx, &p.s, p.s.Key(), expr.ByWarp)
	if f == nil || err != nil {
		return nil, err
	}
	return p, nil
}

// The forms of reductions: up to warpRow elements a warp reduces a row, beyond that a block each part of it. Columns are cut
// into parts.
const (
	warpRow    = 4096
	blockPart  = 16384
	columnPart = 256
)

// launch queues the kernels of a reduction of (outer, n, inner) elements to out.
func (r reduction) launch(ctx context.Context, p *plan, out *storage, outer, inner int) error {
	k := kernelReduction{Outer: uint64(outer), N: uint64(r.n), Inner: uint64(inner), Part: uint64(r.n), Parts: 1}
	form := expr.ByWarp
	switch {
	case inner > 1:
		form = expr.ByColumn
		k.Part = columnPart
	case r.n > warpRow:
		form = expr.ByBlock
		k.Part = blockPart
	}
	k.Parts = (k.N + k.Part - 1) / k.Part
	ws := p.leaves[0].ws
	var parts *cuda.Buffer[uint8]
	if k.Parts > 1 {
		var err error
		n := uint64(outer) * k.Parts * uint64(inner)
		if parts, err = cuda.AllocPooled[uint8](ws.pool, int(n)*expr.PartSize(r.op, p.typeOfResult())); err != nil {
			return err
		}
		defer parts.Close()
	}
	leaves, err := p.reductionArguments()
	if err != nil {
		return err
	}
	if err := r.one(ctx, p, form, k, append([]any{k, out.buf, parts}, leaves...)); err != nil || k.Parts == 1 {
		return err
	}
	last := kernelReduction{Outer: k.Outer, N: k.Parts, Inner: k.Inner, Part: k.Parts, Parts: 1}
	form = expr.PartsWarp
	if inner > 1 {
		form = expr.PartsColumn
	}
	return r.one(ctx, p, form, last, []any{last, out.buf, (*cuda.Buffer[uint8])(nil), parts})
}

// typeOfResult is the type of what is reduced.
func (p *plan) typeOfResult() expr.Type {
	if n := len(p.s.Nodes); n > 0 {
		return p.s.Nodes[n-1].Type
	}
	return p.s.Leaves[0].Type
}

func (p *plan) reductionArguments() (args []any, err error) {
	for _, n := range p.leaves {
		switch n.state {
		case konst:
			args = append(args, argument(n.con))
		case stored:
			buf, err := n.st.at(n.typ, n.lay.off)
			if err != nil {
				return nil, err
			}
			args = append(args, buf)
		}
	}
	return args, nil
}

// one queues one kernel.
func (r reduction) one(ctx context.Context, p *plan, form string, k kernelReduction, args []any) error {
	ws := p.leaves[0].ws
	var f *cuda.Function
	var err error
	if len(p.s.Nodes) > 0 {
		f, err = ws.compile(ctx, &p.s, p.s.Key(), form)
		ws.stats.Fused++
	} else {
		group, name, _ := p.s.Name()
		f, err = ws.embedded(ctx, group, name+form)
	}
	if err != nil {
		return err
	}
	block := cuda.D1(256)
	var grid cuda.Dim3
	switch form {
	case expr.ByBlock:
		grid = cuda.D1(int(k.Outer * k.Parts))
	case expr.ByWarp, expr.PartsWarp:
		grid = cuda.Blocks(int(k.Outer), 8)
	default:
		x := min(uint64(ws.threads()), powerOfTwo(k.Inner))
		block = cuda.D1(int(x))
		grid = cuda.D2(int((k.Inner+x-1)/x), int(min(k.Outer*k.Parts, maxGridY)))
	}
	return ws.launch(f, grid, block, args)
}

func (a *Array[T]) reduced(op string, axes []int) *Array[T] {
	n, err := a.reduce(op, axes)
	return wrap[T](a.ws, n, err)
}

// Sum adds up. Integers wrap; AsType[int64](a).Sum() does not, and takes no memory either.
func (a *Array[T]) Sum(axes ...int) *Array[T] { return a.reduced("sum", axes) }

// Prod multiplies up; the relative error is below n u, as for a product in any order.
func (a *Array[T]) Prod(axes ...int) *Array[T] { return a.reduced("prod", axes) }

// Min is the least element; NaN if there is one. No elements are an error.
func (a *Array[T]) Min(axes ...int) *Array[T] { return a.reduced("min", axes) }

// Max is the greatest element; NaN if there is one. No elements are an error.
func (a *Array[T]) Max(axes ...int) *Array[T] { return a.reduced("max", axes) }

// ArgMin is where the least element is: of those, or of the NaNs, the first, numbered in row-major order of the axes.
func (a *Array[T]) ArgMin(axes ...int) *Array[int64] {
	n, err := a.reduce("argmin", axes)
	return wrap[int64](a.ws, n, err)
}

// ArgMax is where the greatest element is, as ArgMin.
func (a *Array[T]) ArgMax(axes ...int) *Array[int64] {
	n, err := a.reduce("argmax", axes)
	return wrap[int64](a.ws, n, err)
}

// Any is true if an element is not 0; false of none.
func (a *Array[T]) Any(axes ...int) *Array[bool] {
	n, err := a.reduce("any", axes)
	return wrap[bool](a.ws, n, err)
}

// All is true if no element is 0; true of none.
func (a *Array[T]) All(axes ...int) *Array[bool] {
	n, err := a.reduce("all", axes)
	return wrap[bool](a.ws, n, err)
}

// CountNonzero is the number of elements that are not 0.
func (a *Array[T]) CountNonzero(axes ...int) *Array[int64] {
	return AsType[int64](AsType[bool](a)).Sum(axes...)
}

// Mean is Sum divided by the number of elements, NaN of none, for floating point and complex numbers. Its error is that of the
// sum, divided, and one rounding.
func (a *Array[T]) Mean(axes ...int) *Array[T] {
	n, err := a.count("mean", axes)
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	if a.n.typ == expr.Float16 { // whose sums overflow
		return AsType[T](AsType[float32](a).Mean(axes...))
	}
	return a.Sum(axes...).Div(float64(n))
}

// count is how many elements are reduced to one.
func (a *Array[T]) count(op string, axes []int) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	if err := defined("div", a.n.typ); err != nil {
		return 0, failure(ErrType, "%s of %v: use AsType for floating point", op, a.n.typ)
	}
	_, reduced, err := splitAxes(op, axes, len(a.n.shape))
	n := 1
	for _, k := range reduced {
		n *= a.n.shape[k]
	}
	return n, err
}

// Var is the mean of the squared distances from the mean, of real numbers: Σ(x[i] - mean)² / n, computed in two passes. The
// error is that of a sum of squares (Chan, Golub, LeVeque 1983). Of complex numbers, take it of the parts, or of Magnitude.
func (a *Array[T]) Var(axes ...int) *Array[T] { return a.VarDDoF(0, axes...) }

// VarDDoF is Var divided by n - ddof instead of n: 1 gives the unbiased estimate of a sample.
func (a *Array[T]) VarDDoF(ddof int, axes ...int) *Array[T] {
	n, err := a.count("var", axes)
	if err == nil && a.n.typ.IsComplex() {
		err = failure(ErrType, "var of %v: it is defined for real numbers", a.n.typ)
	}
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	if a.n.typ == expr.Float16 {
		return AsType[T](AsType[float32](a).VarDDoF(ddof, axes...))
	}
	by := float64(n - ddof)
	if by <= 0 {
		by = math.NaN()
	}
	return a.Sub(Keep(a, a.Mean(axes...), axes...)).Square().Sum(axes...).Div(by)
}

// Std is the square root of Var.
func (a *Array[T]) Std(axes ...int) *Array[T] { return a.Var(axes...).Sqrt() }

// Norm is the square root of the sum of squares of real numbers (2-norm, of matrices Frobenius'); of complex numbers, take it
// of Magnitude. There is no scaling: it overflows where the sum of squares does.
func (a *Array[T]) Norm(axes ...int) *Array[T] {
	switch {
	case a.err != nil:
		return a
	case a.n.typ.IsComplex():
		return wrap[T](a.ws, nil, failure(ErrType, "norm of %v: it is defined for real numbers; take it of Magnitude", a.n.typ))
	case a.n.typ == expr.Float16:
		return AsType[T](AsType[float32](a).Norm(axes...))
	}
	return a.Square().Sum(axes...).Sqrt()
}

// Dot is the sum of products of two arrays of one dimension and one length, without conjugation, as NumPy's.
func (a *Array[T]) Dot(b *Array[T]) *Array[T] {
	if a.err == nil && b.err == nil && (len(a.n.shape) != 1 || !slices.Equal(a.n.shape, b.n.shape)) {
		return wrap[T](a.ws, nil, failure(ErrShape, "dot: shapes %s and %s are not one length", tuple(a.n.shape), tuple(b.n.shape)))
	}
	return a.Mul(b).Sum()
}

// Keep gives a reduction r of a over axes its reduced axes back, with extent 1, so that it broadcasts against a.
func Keep[R, T Element](a *Array[T], r *Array[R], axes ...int) *Array[R] {
	if a.err != nil || r.err != nil {
		return r
	}
	_, reduced, err := splitAxes("keep", axes, len(a.n.shape))
	if err != nil {
		return wrap[R](a.ws, nil, err)
	}
	for _, k := range reduced {
		r = r.ExpandDims(k)
	}
	return r
}
