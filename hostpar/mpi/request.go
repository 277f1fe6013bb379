package mpi

import (
	"context"
	"errors"
	"fmt"
)

// Request is a send or a receive that is under way. It may be waited for by several goroutines.
type Request struct {
	c    *Comm
	name string
	o    *op // nil if there is nothing to wait for
}

var errOverlap = fmt.Errorf("%w: the buffers overlap", ErrCount)

func errPart(o *op) error {
	return fmt.Errorf("%w: %d bytes from rank %d are no whole number of %v", ErrType, o.status.Bytes, o.status.Source, o.elem)
}

func (c *Comm) request(name string, o *op, err error) (*Request, error) {
	if err != nil {
		return nil, c.fail(name, err)
	}
	if o != nil {
		begin(c.t, o)
	}
	return &Request{c, name, o}, nil
}

// Wait waits until the request has ended, or the context has, in which case the request goes on and its buffer stays in
// use. The status is of a receive.
func (r *Request) Wait(ctx context.Context) (Status, error) {
	if r.o == nil {
		return noMessage, nil
	}
	if err := r.c.t.wait(ctx, r.o); err != nil {
		return Status{}, r.c.fail(r.name, err)
	}
	return r.result()
}

// Test reports whether the request has ended, and if so, with what. It does not wait, and moves messages on.
func (r *Request) Test() (s Status, done bool, err error) {
	if r.o == nil {
		return noMessage, true, nil
	}
	if !r.c.t.poll(r.o) {
		return Status{}, false, nil
	}
	s, err = r.result()
	return s, true, err
}

// Cancel withdraws a receive that has not matched a message: it then ends with ErrCanceled. A send may still be
// delivered; Cancel reports whether the request will end without the other side.
func (r *Request) Cancel() bool { return r.o == nil || r.c.t.withdraw(r.o, ErrCanceled) }

func (r *Request) result() (Status, error) {
	if err := r.o.outcome(); err != nil {
		return Status{}, r.c.fail(r.name, err)
	}
	if r.o.kind != opRecv {
		return noMessage, nil
	}
	return r.o.status, r.c.fail(r.name, whole(r.o))
}

// WaitAll waits for all requests and returns their errors, joined. Nil requests have ended.
func WaitAll(ctx context.Context, requests ...*Request) error {
	var failures []error
	for _, r := range requests {
		if r == nil {
			continue
		}
		if _, err := r.Wait(ctx); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}
