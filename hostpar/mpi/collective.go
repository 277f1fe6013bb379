package mpi

import (
	"context"
	"fmt"
)

// Barrier returns when all ranks have called it.
func Barrier(ctx context.Context, c *Comm) error {
	return c.together("Barrier", func() error { return c.meet(ctx, "Barrier") })
}

func (c *Comm) meet(ctx context.Context, label string) error {
	if !c.t.collective() {
		return c.barrier(ctx, label)
	}
	return c.t.perform(ctx, newOp(opBarrier, &c.user))
}

// native makes the op of a library's own collective operation.
func (c *Comm) native(k kind, e elem, send, recv []byte) *op {
	o := newOp(k, &c.user)
	o.elem, o.send, o.recv, o.parts = e, send, recv, c.size
	return o
}

// Bcast copies buf of the rank root into buf of all others, which must be as long.
func Bcast[T Number](ctx context.Context, c *Comm, buf []T, root int) error {
	if err := c.checkRoot(root); err != nil {
		return c.fail("Bcast", err)
	}
	b, e := bytesOf(buf), elemOf[T]()
	return c.together("Bcast", func() error {
		if !c.t.collective() {
			return c.bcast(ctx, "Bcast", b, e, root)
		}
		o := c.native(opBcast, e, nil, b)
		o.root = root
		return c.t.perform(ctx, o)
	})
}

// Scatter cuts send of the rank root into equal parts, in the order of ranks, and gives each rank its part in recv. On
// other ranks send is not used.
func Scatter[T Number](ctx context.Context, c *Comm, send, recv []T, root int) error {
	err := c.checkRoot(root)
	if err == nil && c.rank == root {
		err = c.checkWhole(len(send), len(recv))
	}
	if err == nil && c.rank == root && overlap(bytesOf(send), bytesOf(recv)) {
		err = errOverlap
	}
	if err != nil {
		return c.fail("Scatter", err)
	}
	in, out, e := bytesOf(recv), bytesOf(send), elemOf[T]()
	return c.together("Scatter", func() error {
		if !c.t.collective() {
			return c.scatterv(ctx, "Scatter", out, evenParts(c.size, len(in)), in, e, root)
		}
		o := c.native(opScatter, e, out, in)
		o.root = root
		return c.t.perform(ctx, o)
	})
}

// Gather collects send of all ranks, in their order, in recv of the rank root. On other ranks recv is not used.
func Gather[T Number](ctx context.Context, c *Comm, send, recv []T, root int) error {
	err := c.checkRoot(root)
	if err == nil && c.rank == root {
		err = c.checkWhole(len(recv), len(send))
	}
	if err == nil && c.rank == root && overlap(bytesOf(send), bytesOf(recv)) {
		err = errOverlap
	}
	if err != nil {
		return c.fail("Gather", err)
	}
	in, out, e := bytesOf(recv), bytesOf(send), elemOf[T]()
	return c.together("Gather", func() error {
		if !c.t.collective() {
			return c.gatherv(ctx, "Gather", out, in, evenParts(c.size, len(out)), e, root)
		}
		o := c.native(opGather, e, out, in)
		o.root = root
		return c.t.perform(ctx, o)
	})
}

// Allgather collects send of all ranks, in their order, in recv of every rank.
func Allgather[T Number](ctx context.Context, c *Comm, send, recv []T) error {
	err := c.checkWhole(len(recv), len(send))
	if err == nil && overlap(bytesOf(send), bytesOf(recv)) {
		err = errOverlap
	}
	if err != nil {
		return c.fail("Allgather", err)
	}
	in, out, e := bytesOf(recv), bytesOf(send), elemOf[T]()
	return c.together("Allgather", func() error {
		if !c.t.collective() {
			return c.allgather(ctx, "Allgather", out, in, e)
		}
		return c.t.perform(ctx, c.native(opAllgather, e, out, in))
	})
}

// Alltoall sends the i-th of Size() equal parts of send to rank i, and puts what rank i sent at the i-th part of recv.
func Alltoall[T Number](ctx context.Context, c *Comm, send, recv []T) error {
	if len(send) != len(recv) || len(send)%c.size != 0 {
		return c.fail("Alltoall", fmt.Errorf("%w: %d to send and %d to receive are not equal multiples of %d ranks",
			ErrCount, len(send), len(recv), c.size))
	}
	if overlap(bytesOf(send), bytesOf(recv)) {
		return c.fail("Alltoall", errOverlap)
	}
	in, out, e := bytesOf(recv), bytesOf(send), elemOf[T]()
	return c.together("Alltoall", func() error {
		if !c.t.collective() {
			parts := evenParts(c.size, len(out)/c.size)
			return c.alltoallv(ctx, "Alltoall", out, parts, in, parts, e)
		}
		return c.t.perform(ctx, c.native(opAlltoall, e, out, in))
	})
}

// checkWhole wants a buffer for all ranks to be the size of all parts.
func (c *Comm) checkWhole(whole, each int) error {
	if whole == each*c.size {
		return nil
	}
	return fmt.Errorf("%w: %d elements are not %d for each of %d ranks", ErrCount, whole, each, c.size)
}

func evenParts(n, bytes int) []part {
	parts := make([]part, n)
	for i := range parts {
		parts[i] = part{i * bytes, (i + 1) * bytes}
	}
	return parts
}

// Counts cuts n elements into parts whose sizes differ by one at most, the larger first: the counts and displacements
// for Scatterv and its relatives.
func Counts(n, parts int) (counts, displs []int) {
	counts, displs = make([]int, parts), make([]int, parts)
	at := 0
	for i := range counts {
		counts[i], displs[i] = n/parts, at
		if i < n%parts {
			counts[i]++
		}
		at += counts[i]
	}
	return counts, displs
}

// parts checks counts and displacements against a buffer. Nil displacements stand for parts that follow each other.
// Parts that are written to must not overlap.
func (c *Comm) parts(counts, displs []int, buf int, e elem, written bool) ([]part, error) {
	if len(counts) != c.size || displs != nil && len(displs) != c.size {
		return nil, fmt.Errorf("%w: %d counts and %d displacements for %d ranks", ErrCount, len(counts), len(displs), c.size)
	}
	parts := make([]part, c.size)
	at := 0
	for i, n := range counts {
		if displs != nil {
			at = displs[i]
		}
		if n < 0 || at < 0 || at > buf || n > buf-at {
			return nil, fmt.Errorf("%w: %d elements at %d for rank %d, in a buffer of %d", ErrCount, n, at, i, buf)
		}
		parts[i] = part{at * e.size(), (at + n) * e.size()}
		at += n
	}
	if written {
		return parts, disjoint(parts)
	}
	return parts, nil
}

// Scatterv gives each rank, in recv, counts[rank] elements of send of the rank root, from displs[rank] on; with nil
// displs the parts follow each other. recv must be that long. On other ranks send, counts and displs are not used.
func Scatterv[T Number](ctx context.Context, c *Comm, send []T, counts, displs []int, recv []T, root int) error {
	e := elemOf[T]()
	err := c.checkRoot(root)
	var parts []part
	if err == nil && c.rank == root {
		parts, err = c.parts(counts, displs, len(send), e, false)
		if err == nil && counts[root] != len(recv) {
			err = fmt.Errorf("%w: %d elements for the root, room for %d", ErrCount, counts[root], len(recv))
		}
	}
	if err != nil {
		return c.fail("Scatterv", err)
	}
	return c.together("Scatterv", func() error {
		return c.scatterv(ctx, "Scatterv", bytesOf(send), parts, bytesOf(recv), e, root)
	})
}

// Gatherv collects send of each rank in recv of the rank root, from displs[rank] on; with nil displs the parts follow
// each other. Rank r sends counts[r] elements. On other ranks recv, counts and displs are not used.
func Gatherv[T Number](ctx context.Context, c *Comm, send, recv []T, counts, displs []int, root int) error {
	e := elemOf[T]()
	err := c.checkRoot(root)
	var parts []part
	if err == nil && c.rank == root {
		parts, err = c.parts(counts, displs, len(recv), e, true)
		if err == nil && counts[root] != len(send) {
			err = fmt.Errorf("%w: %d elements of the root, its count is %d", ErrCount, len(send), counts[root])
		}
	}
	if err != nil {
		return c.fail("Gatherv", err)
	}
	return c.together("Gatherv", func() error {
		return c.gatherv(ctx, "Gatherv", bytesOf(send), bytesOf(recv), parts, e, root)
	})
}

// Allgatherv collects send of each rank in recv of every rank, counts[r] elements of rank r from displs[r] on; with nil
// displs the parts follow each other. All ranks give the same counts.
func Allgatherv[T Number](ctx context.Context, c *Comm, send, recv []T, counts, displs []int) error {
	e := elemOf[T]()
	parts, err := c.parts(counts, displs, len(recv), e, true)
	if err == nil && counts[c.rank] != len(send) {
		err = fmt.Errorf("%w: %d elements of rank %d, its count is %d", ErrCount, len(send), c.rank, counts[c.rank])
	}
	if err != nil {
		return c.fail("Allgatherv", err)
	}
	return c.together("Allgatherv", func() error {
		return c.allgatherv(ctx, "Allgatherv", bytesOf(send), bytesOf(recv), parts, e)
	})
}

// Alltoallv sends sendCounts[r] elements from sendDispls[r] on to each rank r, and receives recvCounts[r] from it to
// recvDispls[r]; with nil displacements the parts follow each other.
func Alltoallv[T Number](ctx context.Context, c *Comm, send []T, sendCounts, sendDispls []int, recv []T, recvCounts, recvDispls []int) error {
	e := elemOf[T]()
	out, err := c.parts(sendCounts, sendDispls, len(send), e, false)
	var in []part
	if err == nil {
		in, err = c.parts(recvCounts, recvDispls, len(recv), e, true)
	}
	if err == nil && sendCounts[c.rank] != recvCounts[c.rank] {
		err = fmt.Errorf("%w: %d and %d elements for rank %d itself", ErrCount, sendCounts[c.rank], recvCounts[c.rank], c.rank)
	}
	if err == nil && overlap(bytesOf(send), bytesOf(recv)) {
		err = errOverlap
	}
	if err != nil {
		return c.fail("Alltoallv", err)
	}
	return c.together("Alltoallv", func() error {
		return c.alltoallv(ctx, "Alltoallv", bytesOf(send), out, bytesOf(recv), in, e)
	})
}
