package mpi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// disjoint refuses parts that overlap.
func disjoint(parts []part) error {
	sorted := slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return p.from == p.to })
	slices.SortFunc(sorted, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].from < sorted[i-1].to {
			return fmt.Errorf("%w: parts overlap", ErrCount)
		}
	}
	return nil
}

// Reduce combines send of all ranks, element by element, into recv of the rank root. send and recv of the root may be
// one slice; on other ranks recv is not used.
func Reduce[T Number](ctx context.Context, c *Comm, send, recv []T, op Operator, root int) error {
	err := c.checkRoot(root)
	if err == nil && c.rank == root {
		err = checkPair(send, recv)
	}
	r, err2 := reductionOf[T](c, "Reduce", opReduce, send, op)
	if err == nil {
		err = err2
	}
	if err != nil {
		return c.fail("Reduce", err)
	}
	r.root = root
	if c.rank == root {
		r.recv = bytesOf(recv)
	}
	return r.run(ctx)
}

// Allreduce combines send of all ranks, element by element, into recv of every rank. send and recv may be one slice.
func Allreduce[T Number](ctx context.Context, c *Comm, send, recv []T, op Operator) error {
	return everywhere(ctx, c, "Allreduce", opAllreduce, send, recv, op)
}

// Scan combines, on each rank, send of the ranks up to and with it into recv. send and recv may be one slice.
func Scan[T Number](ctx context.Context, c *Comm, send, recv []T, op Operator) error {
	return everywhere(ctx, c, "Scan", opScan, send, recv, op)
}

func everywhere[T Number](ctx context.Context, c *Comm, name string, k kind, send, recv []T, op Operator) error {
	if err := checkPair(send, recv); err != nil {
		return c.fail(name, err)
	}
	r, err := reductionOf[T](c, name, k, send, op)
	if err != nil {
		return c.fail(name, err)
	}
	r.recv = bytesOf(recv)
	return r.run(ctx)
}

// checkPair wants buffers of one length that are the same memory or share none.
func checkPair[T Number](send, recv []T) error {
	if len(send) != len(recv) {
		return fmt.Errorf("%w: %d elements to send, room for %d", ErrCount, len(send), len(recv))
	}
	if s, r := bytesOf(send), bytesOf(recv); overlap(s, r) && !same(s, r) {
		return errOverlap
	}
	return nil
}

// reduction is one Reduce, Allreduce or Scan.
type reduction struct {
	c          *Comm
	name       string
	kind       kind
	elem       elem
	send, recv []byte // recv is nil where there is no result
	fn         combine
	builtin    Builtin
	root       int
}

func reductionOf[T Number](c *Comm, name string, k kind, send []T, op Operator) (reduction, error) {
	fn, builtin, err := combiner[T](op)
	return reduction{c: c, name: name, kind: k, elem: elemOf[T](), send: bytesOf(send), fn: fn, builtin: builtin}, err
}

func (r reduction) run(ctx context.Context) error {
	return r.c.together(r.name, func() error {
		if r.builtin == 0 || !r.c.t.collective() {
			return r.ours(ctx)
		}
		o := r.c.native(r.kind, r.elem, r.send, r.recv)
		o.root, o.operator = r.root, r.builtin
		return r.c.t.perform(ctx, o)
	})
}

// ours is the reduction by our own algorithms.
func (r reduction) ours(ctx context.Context) error {
	acc := r.recv
	if acc == nil {
		acc = make([]byte, len(r.send))
	}
	if !same(acc, r.send) {
		copy(acc, r.send)
	}
	switch r.kind {
	case opScan:
		return r.c.scan(ctx, r.name, acc, r.elem, r.fn)
	case opReduce:
		return r.c.reduce(ctx, r.name, acc, r.elem, r.fn, r.root)
	}
	if err := r.c.reduce(ctx, r.name, acc, r.elem, r.fn, 0); err != nil {
		return err
	}
	return r.c.bcast(ctx, r.name, acc, r.elem, 0)
}
