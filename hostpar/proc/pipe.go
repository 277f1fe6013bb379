package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// Conn is one end of a pipe, which may be in another process than the other end. Messages arrive whole and in order. All
// methods may be called from any goroutine.
//
// An end belongs to one process: passing it to another, as an argument, a result or a message, moves it there, and closes
// it here. So the other end sees the end of the pipe when the process dies.
type Conn[T any] struct {
	c    codec.Codec[T]
	r, w *os.File
	link *frame.Link

	receiving chan struct{} // capacity 1: held by who receives
	sending   chan struct{} // likewise
	mu        sync.Mutex
	closed    bool
}

// Pipe makes a pipe for messages in both directions. It holds about 64 KiB each way before Send waits.
func Pipe[T any]() (a, b *Conn[T], err error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, nil, fmt.Errorf("proc: pipe: %w", err)
	}
	r1, w1, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("proc: pipe: %w", err)
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("proc: pipe: %w", err), r1.Close(), w1.Close())
	}
	a, b = &Conn[T]{c: c}, &Conn[T]{c: c}
	a.open(r1, w2)
	b.open(r2, w1)
	return a, b, nil
}

func (c *Conn[T]) open(r, w *os.File) {
	c.r, c.w, c.link = r, w, frame.OverPipes(r, w)
	c.receiving, c.sending = make(chan struct{}, 1), make(chan struct{}, 1)
}

// Send sends a message, waiting for room. It returns io.ErrClosedPipe if the other end is closed, ErrClosed if this one is.
// When ctx ends in the middle of a message, the pipe is closed, as the other end could not make sense of what follows.
func (c *Conn[T]) Send(ctx context.Context, x T) error {
	e := encoders.Get().(*codec.Encoder)
	defer encoders.Put(e)
	e.Reset()
	if err := c.c.Encode(e, &x); err != nil {
		return fmt.Errorf("proc: send: %w", err)
	}
	if len(e.Files) > 0 {
		return fmt.Errorf("proc: send: %w: what stands on open files", codec.ErrType)
	}
	if err := c.hold(ctx, c.sending); err != nil {
		return err
	}
	defer func() { <-c.sending }()
	stop := interrupt(ctx, c.w.SetWriteDeadline)
	err := c.link.Send(frame.Frame{Body: e.Buf})
	if err == nil {
		err = c.link.Flush()
	}
	if stop() {
		_ = c.Close() // half a message may be sent
		return context.Cause(ctx)
	}
	return c.explain(err)
}

// Receive waits for a message. It returns io.EOF when the other end is closed and all messages were received, ErrClosed
// when this end is. When ctx ends in the middle of a message, the pipe is closed.
func (c *Conn[T]) Receive(ctx context.Context) (x T, err error) {
	if err := c.hold(ctx, c.receiving); err != nil {
		return x, err
	}
	defer func() { <-c.receiving }()
	stop := interrupt(ctx, c.r.SetReadDeadline)
	f, err := c.link.Receive()
	if stop() && err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.link.Partial() {
			_ = c.Close() // the rest would not be understood
		}
		return x, context.Cause(ctx)
	}
	if err != nil {
		return x, c.explain(err)
	}
	err = c.c.Decode(codec.NewDecoder(f.Body, nil), &x)
	return x, err
}

func (c *Conn[T]) hold(ctx context.Context, slot chan struct{}) error {
	if c.link == nil {
		return ErrClosed
	}
	select {
	case slot <- struct{}{}:
		return nil
	default:
	}
	select {
	case slot <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// interrupt makes a call on a file end with ctx. stop tells whether that has happened.
func interrupt(ctx context.Context, set func(time.Time) error) (stop func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	over := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		_ = set(time.Unix(1, 0)) // a closed file needs no deadline
		close(over)
	})
	return func() bool {
		if cancel() {
			return false
		}
		<-over
		_ = set(time.Time{}) // for the next call
		return true
	}
}

// explain tells the errors of a pipe by who has closed it.
func (c *Conn[T]) explain(err error) error {
	c.mu.Lock()
	closed := c.closed
	c.mu.Unlock()
	switch {
	case err == nil:
		return nil
	case closed:
		return ErrClosed
	case errors.Is(err, io.EOF):
		return io.EOF
	case brokenPipe(err):
		return io.ErrClosedPipe
	default:
		return fmt.Errorf("proc: pipe: %w", err)
	}
}

// Close closes this end. Closing again does nothing.
func (c *Conn[T]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.link == nil {
		return nil
	}
	c.closed = true
	return c.link.Close()
}

// EncodeHandle is for messages between processes.
func (c *Conn[T]) EncodeHandle(e *codec.Encoder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.link == nil {
		return ErrClosed
	}
	e.File(c.r)
	e.File(c.w)
	e.Sent = append(e.Sent, func() { _ = c.Close() }) // it lives on elsewhere
	return nil
}

// DecodeHandle is for messages between processes.
func (c *Conn[T]) DecodeHandle(d *codec.Decoder) (err error) {
	if c.c, err = codec.Of[T](); err != nil {
		return err
	}
	r, err := d.File()
	if err != nil {
		return err
	}
	w, err := d.File()
	if err != nil {
		return errors.Join(err, r.Close())
	}
	c.open(r, w)
	return nil
}
