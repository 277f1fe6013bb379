package mpi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// TaskError is the failure of fn in Map.
type TaskError struct {
	// Index is that of the element, Rank the rank that fn ran on.
	Index, Rank int
	// Text is what the error of fn said; of a panic, its value and the stack.
	Text string
	// Panicked reports whether fn panicked.
	Panicked bool
	// Err is the error of fn itself on the rank that it ran on, nil on the others.
	Err error
}

// Error names the element, the rank and what went wrong.
func (e *TaskError) Error() string {
	what := "failed"
	if e.Panicked {
		what = "panicked"
	}
	return fmt.Sprintf("element %d %s on rank %d: %s", e.Index, what, e.Rank, e.Text)
}

// Unwrap returns Err.
func (e *TaskError) Unwrap() error { return e.Err }

// Map calls fn for each element of in on the ranks of c and returns the results, in the order of in, on rank 0; in is used
// there only, and others get nil. All ranks call it with the same function, which may be a closure. Elements are handed
// out in runs that become shorter towards the end, to whoever has worked off the last one; rank 0 works too, beside the
// goroutine that hands out. In and Out are types that SendAny takes.
//
// The first failure, of fn or of the context of rank 0 or of one that works, ends the work: the context of calls under way
// is canceled, no more elements are begun, and all ranks return the failure when these calls have returned. A failure of
// fn, also a panic, is a *TaskError, and the communicator serves on.
func Map[In, Out any](ctx context.Context, c *Comm, in []In, fn func(context.Context, In) (Out, error)) (out []Out, err error) {
	_, err = pack(new(task[In]))
	if err == nil {
		_, err = pack(new(done[Out]))
	}
	if err != nil {
		return nil, c.fail("Map", err)
	}
	var failed failure
	m := &mapping[In, Out]{c: c, fn: fn}
	err = c.together("Map", func() error {
		m.tasks, m.results = c.nextTag(), c.nextTag()
		if c.rank > 0 {
			if err := m.follow(ctx); err != nil {
				return err
			}
		} else {
			out, failed = m.lead(ctx, in)
		}
		packed, err := pack(&failed)
		if err != nil {
			return err
		}
		if packed, err = c.bcastBytes(context.WithoutCancel(ctx), "Map", packed, 0); err != nil {
			return err
		}
		failed, err = unpack[failure](packed)
		return err
	})
	if err == nil && failed.Text != "" {
		err = m.restore(failed)
	}
	if err != nil {
		return nil, c.fail("Map", err)
	}
	return out, nil
}

// task is a run of elements; one without elements ends the work.
type task[In any] struct {
	First int
	In    []In
}

// done is the results of a run, or a failure.
type done[Out any] struct {
	First  int
	Out    []Out
	Failed failure
}

// failure is a TaskError, or with the index -1 the end of a context, as it travels; none has no text.
type failure struct {
	Index, Rank int
	Text        string
	Panicked    bool
}

// mapping is one call of Map on one rank.
type mapping[In, Out any] struct {
	c              *Comm
	fn             func(context.Context, In) (Out, error)
	tasks, results int // tags

	mu   sync.Mutex
	mine error // guarded by mu: the first failure on this rank
}

// fail notes a failure on this rank.
func (m *mapping[In, Out]) fail(index int, err error) failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mine == nil {
		m.mine = err
	}
	f := failure{Index: index, Rank: m.c.rank, Text: err.Error()}
	var p *PanicError
	if errors.As(err, &p) {
		f.Text, f.Panicked = fmt.Sprintf("%v\n\n%s", p.Value, p.Stack), true
	}
	if f.Text == "" {
		f.Text = "an error without a text"
	}
	return f
}

// restore makes an error of a failure.
func (m *mapping[In, Out]) restore(f failure) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var err error
	if f.Rank == m.c.rank {
		err = m.mine
	}
	if f.Index >= 0 {
		return &TaskError{f.Index, f.Rank, f.Text, f.Panicked, err}
	}
	if err == nil {
		err = ErrCanceled
	}
	return fmt.Errorf("context of rank %d: %s: %w", f.Rank, f.Text, err)
}

func (m *mapping[In, Out]) op(k kind, peer, tag int) *op {
	o := newOp(k, &m.c.hidden)
	o.peer, o.tag, o.label = peer, tag, "Map"
	return o
}

// work calls fn for a run, and gives a failure also where fn ends the goroutine.
func (m *mapping[In, Out]) work(ctx context.Context, t task[In], give func(done[Out])) {
	d := done[Out]{First: t.First}
	at := t.First
	guarded(m.c.rank, func() error {
		for i, x := range t.In {
			at = t.First + i
			y, err := m.fn(ctx, x)
			if err != nil {
				return err
			}
			d.Out = append(d.Out, y)
			if ctx.Err() != nil && i+1 < len(t.In) {
				at = -1
				return context.Cause(ctx)
			}
		}
		return nil
	}, func(err error) {
		if err != nil {
			d.Failed, d.Out = m.fail(at, err), nil
		}
		give(d)
	})
}

// follow works off what rank 0 hands out.
func (m *mapping[In, Out]) follow(ctx context.Context) error {
	working, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var idle sync.WaitGroup
	defer idle.Wait()
	waiting := ctx
	sent := make(chan error, 1)
	sent <- nil
	for {
		o := m.op(opObject, 0, m.tasks)
		if err := run(waiting, m.c.t, o); err != nil {
			cancel(err)
			return err
		}
		waiting = context.WithoutCancel(ctx) // rank 0 is there, and will say when it is over
		t, err := unpack[task[In]](o.recv)
		if err != nil || len(t.In) == 0 {
			cancel(ErrCanceled)
			return errors.Join(err, <-sent)
		}
		if err := <-sent; err != nil { // rank 0 sends the next task when it has the results of the last one
			return err
		}
		idle.Go(func() {
			m.work(working, t, func(d done[Out]) {
				b, err := pack(&d)
				if err != nil {
					b, err = pack(&done[Out]{Failed: m.fail(d.First, err)})
				}
				if err == nil {
					o := m.op(opSend, 0, m.results)
					o.send = b
					err = run(waiting, m.c.t, o)
				}
				sent <- err
			})
		})
	}
}

// lead hands out elements, to this rank too, and collects the results.
func (m *mapping[In, Out]) lead(ctx context.Context, in []In) (out []Out, failed failure) {
	l := &leading[In, Out]{mapping: m, ctx: ctx, in: in, out: make([]Out, len(in)), busy: make([]bool, m.c.size), over: make([]bool, m.c.size)}
	followed := make(chan error, 1)
	go func() { followed <- m.follow(context.WithoutCancel(ctx)) }()
	for r := range m.c.size {
		l.give(r)
	}
	for slices.Contains(l.busy, true) {
		if err := l.collect(); err != nil {
			l.stop(m.fail(-1, err))
			break // the transport has failed: nobody answers any more
		}
	}
	if err := <-followed; err != nil {
		l.stop(m.fail(-1, err))
	}
	for _, o := range l.sends {
		if err := m.c.t.wait(context.WithoutCancel(ctx), o); err != nil {
			l.stop(m.fail(-1, err))
		}
	}
	return l.out, l.failed
}

// leading is what rank 0 knows of the others.
type leading[In, Out any] struct {
	*mapping[In, Out]
	ctx        context.Context // of the call of Map
	in         []In
	next       int
	out        []Out
	busy, over []bool // by rank: it has a task; it has been told to stop
	sends      []*op
	failed     failure
}

// give sends a rank the next run, or the end.
func (l *leading[In, Out]) give(rank int) {
	var t task[In]
	if l.failed.Text == "" {
		left := len(l.in) - l.next
		n := (left + 2*l.c.size - 1) / (2 * l.c.size)
		t = task[In]{l.next, l.in[l.next:][:n]}
	}
	b, err := pack(&t)
	if err != nil {
		l.stop(l.fail(l.next, err))
		return // which has told this rank
	}
	l.next += len(t.In)
	l.busy[rank], l.over[rank] = len(t.In) > 0, len(t.In) == 0
	o := l.op(opSend, rank, l.tasks)
	o.send = b
	begin(l.c.t, o)
	l.sends = append(l.sends, o)
}

// stop notes the first failure and tells all that it is over.
func (l *leading[In, Out]) stop(f failure) {
	if l.failed.Text == "" {
		l.failed = f
	}
	for r := range l.over {
		if !l.over[r] {
			busy := l.busy[r]
			l.give(r)
			l.busy[r] = busy // until its results have come
		}
	}
}

// collect receives the results of a run. When the context ends, it stops all and goes on to wait for them.
func (l *leading[In, Out]) collect() error {
	o := l.op(opObject, AnySource, l.results)
	begin(l.c.t, o)
	waiting := l.ctx
	if l.failed.Text != "" {
		waiting = context.WithoutCancel(l.ctx)
	}
	err := l.c.t.wait(waiting, o)
	if err != nil && l.ctx.Err() != nil && l.failed.Text == "" {
		l.stop(l.fail(-1, err))
		err = l.c.t.wait(context.WithoutCancel(l.ctx), o)
	}
	if err == nil {
		err = o.outcome()
	}
	if err != nil {
		return err
	}
	d, err := unpack[done[Out]](o.recv)
	if err != nil {
		return err
	}
	rank := o.status.Source
	l.busy[rank] = false
	copy(l.out[d.First:], d.Out)
	if d.Failed.Text != "" {
		l.stop(d.Failed)
	}
	if !l.over[rank] {
		l.give(rank)
	}
	return nil
}
