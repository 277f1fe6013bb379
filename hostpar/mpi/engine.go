package mpi

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/dl"
)

// engine is the transport of an MPI library. The library is entered only by the goroutine that holds the baton, for calls
// that do not block. Whoever waits takes the baton if it is free and moves the operations of all goroutines on until its
// own has ended; the others sleep meanwhile. So no two threads are in the library and no thread spins beside another,
// which costs a library with locks of its own a factor of forty, and yet a lone caller hands nothing to another thread.
//
// Calls that the library has only in a blocking form, and those on much data that are faster so, are made after all
// ranks have met. They are made outside the baton where the library allows several threads, else within it.
type engine struct {
	lib      *library
	multiple bool // the library allows calls from several threads at once
	baton    chan struct{}
	limit    int // elements in one call; more are passed as one element of a derived type
	bulk     int // bytes from which on blocking collective operations are used

	pending  atomic.Int32 // operations in the two lists below
	mu       sync.Mutex
	queue    []*op // to be started
	canceled []*op // to be canceled

	active []*op // under way; of the holder of the baton
}

// libraryOp is the library's side of an operation. It is part of an object on the heap, where C may write to it.
type libraryOp struct {
	request  uintptr
	message  uintptr // of a receive in two steps
	flag     int32
	status   rawStatus
	words    [16]uintptr
	derived  [2]uintptr // types to be freed after the start
	taken    bool       // the message is matched, of a receive in two steps
	spare    []byte     // receives a message that is too long
	canceled error      // why it was canceled; guarded by mu
}

const (
	defaultLimit = 1<<31 - 1
	defaultBulk  = 1 << 16
)

func newEngine(lib *library) *engine {
	return &engine{lib: lib, baton: make(chan struct{}, 1), limit: defaultLimit, bulk: defaultBulk}
}

func (e *engine) describe() string { return e.lib.version }

// collective: operations without parts of different sizes are the library's, the others ours.
func (e *engine) collective() bool { return true }

// try takes the baton if it is free.
func (e *engine) try() bool {
	select {
	case e.baton <- struct{}{}:
		return true
	default:
		return false
	}
}

// release gives the baton back. An operation that was queued after the last turn, when its starter did not get the
// baton, is taken up here.
func (e *engine) release() {
	for {
		<-e.baton
		if e.pending.Load() == 0 || !e.try() {
			return
		}
		e.turn()
	}
}

func (e *engine) start(o *op) {
	if e.try() {
		e.drain()
		e.launch(o)
		e.release()
		return
	}
	e.mu.Lock()
	e.queue = append(e.queue, o)
	e.pending.Add(1)
	e.mu.Unlock()
	if e.try() {
		e.turn()
		e.release()
	}
}

func (e *engine) poll(o *op) bool {
	if o.ended() {
		return true
	}
	if e.try() {
		e.turn()
		e.release()
	}
	return o.ended()
}

func (e *engine) wait(ctx context.Context, o *op) error {
	for !o.ended() {
		if !e.try() {
			select {
			case <-o.done:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			case e.baton <- struct{}{}:
			}
		}
		err := e.lead(ctx, o)
		e.release()
		if err != nil && !o.ended() {
			return err
		}
	}
	return nil
}

// lead moves operations on until o has ended or the context has.
func (e *engine) lead(ctx context.Context, o *op) error {
	idle := 0
	for !o.ended() {
		if e.turn() {
			idle = 0
			continue
		}
		idle++
		if idle%16 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rest(idle)
	}
	return nil
}

// turn starts what is queued and looks at everything that is under way once. It reports whether something has ended.
func (e *engine) turn() (progress bool) {
	e.drain()
	kept := e.active[:0]
	for _, o := range e.active { // in the order of the calls, which decides who gets a message
		if e.behind(kept, o) || !e.look(o) {
			kept = append(kept, o)
		}
	}
	progress = len(kept) < len(e.active)
	clear(e.active[len(kept):])
	e.active = kept
	return progress
}

// searches reports whether an operation looks for a message to take, and has not found one.
func (e *engine) searches(o *op) bool {
	return !o.lib.taken && (o.kind == opObject || o.kind == opRecv && e.lib.overruns)
}

// behind reports whether an earlier search may want the same message as this one: it must not be asked before that.
func (e *engine) behind(earlier []*op, o *op) bool {
	if len(earlier) == 0 || !e.searches(o) {
		return false
	}
	for _, p := range earlier {
		if p.where.handle == o.where.handle && e.searches(p) &&
			(p.peer == o.peer || p.peer == AnySource || o.peer == AnySource) && (p.tag == o.tag || p.tag == AnyTag || o.tag == AnyTag) {
			return true
		}
	}
	return false
}

func (e *engine) drain() {
	if e.pending.Load() == 0 {
		return
	}
	e.mu.Lock()
	queue, canceled := e.queue, e.canceled
	e.queue, e.canceled = nil, nil
	e.pending.Store(0)
	e.mu.Unlock()
	for _, o := range queue {
		e.launch(o)
	}
	for _, o := range canceled {
		e.cancel(o)
	}
}

// launch starts an operation in the library.
func (e *engine) launch(o *op) {
	if o.kind == opCall {
		o.finish(o.value.(func() error)())
		return
	}
	if o.kind != opProbe && !e.searches(o) {
		if err := e.enter(o); err != nil {
			o.finish(err)
			return
		}
	}
	if e.behind(e.active, o) || !e.look(o) {
		e.active = append(e.active, o)
	}
}

// look asks the library whether an operation has ended, and ends it here if so.
func (e *engine) look(o *op) bool {
	l := &o.lib
	if e.searches(o) {
		rc := e.call(o, fnImprobe, e.source(o), e.tag(o), o.where.handle, cell(&l.flag), cell(&l.message), cell(&l.status))
		if int32(rc) == 0 && l.flag == 0 {
			return false
		}
		err := e.lib.failure(rc)
		if err == nil {
			err = e.take(o)
		}
		if err != nil {
			o.finish(err)
			return true
		}
	}
	var rc uintptr
	if o.kind == opProbe {
		rc = e.call(o, fnIprobe, e.source(o), e.tag(o), o.where.handle, cell(&l.flag), cell(&l.status))
	} else {
		rc = e.call(o, fnTest, cell(&l.request), cell(&l.flag), cell(&l.status))
	}
	if int32(rc) == 0 && l.flag == 0 {
		return false
	}
	err := e.lib.failure(rc)
	if o.kind != opSend {
		o.status = e.lib.statusOf(&l.status)
	}
	if l.spare != nil && err == nil {
		copy(o.recv, l.spare)
		err = fmt.Errorf("%w: %d bytes from rank %d, room for %d", ErrTruncated, len(l.spare), o.status.Source, len(o.recv))
	}
	if err == nil && o.kind == opRecv && e.lib.canceledIn(&l.status) {
		e.mu.Lock()
		err = l.canceled
		e.mu.Unlock()
	}
	o.finish(err)
	return true
}

// take begins the second step of a receive, whose length is now known.
func (e *engine) take(o *op) error {
	l := &o.lib
	l.taken = true
	into, length := o.recv, e.lib.bytesIn(&l.status)
	switch {
	case o.kind == opObject:
		o.recv = make([]byte, length)
		into = o.recv
	case length > len(into):
		l.spare = make([]byte, length)
		into = l.spare
	}
	n, err := e.typed(o, elemByte, len(into))
	if err != nil {
		return err
	}
	defer e.freeTypes(o)
	return e.lib.failure(e.call(o, fnImrecv, address(into), n.count, n.typ, cell(&l.message), cell(&l.request)))
}

// cancel withdraws what withdraw was asked to.
func (e *engine) cancel(o *op) {
	i := slices.Index(e.active, o)
	if i < 0 {
		return // it has ended
	}
	if o.lib.taken {
		return // it ends soon
	}
	if o.kind == opRecv && !e.lib.overruns { // the next look will tell whether that was in time
		e.call(o, fnCancel, cell(&o.lib.request))
		return
	}
	e.active = slices.Delete(e.active, i, i+1)
	o.finish(o.lib.canceled)
}

func (e *engine) withdraw(o *op, err error) bool {
	switch o.kind {
	case opRecv, opProbe, opObject:
	default:
		return o.ended()
	}
	if o.ended() {
		return true
	}
	e.mu.Lock()
	if o.lib.canceled == nil {
		o.lib.canceled = err
		e.canceled = append(e.canceled, o)
		e.pending.Add(1)
	}
	e.mu.Unlock()
	if e.try() {
		e.turn()
		e.release()
	}
	return true
}

// call calls a function with words that live in the operation, so that nothing is allocated.
func (e *engine) call(o *op, f function, words ...uintptr) uintptr {
	n := copy(o.lib.words[:], words)
	r := e.lib.fn[f].Call(o.lib.words[:n]...)
	runtime.KeepAlive(o)
	return r
}

// word is a C int as an argument.
func word(n int) uintptr { return uintptr(uint32(int32(n))) }

func (e *engine) source(o *op) uintptr {
	if o.peer == AnySource {
		return word(int(e.lib.anySource))
	}
	return word(o.peer)
}

func (e *engine) tag(o *op) uintptr {
	if o.tag == AnyTag {
		return word(int(e.lib.anyTag))
	}
	return word(o.tag)
}

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

// blocking runs a function that blocks in the library, after all ranks of c have met, so that it waits for nobody.
func (e *engine) blocking(ctx context.Context, where *space, fn func() error) error {
	meet := newOp(opBarrier, where)
	e.start(meet)
	if err := e.wait(ctx, meet); err != nil {
		return err
	}
	if meet.err != nil {
		return meet.err
	}
	if e.multiple {
		return fn()
	}
	return e.inside(ctx, fn)
}

func (e *engine) split(ctx context.Context, c *Comm, color, key int) (*Comm, error) {
	var n *Comm
	err := e.blocking(ctx, &c.user, func() (err error) {
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
	if e.multiple { // freeing is collective: a library may wait for the other ranks in it
		return free()
	}
	return e.inside(context.Background(), free)
}
