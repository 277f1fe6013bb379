package mpi

import (
	"context"
	"fmt"
)

// exchange is a set of messages of one collective operation that are under way together. The algorithms below are made
// of exchanges; they serve ranks on goroutines, and where an MPI library has no operation of that kind.
type exchange struct {
	c     *Comm
	label string
	tag   int
	elem  elem
	ops   []*op
}

func (c *Comm) exchange(label string, e elem) *exchange {
	return &exchange{c: c, label: label, tag: c.nextTag(), elem: e}
}

func (x *exchange) add(k kind, peer int) *op {
	o := newOp(k, &x.c.hidden)
	o.peer, o.tag, o.elem, o.label = peer, x.tag, x.elem, x.label
	x.ops = append(x.ops, o)
	return o
}

func (x *exchange) send(peer int, data []byte) {
	o := x.add(opSend, peer)
	o.send = data
	begin(x.c.t, o)
}

func (x *exchange) recv(peer int, data []byte) {
	o := x.add(opRecv, peer)
	o.recv = data
	begin(x.c.t, o)
}

// wait ends all messages. Each receive must fill its buffer.
func (x *exchange) wait(ctx context.Context) error {
	var first error
	for _, o := range x.ops {
		err := x.c.t.wait(ctx, o)
		if err == nil {
			err = o.outcome()
		} else if x.c.t.withdraw(o, err) {
			_ = x.c.t.wait(context.WithoutCancel(ctx), o) // the first error counts
		}
		if err == nil && o.kind == opRecv && o.status.Bytes != len(o.recv) {
			err = fmt.Errorf("%w: rank %d has %d bytes, this rank %d", ErrCount, o.peer, o.status.Bytes, len(o.recv))
		}
		if err != nil && first == nil {
			first = err
			var cancel context.CancelCauseFunc
			ctx, cancel = context.WithCancelCause(ctx) // the others are not waited for
			cancel(err)
		}
	}
	x.ops = x.ops[:0]
	return first
}

// barrier: in round k each rank hears from the one 2^k below it, and so from twice as many as before.
func (c *Comm) barrier(ctx context.Context, label string) error {
	x := c.exchange(label, elemByte)
	for d := 1; d < c.size; d *= 2 {
		x.recv((c.rank-d+c.size)%c.size, nil)
		x.send((c.rank+d)%c.size, nil)
		if err := x.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// bcast goes down a binomial tree whose root has number 0.
func (c *Comm) bcast(ctx context.Context, label string, buf []byte, e elem, root int) error {
	x := c.exchange(label, e)
	number := (c.rank - root + c.size) % c.size
	d := 1
	for ; d < c.size; d *= 2 {
		if number&d != 0 {
			x.recv((number-d+root)%c.size, buf)
			if err := x.wait(ctx); err != nil {
				return err
			}
			break
		}
	}
	for d /= 2; d > 0; d /= 2 {
		if number+d < c.size {
			x.send((number+d+root)%c.size, buf)
		}
	}
	return x.wait(ctx)
}

// part is the place of a rank in a buffer, in bytes.
type part struct{ from, to int }

func (p part) of(b []byte) []byte { return b[p.from:p.to] }

// scatterv: the root sends each rank its part.
func (c *Comm) scatterv(ctx context.Context, label string, send []byte, parts []part, recv []byte, e elem, root int) error {
	x := c.exchange(label, e)
	if c.rank != root {
		x.recv(root, recv)
		return x.wait(ctx)
	}
	for r, p := range parts {
		if r != root {
			x.send(r, p.of(send))
		}
	}
	copy(recv, parts[root].of(send))
	return x.wait(ctx)
}

// gatherv: the root receives from each rank its part.
func (c *Comm) gatherv(ctx context.Context, label string, send, recv []byte, parts []part, e elem, root int) error {
	x := c.exchange(label, e)
	if c.rank != root {
		x.send(root, send)
		return x.wait(ctx)
	}
	for r, p := range parts {
		if r != root {
			x.recv(r, p.of(recv))
		}
	}
	copy(parts[root].of(recv), send)
	return x.wait(ctx)
}

// allgatherv: what each rank has goes round a ring.
func (c *Comm) allgatherv(ctx context.Context, label string, send, recv []byte, parts []part, e elem) error {
	x := c.exchange(label, e)
	copy(parts[c.rank].of(recv), send)
	next, before := (c.rank+1)%c.size, (c.rank-1+c.size)%c.size
	for i := range c.size - 1 {
		x.recv(before, parts[(c.rank-i-1+c.size)%c.size].of(recv))
		x.send(next, parts[(c.rank-i+c.size)%c.size].of(recv))
		if err := x.wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *Comm) allgather(ctx context.Context, label string, send, recv []byte, e elem) error {
	return c.allgatherv(ctx, label, send, recv, evenParts(c.size, len(send)), e)
}

func (c *Comm) alltoallv(ctx context.Context, label string, send []byte, out []part, recv []byte, in []part, e elem) error {
	x := c.exchange(label, e)
	for i := 1; i < c.size; i++ { // each rank begins with another one
		from := (c.rank - i + c.size) % c.size
		x.recv(from, in[from].of(recv))
	}
	for i := 1; i < c.size; i++ {
		to := (c.rank + i) % c.size
		x.send(to, out[to].of(send))
	}
	copy(in[c.rank].of(recv), out[c.rank].of(send))
	return x.wait(ctx)
}

// reduce combines in the order of ranks along a binomial tree to rank 0, which passes the result to the root. acc holds
// this rank's elements at first and, at the root, the result in the end.
func (c *Comm) reduce(ctx context.Context, label string, acc []byte, e elem, fn combine, root int) error {
	x := c.exchange(label, e)
	var higher []byte
	for d := 1; d < c.size; d *= 2 {
		if c.rank&d != 0 {
			x.send(c.rank-d, acc)
			if err := x.wait(ctx); err != nil {
				return err
			}
			break
		}
		if c.rank+d >= c.size {
			continue
		}
		if higher == nil {
			higher = make([]byte, len(acc))
		}
		x.recv(c.rank+d, higher)
		if err := x.wait(ctx); err != nil {
			return err
		}
		fn(acc, higher)
		copy(acc, higher)
	}
	if root == 0 || c.rank != 0 && c.rank != root {
		return nil
	}
	if c.rank == 0 {
		x.send(root, acc)
	} else {
		x.recv(0, acc)
	}
	return x.wait(ctx)
}

// scan passes the combination of all lower ranks up.
func (c *Comm) scan(ctx context.Context, label string, acc []byte, e elem, fn combine) error {
	x := c.exchange(label, e)
	if c.rank > 0 {
		lower := make([]byte, len(acc))
		x.recv(c.rank-1, lower)
		if err := x.wait(ctx); err != nil {
			return err
		}
		fn(lower, acc)
	}
	if c.rank+1 < c.size {
		x.send(c.rank+1, acc)
	}
	return x.wait(ctx)
}
