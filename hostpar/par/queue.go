package par

import (
	"container/heap"
	"context"
	"errors"
	"iter"
	"sync"
)

// ErrClosed reports the use of something that was closed.
var ErrClosed = errors.New("par: closed")

// ErrFull reports that there is no room and the call does not wait.
var ErrFull = errors.New("par: full")

// ErrEmpty reports that there is nothing to take and the call does not wait.
var ErrEmpty = errors.New("par: empty")

// ErrTaskDone reports more calls of TaskDone than there were elements.
var ErrTaskDone = errors.New("par: TaskDone called too often")

// QueueConfig says in which order a queue gives its elements out. The zero value is first in, first out.
type QueueConfig[T any] struct {
	// Capacity is how many elements it holds before Put waits; below 1 there is no limit.
	Capacity int
	// LastFirst gives the newest element out first.
	LastFirst bool
	// Less gives the least element out first; of equal ones, the oldest. LastFirst is not used then.
	Less func(a, b T) bool
}

// Queue hands elements from any number of producers to any number of consumers. Make it with NewQueue.
//
// A channel does the same for less; a Queue adds orders, a length without limit, a Close that producers may race with,
// and waiting until all elements were processed.
type Queue[T any] struct {
	mu         sync.Mutex
	items      store[T]
	capacity   int
	closed     bool
	putters    waiters
	getters    waiters
	unfinished int
	joiners    waiters
}

// NewQueue returns an empty queue.
func NewQueue[T any](cfg QueueConfig[T]) *Queue[T] {
	q := &Queue[T]{capacity: cfg.Capacity}
	switch {
	case cfg.Less != nil:
		q.items = &priority[T]{less: cfg.Less}
	case cfg.LastFirst:
		q.items = &stack[T]{}
	default:
		q.items = &fifo[T]{}
	}
	return q
}

// Put adds x, waiting for room. It returns ErrClosed if the queue is closed, also while waiting.
func (q *Queue[T]) Put(ctx context.Context, x T) error {
	q.mu.Lock()
	for {
		err := q.put(x)
		if err == nil || errors.Is(err, ErrClosed) {
			q.mu.Unlock()
			return err
		}
		if err := q.block(ctx, &q.putters); err != nil {
			return err
		}
	}
}

// TryPut adds x if there is room, or returns ErrFull or ErrClosed.
func (q *Queue[T]) TryPut(x T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.put(x)
}

func (q *Queue[T]) put(x T) error {
	if q.closed {
		return ErrClosed
	}
	if q.capacity > 0 && q.items.len() >= q.capacity {
		return ErrFull
	}
	q.items.push(x)
	q.unfinished++
	q.getters.wake()
	return nil
}

// Get removes the next element, waiting for one. It returns ErrClosed when the queue is closed and empty.
func (q *Queue[T]) Get(ctx context.Context) (T, error) {
	q.mu.Lock()
	for {
		x, err := q.get()
		if !errors.Is(err, ErrEmpty) {
			q.mu.Unlock()
			return x, err
		}
		if err := q.block(ctx, &q.getters); err != nil {
			return x, err
		}
	}
}

// TryGet removes the next element if there is one, or returns ErrEmpty or ErrClosed.
func (q *Queue[T]) TryGet() (T, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.get()
}

func (q *Queue[T]) get() (x T, err error) {
	if q.items.len() == 0 {
		if q.closed {
			return x, ErrClosed
		}
		return x, ErrEmpty
	}
	x = q.items.pop()
	q.putters.wake()
	return x, nil
}

// block waits in list until woken, and returns with mu locked; or until ctx ends, and returns an error with mu free.
func (q *Queue[T]) block(ctx context.Context, list *waiters) error {
	w := list.push(1)
	q.mu.Unlock()
	err := w.wait(ctx)
	q.mu.Lock()
	if err == nil {
		return nil
	}
	if !list.remove(w) {
		list.wake() // ours goes to the next
	}
	q.mu.Unlock()
	return err
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
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.items.len()
}

// Close lets no further element in. Those inside are still given out. Closing again does nothing.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for q.putters.wake() {
	}
	for q.getters.wake() {
	}
}

// TaskDone says that one element that was taken has been processed; see Join.
func (q *Queue[T]) TaskDone() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.unfinished == 0 {
		return ErrTaskDone
	}
	if q.unfinished--; q.unfinished == 0 {
		for q.joiners.wake() {
		}
	}
	return nil
}

// Join waits until TaskDone was called once for each element that was ever put.
func (q *Queue[T]) Join(ctx context.Context) error {
	q.mu.Lock()
	if q.unfinished == 0 {
		q.mu.Unlock()
		return nil
	}
	w := q.joiners.push(1)
	q.mu.Unlock()
	err := w.wait(ctx)
	if err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.joiners.remove(w)
	}
	return err
}

// store is the order of a queue.
type store[T any] interface {
	len() int
	push(x T)
	pop() T
}

// fifo is a ring.
type fifo[T any] struct {
	ring  []T
	first int
	n     int
}

func (f *fifo[T]) len() int { return f.n }

func (f *fifo[T]) push(x T) {
	if f.n == len(f.ring) {
		ring := make([]T, max(8, 2*f.n))
		k := copy(ring, f.ring[f.first:])
		copy(ring[k:], f.ring[:f.first])
		f.ring, f.first = ring, 0
	}
	f.ring[(f.first+f.n)%len(f.ring)] = x
	f.n++
}

func (f *fifo[T]) pop() T {
	var zero T
	x := f.ring[f.first]
	f.ring[f.first] = zero // let the collector have it
	f.first = (f.first + 1) % len(f.ring)
	f.n--
	return x
}

type stack[T any] struct{ xs []T }

func (s *stack[T]) len() int { return len(s.xs) }
func (s *stack[T]) push(x T) { s.xs = append(s.xs, x) }

func (s *stack[T]) pop() T {
	var zero T
	last := len(s.xs) - 1
	x := s.xs[last]
	s.xs[last] = zero
	s.xs = s.xs[:last]
	return x
}

// priority is a heap by (less, age). Its exported methods are container/heap's.
type priority[T any] struct {
	less func(a, b T) bool
	xs   []aged[T]
	born uint64
}

type aged[T any] struct {
	x    T
	born uint64
}

func (p *priority[T]) len() int { return len(p.xs) }

func (p *priority[T]) push(x T) {
	p.born++
	heap.Push(p, aged[T]{x, p.born})
}

func (p *priority[T]) pop() T { return heap.Pop(p).(aged[T]).x }

func (p *priority[T]) Len() int      { return len(p.xs) }
func (p *priority[T]) Swap(i, j int) { p.xs[i], p.xs[j] = p.xs[j], p.xs[i] }
func (p *priority[T]) Push(x any)    { p.xs = append(p.xs, x.(aged[T])) }

func (p *priority[T]) Less(i, j int) bool {
	a, b := p.xs[i], p.xs[j]
	if p.less(a.x, b.x) {
		return true
	}
	return !p.less(b.x, a.x) && a.born < b.born
}

func (p *priority[T]) Pop() any {
	last := len(p.xs) - 1
	x := p.xs[last]
	p.xs[last] = aged[T]{}
	p.xs = p.xs[:last]
	return x
}
