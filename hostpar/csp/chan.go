package csp

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrPoisoned reports that a channel was poisoned.
var ErrPoisoned = errors.New("csp: channel is poisoned")

// ErrRetired reports that a channel has no writers, or no readers, any more, or that the end was retired itself.
var ErrRetired = errors.New("csp: channel is retired")

// Config says what a channel is like. The zero value is a rendezvous.
type Config struct {
	// Buffer is how many values the channel holds; 0 makes a writer wait for a reader.
	Buffer int
}

// Chan connects any number of writers with any number of readers; each value goes to one reader. Make it with New.
type Chan[T any] struct {
	mu      sync.Mutex
	buffer  []T
	room    int
	readers queue[T]
	writers queue[T]
	ins     int   // reading ends alive
	outs    int   // writing ends alive
	noIn    bool  // the last reading end has retired
	noOut   bool  // the last writing end has retired
	poison  error // ErrPoisoned, once poisoned

	ended   chan struct{}   // closed when err is not nil; made when somebody asks
	waiting []chan struct{} // closed when a reader waits, or there will be none
}

// New returns a channel without ends. All ends that a network needs should be made before its first process starts:
// a channel retires with the last end of a side.
func New[T any](cfg Config) *Chan[T] { return &Chan[T]{room: cfg.Buffer} }

// In returns a new reading end.
func (c *Chan[T]) In() *In[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ins++
	return &In[T]{c: c}
}

// Out returns a new writing end.
func (c *Chan[T]) Out() *Out[T] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outs++
	return &Out[T]{c: c}
}

// Poison makes the channel unusable: everybody who waits at it, or comes later, gets ErrPoisoned. Buffered values are
// lost.
func (c *Chan[T]) Poison() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.poison != nil {
		return
	}
	c.poison = ErrPoisoned
	c.buffer = nil
	c.tell()
	c.readers.fail(ErrPoisoned)
	c.writers.fail(ErrPoisoned)
}

// End is a channel end of any type: what a Proc is given to look after.
type End interface {
	// Poison poisons the channel.
	Poison()
	// Retire gives up the end.
	Retire()
}

// In is a reading end of a channel. It may be used from any goroutine.
type In[T any] struct {
	c       *Chan[T]
	retired atomic.Bool
}

// Read waits for a value. It returns ErrPoisoned, ErrRetired when all writers have retired and the buffer is empty, or
// context.Cause(ctx); then no value was taken.
func (in *In[T]) Read(ctx context.Context) (T, error) {
	var r struct { // one allocation for all
		recv[T]
		attempt
		x T
	}
	r.in, r.o.dst = in, &r.x
	err := r.single(ctx, &r.recv)
	return r.x, err
}

// Poison poisons the channel.
func (in *In[T]) Poison() { in.c.Poison() }

// Retire gives up the end. When all reading ends of the channel have retired, its writers get ErrRetired and its buffer
// is lost. Retiring again does nothing.
func (in *In[T]) Retire() {
	if in.retired.Swap(true) {
		return
	}
	c := in.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ins--; c.ins == 0 {
		c.noIn = true
		c.buffer = nil
		c.tell()
		c.writers.fail(ErrRetired)
		c.readers.fail(ErrRetired)
	}
}

// Out is a writing end of a channel. It may be used from any goroutine.
type Out[T any] struct {
	c       *Chan[T]
	retired atomic.Bool
}

// Write waits until a reader, or the buffer, has taken x. It returns ErrPoisoned, ErrRetired when all readers have
// retired, or context.Cause(ctx); then nobody has taken x.
func (out *Out[T]) Write(ctx context.Context, x T) error {
	var s struct { // one allocation for both
		send[T]
		attempt
	}
	s.out, s.o.value = out, x
	return s.single(ctx, &s.send)
}

// Poison poisons the channel.
func (out *Out[T]) Poison() { out.c.Poison() }

// Retire gives up the end. When all writing ends of the channel have retired, its readers get ErrRetired once the buffer
// is empty. Retiring again does nothing.
func (out *Out[T]) Retire() {
	if out.retired.Swap(true) {
		return
	}
	c := out.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outs--; c.outs == 0 {
		c.noOut = true
		c.tell()
		c.readers.fail(ErrRetired) // who waits to read waits at an empty buffer
		c.writers.fail(ErrRetired)
	}
}

// Err returns why the channel has ended: ErrPoisoned, ErrRetired when all ends of one side have retired (its buffer may
// still be read then), or nil.
func (c *Chan[T]) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err()
}

func (c *Chan[T]) err() error {
	if c.poison == nil && (c.noIn || c.noOut) {
		return ErrRetired
	}
	return c.poison
}

// Ended is closed when Err is no longer nil.
func (c *Chan[T]) Ended() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.ended = make(chan struct{})
		c.tell()
	}
	return c.ended
}

// tell wakes who waits for readers or the end. The caller holds mu.
func (c *Chan[T]) tell() {
	for _, ch := range c.waiting {
		close(ch)
	}
	c.waiting = nil
	if c.ended != nil && c.err() != nil {
		select {
		case <-c.ended:
		default:
			close(c.ended)
		}
	}
}

// Wanted waits until a reader waits at the channel, and writes nothing: for values that are not to be made, or fetched,
// before somebody wants them. The reader may have found another value before Write. The errors are those of Write.
func (out *Out[T]) Wanted(ctx context.Context) error {
	c := out.c
	for {
		c.mu.Lock()
		switch {
		case out.retired.Load():
			c.mu.Unlock()
			return ErrRetired
		case c.err() != nil:
			defer c.mu.Unlock()
			return c.err()
		case c.readers.first != nil:
			c.mu.Unlock()
			return nil
		}
		told := make(chan struct{})
		c.waiting = append(c.waiting, told)
		c.mu.Unlock()
		select {
		case <-told:
		case <-ctx.Done():
			c.mu.Lock()
			defer c.mu.Unlock()
			c.waiting = slices.DeleteFunc(c.waiting, func(ch chan struct{}) bool { return ch == told })
			return context.Cause(ctx)
		}
	}
}

// read finds a value for o, or queues it. The caller holds mu.
func (c *Chan[T]) read(o *offer[T]) {
	if c.poison != nil {
		o.at.settle(o.index, c.poison)
		return
	}
	if len(c.buffer) > 0 {
		if !o.at.settle(o.index, nil) {
			return
		}
		*o.dst = c.buffer[0]
		var zero T
		c.buffer[0] = zero // let the collector have it
		c.buffer = c.buffer[1:]
		if w := c.writers.claim(); w != nil {
			c.buffer = append(c.buffer, w.value)
			w.at.wake()
		}
		return
	}
	if c.noOut || c.noIn {
		o.at.settle(o.index, ErrRetired)
		return
	}
	if w, over := c.writers.match(o); w != nil {
		*o.dst = w.value
		w.at.wake()
	} else if !over {
		c.readers.push(o)
		c.tell()
	}
}

// write finds a taker for o, or queues it. The caller holds mu.
func (c *Chan[T]) write(o *offer[T]) {
	if c.poison != nil {
		o.at.settle(o.index, c.poison)
		return
	}
	if c.noIn || c.noOut {
		o.at.settle(o.index, ErrRetired)
		return
	}
	r, over := c.readers.match(o)
	switch {
	case r != nil:
		*r.dst = o.value
		r.at.wake()
	case over:
	case len(c.buffer) < c.room:
		if o.at.settle(o.index, nil) {
			c.buffer = append(c.buffer, o.value)
		}
	default:
		c.writers.push(o)
	}
}
