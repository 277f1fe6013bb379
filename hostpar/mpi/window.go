package mpi

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Window is memory of each rank of a communicator that the other ranks read and write without its taking part. Every
// access has taken place when its call returns. Those by accumulate, fetch and CompareAndSwap are atomic with each other,
// element by element; others are not, and the ranks see to it by Fence or Lock that no element is written by one rank and
// used by another at the same time.
//
// The methods may be called from any goroutine, save that Fence and Close are collective. Under an MPI library the context
// bounds the waits of Fence and Lock; an access is not waited for, but on a network without remote access to memory it
// takes until the target calls this package. An element outside the target's memory is ErrCount.
type Window[T Number] struct {
	c       *Comm
	w       exposed
	local   []T
	lengths []int64
	closed  atomic.Bool
}

// exposed is a window as the transport sees it. at counts bytes from the beginning of the target's memory.
type exposed interface {
	// memory is this rank's part.
	memory() []byte
	put(ctx context.Context, rank, at int, src []byte) error
	get(ctx context.Context, rank, at int, dst []byte) error
	accumulate(ctx context.Context, rank, at int, src []byte, a action) error
	// fetch copies the element that was there to old.
	fetch(ctx context.Context, rank, at int, v, old []byte, a action) error
	compareAndSwap(ctx context.Context, rank, at int, expected, v, old []byte, e elem) error
	// sync makes what this rank has done with its own memory and what others have done there known to each other.
	sync(ctx context.Context) error
	lock(ctx context.Context, rank int) error
	unlock(ctx context.Context, rank int) error
	free(ctx context.Context) error
}

// action is an operator on elements.
type action struct {
	op   Builtin
	fn   combine // nil for Replace
	elem elem
}

func actionOf[T Number](op Builtin) (action, error) {
	if op == Replace {
		return action{op: op, elem: elemOf[T]()}, nil
	}
	fn, op, err := combiner[T](op)
	return action{op, fn, elemOf[T]()}, err
}

// NewWindow makes a window with n elements of this rank, all zero; n may differ from rank to rank. All ranks of c call it.
// The memory is outside Go's heap under an MPI library, and belongs to the window. Open MPI 4 fails where several communicators
// of one Split, on one machine, make windows at the same time; its version 5 does not.
func NewWindow[T Number](ctx context.Context, c *Comm, n int) (w *Window[T], err error) {
	size := elemOf[T]().size()
	if n < 0 || n > 1<<56/size {
		return nil, c.fail("NewWindow", fmt.Errorf("%w: a window of %d elements", ErrCount, n))
	}
	w = &Window[T]{c: c, lengths: make([]int64, c.size)}
	err = c.together("NewWindow", func() (err error) {
		if err = c.allgather(ctx, "NewWindow", bytesOf([]int64{int64(n)}), bytesOf(w.lengths), elemI64); err != nil {
			return err
		}
		w.w, err = c.t.expose(ctx, c, n*size)
		return err
	})
	if err != nil {
		return nil, err
	}
	w.local = ofBytes[T](w.w.memory())
	clear(w.local)
	return w, w.Fence(ctx) // nobody may write before all is zero
}

// Local returns this rank's memory; nil after Close, when slices of it must not be used any more.
func (w *Window[T]) Local() []T {
	if w.closed.Load() {
		return nil
	}
	return w.local
}

// Len returns how many elements the memory of a rank has; 0 if there is no such rank.
func (w *Window[T]) Len(rank int) int {
	if rank < 0 || rank >= len(w.lengths) {
		return 0
	}
	return int(w.lengths[rank])
}

// place checks a target and turns an index into bytes.
func (w *Window[T]) place(rank, at, n int) (int, error) {
	if err := w.c.usable(); err != nil {
		return 0, err
	}
	if w.closed.Load() {
		return 0, ErrClosed
	}
	if err := w.c.toRank(rank); err != nil {
		return 0, err
	}
	if length := w.Len(rank); at < 0 || n > length || at > length-n {
		return 0, fmt.Errorf("%w: %d elements from %d on, of %d of rank %d", ErrCount, n, at, length, rank)
	}
	return at * elemOf[T]().size(), nil
}

// access runs fn on a checked target.
func (w *Window[T]) access(ctx context.Context, op string, rank, at, n int, fn func(at int) error) error {
	at, err := w.place(rank, at, n)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil && n > 0 {
		err = fn(at)
	}
	return w.c.fail(op, err)
}

// Put writes src to the memory of a rank, from its element at on.
func (w *Window[T]) Put(ctx context.Context, src []T, rank, at int) error {
	return w.access(ctx, "Put", rank, at, len(src), func(at int) error { return w.w.put(ctx, rank, at, bytesOf(src)) })
}

// Get reads the memory of a rank, from its element at on, to dst.
func (w *Window[T]) Get(ctx context.Context, dst []T, rank, at int) error {
	return w.access(ctx, "Get", rank, at, len(dst), func(at int) error { return w.w.get(ctx, rank, at, bytesOf(dst)) })
}

// Accumulate combines the memory of a rank, from its element at on, with src: what is there becomes op of it and src.
func (w *Window[T]) Accumulate(ctx context.Context, src []T, rank, at int, op Builtin) error {
	a, err := actionOf[T](op)
	if err != nil {
		return w.c.fail("Accumulate", err)
	}
	return w.access(ctx, "Accumulate", rank, at, len(src), func(at int) error { return w.w.accumulate(ctx, rank, at, bytesOf(src), a) })
}

// Fetch combines one element of a rank with v and returns what it was before.
func (w *Window[T]) Fetch(ctx context.Context, v T, rank, at int, op Builtin) (old T, err error) {
	a, err := actionOf[T](op)
	if err != nil {
		return old, w.c.fail("Fetch", err)
	}
	was := make([]T, 1)
	err = w.access(ctx, "Fetch", rank, at, 1, func(at int) error {
		return w.w.fetch(ctx, rank, at, bytesOf([]T{v}), bytesOf(was), a)
	})
	return was[0], err
}

// CompareAndSwap sets one element of a rank to v if it equals expected, and returns what it was before.
func CompareAndSwap[T Integer](ctx context.Context, w *Window[T], expected, v T, rank, at int) (old T, err error) {
	was := make([]T, 1)
	err = w.access(ctx, "CompareAndSwap", rank, at, 1, func(at int) error {
		return w.w.compareAndSwap(ctx, rank, at, bytesOf([]T{expected}), bytesOf([]T{v}), bytesOf(was), elemOf[T]())
	})
	return was[0], err
}

// Integer is the element of windows with CompareAndSwap.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// Fence waits for all ranks, which must all call it: what any of them did before, to its own memory or to that of
// others, is seen by all afterwards.
func (w *Window[T]) Fence(ctx context.Context) error {
	return w.c.together("Fence", func() error {
		if w.closed.Load() {
			return ErrClosed
		}
		if err := w.w.sync(ctx); err != nil {
			return err
		}
		if err := w.c.meet(ctx, "Fence"); err != nil {
			return err
		}
		return w.w.sync(ctx)
	})
}

// Lock waits until no other goroutine of any rank has locked the memory of that rank, and locks it. It is a lock for those
// who ask for it: accesses do not.
func (w *Window[T]) Lock(ctx context.Context, rank int) error {
	return w.locking(ctx, "Lock", rank, w.w.lock)
}

func (w *Window[T]) locking(ctx context.Context, op string, rank int, fn func(context.Context, int) error) error {
	_, err := w.place(rank, 0, 0)
	if err == nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = fn(ctx, rank)
	}
	return w.c.fail(op, err)
}

// Unlock gives back what Lock has taken. Unlocking what is not locked is ErrNotLocked.
func (w *Window[T]) Unlock(ctx context.Context, rank int) error {
	return w.locking(ctx, "Unlock", rank, w.w.unlock)
}

// Close frees the window. All ranks call it; a second call does nothing.
func (w *Window[T]) Close() error {
	if w.c.universe.over.Load() || w.closed.Swap(true) {
		return nil
	}
	ctx := context.Background()
	return w.c.together("Close", func() error {
		if err := w.c.meet(ctx, "Close"); err != nil { // nobody frees what another still uses
			return err
		}
		return w.w.free(ctx)
	})
}
