package mpi

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// kind is what an op does.
type kind uint8

const (
	opSend   kind = iota
	opRecv        // into op.recv
	opProbe       // finds a message and leaves it
	opObject      // into a new op.recv of the message's length
	// The collective operations below are the library's own; see transport.collective.
	opBarrier
	opBcast
	opScatter
	opGather
	opAllgather
	opReduce
	opAllreduce
	opScan
	opAlltoall
	opCall // a function to be run by whoever is inside the library
)

// op is one operation from start to end. Its maker fills in the upper part; the transport fills in the outcome and then
// closes done.
type op struct {
	kind       kind
	where      *space
	send, recv []byte
	elem       elem
	peer, tag  int // of messages, as the user gave them: AnySource, AnyTag
	root       int
	operator   Builtin
	parts      int    // ranks, in opAlltoall
	patient    bool   // the caller waits until it has ended
	device     bool   // the buffer is memory of a device, which Go code cannot touch
	label      string // the collective operation a message belongs to
	value      any    // travels with a message between goroutines; in opCall the func()

	done   atomic.Pointer[chan struct{}] // closed when it has ended; nil while nobody sleeps until then
	status Status
	err    error
	// Of the send buffer and of that of a receive at the start, in programs built with -race.
	sum, room uint64

	lib libraryOp
}

// space is one context of messages: those of one space never match those of another. A communicator has two, one for its
// user and one for the algorithms of collective operations.
type space struct {
	group  *group  // on goroutines
	handle uintptr // of the library's communicator
	ticket int64   // and what tells it from others of this rank, the same on all its ranks
}

// transport moves messages. There are two: mailboxes in memory, and MPI libraries.
type transport interface {
	// start begins an operation and returns at once. The operation may have ended by then.
	start(o *op)
	// wait returns when the operation has ended, with nil, or when the context has, with its cause; the operation then
	// goes on.
	wait(ctx context.Context, o *op) error
	// poll reports whether the operation has ended, and moves it on if moving needs the caller.
	poll(o *op) bool
	// withdraw asks a receive or a probe to end, with err unless it still succeeds. It reports whether the operation
	// will then end for sure.
	withdraw(o *op, err error) bool
	// collective reports whether the transport has collective operations of its own.
	collective() bool
	// perform runs one of these and waits for it.
	perform(ctx context.Context, o *op) error
	// split makes the communicator of the callers that have the same color, in the order of key and rank.
	split(ctx context.Context, c *Comm, color, key int) (*Comm, error)
	// expose makes a window with that much memory of this rank. It is collective.
	expose(ctx context.Context, c *Comm, bytes int) (exposed, error)
	// drop frees what a communicator holds.
	drop(c *Comm) error
	// takesCUDA reports whether buffers may be addresses of CUDA memory.
	takesCUDA() bool
	// describe names the library.
	describe() string
}

var ops = sync.Pool{New: func() any { return new(op) }}

func newOp(k kind, where *space) *op {
	o := ops.Get().(*op)
	o.kind, o.where = k, where
	return o
}

// recycle gives back an operation that has ended and that nobody else knows.
func (o *op) recycle() {
	if o.lib.canceled != nil {
		return // it may be in a list of those to be canceled
	}
	room := o.lib.room
	*o = op{}
	o.lib.room = room
	ops.Put(o)
}

var closed = func() *chan struct{} {
	c := make(chan struct{})
	close(c)
	return &c
}()

// finish ends the operation. Only the transport calls it, once, and does not touch it any more.
func (o *op) finish(err error) {
	o.err = err
	if c := o.done.Swap(closed); c != nil {
		close(*c)
	}
}

func (o *op) ended() bool { return o.done.Load() == closed }

// end returns a channel that is closed when the operation has ended.
func (o *op) end() <-chan struct{} {
	c := make(chan struct{})
	if o.done.CompareAndSwap(nil, &c) {
		return c
	}
	return *o.done.Load()
}

// run starts an operation and waits for it. A receive that the context ends is withdrawn, so that its buffer is the
// caller's again.
func run(ctx context.Context, t transport, o *op) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	o.patient = true
	begin(t, o)
	err := t.wait(ctx, o)
	if err != nil {
		if !t.withdraw(o, err) {
			return err
		}
		if err := t.wait(context.WithoutCancel(ctx), o); err != nil {
			return err
		}
	}
	return o.outcome()
}

// begin starts an operation, after noting what it sends.
func begin(t transport, o *op) {
	o.note()
	t.start(o)
}

// note remembers what the buffers hold, in programs built with -race.
func (o *op) note() {
	if !raceEnabled || o.device {
		return
	}
	if !same(o.send, o.recv) {
		o.sum = checksum(o.send)
	}
	if o.kind == opRecv {
		o.room = checksum(o.recv)
	}
}

// outcome is the error of an operation that has ended.
func (o *op) outcome() error {
	if raceEnabled && !o.device && o.err == nil && !same(o.send, o.recv) && checksum(o.send) != o.sum {
		return fmt.Errorf("%w: %d bytes to be sent", ErrBufferChanged, len(o.send))
	}
	return o.err
}

// disturbed finds a buffer of a receive that was changed before the message came, in programs built with -race. The
// transport calls it just before it writes there.
func (o *op) disturbed() error {
	if raceEnabled && !o.device && o.kind == opRecv && checksum(o.recv) != o.room {
		return fmt.Errorf("%w: room for %d bytes to be received", ErrBufferChanged, len(o.recv))
	}
	return nil
}
