package mpi

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

// Objects travel as their encoding behind the signature of their type. The codec carries numbers, strings, slices, maps,
// structs, pointers and interfaces, but no channels, functions or open files.

func pack[T any](v *T) ([]byte, error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrType, err)
	}
	var e codec.Encoder
	e.Uint64(c.Signature())
	if err := c.Encode(&e, v); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrType, err)
	}
	if len(e.Files) > 0 {
		return nil, fmt.Errorf("%w: %v holds open files", ErrType, reflect.TypeFor[T]())
	}
	return e.Buf, nil
}

func unpack[T any](b []byte) (v T, err error) {
	c, err := codec.Of[T]()
	if err != nil {
		return v, fmt.Errorf("%w: %w", ErrType, err)
	}
	if len(b) < 8 || binary.LittleEndian.Uint64(b) != c.Signature() {
		return v, fmt.Errorf("%w: the message is no %v", ErrType, reflect.TypeFor[T]())
	}
	d := codec.NewDecoder(b[8:], nil)
	if err := c.Decode(d, &v); err != nil {
		return v, fmt.Errorf("%w: %w", ErrType, err)
	}
	return v, nil
}

// SendAny sends a value to the rank dest, which receives it with RecvAny of the same type. The value may be changed when
// SendAny has returned.
func SendAny[T any](ctx context.Context, c *Comm, v T, dest, tag int) error {
	b, err := pack(&v)
	if err != nil {
		return c.fail("SendAny", err)
	}
	o, err := c.sending(b, elemByte, dest, tag)
	if o == nil {
		return c.fail("SendAny", err)
	}
	return c.fail("SendAny", run(ctx, c.t, o))
}

// IsendAny begins to send a value and returns at once. The value may be changed then.
func IsendAny[T any](c *Comm, v T, dest, tag int) (*Request, error) {
	b, err := pack(&v)
	if err != nil {
		return nil, c.fail("IsendAny", err)
	}
	o, err := c.sending(b, elemByte, dest, tag)
	return c.request("IsendAny", o, err)
}

// RecvAny receives a value of any length from the rank source, or AnySource, with a tag, or AnyTag. A value of another
// type is ErrType.
func RecvAny[T any](ctx context.Context, c *Comm, source, tag int) (v T, s Status, err error) {
	o, err := c.probing(opMatch, source, tag)
	if o == nil {
		return v, noMessage, c.fail("RecvAny", err)
	}
	if err := run(ctx, c.t, o); err != nil {
		return v, Status{}, c.fail("RecvAny", err)
	}
	b, err := c.take(ctx, o)
	if err != nil {
		return v, Status{}, c.fail("RecvAny", err)
	}
	v, err = unpack[T](b)
	return v, o.status, c.fail("RecvAny", err)
}

// take receives the message that an opMatch has found. It has been sent, so the context is not asked.
func (c *Comm) take(ctx context.Context, found *op) ([]byte, error) {
	o := newOp(opTake, found.where)
	o.recv, o.message, o.elem = make([]byte, found.status.Bytes), found.message, elemByte
	o.peer = found.status.Source
	begin(c.t, o)
	if err := c.t.wait(context.WithoutCancel(ctx), o); err != nil {
		return nil, err
	}
	return o.recv, o.outcome()
}

// RequestAny is a RecvAny that is under way.
type RequestAny[T any] struct {
	c     *Comm
	found *op // nil if there is nothing to wait for
	turn  chan struct{}
	taken bool
	value T
	err   error
}

// IrecvAny begins to receive a value of any length and returns at once.
func IrecvAny[T any](c *Comm, source, tag int) (*RequestAny[T], error) {
	o, err := c.probing(opMatch, source, tag)
	if err != nil {
		return nil, c.fail("IrecvAny", err)
	}
	if o != nil {
		begin(c.t, o)
	}
	return &RequestAny[T]{c: c, found: o, turn: make(chan struct{}, 1)}, nil
}

// Wait waits until the value has come, or the context has ended, in which case the request goes on.
func (r *RequestAny[T]) Wait(ctx context.Context) (v T, s Status, err error) {
	if r.found == nil {
		return v, noMessage, nil
	}
	if err := r.c.t.wait(ctx, r.found); err != nil {
		return v, Status{}, r.c.fail("IrecvAny", err)
	}
	return r.result(ctx)
}

// Test reports whether the value has come, and if so, gives it. It does not wait for a sender.
func (r *RequestAny[T]) Test() (v T, s Status, done bool, err error) {
	if r.found == nil {
		return v, noMessage, true, nil
	}
	if !r.c.t.poll(r.found) {
		return v, Status{}, false, nil
	}
	v, s, err = r.result(context.Background())
	return v, s, true, err
}

// Cancel withdraws the request if no message has matched it: it then ends with ErrCanceled. It reports whether the
// request will end without the other side.
func (r *RequestAny[T]) Cancel() bool { return r.found == nil || r.c.t.withdraw(r.found, ErrCanceled) }

func (r *RequestAny[T]) result(ctx context.Context) (T, Status, error) {
	r.turn <- struct{}{}
	defer func() { <-r.turn }()
	if !r.taken {
		r.taken = true
		var b []byte
		if r.err = r.found.outcome(); r.err == nil {
			b, r.err = r.c.take(ctx, r.found)
		}
		if r.err == nil {
			r.value, r.err = unpack[T](b)
		}
	}
	return r.value, r.found.status, r.c.fail("IrecvAny", r.err)
}

// BcastAny returns v of the rank root on all ranks.
func BcastAny[T any](ctx context.Context, c *Comm, v T, root int) (T, error) {
	if err := c.checkRoot(root); err != nil {
		return v, c.fail("BcastAny", err)
	}
	var b []byte
	if c.rank == root {
		var err error
		if b, err = pack(&v); err != nil {
			return v, c.fail("BcastAny", err)
		}
	}
	err := c.together("BcastAny", func() (err error) {
		if b, err = c.bcastBytes(ctx, "BcastAny", b, root); err != nil || c.rank == root {
			return err
		}
		v, err = unpack[T](b)
		return err
	})
	return v, err
}

func (c *Comm) bcastBytes(ctx context.Context, label string, b []byte, root int) ([]byte, error) {
	n := []int64{int64(len(b))}
	if err := c.bcast(ctx, label, bytesOf(n), elemI64, root); err != nil {
		return nil, err
	}
	if c.rank != root {
		b = make([]byte, n[0])
	}
	return b, c.bcast(ctx, label, b, elemByte, root)
}
