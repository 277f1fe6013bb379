package mpi

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/tandem-go/tandem/internal/dl"
)

// inside runs a function in the library and waits for it.
func (e *engine) inside(ctx context.Context, fn func() error) error {
	o := newOp(opCall, nil)
	o.value = fn
	e.start(o)
	if err := e.wait(ctx, o); err != nil {
		return err
	}
	return o.err
}

// blocking runs a function that blocks in the library after all ranks have met, so that it waits for nobody. The ranks
// also compare what they are about to do: no context could end a call that others do not make. where is of a communicator,
// and what describes the call and all arguments that must be equal.
func (e *engine) blocking(ctx context.Context, where *space, what string, fn func() error) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what)) // a hash takes everything
	mine := int64(h.Sum64() >> 1)
	send, recv := []int64{mine, -mine}, make([]int64, 2)
	meet := newOp(opAllreduce, where)
	meet.elem, meet.operator, meet.send, meet.recv = elemI64, Max, bytesOf(send), bytesOf(recv)
	e.start(meet)
	if err := e.wait(ctx, meet); err != nil {
		return err
	}
	if meet.err != nil {
		return meet.err
	}
	if recv[0] != mine || recv[1] != -mine {
		return fmt.Errorf("%w, or have different arguments: here %s", ErrMismatch, what)
	}
	return e.direct(ctx, fn)
}

// direct runs a function that may block in the library for a short time.
func (e *engine) direct(ctx context.Context, fn func() error) error {
	if e.multiple {
		return fn()
	}
	return e.inside(ctx, fn)
}

func (e *engine) split(ctx context.Context, c *Comm, color, key int) (*Comm, error) {
	var n *Comm
	err := e.blocking(ctx, &c.user, "Split", func() (err error) {
		if color == Undefined {
			color = int(e.lib.undefined)
		}
		var made uintptr
		rc := dl.NewFrame().Int(c.user.handle).Int(word(color)).Int(word(key)).Word(&made).Call(e.lib.fn[fnSplit])
		if err := e.lib.failure(rc); err != nil || color == int(e.lib.undefined) {
			return err
		}
		n, err = e.comm(made, c.universe)
		return err
	})
	return n, err
}

// comm makes a Comm of a communicator of the library, and a second one for our algorithms.
func (e *engine) comm(handle uintptr, u *universe) (*Comm, error) {
	c := &Comm{t: e, universe: u, user: space{handle: handle}}
	var rank, size int32
	steps := []func() uintptr{
		func() uintptr {
			return dl.NewFrame().Int(handle).Int(e.lib.errors).Call(e.lib.fn[fnSetErrors])
		},
		func() uintptr { return dl.NewFrame().Int(handle).Word(&c.hidden.handle).Call(e.lib.fn[fnDup]) },
		func() uintptr {
			return dl.NewFrame().Int(c.hidden.handle).Int(e.lib.errors).Call(e.lib.fn[fnSetErrors])
		},
		func() uintptr { return dl.NewFrame().Int(handle).Int32(&rank).Call(e.lib.fn[fnRank]) },
		func() uintptr { return dl.NewFrame().Int(handle).Int32(&size).Call(e.lib.fn[fnSize]) },
	}
	for _, step := range steps {
		if err := e.lib.failure(step()); err != nil {
			return nil, fmt.Errorf("make a communicator: %w", err)
		}
	}
	c.rank, c.size = int(rank), int(size)
	return c, nil
}

func (e *engine) drop(c *Comm) error {
	free := func() error {
		for _, s := range []*space{&c.hidden, &c.user} {
			if err := e.lib.failure(dl.NewFrame().Word(&s.handle).Call(e.lib.fn[fnFree])); err != nil {
				return err
			}
		}
		return nil
	}
	return e.direct(context.Background(), free)
}

// finalize ends what this rank has left under way, and MPI. What other goroutines still wait for ends with ErrFinalized.
func (e *engine) finalize() error {
	close(e.ending)
	e.baton <- struct{}{} // for good: nobody enters the library any more
	if err := e.abandon(); err != nil {
		return err
	}
	e.mu.Lock()
	windows := e.windows
	e.mu.Unlock()
	for _, w := range windows { // which are open on all their ranks, as closing waits for all
		if err := w.release(); err != nil {
			return fmt.Errorf("mpi: end: close a window: %w", err)
		}
	}
	if err := e.lib.failure(dl.NewFrame().Call(e.lib.fn[fnFinalize])); err != nil {
		return fmt.Errorf("mpi: finalize: %w", err)
	}
	return nil
}

// leftTime is how long a rank waits at the end for messages of its own that have not left it.
const leftTime = time.Second

// abandon withdraws receives. Messages that nobody receives are an error, unless the program has given them up: the
// library may wait for ever to get rid of them. Collective operations that are under way were canceled.
func (e *engine) abandon() error {
	e.mu.Lock()
	queue := e.queue
	e.queue, e.canceled = nil, nil
	e.pending.Store(0)
	e.mu.Unlock()
	for _, o := range queue {
		o.finish(ErrFinalized)
	}
	for _, o := range e.active {
		if o.kind == opRecv && !o.lib.search {
			o.lib.canceled = ErrFinalized
			e.call(o, fnCancel, cell(&o.lib.request))
		}
	}
	unsent := func(o *op) bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return o.kind == opSend && o.lib.canceled == nil
	}
	for began, idle := time.Now(), 0; slices.ContainsFunc(e.active, unsent) && time.Since(began) < leftTime; idle++ {
		e.turn()
		rest(idle)
	}
	e.turn()
	for _, o := range e.active {
		if unsent(o) {
			return fmt.Errorf("mpi: %w with a message of %d bytes to rank %d with tag %d that is not received", ErrUnfinished, len(o.send), o.peer, o.tag)
		}
	}
	for _, o := range e.active {
		e.end(o, ErrFinalized)
	}
	e.active = nil
	return nil
}
