package shm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/futex"
)

// Event is a flag that processes wait for. Make it with NewEvent. Setting it is one store: no death can leave it broken.
type Event struct {
	s   *Segment
	set *atomic.Uint32
}

// NewEvent makes an event that is not set.
func NewEvent() (*Event, error) {
	s, err := NewSegment(line)
	if err != nil {
		return nil, err
	}
	return &Event{s, s.word32(0)}, nil
}

// Set sets the flag and wakes all who wait.
func (e *Event) Set() {
	defer runtime.KeepAlive(e)
	e.set.Store(1)
	wakeAll(e.set)
}

// Clear takes the flag down.
func (e *Event) Clear() {
	defer runtime.KeepAlive(e)
	e.set.Store(0)
}

// IsSet reports whether the flag is set.
func (e *Event) IsSet() bool {
	defer runtime.KeepAlive(e)
	return e.set.Load() == 1
}

// Wait waits until the flag is set.
func (e *Event) Wait(ctx context.Context) error {
	defer runtime.KeepAlive(e)
	for !e.IsSet() {
		if err := sleep(ctx, e.set, 0); err != nil {
			return err
		}
	}
	return nil
}

// EncodeHandle is for package proc.
func (e *Event) EncodeHandle(enc *codec.Encoder) error { return e.s.EncodeHandle(enc) }

// DecodeHandle is for package proc.
func (e *Event) DecodeHandle(d *codec.Decoder) error {
	s, err := decodeSegment(d, line)
	if err == nil {
		*e = Event{s, s.word32(0)}
	}
	return err
}

// Cond lets processes wait for a change of what a Mutex protects. Make it with NewCond.
type Cond struct {
	m   *Mutex
	s   *Segment
	seq *atomic.Uint32
}

// NewCond makes a condition variable for what m protects.
func NewCond(m *Mutex) (*Cond, error) {
	s, err := NewSegment(line)
	if err != nil {
		return nil, err
	}
	return &Cond{m, s, s.word32(0)}, nil
}

// Wait releases the lock, which must be held, waits for Signal or Broadcast or the end of ctx, and takes the lock again,
// which is held afterwards in any case unless ErrNotLocked is returned. It may return without reason, so the condition must
// be looked at again. ownerDied is as with Mutex.Lock.
func (c *Cond) Wait(ctx context.Context) (ownerDied bool, err error) {
	defer runtime.KeepAlive(c)
	seen := c.seq.Load()
	if err := c.m.Unlock(); err != nil {
		return false, err
	}
	var waitErr error
	for c.seq.Load() == seen && waitErr == nil {
		waitErr = sleep(ctx, c.seq, seen)
	}
	if waitErr != nil && c.seq.Load() != seen {
		futex.Wake(c.seq, 1) // a signal that was ours goes to another
	}
	ownerDied, err = c.m.Lock(context.WithoutCancel(ctx))
	return ownerDied, errors.Join(waitErr, err)
}

// WaitFor waits until ok returns true. ok is called with the lock held.
func (c *Cond) WaitFor(ctx context.Context, ok func() bool) error {
	for !ok() {
		if _, err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Signal lets at least one Wait go on, if there is one.
func (c *Cond) Signal() {
	defer runtime.KeepAlive(c)
	c.seq.Add(1)
	futex.Wake(c.seq, 1)
}

// Broadcast lets all go on that wait now.
func (c *Cond) Broadcast() {
	defer runtime.KeepAlive(c)
	c.seq.Add(1)
	wakeAll(c.seq)
}

// EncodeHandle is for package proc.
func (c *Cond) EncodeHandle(e *codec.Encoder) error {
	return errors.Join(c.m.EncodeHandle(e), c.s.EncodeHandle(e))
}

// DecodeHandle is for package proc.
func (c *Cond) DecodeHandle(d *codec.Decoder) error {
	m := new(Mutex)
	if err := m.DecodeHandle(d); err != nil {
		return err
	}
	s, err := decodeSegment(d, line)
	if err == nil {
		*c = Cond{m, s, s.word32(0)}
	}
	return err
}

// maxHolders is how many processes may hold permits of a semaphore at a time.
const maxHolders = 64

// holder is a process with permits, or a party of a barrier.
type holder struct {
	id futex.ID // 0 for nobody
	n  uint64
}

// permits is the state of a semaphore, under its lock.
type permits struct {
	free, total uint64
	holders     [maxHolders]holder
}

// Semaphore gives out permits to processes. Permits of a process that dies come back. Make it with NewSemaphore.
type Semaphore struct {
	a       *Array[permits]
	changed *Event // its word counts changes
}

// NewSemaphore makes a semaphore with n permits.
func NewSemaphore(n int) (*Semaphore, error) {
	if n < 0 {
		return nil, fmt.Errorf("shm: semaphore with %d permits", n)
	}
	a, err := NewArray[permits](1)
	if err != nil {
		return nil, err
	}
	changed, err := NewEvent()
	if err != nil {
		return nil, err
	}
	a.xs[0].free, a.xs[0].total = uint64(n), uint64(n)
	return &Semaphore{a, changed}, nil
}

// recount makes the state whole after the death of who was changing it, and takes back permits of the dead.
func (p *permits) recount() {
	p.free = p.total
	for i, h := range p.holders {
		if h.id != 0 && (h.n == 0 || !futex.Alive(h.id)) {
			p.holders[i] = holder{}
			continue
		}
		p.free -= min(h.n, p.free)
	}
}

// take takes a permit for a process, if there is one.
func (p *permits) take(me futex.ID) (ok bool, err error) {
	if p.free == 0 {
		return false, nil
	}
	at := -1
	for i, h := range p.holders {
		if h.id == me {
			at = i
			break
		}
		if h.id == 0 && at < 0 {
			at = i
		}
	}
	if at < 0 {
		return false, fmt.Errorf("shm: semaphore: more than %d processes hold permits", maxHolders)
	}
	p.holders[at].id = me
	p.holders[at].n++
	p.free--
	return true, nil
}

// Acquire waits for a permit. Permits of dead processes are found when nothing else comes for 50 ms.
func (s *Semaphore) Acquire(ctx context.Context) error {
	defer runtime.KeepAlive(s)
	for look := false; ; look = true {
		seen := s.changed.set.Load()
		ok, err := s.attempt(ctx, look)
		if ok || err != nil {
			return err
		}
		if err := sleep(ctx, s.changed.set, seen); err != nil {
			return err
		}
	}
}

// TryAcquire takes a permit if there is one.
func (s *Semaphore) TryAcquire() (bool, error) { return s.attempt(context.Background(), true) }

func (s *Semaphore) attempt(ctx context.Context, look bool) (ok bool, err error) {
	died, err := s.a.Lock(ctx)
	if err != nil {
		return false, err
	}
	p := &s.a.xs[0]
	if died || look && p.free == 0 {
		p.recount()
	}
	ok, err = p.take(s.a.s.me)
	return ok, errors.Join(err, s.a.Unlock())
}

// Release gives a permit back. It returns ErrNotLocked if this process holds none.
func (s *Semaphore) Release(ctx context.Context) error {
	defer runtime.KeepAlive(s)
	died, err := s.a.Lock(ctx)
	if err != nil {
		return err
	}
	p := &s.a.xs[0]
	if died {
		p.recount()
	}
	err = ErrNotLocked
	for i := range p.holders {
		h := &p.holders[i]
		if h.id != s.a.s.me || h.n == 0 {
			continue
		}
		if h.n--; h.n == 0 {
			h.id = 0
		}
		p.free++
		err = nil
		break
	}
	err = errors.Join(err, s.a.Unlock())
	s.changed.set.Add(1)
	wakeAll(s.changed.set)
	return err
}

// EncodeHandle is for package proc.
func (s *Semaphore) EncodeHandle(e *codec.Encoder) error {
	return errors.Join(s.a.EncodeHandle(e), s.changed.EncodeHandle(e))
}

// DecodeHandle is for package proc.
func (s *Semaphore) DecodeHandle(d *codec.Decoder) error {
	s.a, s.changed = new(Array[permits]), new(Event)
	return errors.Join(s.a.DecodeHandle(d), s.changed.DecodeHandle(d))
}

// meeting is the state of a barrier, under its lock.
type meeting struct {
	parties, arrived, round, broken uint64
	who                             [maxHolders]futex.ID // of this round
}

// Barrier holds parties in any processes until all have come, again and again. Make it with NewBarrier.
type Barrier struct {
	a       *Array[meeting]
	changed *Event // its word counts changes
}

// NewBarrier makes a barrier for 1 to 64 parties.
func NewBarrier(parties int) (*Barrier, error) {
	if parties < 1 || parties > maxHolders {
		return nil, fmt.Errorf("shm: barrier for %d parties", parties)
	}
	a, err := NewArray[meeting](1)
	if err != nil {
		return nil, err
	}
	changed, err := NewEvent()
	if err != nil {
		return nil, err
	}
	a.xs[0].parties = uint64(parties)
	return &Barrier{a, changed}, nil
}

// change calls fn with the state, under the lock, and wakes who waits if fn says so. Who died in the middle of a change has
// broken the barrier.
func (b *Barrier) change(ctx context.Context, fn func(m *meeting) (wake bool, err error)) error {
	defer runtime.KeepAlive(b)
	died, err := b.a.Lock(ctx)
	if err != nil {
		return err
	}
	m := &b.a.xs[0]
	if died {
		m.broken = 1
	}
	wake, err := fn(m)
	err = errors.Join(err, b.a.Unlock())
	if wake || died {
		b.changed.set.Add(1)
		wakeAll(b.changed.set)
	}
	return err
}

// Wait waits until all parties have called Wait. The index is the order of arrival in this round, from 0. If ctx ends
// first, or a party dies while it waits, the barrier is broken: all get ErrBrokenBarrier until Reset, the one whose ctx has
// ended its cause.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	defer runtime.KeepAlive(b)
	var round uint64
	complete := false
	err = b.change(ctx, func(m *meeting) (bool, error) {
		if m.broken != 0 {
			return false, ErrBrokenBarrier
		}
		round, index = m.round, int(m.arrived)
		m.who[m.arrived] = b.a.s.me
		if m.arrived++; m.arrived == m.parties {
			m.arrived, complete = 0, true
			m.round++
		}
		return complete, nil
	})
	for err == nil && !complete {
		seen := b.changed.set.Load()
		err = b.change(context.WithoutCancel(ctx), func(m *meeting) (bool, error) { return b.look(ctx, m, round, &complete) })
		if err == nil && !complete {
			_ = sleep(ctx, b.changed.set, seen) // look tells what the end of ctx means
		}
	}
	return index, err
}

// look sees how a round stands.
func (b *Barrier) look(ctx context.Context, m *meeting, round uint64, complete *bool) (wake bool, err error) {
	switch {
	case m.round != round:
		*complete = true
		return false, nil
	case m.broken != 0:
		return false, ErrBrokenBarrier
	case ctx.Err() != nil:
		m.broken = 1
		return true, context.Cause(ctx)
	}
	for _, id := range m.who[:m.arrived] {
		if id != b.a.s.me && !futex.Alive(id) {
			m.broken = 1
			return true, ErrBrokenBarrier
		}
	}
	return false, nil
}

// Abort breaks the barrier.
func (b *Barrier) Abort(ctx context.Context) error {
	return b.change(ctx, func(m *meeting) (bool, error) {
		m.broken = 1
		return true, nil
	})
}

// Reset makes the barrier empty and whole. Who waits must have been woken by Abort before.
func (b *Barrier) Reset(ctx context.Context) error {
	return b.change(ctx, func(m *meeting) (bool, error) {
		m.arrived, m.broken = 0, 0
		return true, nil
	})
}

// EncodeHandle is for package proc.
func (b *Barrier) EncodeHandle(e *codec.Encoder) error {
	return errors.Join(b.a.EncodeHandle(e), b.changed.EncodeHandle(e))
}

// DecodeHandle is for package proc.
func (b *Barrier) DecodeHandle(d *codec.Decoder) error {
	b.a, b.changed = new(Array[meeting]), new(Event)
	return errors.Join(b.a.DecodeHandle(d), b.changed.DecodeHandle(d))
}
