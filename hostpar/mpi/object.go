package mpi

import (
	"context"
	"encoding/binary"
	"fmt"
	"reflect"
	"sync"

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
	o, err := c.probing(opObject, source, tag)
	if o == nil {
		return v, noMessage, c.fail("RecvAny", err)
	}
	if err := run(ctx, c.t, o); err != nil {
		return v, Status{}, c.fail("RecvAny", err)
	}
	v, err = unpack[T](o.recv)
	return v, o.status, c.fail("RecvAny", err)
}

// RequestAny is a RecvAny that is under way.
type RequestAny[T any] struct {
	c     *Comm
	o     *op // nil if there is nothing to wait for
	once  sync.Once
	value T
	err   error
}

// IrecvAny begins to receive a value of any length and returns at once.
func IrecvAny[T any](c *Comm, source, tag int) (*RequestAny[T], error) {
	o, err := c.probing(opObject, source, tag)
	if err != nil {
		return nil, c.fail("IrecvAny", err)
	}
	if o != nil {
		begin(c.t, o)
	}
	return &RequestAny[T]{c: c, o: o}, nil
}

// Wait waits until the value has come, or the context has ended, in which case the request goes on.
func (r *RequestAny[T]) Wait(ctx context.Context) (v T, s Status, err error) {
	if r.o == nil {
		return v, noMessage, nil
	}
	if err := r.c.t.wait(ctx, r.o); err != nil {
		return v, Status{}, r.c.fail("IrecvAny", err)
	}
	return r.result()
}

// Test reports whether the value has come, and if so, gives it. It does not wait for a sender.
func (r *RequestAny[T]) Test() (v T, s Status, done bool, err error) {
	if r.o == nil {
		return v, noMessage, true, nil
	}
	if !r.c.t.poll(r.o) {
		return v, Status{}, false, nil
	}
	v, s, err = r.result()
	return v, s, true, err
}

// Cancel withdraws the request if no message has matched it: it then ends with ErrCanceled. It reports whether the
// request will end without the other side.
func (r *RequestAny[T]) Cancel() bool { return r.o == nil || r.c.t.withdraw(r.o, ErrCanceled) }

func (r *RequestAny[T]) result() (T, Status, error) {
	r.once.Do(func() {
		if r.err = r.o.outcome(); r.err == nil {
			r.value, r.err = unpack[T](r.o.recv)
		}
	})
	return r.value, r.o.status, r.c.fail("IrecvAny", r.err)
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
