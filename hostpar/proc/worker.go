package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// Exit statuses of workers.
const (
	exitOK       = 0
	exitFailed   = 1 // the only function of the process returned an error
	exitProtocol = 3 // the parent talks in another way
)

// lag is how long a result may lie in the buffer while the next call runs.
const lag = 200 * time.Microsecond

// worker serves a parent.
type worker struct {
	link *frame.Link
	page *page
	once bool // one call, then the end

	mu      sync.Mutex
	arrived sync.Cond
	queue   []frame.Frame // calls
	quit    bool
	current struct {
		id     uint64 // 0 if nothing runs
		cancel context.CancelFunc
	}
	canceled map[uint64]bool // calls in the queue that are not to be begun

	// The rest belongs to the goroutine that executes.
	doing   doing
	results codec.Encoder
	flusher *time.Timer
	flushed time.Time
	failed  bool // the last call did
	over    chan struct{}
}

// doing is the call under way.
type doing struct {
	id    uint64
	ctx   context.Context //nolint:containedctx // of the call
	batch batch
	err   error // it cannot be called
	began time.Time
}

// serveParent is Main in a worker.
func serveParent() int {
	mode := os.Getenv(environment)
	_ = os.Unsetenv(environment) // else it would be passed on
	link, page, err := inherit(mode)
	if err != nil {
		return exitProtocol
	}
	w := &worker{link: link, page: page, canceled: map[uint64]bool{}, over: make(chan struct{})}
	w.arrived.L = &w.mu
	w.flusher = time.AfterFunc(time.Hour, func() { _ = link.Flush() }) // the reader notices errors
	first, err := link.Receive()
	if err != nil || first.Kind != kindHello {
		return exitProtocol
	}
	d := codec.NewDecoder(first.Body, first.Files)
	ready := w.hello(d)
	e := codec.Encoder{}
	e.Uvarint(flag(ready != nil))
	if ready != nil {
		encodeError(&e, ready)
	}
	_ = link.Send(frame.Frame{Kind: kindReady, Body: e.Buf}) // the reader notices errors
	_ = link.Flush()
	if ready != nil {
		return exitFailed
	}
	go w.read()
	go w.execute()
	<-w.over
	endChildren()
	_ = link.Flush() // a parent that is gone does not matter
	if w.once && w.failed {
		return exitFailed
	}
	return exitOK
}

// hello reads who we are, and runs what is to be run before the first call.
func (w *worker) hello(d *codec.Decoder) error {
	var n [6]uint64
	var name string
	var err error
	if n[0], err = d.Uint64(); err != nil {
		return err
	}
	if n[0] != fingerprint() {
		return ErrMismatch
	}
	if name, err = d.String(); err != nil {
		return err
	}
	for i := 1; i < 6; i++ {
		if n[i], err = d.Uvarint(); err != nil {
			return err
		}
	}
	self.mu.Lock()
	self.info = Info{Name: name, PID: os.Getpid(), Parent: int(n[1]), Depth: int(n[2]), Daemon: n[3] != 0}
	self.mu.Unlock()
	self.ready.Store(true)
	setName(name)
	if n[4] > 0 {
		debug.SetMemoryLimit(int64(n[4]) / 10 * 9) // collect before the parent has to kill
	}
	w.once = n[5] != 0
	setups, err := d.Uvarint()
	if err != nil {
		return err
	}
	for range setups {
		if err := w.setup(d); err != nil {
			return err
		}
	}
	return nil
}

// setup calls an initialiser.
func (w *worker) setup(d *codec.Decoder) error {
	name, err := d.Bytes()
	if err != nil {
		return err
	}
	f, err := lookup(name)
	if err != nil {
		return err
	}
	b, err := f.load(d, 1)
	if err != nil {
		return err
	}
	for !b.finished() {
		over := make(chan struct{})
		go func() { // as it may end with runtime.Goexit
			defer close(over)
			b.run(context.Background(), func(int) {})
		}()
		<-over
	}
	var e codec.Encoder
	b.store(&e)
	if failures := codec.NewDecoder(e.Buf, nil); len(e.Buf) > 0 {
		n, err := failures.Uvarint()
		if err != nil || n == 0 {
			return err
		}
		if _, err = failures.Uvarint(); err != nil {
			return err
		}
		return decodeError(failures, f.name)
	}
	return nil
}

// read takes what the parent says, until it says no more: then it is gone, and so must we be.
func (w *worker) read() {
	for {
		f, err := w.link.Receive()
		if err != nil {
			w.mu.Lock()
			quit := w.quit
			w.mu.Unlock()
			if !quit {
				die()
			}
			return
		}
		w.take(f)
	}
}

func (w *worker) take(f frame.Frame) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch f.Kind {
	case kindCall:
		w.queue = append(w.queue, f)
		w.arrived.Signal()
	case kindQuit:
		w.quit = true
		w.arrived.Signal()
	case kindCancel:
		if w.current.id == f.ID {
			w.current.cancel()
			return
		}
		for _, q := range w.queue {
			if q.ID == f.ID {
				w.canceled[f.ID] = true
			}
		}
	case kindRevoke:
		for i, q := range w.queue {
			if q.ID != f.ID {
				continue
			}
			w.queue = append(w.queue[:i:i], w.queue[i+1:]...)
			codec.NewDecoder(nil, q.Files).Close()
			go w.reply(frame.Frame{Kind: kindRevoked, ID: f.ID}) // writing may wait for the parent, reading must not
			return
		}
	}
}

func (w *worker) reply(f frame.Frame) {
	_ = w.link.Send(f) // the reader notices errors
	_ = w.link.Flush()
}

// next waits for a call. ok is false when there will be none.
func (w *worker) next() (f frame.Frame, ctx context.Context, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.queue) == 0 {
		if w.quit {
			return f, nil, false
		}
		w.arrived.Wait()
	}
	f = w.queue[0]
	w.queue[0] = frame.Frame{}
	w.queue = w.queue[1:]
	ctx, w.current.cancel = context.WithCancel(context.Background())
	w.current.id = f.ID
	if w.canceled[f.ID] {
		delete(w.canceled, f.ID)
		w.current.cancel()
	}
	return f, ctx, true
}

// execute runs calls one after another. A function that ends the goroutine with runtime.Goexit, as testing.T.FailNow
// does, is followed by another goroutine, which goes on where this one was.
func (w *worker) execute() {
	over := false
	defer func() {
		if over {
			close(w.over)
		} else {
			go w.execute()
		}
	}()
	for {
		if w.doing.id == 0 {
			f, ctx, ok := w.next()
			if !ok {
				break
			}
			w.doing = doing{id: f.ID, ctx: ctx, began: time.Now()}
			w.begin(loading)
			w.doing.batch, w.doing.err = w.load(f)
		}
		if w.doing.err == nil {
			w.doing.batch.run(w.doing.ctx, w.begin)
		}
		w.finish()
		w.doing = doing{}
		if w.once {
			break
		}
	}
	over = true
}

// finish sends the results of what was done.
func (w *worker) finish() {
	e := &w.results
	e.Reset()
	kind := byte(kindResult)
	e.Uint64(0)
	if w.doing.err != nil {
		w.failed = true
	} else {
		had := len(e.Buf)
		w.doing.batch.store(e)
		w.failed = e.Buf[had] != 0
	}
	now := time.Now()
	if w.doing.err == nil {
		patch(e.Buf, uint64(now.Sub(w.doing.began)))
	} else {
		e.Reset()
		encodeError(e, w.doing.err)
		kind = kindFailure
	}
	w.mu.Lock()
	w.current.cancel()
	w.current.id = 0
	more := len(w.queue) > 0
	w.mu.Unlock()
	w.page.send()
	w.flusher.Stop()
	if err := w.link.Send(frame.Frame{Kind: kind, ID: w.doing.id, Body: e.Buf, Files: e.Files}); errors.Is(err, frame.ErrTooLarge) {
		e.Reset()
		encodeError(e, fmt.Errorf("result: %w", err))
		_ = w.link.Send(frame.Frame{Kind: kindFailure, ID: w.doing.id, Body: e.Buf}) // the reader notices errors
	}
	for _, sent := range e.Sent {
		sent()
	}
	if w.once || !more || now.Sub(w.flushed) >= lag {
		_ = w.link.Flush() // the reader notices errors
		w.flushed = now
	} else {
		w.flusher.Reset(lag)
	}
	w.page.idle()
}

// loading is the item that is noted while arguments are read, which may call methods of theirs.
const loading = -1

func (w *worker) begin(item int) { w.page.begin(w.doing.id, item) }

func patch(b []byte, x uint64) {
	for i := range 8 {
		b[i] = byte(x >> (8 * i))
	}
}

// load reads a call.
func (w *worker) load(f frame.Frame) (batch, error) {
	d := codec.NewDecoder(f.Body, f.Files)
	defer d.Close()
	name, err := d.Bytes()
	if err != nil {
		return nil, err
	}
	fn, err := lookup(name)
	if err != nil {
		return nil, err
	}
	n, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	return fn.load(d, int(min(n, 1<<31)))
}
