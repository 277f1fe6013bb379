package mpi

import (
	"context"
	"errors"
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
// ranks have met and made way for each other; see exclusively.
//
// So the library need not allow several threads at once, and is not asked to: the locks it would then take make a short
// message a quarter slower.
type engine struct {
	lib      *library
	rank     int // of all
	baton    baton
	limit    int     // elements in one call; more are passed as one element of a derived type
	roomType uintptr // see makeRoom
	bulk     int     // bytes from which on blocking collective operations are used
	lane     lane
	tickets  atomic.Int64
	ending   chan struct{} // closed when Run is about to finalize

	pending  atomic.Int32 // operations in the two lists below
	mu       sync.Mutex
	queue    []*op            // to be started
	canceled []*op            // to be canceled
	windows  []*libraryWindow // that are not closed

	// Of the holder of the baton.
	active []*op // under way
	calls  dl.Sequence
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
	bounced   bool       // a receive into room
	room      []byte     // see roomBytes; kept when the operation is used again
	disturbed error      // the buffer was changed before that
	canceled  error      // why it was canceled; guarded by mu
	pins      runtime.Pinner
}

const (
	defaultLimit = 1<<31 - 1
	defaultBulk  = 1 << 16
	// patience is how often an operation that somebody waits for is looked at before the library is left: some microseconds
	// if nothing happens, in which most answers to short messages come.
	patience = 200
)

func newEngine(lib *library) *engine {
	return &engine{lib: lib, baton: baton{freed: make(chan struct{}, 1)}, limit: defaultLimit, bulk: defaultBulk, ending: make(chan struct{})}
}

func (e *engine) describe() string { return e.lib.version }

func (e *engine) takesCUDA() bool { return e.lib.cuda }

// collective: operations without parts of different sizes are the library's, the others ours.
func (e *engine) collective() bool { return true }

// release gives the baton back. An operation that was queued after the last turn, when its starter did not get the
// baton, is taken up here.
func (e *engine) release() {
	for {
		e.baton.free()
		if e.pending.Load() == 0 || !e.baton.try() {
			return
		}
		e.turn(1)
	}
}

func (e *engine) start(o *op) {
	if e.baton.try() {
		e.drain()
		e.launch(o)
		e.release()
		return
	}
	e.mu.Lock()
	e.queue = append(e.queue, o)
	e.pending.Add(1)
	e.mu.Unlock()
	if e.baton.try() {
		e.turn(1)
		e.release()
	}
}

func (e *engine) poll(o *op) bool {
	if o.ended() {
		return true
	}
	if e.baton.try() {
		e.turn(1)
		e.release()
	}
	return o.ended()
}

func (e *engine) wait(ctx context.Context, o *op) error {
	for !o.ended() {
		if !e.baton.try() {
			if err := e.baton.wait(ctx, o.end(), e.ending); err != nil {
				return err
			}
			if !e.baton.try() {
				continue
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
	for idle := 0; !o.ended(); {
		looks := 1
		if idle == 0 && len(e.active) == 1 {
			looks = patience
		}
		if e.turn(looks) {
			idle = 0
			continue
		}
		if idle += looks; idle%16 == 0 {
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

// turn starts what is queued and looks at everything that is under way, at a lone operation up to that many times. It
// reports whether something has ended.
func (e *engine) turn(looks int) (progress bool) {
	e.drain()
	if len(e.active) > 1 {
		looks = 1
	}
	kept := e.active[:0]
	for rest := e.active; len(rest) > 0; {
		if o := rest[0]; o.kind == opProbe || o.searches() { // in the order of the calls, which decides who gets a message
			if !e.look(kept, o) {
				kept = append(kept, o)
			}
			rest = rest[1:]
			continue
		}
		n := e.tests(rest, looks)
		for i, o := range rest[:n] {
			if !e.tested(o, e.calls.Step(i).Result) {
				kept = append(kept, o)
			}
		}
		rest = rest[n:]
	}
	progress = len(kept) < len(e.active)
	clear(e.active[len(kept):])
	e.active = kept
	return progress
}

// tests asks the library about the first operations of a list, in one transition, and returns how many those were. Where
// it fails for one, that is the last.
func (e *engine) tests(list []*op, looks int) int {
	e.calls.Reset()
	for _, o := range list {
		if e.calls.Len() == dl.MaxSteps || o.kind == opProbe || o.searches() {
			break
		}
		e.test(o, looks)
	}
	at := e.calls.Run()
	runtime.KeepAlive(list)
	return min(at+1, e.calls.Len())
}

// test adds the call that asks whether an operation has ended. Where looks is 1, what is asked next does not depend on it.
func (e *engine) test(o *op, looks int) {
	l := &o.lib
	l.flag = 0
	*e.calls.Add() = dl.Step{Fn: e.lib.fn[fnTest], Args: [11]uintptr{cell(&l.request), cell(&l.flag), cell(&l.status)}}
	if looks > 1 {
		step := e.calls.Step(e.calls.Len() - 1)
		step.Flag, step.Times = cell(&l.flag), uint64(looks)
	}
}

// tested ends an operation if the library says that it has ended.
func (e *engine) tested(o *op, rc int32) (ended bool) {
	if rc == 0 && o.lib.flag == 0 {
		return false
	}
	err := e.lib.failure(uintptr(rc))
	canceled := false
	if o.kind == opRecv || o.kind == opObject {
		o.status, canceled = e.received(o)
	}
	return e.arrived(o, err, canceled)
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
	o.lib.bounced = o.kind == opRecv && e.lib.overruns && len(o.recv) <= roomBytes && !o.device
	o.lib.search = o.kind == opObject || o.kind == opRecv && (e.lib.overruns && !o.lib.bounced || e.rivals(e.active, o) != noRival)
	ended := false
	switch {
	case o.kind == opProbe || o.lib.search:
		ended = e.look(e.active, o)
	case o.kind == opSend || o.kind == opRecv:
		ended = e.message(o)
	default:
		if err := e.enter(o); err != nil {
			o.finish(err)
			return
		}
		ended = e.look(e.active, o)
	}
	if !ended {
		hold(&o.lib.pins, o.send)
		hold(&o.lib.pins, o.recv)
		e.active = append(e.active, o)
	}
}

// message begins a send or a receive and asks whether it has ended, in one transition.
func (e *engine) message(o *op) (ended bool) {
	e.calls.Reset()
	if err := e.begin(o); err != nil {
		o.finish(err)
		return true
	}
	looks := 1
	if o.patient && len(e.active) == 0 {
		looks = patience
	}
	e.test(o, looks)
	at := e.calls.Run()
	runtime.KeepAlive(o)
	e.freeTypes(o)
	if rc := e.calls.Step(0).Result; at == 0 {
		e.end(o, e.lib.failure(uintptr(rc)))
		return true
	}
	return e.tested(o, e.calls.Step(1).Result)
}

// look asks the library whether an operation has ended, and ends it here if so. Operations before it come first.
func (e *engine) look(earlier []*op, o *op) (ended bool) {
	l := &o.lib
	if o.kind == opProbe || o.searches() {
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
	e.calls.Reset()
	e.test(o, 1)
	e.calls.Run()
	runtime.KeepAlive(o)
	return e.tested(o, e.calls.Step(0).Result)
}

// arrived ends an operation that the library has ended.
func (e *engine) arrived(o *op, err error, canceled bool) bool {
	l := &o.lib
	switch {
	case l.bounced && !l.taken && !canceled && (err == nil || errors.Is(err, ErrTruncated)):
		l.disturbed = o.disturbed()
		copy(o.recv, l.room[:min(o.status.Bytes, roomBytes)])
		err = nil
		if o.status.Bytes > len(o.recv) {
			err = truncated(o, o.status.Bytes)
		}
	case l.spare != nil && err == nil:
		if !o.device {
			copy(o.recv, l.spare)
		}
		err = truncated(o, len(l.spare))
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

func truncated(o *op, bytes int) error {
	return fmt.Errorf("%w: %d bytes from rank %d, room for %d", ErrTruncated, bytes, o.status.Source, len(o.recv))
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
	if e.baton.try() {
		e.turn(1)
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
