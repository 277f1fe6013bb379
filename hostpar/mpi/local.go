package mpi

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// eagerBytes is how long a message may be that is copied when no receive waits for it. Sending a longer one ends when it
// is received, as in MPI libraries, so that a program that relies on more than MPI promises fails here too.
const eagerBytes = 4096

// job is the ranks on goroutines of one call of Local.
type job struct {
	ended []atomic.Bool // by rank in the world

	mu     sync.Mutex
	groups map[*group]struct{}
	cause  error         // why the job was aborted
	change chan struct{} // closed, and replaced, when a rank has ended or the job is aborted
}

// news returns a channel that is closed when the next rank ends, or the job is aborted.
func (j *job) news() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.change
}

// tell closes the channel of news. The lock is held.
func (j *job) tell() {
	close(j.change)
	j.change = make(chan struct{})
}

// unheard says why a rank of the world will do nothing any more.
func (j *job) unheard(world int) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.cause == nil && j.ended[world].Load() {
		return gone(world)
	}
	return j.cause
}

// group is one space: the mailboxes of its ranks, which all of them share.
type group struct {
	world []int // rank in the world of each member
	boxes []*mailbox
	left  atomic.Int32 // members that have not dropped it
}

// mailbox holds what has been sent to one rank, and what it wants to receive, in the order of the calls. A message and a
// receive that match are never both in it.
type mailbox struct {
	mu      sync.Mutex
	arrived []*message
	posted  []*op
	closed  error // why nothing can be sent or received any more
}

// message is one that no receive has matched yet.
type message struct {
	source, tag int
	elem        elem
	data        []byte // a copy, or the sender's buffer
	label       string
	value       any
	sender      *op // waits until the message is received; nil if data is a copy
}

func newJob(n int) *job {
	return &job{ended: make([]atomic.Bool, n), groups: map[*group]struct{}{}, change: make(chan struct{})}
}

func (j *job) newGroup(world []int) *group {
	g := &group{world: world, boxes: make([]*mailbox, len(world))}
	g.left.Store(int32(len(world)))
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range g.boxes {
		g.boxes[i] = &mailbox{closed: j.cause}
	}
	j.groups[g] = struct{}{}
	return g
}

// localComm is what one rank does on a communicator: the transport between goroutines.
type localComm struct {
	job  *job
	rank int // in this communicator; the sender of messages
}

func (l *localComm) describe() string { return "goroutines" }
func (l *localComm) takesCUDA() bool  { return false }
func (l *localComm) collective() bool { return false }

// perform is never called: there are no collective operations here.
func (l *localComm) perform(context.Context, *op) error { return ErrLibrary }

func (l *localComm) poll(o *op) bool { return o.ended() }
func (m *message) matches(source, tag int) bool {
	return (source == AnySource || source == m.source) && (tag == AnyTag || tag == m.tag)
}

func (l *localComm) start(o *op) {
	if o.kind == opSend {
		l.send(o)
	} else {
		l.receive(o)
	}
}

// send hands the message to a receive that waits for it, or leaves it in the mailbox.
func (l *localComm) send(o *op) {
	g := o.where.group
	box := g.boxes[o.peer]
	box.mu.Lock()
	defer box.mu.Unlock()
	if box.closed != nil {
		o.finish(box.closed)
		return
	}
	if l.job.ended[g.world[o.peer]].Load() {
		o.finish(gone(o.peer))
		return
	}
	m := &message{source: l.rank, tag: o.tag, elem: o.elem, data: o.send, label: o.label, value: o.value, sender: o}
	for i := 0; i < len(box.posted); {
		r := box.posted[i]
		if !m.matches(r.peer, r.tag) {
			i++
			continue
		}
		box.posted = slices.Delete(box.posted, i, i+1)
		if r.kind != opProbe {
			deliver(r, m)
			o.finish(nil)
			return
		}
		found(r, m)
	}
	m.keep()
	box.arrived = append(box.arrived, m)
}

// keep makes a message that waits independent of its sender, if it is short.
func (m *message) keep() {
	if len(m.data) > eagerBytes {
		return
	}
	m.data = slices.Clone(m.data)
	m.sender.finish(nil)
	m.sender = nil
}

func (l *localComm) receive(o *op) {
	g := o.where.group
	box := g.boxes[l.rank]
	box.mu.Lock()
	defer box.mu.Unlock()
	if box.closed != nil {
		o.finish(box.closed)
		return
	}
	for i, m := range box.arrived {
		if !m.matches(o.peer, o.tag) {
			continue
		}
		if o.kind == opProbe {
			found(o, m)
			return
		}
		box.arrived = slices.Delete(box.arrived, i, i+1)
		deliver(o, m)
		if m.sender != nil {
			m.sender.finish(nil)
		}
		return
	}
	if err := l.job.unreachable(g, l.rank, o.peer); err != nil {
		o.finish(err)
		return
	}
	box.posted = append(box.posted, o)
}

// found ends a probe.
func found(o *op, m *message) {
	o.status = Status{Source: m.source, Tag: m.tag, Bytes: len(m.data)}
	o.finish(nil)
}

// deliver copies a message into the buffer of a receive and ends that.
func deliver(o *op, m *message) {
	if o.kind == opObject {
		o.recv = make([]byte, len(m.data))
	}
	o.status = Status{Source: m.source, Tag: m.tag, Bytes: min(len(m.data), len(o.recv))}
	o.value = m.value
	switch {
	case m.label != o.label:
		o.finish(fmt.Errorf("%w: rank %d is in %s, this rank in %s", ErrMismatch, m.source, m.label, o.label))
		return
	case m.elem != o.elem:
		o.finish(fmt.Errorf("%w: rank %d sent %v, the buffer is of %v", ErrType, m.source, m.elem, o.elem))
		return
	}
	if err := o.disturbed(); err != nil {
		o.finish(err)
		return
	}
	copy(o.recv, m.data)
	if len(m.data) > len(o.recv) {
		o.finish(fmt.Errorf("%w: %d bytes from rank %d, room for %d", ErrTruncated, len(m.data), m.source, len(o.recv)))
		return
	}
	o.finish(nil)
}

func gone(rank int) error { return fmt.Errorf("%w: rank %d", ErrRankGone, rank) }

// unreachable says why nothing can come from source any more: that rank has ended, or all others have.
func (j *job) unreachable(g *group, rank, source int) error {
	if source != AnySource {
		if j.ended[g.world[source]].Load() {
			return gone(source)
		}
		return nil
	}
	for r, w := range g.world {
		if r != rank && !j.ended[w].Load() {
			return nil
		}
	}
	if len(g.world) == 1 {
		return nil // another goroutine of the rank may send to it
	}
	return fmt.Errorf("%w: all other ranks", ErrRankGone)
}

func (l *localComm) wait(ctx context.Context, o *op) error {
	if o.ended() {
		return nil
	}
	select {
	case <-o.end():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *localComm) withdraw(o *op, err error) bool {
	at := l.rank
	if o.kind == opSend {
		at = o.peer
	}
	box := o.where.group.boxes[at]
	box.mu.Lock()
	defer box.mu.Unlock()
	if o.ended() {
		return true
	}
	if i := slices.Index(box.posted, o); i >= 0 {
		box.posted = slices.Delete(box.posted, i, i+1)
		o.finish(err)
		return true
	}
	if i := slices.IndexFunc(box.arrived, func(m *message) bool { return m.sender == o }); i >= 0 {
		box.arrived = slices.Delete(box.arrived, i, i+1)
		o.finish(err)
		return true
	}
	return o.ended()
}

// each calls fn with every mailbox, locked, and the group and rank it belongs to.
func (j *job) each(fn func(g *group, rank int, box *mailbox)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for g := range j.groups {
		for rank, box := range g.boxes {
			box.mu.Lock()
			fn(g, rank, box)
			box.mu.Unlock()
		}
	}
}

// shut ends everything in a mailbox, and refuses what comes later. Its lock is held.
func (box *mailbox) shut(err error) {
	box.closed = err
	for _, o := range box.posted {
		o.finish(err)
	}
	for _, m := range box.arrived {
		if m.sender != nil {
			m.sender.finish(err)
		}
	}
	box.posted, box.arrived = nil, nil
}

// abort ends all waits of all ranks.
func (j *job) abort(cause error) {
	err := fmt.Errorf("%w: %w", ErrAborted, cause)
	j.mu.Lock()
	if j.cause != nil {
		j.mu.Unlock()
		return
	}
	j.cause = err
	j.tell()
	j.mu.Unlock()
	j.each(func(_ *group, _ int, box *mailbox) { box.shut(err) })
}

// end notes that the function of a rank has returned, which ends the waits that only this rank could have ended.
func (j *job) end(world int) {
	j.mu.Lock()
	j.ended[world].Store(true)
	j.tell()
	j.mu.Unlock()
	j.each(func(g *group, rank int, box *mailbox) {
		if g.world[rank] == world {
			for _, o := range box.posted {
				o.finish(ErrFinalized) // of goroutines that outlive the function of the rank
			}
			box.posted = nil
			if box.closed == nil {
				box.shut(gone(rank))
			}
			return
		}
		box.posted = slices.DeleteFunc(box.posted, func(o *op) bool {
			err := j.unreachable(g, rank, o.peer)
			if err != nil {
				o.finish(err)
			}
			return err != nil
		})
	})
}

// split gathers colors and keys, and the first rank of each new communicator makes its groups and hands them round.
func (l *localComm) split(ctx context.Context, c *Comm, color, key int) (*Comm, error) {
	all := make([]int, 2*c.size)
	if err := c.allgather(ctx, "Split", bytesOf([]int{color, key}), bytesOf(all), elemOf[int]()); err != nil {
		return nil, err
	}
	tag := c.nextTag() // also on ranks that take no part, so that all count alike
	if color == Undefined {
		return nil, nil
	}
	var members []int
	for r := range c.size {
		if all[2*r] == color {
			members = append(members, r)
		}
	}
	slices.SortStableFunc(members, func(a, b int) int { return all[2*a+1] - all[2*b+1] })
	n := &Comm{rank: slices.Index(members, c.rank), size: len(members), universe: c.universe}
	n.t = &localComm{job: l.job, rank: n.rank}
	if n.rank > 0 {
		o := newOp(opRecv, &c.hidden)
		o.peer, o.tag, o.label = members[0], tag, "Split"
		if err := run(ctx, c.t, o); err != nil {
			return nil, err
		}
		groups := o.value.([2]*group)
		n.user.group, n.hidden.group = groups[0], groups[1]
		return n, nil
	}
	world := make([]int, len(members))
	for i, r := range members {
		world[i] = c.user.group.world[r]
	}
	n.user.group, n.hidden.group = l.job.newGroup(world), l.job.newGroup(world)
	for _, r := range members[1:] {
		o := newOp(opSend, &c.hidden)
		o.peer, o.tag, o.label, o.value = r, tag, "Split", [2]*group{n.user.group, n.hidden.group}
		if err := run(ctx, c.t, o); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (l *localComm) drop(c *Comm) error {
	l.job.mu.Lock()
	defer l.job.mu.Unlock()
	for _, g := range []*group{c.user.group, c.hidden.group} {
		if g.left.Add(-1) == 0 {
			delete(l.job.groups, g)
		}
	}
	return nil
}

// Local calls fn on n goroutines, each with the communicator of all of them as its rank sees it, and waits for all. It
// needs no MPI. The first failure aborts the job: the waits of the other ranks end with ErrAborted, and Local returns
// the failure. A panic of a rank is a failure, a *PanicError. A rank that waits for one whose fn has returned gets
// ErrRankGone. The end of ctx ends all waits that use the context fn was called with.
func Local(ctx context.Context, n int, fn func(ctx context.Context, world *Comm) error) error {
	if n < 1 {
		return fmt.Errorf("mpi: start %d ranks: %w: at least one is needed", n, ErrCount)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	j := newJob(n)
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	user, hidden := j.newGroup(all), j.newGroup(all)
	var first atomic.Pointer[error]
	var ranks sync.WaitGroup
	for rank := range n {
		c := &Comm{t: &localComm{job: j, rank: rank}, rank: rank, size: n, universe: &universe{}}
		c.user.group, c.hidden.group = user, hidden
		ranks.Go(func() {
			defer j.end(rank)
			defer c.universe.over.Store(true)
			guarded(rank, func() error { return fn(ctx, c) }, func(err error) {
				if err != nil && first.CompareAndSwap(nil, &err) {
					j.abort(err)
					cancel(err)
				}
			})
		})
	}
	ranks.Wait()
	if p := first.Load(); p != nil {
		return *p
	}
	return nil
}
