package proc

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
	"github.com/tandem-go/tandem/hostpar/shm"
)

// QueueConfig says how large a queue is. The zero value is good for most.
type QueueConfig struct {
	// Bytes is how much room there is for encoded elements before Put waits; below 1 it is 1 MiB. An element takes eight bytes
	// more than its encoding and must fit alone.
	Bytes int
}

// Queue hands elements from any number of producers to any number of consumers in any processes, first in, first out. Make
// it with NewQueue, and pass it to other processes as an argument. It is a shm.Ring.
//
// A process that dies leaves the queue usable by the others. What it had taken is lost with it.
type Queue[T any] struct {
	ring *shm.Ring
	c    codec.Codec[T]
}

// ledger counts elements for Join.
type ledger struct {
	put  uint64
	done uint64
}

// NewQueue makes an empty queue.
func NewQueue[T any](cfg QueueConfig) (*Queue[T], error) {
	c, err := codec.Of[T]()
	if err != nil {
		return nil, fmt.Errorf("proc: queue: %w", err)
	}
	if cfg.Bytes < 1 {
		cfg.Bytes = 1 << 20
	}
	ring, err := shm.NewRing(cfg.Bytes)
	if err != nil {
		return nil, fmt.Errorf("proc: queue: %w", err)
	}
	return &Queue[T]{ring: ring, c: c}, nil
}

// encoders are used again, as most elements are small.
var encoders = sync.Pool{New: func() any { return new(codec.Encoder) }}

func (q *Queue[T]) encode(x *T, put func(b []byte) error) error {
	e := encoders.Get().(*codec.Encoder)
	defer encoders.Put(e)
	e.Reset()
	if err := q.c.Encode(e, x); err != nil {
		return fmt.Errorf("proc: queue: %w", err)
	}
	if len(e.Files) > 0 {
		return fmt.Errorf("proc: queue: %w: what stands on open files; use a Pipe", codec.ErrType)
	}
	return put(e.Buf)
}

// Put adds x, waiting for room. It returns ErrClosed if the queue is closed, also while waiting.
func (q *Queue[T]) Put(ctx context.Context, x T) error {
	return closedAsOurs(q.encode(&x, func(b []byte) error { return q.ring.Put(ctx, b) }))
}

// TryPut adds x if there is room, or returns par.ErrFull or ErrClosed.
func (q *Queue[T]) TryPut(x T) error { return closedAsOurs(q.encode(&x, q.ring.TryPut)) }

func closedAsOurs(err error) error {
	if errors.Is(err, shm.ErrClosed) {
		return ErrClosed
	}
	return err
}

// Get removes the next element, waiting for one. It returns ErrClosed when the queue is closed and empty.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	return q.take(func(buf []byte) ([]byte, error) { return q.ring.Get(ctx, buf) })
}

// TryGet removes the next element if there is one, or returns par.ErrEmpty or ErrClosed.
func (q *Queue[T]) TryGet() (T, error) { return q.take(q.ring.TryGet) }

func (q *Queue[T]) take(get func(buf []byte) ([]byte, error)) (x T, err error) {
	e := encoders.Get().(*codec.Encoder)
	defer encoders.Put(e)
	e.Reset()
	if e.Buf, err = get(e.Buf); err != nil {
		return x, closedAsOurs(err)
	}
	err = q.c.Decode(codec.NewDecoder(e.Buf, nil), &x)
	return x, err
}

// All yields elements until the queue is closed and empty, or ctx ends.
func (q *Queue[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			x, err := q.Get(ctx)
			if err != nil || !yield(x) {
				return
			}
		}
	}
}

// Len returns how many elements are in the queue at this moment.
func (q *Queue[T]) Len(ctx context.Context) (int, error) { return q.ring.Len(ctx) }

// Close lets no further element in. Those inside are still given out. Closing again does nothing.
func (q *Queue[T]) Close() { q.ring.Close() }

// EncodeHandle is for messages between processes.
func (q *Queue[T]) EncodeHandle(e *codec.Encoder) error { return q.ring.EncodeHandle(e) }

// DecodeHandle is for messages between processes.
func (q *Queue[T]) DecodeHandle(d *codec.Decoder) (err error) {
	if q.c, err = codec.Of[T](); err != nil {
		return err
	}
	q.ring = new(shm.Ring)
	return q.ring.DecodeHandle(d)
}

// JoinableQueue is a Queue that can wait until all its elements have been processed. Make it with NewJoinableQueue.
type JoinableQueue[T any] struct {
	Queue[T]
	work *shm.Value[ledger]
}

// NewJoinableQueue makes an empty queue.
func NewJoinableQueue[T any](cfg QueueConfig) (*JoinableQueue[T], error) {
	q, err := NewQueue[T](cfg)
	if err != nil {
		return nil, err
	}
	work, err := shm.NewValue(ledger{})
	if err != nil {
		return nil, err
	}
	return &JoinableQueue[T]{*q, work}, nil
}

// Put adds x, waiting for room, and counts it.
func (q *JoinableQueue[T]) Put(ctx context.Context, x T) error {
	return q.counted(ctx, func() error { return q.Queue.Put(ctx, x) })
}

// TryPut adds x if there is room, and counts it.
func (q *JoinableQueue[T]) TryPut(x T) error {
	return q.counted(context.Background(), func() error { return q.Queue.TryPut(x) })
}

// counted counts an element before it can be taken, so that nobody is done with it before.
func (q *JoinableQueue[T]) counted(ctx context.Context, put func() error) error {
	if _, err := q.work.Update(ctx, func(l *ledger) { l.put++ }); err != nil {
		return err
	}
	err := put()
	if err != nil {
		_, countErr := q.work.Update(context.WithoutCancel(ctx), func(l *ledger) { l.put-- })
		err = errors.Join(err, countErr)
	}
	return err
}

// TaskDone says that one element that was taken has been processed. It returns par.ErrTaskDone if there is none.
func (q *JoinableQueue[T]) TaskDone(ctx context.Context) error {
	short := false
	_, err := q.work.Update(ctx, func(l *ledger) {
		if short = l.done == l.put; !short {
			l.done++
		}
	})
	if err == nil && short {
		err = par.ErrTaskDone
	}
	return err
}

// Join waits until TaskDone was called once for each element that was ever put. It looks every few milliseconds.
func (q *JoinableQueue[T]) Join(ctx context.Context) error {
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for {
		if n, err := q.Unfinished(ctx); err != nil || n == 0 {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Unfinished returns how many elements were put and not said to be processed. When it does not fall any more, somebody
// has died with some.
func (q *JoinableQueue[T]) Unfinished(ctx context.Context) (int, error) {
	l, err := q.work.Load(ctx)
	return int(l.put - l.done), err
}

// EncodeHandle is for messages between processes.
func (q *JoinableQueue[T]) EncodeHandle(e *codec.Encoder) error {
	return errors.Join(q.ring.EncodeHandle(e), q.work.EncodeHandle(e))
}

// DecodeHandle is for messages between processes.
func (q *JoinableQueue[T]) DecodeHandle(d *codec.Decoder) error {
	if err := q.Queue.DecodeHandle(d); err != nil {
		return err
	}
	q.work = new(shm.Value[ledger])
	return q.work.DecodeHandle(d)
}
