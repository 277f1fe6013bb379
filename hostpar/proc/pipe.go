package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/shm"
)

// Conn is one end of a pipe, which may be in another process than the other end. Messages arrive whole and in order. All
// methods may be called from any goroutine.
//
// An end belongs to one process: passing it to another, as an argument or a result, moves it there, and closes it here. So
// the other end sees the end of the pipe when the process dies. An end that is not passed on should be closed.
type Conn[T any] struct {
	c codec.Codec[T]
	t transport

	receiving chan struct{} // capacity 1: held by who receives
	sending   chan struct{} // likewise
	mu        sync.Mutex
	closed    bool
}

// transport carries the bytes of messages. One goroutine sends and one receives at a time.
type transport interface {
	// send returns io.ErrClosedPipe if the other end is closed.
	send(ctx context.Context, b []byte) error
	// receive appends a message to buf, or returns io.EOF if the other end is closed.
	receive(ctx context.Context, buf []byte) ([]byte, error)
	// close ends sending and receiving, here and there.
	close() error
	// pass writes what another process needs to go on in place of this one, and leave ends it here without ending it there.
	pass(e *codec.Encoder) error
	leave()
}

// Pipe makes a pipe for messages in both directions. It holds about 64 KiB each way before Send waits.
func Pipe[T any]() (a, b *Conn[T], err error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, nil, fmt.Errorf("proc: pipe: %w", err)
	}
	t, u, err := ringPair()
	if errors.Is(err, shm.ErrNotSupported) {
		t, u, err = filePair()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("proc: pipe: %w", err)
	}
	a, b = &Conn[T]{c: c}, &Conn[T]{c: c}
	a.open(t)
	b.open(u)
	return a, b, nil
}

func (c *Conn[T]) open(t transport) {
	c.t, c.receiving, c.sending = t, make(chan struct{}, 1), make(chan struct{}, 1)
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
	if c.t == nil {
		return ErrClosed
	}
	if err := c.hold(ctx, c.sending); err != nil {
		return err
	}
	defer func() { <-c.sending }()
	return c.explain(c.t.send(ctx, e.Buf))
}

// Receive waits for a message. It returns io.EOF when the other end is closed and all messages were received,
// io.ErrUnexpectedEOF when it has died in the middle of one, ErrClosed when this end is closed. When ctx ends in the middle
// of a message, the pipe is closed.
func (c *Conn[T]) Receive(ctx context.Context) (x T, err error) {
	if c.t == nil {
		return x, ErrClosed
	}
	if err := c.hold(ctx, c.receiving); err != nil {
		return x, err
	}
	defer func() { <-c.receiving }()
	e := encoders.Get().(*codec.Encoder)
	defer encoders.Put(e)
	e.Reset()
	if e.Buf, err = c.t.receive(ctx, e.Buf); err != nil {
		return x, c.explain(err)
	}
	err = c.c.Decode(codec.NewDecoder(e.Buf, nil), &x)
	return x, err
}

func (c *Conn[T]) hold(ctx context.Context, slot chan struct{}) error {
	select {
	case slot <- struct{}{}:
	default:
		select {
		case slot <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		<-slot
		return ErrClosed
	}
	return nil
}

// explain tells the errors of a pipe by who has closed it.
func (c *Conn[T]) explain(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return ErrClosed
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return err
	}
}

// Close closes this end. Closing again does nothing.
func (c *Conn[T]) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.t == nil {
		return nil
	}
	c.closed = true
	return c.t.close()
}

// EncodeHandle is for messages between processes.
func (c *Conn[T]) EncodeHandle(e *codec.Encoder) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.t == nil {
		return ErrClosed
	}
	e.Sent = append(e.Sent, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.closed {
			c.closed = true
			c.t.leave()
		}
	})
	return c.t.pass(e)
}

// DecodeHandle is for messages between processes.
func (c *Conn[T]) DecodeHandle(d *codec.Decoder) (err error) {
	if c.c, err = codec.Of[T](); err != nil {
		return err
	}
	kind, err := d.Uvarint()
	if err != nil {
		return err
	}
	var t transport
	if kind == passedRings {
		t, err = receiveRings(d)
	} else {
		t, err = receiveFiles(d)
	}
	if err == nil {
		c.open(t)
	}
	return err
}

// How a transport is passed.
const (
	passedFiles = iota
	passedRings
)
