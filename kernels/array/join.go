package array

import (
	"context"

	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// joinAlong writes the arguments of n one behind the other along an axis.
func joinAlong(axis int) func(ctx context.Context, n *node) error {
	return func(ctx context.Context, n *node) error {
		args := n.args
		for _, a := range args {
			if a.state != konst {
				if err := a.eval(ctx); err != nil {
					return err
				}
			}
		}
		st, err := n.ws.alloc(n.typ, size(n.shape))
		if err != nil {
			return err
		}
		l := contiguous(n.shape)
		at := 0
		for _, a := range args {
			part := n.ws.stored(n.typ, a.shape, st, layout{l.off + at*l.strides[axis], l.strides})
			at += a.shape[axis]
			if size(a.shape) == 0 {
				continue
			}
			if err := a.copyTo(ctx, &target{st, part.lay}); err != nil {
				return err
			}
		}
		n.store(st, l)
		return nil
	}
}

// bits is n with its bytes taken for another type of the same size.
func (n *node) bits(t expr.Type) *node {
	ws := n.ws
	switch n.state {
	case stored:
		return ws.stored(t, n.shape, n.st, n.lay)
	case view:
		return n.args[0].bits(t).seen(n.shape, n.lay)
	}
	return ws.later(t, n.shape, []*node{n}, func(ctx context.Context, to *node) error {
		from := to.args[0]
		if err := from.eval(ctx); err != nil {
			return err
		}
		to.store(from.st, from.lay)
		return nil
	})
}
