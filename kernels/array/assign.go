package array

import (
	"context"
	"slices"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Assign writes v, an array that broadcasts to a's shape or one Go value, into the elements of a. a may be a view. Arrays that
// were described with a before, and not computed, get a copy of the old elements. An expression is computed into a's memory by one kernel,
// unless it reads that memory. If v is itself a view of the same memory under another layout, the error wraps ErrOverlap; copy
// it. When there is an error, nothing was written.
func (a *Array[T]) Assign(ctx context.Context, v any) error {
	if a.err != nil {
		return a.err
	}
	n, err := a.ws.operand("assign", a.n.typ, v)
	if err != nil {
		return err
	}
	if err := a.n.fits("assign", n.shape); err != nil {
		return err
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return a.n.assign(ctx, "assign", n)
}

// AddAssign adds v to the elements of a, in place: see Assign.
func (a *Array[T]) AddAssign(ctx context.Context, v any) error { return a.update(ctx, "add", v) }

// SubAssign subtracts v, in place: see Assign.
func (a *Array[T]) SubAssign(ctx context.Context, v any) error { return a.update(ctx, "sub", v) }

// MulAssign multiplies by v, in place: see Assign.
func (a *Array[T]) MulAssign(ctx context.Context, v any) error { return a.update(ctx, "mul", v) }

// DivAssign divides by v, in place: see Assign.
func (a *Array[T]) DivAssign(ctx context.Context, v any) error { return a.update(ctx, "div", v) }

func (a *Array[T]) update(ctx context.Context, op string, v any) error {
	if a.err != nil {
		return a.err
	}
	if err := defined(op, a.n.typ); err != nil {
		return err
	}
	b, err := a.ws.operand(op+" in place", a.n.typ, v)
	if err != nil {
		return err
	}
	if err := a.n.fits(op+" in place", b.shape); err != nil {
		return err
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	// A node that nobody is told of: it need not be computed before its own result is written.
	return a.n.assign(ctx, op+" in place", &node{ws: a.ws, typ: a.n.typ, shape: a.n.shape, state: compute, op: op, args: []*node{a.n, b}})
}

// fits refuses a shape that does not broadcast to n's.
func (n *node) fits(op string, shape []int) error {
	if both, ok := broadcast(n.shape, shape); !ok || !slices.Equal(both, n.shape) {
		return failure(ErrShape, "%s: shape %s does not broadcast to %s", op, tuple(shape), tuple(n.shape))
	}
	return nil
}

// assign writes v, which fits, into n's memory.
func (n *node) assign(ctx context.Context, op string, v *node) error {
	if err := n.eval(ctx); err != nil || size(n.shape) == 0 {
		return err
	}
	if n.lay.repeats(n.shape) {
		return failure(ErrOverlap, "%s: elements of the array of shape %s and strides %v share memory; copy it", op, tuple(n.shape), n.lay.strides)
	}
	return n.write(ctx, op, v)
}

// write is assign after the checks of n. What is read is computed before anything that waits for n is, and before n is
// written.
func (n *node) write(ctx context.Context, op string, v *node) error {
	var err error
	switch {
	case v.state == compute:
		err = n.prepare(ctx, op, v)
	case v.state != konst:
		if err = v.eval(ctx); err == nil {
			err = n.clashes(op, v)
		}
	}
	if err != nil {
		return err
	}
	if err := n.st.settle(n.ws); err != nil {
		return err
	}
	into := &target{n.st, n.lay}
	if v.state == compute {
		return v.compute(ctx, into)
	}
	return n.spread(v).copyTo(ctx, into)
}

// prepare computes of v, which is a compute node, what reads n's memory and cannot be computed while that is written.
func (n *node) prepare(ctx context.Context, op string, v *node) error {
	if !slices.Equal(v.shape, n.shape) {
		return v.eval(ctx)
	}
	update := v.uses == 0 && len(v.args) == 2 && v.args[0] == n // by AddAssign and its like
	for _, a := range v.args {
		if !update || a.state != compute {
			continue
		}
		if reads, err := a.reads(ctx, n); err != nil {
			return err
		} else if reads {
			if err := a.eval(ctx); err != nil {
				return err
			}
		}
	}
	if update {
		for _, a := range v.args {
			if a.state == konst || a.state == compute {
				continue
			}
			if err := a.eval(ctx); err != nil {
				return err
			}
			if err := n.clashes(op, a); err != nil {
				return err
			}
		}
		return nil
	}
	if reads, err := v.reads(ctx, n); err != nil || !reads {
		return err
	}
	return v.eval(ctx)
}

// reads reports whether v, a compute node, is computed from n's memory.
func (v *node) reads(ctx context.Context, n *node) (bool, error) {
	g, err := v.gather(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(g.leaves, func(l *node) bool { return l.state == stored && l.st == n.st }), nil
}

// spread is v broadcast to n's shape.
func (n *node) spread(v *node) *node {
	if v.state == konst {
		return n.ws.konst(v.typ, n.shape, v.con)
	}
	return n.ws.stored(v.typ, n.shape, v.st, v.lay.stretch(v.shape, n.shape))
}

// clashes refuses to write n while s, a view of the same memory, is read elsewhere than it is written.
func (n *node) clashes(op string, s *node) error {
	if s.state != stored || s.st != n.st {
		return nil
	}
	l := s.lay.stretch(s.shape, n.shape)
	same := l.off == n.lay.off
	for i, d := range n.shape {
		same = same && (d == 1 || l.strides[i] == n.lay.strides[i])
	}
	if same || !overlaps(n.lay, n.shape, s.lay, s.shape) {
		return nil
	}
	return failure(ErrOverlap, "%s: the array of shape %s (strides %v from element %d) is written while its memory is read as shape %s (strides %v from element %d); copy it",
		op, tuple(n.shape), n.lay.strides, n.lay.off, tuple(s.shape), s.lay.strides, s.lay.off)
}

// AsType converts the elements to U: floating point to integers towards zero, where the number fits; complex numbers lose
// their imaginary part; what is not 0 is true. The result of numbers that do not fit depends on the types.
func AsType[U, T Element](a *Array[T]) *Array[U] {
	if a.err != nil {
		return wrap[U](a.ws, nil, a.err)
	}
	if typeOf[U]() == a.n.typ {
		return wrap[U](a.ws, a.n, nil)
	}
	n, err := a.ws.apply(expr.Cast, typeOf[U](), a.n)
	return wrap[U](a.ws, n, err)
}
