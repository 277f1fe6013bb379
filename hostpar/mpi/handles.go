package mpi

import (
	"context"
	"fmt"
	"hash/fnv"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/dl"
)

// inside runs a function in the library. It waits for its turn there, whatever happens: what the function works on is the
// library's once it has begun.
func (e *engine) inside(fn func() error) error {
	o := newOp(opCall, nil)
	o.value = fn
	e.start(o)
	if err := e.wait(context.Background(), o); err != nil {
		return err
	}
	return o.err
}

// blocking runs a function that blocks in the library when all ranks have met and each of them is about to make the same
// call. where is of a communicator, and what describes the call and all arguments that must be equal.
func (e *engine) blocking(ctx context.Context, where *space, what string, fn func() error) error {
	if _, err := e.meet(ctx, where, what); err != nil {
		return err
	}
	return e.exclusively(ctx, where, fn)
}

// meet waits until all ranks of a communicator have come to the same call, and compares what they are about to do: no
// context could end a call that others do not make. The ticket is the same on all ranks, and no other meeting of any of
// them has the same.
func (e *engine) meet(ctx context.Context, where *space, what string) (ticket int64, err error) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(what)) // a hash takes everything
	mine := int64(h.Sum64() >> 1)
	most, err := e.most(ctx, where, mine, -mine, e.tickets.Add(1)<<maxRankBits|int64(e.rank))
	if err != nil {
		return 0, err
	}
	if most[0] != mine || most[1] != -mine {
		return 0, fmt.Errorf("%w, or have different arguments: here %s", ErrMismatch, what)
	}
	return most[2], nil
}

// maxRankBits is how many bits of a ticket are the rank that has given it.
const maxRankBits = 24

// most returns the greatest of each of the ranks' numbers.
func (e *engine) most(ctx context.Context, where *space, numbers ...int64) ([]int64, error) {
	most := make([]int64, len(numbers))
	o := newOp(opAllreduce, where)
	o.elem, o.operator, o.send, o.recv = elemI64, Max, bytesOf(numbers), bytesOf(most)
	e.start(o)
	if err := e.wait(ctx, o); err != nil {
		return nil, err
	}
	return most, o.err
}

// exclusively runs a function that blocks in the library until all ranks of a communicator have called it, which have met
// before. Nobody else can enter the library meanwhile, so no rank may begin before all of them are free to: else two
// goroutines on two communicators could wait for each other on two ranks. The ranks try together until all are. Where one
// is not, the others step back. Of several communicators that try, the one with the least ticket is let through by all.
func (e *engine) exclusively(ctx context.Context, where *space, fn func() error) error {
	e.lane.join(where.ticket)
	defer e.lane.leave(where.ticket)
	for {
		refused := int64(1)
		if e.lane.take(where.ticket) {
			refused = 0
		}
		most, err := e.most(ctx, where, refused)
		if err == nil && most[0] == 0 {
			return e.inside(fn)
		}
		if err != nil {
			return err
		}
		if refused == 0 {
			e.lane.giveBack()
		}
		runtime.Gosched()
	}
}

// lane is the way of a rank to calls that block.
type lane struct {
	mu     sync.Mutex
	wanted []int64 // tickets of communicators that have met for such a call
	taken  bool
	owner  int64
}

func (l *lane) join(ticket int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = append(l.wanted, ticket)
}

// take gives the lane to the least ticket that wants it, if it is free.
func (l *lane) take(ticket int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken || slices.Min(l.wanted) != ticket {
		return false
	}
	l.taken, l.owner = true, ticket
	return true
}

func (l *lane) giveBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taken = false
}

// leave also gives back what the ticket has taken.
func (l *lane) leave(ticket int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.wanted, ticket)
	l.wanted = slices.Delete(l.wanted, i, i+1)
	if l.taken && l.owner == ticket {
		l.taken = false
	}
}

func (e *engine) split(ctx context.Context, c *Comm, color, key int) (*Comm, error) {
	ticket, err := e.meet(ctx, &c.user, "Split")
	if err != nil {
		return nil, err
	}
	var n *Comm
	err = e.exclusively(ctx, &c.user, func() (err error) {
		if color == Undefined {
			color = int(e.lib.undefined)
		}
		var made uintptr
		rc := dl.NewFrame().Int(c.user.handle).Int(word(color)).Int(word(key)).Word(&made).Call(e.lib.fn[fnSplit])
		if err := e.lib.failure(rc); err != nil || color == int(e.lib.undefined) {
			return err
		}
		n, err = e.comm(made, c.universe, ticket)
		return err
	})
	return n, err
}

// comm makes a Comm of a communicator of the library, and a second one for our algorithms.
func (e *engine) comm(handle uintptr, u *universe, ticket int64) (*Comm, error) {
	c := &Comm{t: e, universe: u, user: space{handle: handle, ticket: ticket}, hidden: space{ticket: ticket}}
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
	return e.inside(free)
}

// finalize ends what this rank has left under way, and MPI. What other goroutines still wait for ends with ErrFinalized.
func (e *engine) finalize() error {
	close(e.ending)
	e.baton.take() // for good: nobody enters the library any more
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
		e.turn(1)
		rest(idle)
	}
	e.turn(1)
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
