package mpi

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

// Comm is a communicator: a group of ranks that exchange messages which no other communicator sees. A Comm belongs to
// one rank; the other ranks have theirs.
type Comm struct {
	t            transport
	rank, size   int
	user, hidden space // of the user's messages, and of the algorithms of collective operations
	universe     *universe

	turn   uint32      // counts collective operations; guarded by busy
	busy   atomic.Bool // a collective operation is under way
	broken atomic.Pointer[error]
	closed atomic.Bool
}

// universe is what all communicators of a rank share.
type universe struct{ over atomic.Bool }

// Rank returns the caller's rank, from 0 to Size()-1.
func (c *Comm) Rank() int { return c.rank }

// Size returns the number of ranks.
func (c *Comm) Size() int { return c.size }

// Library names what carries the messages: the first line of the MPI library's version, or "goroutines".
func (c *Comm) Library() string { return c.t.describe() }

// Split makes a communicator for each color of the ranks of c, which all must call it. In each, ranks are in the order of
// key, and of their rank in c where keys are equal. Ranks with the color Undefined get nil; other colors are not
// negative.
func Split(ctx context.Context, c *Comm, color, key int) (n *Comm, err error) {
	if color < 0 && color != Undefined || color > 1<<30 || key > 1<<30 || key < -1<<30 {
		return nil, c.fail("Split", fmt.Errorf("%w: color %d, key %d", ErrCount, color, key))
	}
	err = c.together("Split", func() error {
		n, err = c.t.split(ctx, c, color, key)
		return err
	})
	return n, err
}

// Dup makes a second communicator of the same ranks. All ranks of c must call it.
func Dup(ctx context.Context, c *Comm) (*Comm, error) { return Split(ctx, c, 0, c.rank) }

// Close frees a communicator made by Split, Dup or NewGrid. All its ranks call it, when their operations have ended.
// The communicator given by Run or Local is freed by them; closing it or closing twice does nothing.
func (c *Comm) Close() error {
	if c == nil || c.universe.over.Load() || c.closed.Swap(true) {
		return nil
	}
	return c.fail("Close", c.t.drop(c))
}

// usable says why nothing can be done on the communicator.
func (c *Comm) usable() error {
	if c.universe.over.Load() {
		return ErrFinalized
	}
	if c.closed.Load() {
		return ErrClosed
	}
	return nil
}

// together runs a collective operation, of which there may be one at a time. If it fails other than by bad arguments,
// which are found before anything was sent, this rank no longer knows what the others have done: the communicator is
// broken.
func (c *Comm) together(op string, fn func() error) error {
	if err := c.usable(); err != nil {
		return c.fail(op, err)
	}
	if p := c.broken.Load(); p != nil {
		return c.fail(op, fmt.Errorf("%w: %w", ErrBroken, *p))
	}
	if c.busy.Swap(true) {
		return c.fail(op, ErrBusy)
	}
	defer c.busy.Store(false)
	err := fn()
	if err != nil {
		c.broken.CompareAndSwap(nil, &err)
	}
	return c.fail(op, err)
}

// nextTag returns the tag of the messages of a collective operation. Messages between two ranks do not overtake each
// other, so that the count may begin anew.
func (c *Comm) nextTag() int {
	c.turn++
	return int(c.turn % (MaxTag + 1))
}

// toRank checks the destination of a message.
func (c *Comm) toRank(rank int) error {
	if rank >= 0 && rank < c.size {
		return nil
	}
	return fmt.Errorf("%w: %d of %d", ErrRank, rank, c.size)
}

func (c *Comm) fromRank(rank int) error {
	if rank == AnySource {
		return nil
	}
	return c.toRank(rank)
}

func checkTag(tag int) error {
	if tag >= 0 && tag <= MaxTag {
		return nil
	}
	return fmt.Errorf("%w: %d is not from 0 to %d", ErrTag, tag, MaxTag)
}

func checkWanted(tag int) error {
	if tag == AnyTag {
		return nil
	}
	return checkTag(tag)
}

func (c *Comm) checkRoot(root int) error {
	if root >= 0 && root < c.size {
		return nil
	}
	return fmt.Errorf("%w: %d of %d", ErrRoot, root, c.size)
}

// PanicError is a panic of a rank.
type PanicError struct {
	// Rank is the rank in the communicator of all ranks.
	Rank int
	// Value is what panic was called with.
	Value any
	// Stack is where.
	Stack []byte
}

// Error names the rank and the value, and shows the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("mpi: rank %d panicked: %v\n\n%s", e.Rank, e.Value, e.Stack)
}

// Unwrap returns the value, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

var errGoexit = errors.New("the goroutine of the rank was ended by runtime.Goexit")

// guarded calls fn, and then done with its error, with a *PanicError, or with errGoexit.
func guarded(rank int, fn func() error, done func(error)) {
	err := fmt.Errorf("mpi: rank %d: %w", rank, errGoexit)
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Rank: rank, Value: v, Stack: debug.Stack()}
		}
		done(err)
	}()
	err = fn()
}
