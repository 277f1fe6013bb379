package mpi

import (
	"context"
	"fmt"
)

// DeviceMemory is memory of a device that ranks exchange; *cuda.Buffer is one.
type DeviceMemory[T Number] interface {
	// Len is the number of elements.
	Len() int
	// Ptr is the device address of the first element.
	Ptr() uint64
	// Wait waits for the work that is queued on the memory.
	Wait(ctx context.Context) error
	// CopyTo waits for the work that is queued on the memory and copies all of it to dst.
	CopyTo(ctx context.Context, dst []T) error
	// CopyFrom waits for the work that is queued on the memory and copies src to all of it.
	CopyFrom(ctx context.Context, src []T) error
}

// TakesCUDA reports whether the MPI library takes addresses of CUDA memory, so that messages between device buffers need
// no copy in the memory of the host.
func (c *Comm) TakesCUDA() bool { return c.t.takesCUDA() }

// SendDevice is Send from the memory of a device, when the work that is queued on it is done.
func SendDevice[T Number](ctx context.Context, c *Comm, buf DeviceMemory[T], dest, tag int) error {
	if !c.TakesCUDA() {
		host, err := staged(ctx, buf)
		if err != nil {
			return c.fail("SendDevice", err)
		}
		return Send(ctx, c, host, dest, tag)
	}
	if err := buf.Wait(ctx); err != nil {
		return c.fail("SendDevice", err)
	}
	o, err := c.sending(deviceBytes(buf), elemOf[T](), dest, tag)
	if o == nil {
		return c.fail("SendDevice", err)
	}
	o.device = true
	return c.fail("SendDevice", run(ctx, c.t, o))
}

// RecvDevice is Recv into the memory of a device, when the work that is queued on it is done. Work queued later finds the
// message there. Elements beyond a message that is shorter keep their values.
func RecvDevice[T Number](ctx context.Context, c *Comm, buf DeviceMemory[T], source, tag int) (Status, error) {
	if !c.TakesCUDA() {
		host := make([]T, buf.Len())
		s, err := Recv(ctx, c, host, source, tag)
		if err != nil {
			return s, err
		}
		return s, c.fail("RecvDevice", unstage(ctx, buf, host, s))
	}
	if err := buf.Wait(ctx); err != nil {
		return Status{}, c.fail("RecvDevice", err)
	}
	o, err := c.receiving(deviceBytes(buf), elemOf[T](), source, tag)
	if o == nil {
		return noMessage, c.fail("RecvDevice", err)
	}
	o.device = true
	if err := run(ctx, c.t, o); err != nil {
		return Status{}, c.fail("RecvDevice", err)
	}
	return o.status, c.fail("RecvDevice", whole(o))
}

// SendrecvDevice is Sendrecv between the memories of devices: what neighbours on a grid exchange.
func SendrecvDevice[T Number](ctx context.Context, c *Comm, send DeviceMemory[T], dest, sendTag int, recv DeviceMemory[T], source, recvTag int) (Status, error) {
	const name = "SendrecvDevice"
	if !c.TakesCUDA() {
		out, err := staged(ctx, send)
		if err != nil {
			return Status{}, c.fail(name, err)
		}
		in := make([]T, recv.Len())
		s, err := Sendrecv(ctx, c, out, dest, sendTag, in, source, recvTag)
		if err != nil {
			return s, err
		}
		return s, c.fail(name, unstage(ctx, recv, in, s))
	}
	if overlap(deviceBytes(send), deviceBytes(recv)) {
		return Status{}, c.fail(name, errOverlap)
	}
	for _, b := range []DeviceMemory[T]{send, recv} {
		if err := b.Wait(ctx); err != nil {
			return Status{}, c.fail(name, err)
		}
	}
	in, err := c.receiving(deviceBytes(recv), elemOf[T](), source, recvTag)
	if err != nil {
		return Status{}, c.fail(name, err)
	}
	out, err := c.sending(deviceBytes(send), elemOf[T](), dest, sendTag)
	if err != nil {
		return Status{}, c.fail(name, err)
	}
	for _, o := range []*op{in, out} {
		if o != nil {
			o.device = true
		}
	}
	return c.sendrecv(ctx, name, out, in)
}

// BcastDevice is Bcast between the memories of devices, through that of the host: the operations in the background of
// MPI libraries do not take device addresses.
func BcastDevice[T Number](ctx context.Context, c *Comm, buf DeviceMemory[T], root int) error {
	host, err := staged(ctx, buf)
	if err != nil {
		return c.fail("BcastDevice", err)
	}
	if err := Bcast(ctx, c, host, root); err != nil || c.rank == root {
		return err
	}
	return c.fail("BcastDevice", buf.CopyFrom(ctx, host))
}

// AllreduceDevice is Allreduce between the memories of devices, through that of the host. send and recv may be one buffer.
func AllreduceDevice[T Number](ctx context.Context, c *Comm, send, recv DeviceMemory[T], op Operator) error {
	if send.Len() != recv.Len() {
		return c.fail("AllreduceDevice", fmt.Errorf("%w: %d elements to send, room for %d", ErrCount, send.Len(), recv.Len()))
	}
	host, err := staged(ctx, send)
	if err != nil {
		return c.fail("AllreduceDevice", err)
	}
	if err := Allreduce(ctx, c, host, host, op); err != nil {
		return err
	}
	return c.fail("AllreduceDevice", recv.CopyFrom(ctx, host))
}

// staged copies device memory to the host.
func staged[T Number](ctx context.Context, buf DeviceMemory[T]) ([]T, error) {
	host := make([]T, buf.Len())
	return host, buf.CopyTo(ctx, host)
}

// unstage copies a message to device memory.
func unstage[T Number](ctx context.Context, buf DeviceMemory[T], host []T, s Status) error {
	n, _ := Count[T](s)
	if n == 0 {
		return nil
	}
	if n < len(host) { // the elements behind the message
		old, err := staged(ctx, buf)
		if err != nil {
			return err
		}
		copy(host[n:], old[n:])
	}
	return buf.CopyFrom(ctx, host)
}

// deviceBytes names device memory to the library. No Go code may touch it.
func deviceBytes[T Number](buf DeviceMemory[T]) []byte {
	if buf.Len() == 0 {
		return nil
	}
	return foreign(uintptr(buf.Ptr()), buf.Len()*elemOf[T]().size())
}
