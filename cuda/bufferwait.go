package cuda

import "context"

// Wait waits for all work queued on the buffer, so that others may use the memory at Ptr: a library that takes device
// addresses, such as an MPI library. When ctx ends first it returns an error that wraps context.Cause(ctx), and the work
// goes on.
func (b *Buffer[T]) Wait(ctx context.Context) error {
	const op = "wait for buffer"
	s, err := b.use(op)
	if err != nil {
		return err
	}
	defer s.m.release()
	c := b.dev.c
	if err := s.m.join(c.main); err != nil {
		return c.wrap(op, err)
	}
	return c.wait(ctx, op, c.main)
}
