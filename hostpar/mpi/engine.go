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
	limit    int           // elements in one call; more are passed as one element of a derived type
	bulk     int           // bytes from which on blocking collective operations are used
	ending   chan struct{} // closed when Run is about to finalize

	pending  atomic.Int32 // operations in the two lists below
	mu       sync.Mutex
	queue    []*op            // to be started
	canceled []*op            // to be canceled
	windows  []*libraryWindow // that are not closed

	active []*op // under way; of the holder of the baton
}

// libraryOp is the library's side of an operation. It is part of an object on the heap, where C may write to it.
type libraryOp struct {
	request   uintptr
	message   uintptr // of a receive in two steps
	flag      int32
	status    rawStatus
	words     [16]uintptr
	derived   [2]uintptr // types to be freed after the start
	search    bool       // a receive in two steps
	taken     bool       // its message is matched
	here      bool       // and received
	spare     []byte     // receives a message that is too long
	disturbed error      // the buffer was changed before that
	canceled  error      // why it was canceled; guarded by mu
	pins      runtime.Pinner
}

const (
	defaultLimit = 1<<31 - 1
	defaultBulk  = 1 << 16
)

func newEngine(lib *library) *engine {
	return &engine{lib: lib, baton: make(chan struct{}, 1), limit: defaultLimit, bulk: defaultBulk, ending: make(chan struct{})}
}

func (e *engine) describe() string { return e.lib.version }

func (e *engine) takesCUDA() bool { return e.lib.cuda }

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
			case <-o.end():
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-e.ending:
				return ErrFinalized
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

// lead moves operations on until o has ended, or the context or the whole job has.
func (e *engine) lead(ctx context.Context, o *op) error {
	idle := 0
	for !o.ended() {
		if e.turn() {
			idle = 0
			continue
		}
		idle++
		if idle%16 == 0 {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-e.ending:
				return ErrFinalized
			default:
			}
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
		if !e.look(kept, o) {
			kept = append(kept, o)
		}
	}
	progress = len(kept) < len(e.active)
	clear(e.active[len(kept):])
	e.active = kept
	return progress
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
	// A receive behind a search that may want the same message must not be shown to the library before that.
	o.lib.search = o.kind == opObject || o.kind == opRecv && (e.lib.overruns || e.rivals(e.active, o) != noRival)
	if o.kind != opProbe && !o.lib.search {
		if err := e.enter(o); err != nil {
			o.finish(err)
			return
		}
	}
	if !e.look(e.active, o) {
		hold(&o.lib.pins, o.send)
		hold(&o.lib.pins, o.recv)
		e.active = append(e.active, o)
	}
}

// look asks the library whether an operation has ended, and ends it here if so. Operations before it come first.
func (e *engine) look(earlier []*op, o *op) (ended bool) {
	l := &o.lib
	if o.kind == opProbe || l.search && !l.taken {
		found, err := e.find(earlier, o)
		if !found && err == nil {
			return false
		}
		if err == nil && l.search {
			err = e.take(o)
		}
		if err != nil || o.kind == opProbe {
			e.end(o, err)
			return true
		}
		if l.here {
			return e.arrived(o, nil, false)
		}
	}
	if o.kind == opSend && l.request == e.lib.ended && l.request != 0 {
		e.end(o, nil) // the library has nothing to say about it
		return true
	}
	rc := e.call(o, fnTest, cell(&l.request), cell(&l.flag), cell(&l.status))
	if int32(rc) == 0 && l.flag == 0 {
		return false
	}
	err := e.lib.failure(rc)
	canceled := false
	if o.kind == opRecv || o.kind == opObject {
		o.status, canceled = e.received(o)
	}
	return e.arrived(o, err, canceled)
}

// arrived ends an operation that the library has ended.
func (e *engine) arrived(o *op, err error, canceled bool) bool {
	l := &o.lib
	if l.spare != nil && err == nil {
		if !o.device {
			copy(o.recv, l.spare)
		}
		err = fmt.Errorf("%w: %d bytes from rank %d, room for %d", ErrTruncated, len(l.spare), o.status.Source, len(o.recv))
	}
	if err == nil {
		err = l.disturbed
	}
	if err == nil && canceled {
		e.mu.Lock()
		err = l.canceled
		e.mu.Unlock()
	}
	e.end(o, err)
	return true
}

// end finishes an operation of which the library knows nothing any more.
func (e *engine) end(o *op, err error) {
	o.lib.pins.Unpin()
	o.finish(err)
}

// received reads the status that the library has written.
func (e *engine) received(o *op) (s Status, canceled bool) {
	raw := &o.lib.status
	s.Source, s.Tag = int(raw[e.lib.source]), int(raw[e.lib.tag])
	if e.lib.length != lengthHidden {
		s.Bytes = e.lib.bytesIn(raw)
		return s, e.lib.canceledIn(raw)
	}
	var count uintptr // an MPI_Count
	var flag int32
	status := cell(raw) // in o, which is on the heap
	dl.NewFrame().Int(status).Int(e.lib.types[elemByte]).Word(&count).Call(e.lib.fn[fnElements])
	dl.NewFrame().Int(status).Int32(&flag).Call(e.lib.fn[fnCanceled])
	runtime.KeepAlive(o)
	return Status{s.Source, s.Tag, int(count)}, flag != 0
}

// take begins the second step of a receive, whose length is now known.
func (e *engine) take(o *op) error {
	l := &o.lib
	l.taken = true
	l.disturbed = o.disturbed()
	found, _ := e.received(o)
	into, length := o.recv, found.Bytes
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
	if length <= shortMessage {
		l.here, o.status = true, found
		return e.lib.failure(e.call(o, fnMrecv, address(into), n.count, n.typ, cell(&l.message), cell(&l.status)))
	}
	defer e.freeTypes(o)
	return e.lib.failure(e.call(o, fnImrecv, address(into), n.count, n.typ, cell(&l.message), cell(&l.request)))
}

// shortMessage is a length in bytes up to which a message that is found is there as a whole: libraries send such in one
// piece. Receiving it in a call that blocks saves asking whether it has ended.
const shortMessage = 256

// cancel withdraws what withdraw was asked to.
func (e *engine) cancel(o *op) {
	i := slices.Index(e.active, o)
	if i < 0 {
		return // it has ended
	}
	if o.lib.taken {
		return // it ends soon
	}
	if o.kind == opRecv && !o.lib.search { // the next look will tell whether that was in time
		e.call(o, fnCancel, cell(&o.lib.request))
		return
	}
	e.active = slices.Delete(e.active, i, i+1)
	e.end(o, o.lib.canceled)
}

func (e *engine) withdraw(o *op, err error) bool {
	switch o.kind {
	case opRecv, opProbe, opObject:
	case opSend:
		e.mu.Lock()
		o.lib.canceled = err // it goes on, but nobody minds if it is not received
		e.mu.Unlock()
		return o.ended()
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
