package mpi

import "context"

// Send sends buf to the rank dest and returns when buf may be changed again. That may be before the message is received,
// or not until then; two ranks that both Send before they Recv may therefore wait for ever, which Sendrecv avoids.
func Send[T Number](ctx context.Context, c *Comm, buf []T, dest, tag int) error {
	o, err := c.sending(bytesOf(buf), elemOf[T](), dest, tag)
	if o == nil {
		return c.fail("Send", err)
	}
	err = run(ctx, c.t, o)
	if err == nil {
		o.recycle()
	}
	return c.fail("Send", err)
}

// Recv receives a message of at most len(buf) elements from the rank source, or AnySource, with a tag, or AnyTag. A
// longer message is ErrTruncated.
func Recv[T Number](ctx context.Context, c *Comm, buf []T, source, tag int) (Status, error) {
	o, err := c.receiving(bytesOf(buf), elemOf[T](), source, tag)
	if o == nil {
		return noMessage, c.fail("Recv", err)
	}
	if err := run(ctx, c.t, o); err != nil {
		return Status{}, c.fail("Recv", err)
	}
	s, err := o.status, whole(o)
	o.recycle()
	return s, c.fail("Recv", err)
}

// Isend begins to send buf and returns at once. buf must not be changed until the request has ended.
func Isend[T Number](c *Comm, buf []T, dest, tag int) (*Request, error) {
	o, err := c.sending(bytesOf(buf), elemOf[T](), dest, tag)
	return c.request("Isend", o, err)
}

// Irecv begins to receive into buf and returns at once. buf must not be used until the request has ended.
func Irecv[T Number](c *Comm, buf []T, source, tag int) (*Request, error) {
	o, err := c.receiving(bytesOf(buf), elemOf[T](), source, tag)
	return c.request("Irecv", o, err)
}

// Sendrecv sends and receives at the same time, so that ranks may exchange messages in any pattern. The buffers must
// not overlap.
func Sendrecv[T, U Number](ctx context.Context, c *Comm, send []T, dest, sendTag int, recv []U, source, recvTag int) (Status, error) {
	if overlap(bytesOf(send), bytesOf(recv)) {
		return Status{}, c.fail("Sendrecv", errOverlap)
	}
	in, err := c.receiving(bytesOf(recv), elemOf[U](), source, recvTag)
	if err != nil {
		return Status{}, c.fail("Sendrecv", err)
	}
	out, err := c.sending(bytesOf(send), elemOf[T](), dest, sendTag)
	if err != nil {
		return Status{}, c.fail("Sendrecv", err)
	}
	return c.sendrecv(ctx, "Sendrecv", out, in)
}

// sendrecv runs a send and a receive, either of which may be nil.
func (c *Comm) sendrecv(ctx context.Context, name string, out, in *op) (s Status, err error) {
	if in != nil {
		begin(c.t, in)
	}
	if out != nil {
		err = run(ctx, c.t, out)
	}
	if in == nil {
		return noMessage, c.fail(name, err)
	}
	if err == nil {
		err = c.t.wait(ctx, in)
	}
	if err != nil {
		if c.t.withdraw(in, err) {
			_ = c.t.wait(context.WithoutCancel(ctx), in) // the first error counts
		}
		return Status{}, c.fail(name, err)
	}
	if err := in.outcome(); err != nil {
		return Status{}, c.fail(name, err)
	}
	return in.status, c.fail(name, whole(in))
}

// Probe waits for a message from source with tag without receiving it. Another goroutine that receives may take it.
func Probe(ctx context.Context, c *Comm, source, tag int) (Status, error) {
	o, err := c.probing(opProbe, source, tag)
	if o == nil {
		return noMessage, c.fail("Probe", err)
	}
	err = run(ctx, c.t, o)
	return o.status, c.fail("Probe", err)
}

// noMessage is what a receive from NoRank gives.
var noMessage = Status{Source: NoRank, Tag: AnyTag}

// sending checks the arguments of a send. It returns no operation if there is nothing to do.
func (c *Comm) sending(buf []byte, e elem, dest, tag int) (*op, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	if err := checkTag(tag); err != nil || dest == NoRank {
		return nil, err
	}
	if err := c.toRank(dest); err != nil {
		return nil, err
	}
	o := newOp(opSend, &c.user)
	o.send, o.elem, o.peer, o.tag = buf, e, dest, tag
	return o, nil
}

func (c *Comm) receiving(buf []byte, e elem, source, tag int) (*op, error) {
	o, err := c.probing(opRecv, source, tag)
	if o != nil {
		o.recv, o.elem = buf, e
	}
	return o, err
}

func (c *Comm) probing(k kind, source, tag int) (*op, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	if err := checkWanted(tag); err != nil || source == NoRank {
		return nil, err
	}
	if err := c.fromRank(source); err != nil {
		return nil, err
	}
	o := newOp(k, &c.user)
	o.peer, o.tag = source, tag
	return o, nil
}

// whole finds messages that are no whole number of elements.
func whole(o *op) error {
	if o.status.Bytes%o.elem.size() == 0 {
		return nil
	}
	return errPart(o)
}
