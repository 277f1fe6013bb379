package mpi

import (
	"bytes"
	"context"
	"sync"
)

// localWindow is a window between goroutines: what one rank has of the memory of all.
type localWindow struct {
	l     *localComm
	world []int // rank in the world of each member
	parts []*localPart
	rank  int
}

// localPart is the memory of one rank.
type localPart struct {
	mu     sync.Mutex // held during each access
	data   []byte
	holder int           // the rank that has locked it, or -1
	freed  chan struct{} // closed, and replaced, when it is unlocked
}

// expose hands the part of each rank to all others.
func (l *localComm) expose(ctx context.Context, c *Comm, n int) (exposed, error) {
	w := &localWindow{l: l, world: c.user.group.world, parts: make([]*localPart, c.size), rank: c.rank}
	mine := &localPart{data: bytesOf(make([]complex128, (n+15)/16))[:n:n], holder: -1, freed: make(chan struct{})}
	w.parts[c.rank] = mine
	x := c.exchange("NewWindow", elemByte)
	var from []*op
	for r := range c.size {
		if r != c.rank {
			o := x.add(opRecv, r)
			from = append(from, o)
			begin(c.t, o)
		}
	}
	for r := range c.size {
		if r != c.rank {
			o := x.add(opSend, r)
			o.value = mine
			begin(c.t, o)
		}
	}
	if err := x.wait(ctx); err != nil {
		return nil, err
	}
	for _, o := range from {
		w.parts[o.peer] = o.value.(*localPart)
	}
	return w, nil
}

func (w *localWindow) memory() []byte { return w.parts[w.rank].data }

// on runs fn with n bytes of the memory of a rank, alone.
func (w *localWindow) on(rank, at, n int, fn func(b []byte)) error {
	p := w.parts[rank]
	p.mu.Lock()
	defer p.mu.Unlock()
	fn(p.data[at:][:n])
	return nil
}

func (w *localWindow) put(_ context.Context, rank, at int, src []byte) error {
	return w.on(rank, at, len(src), func(b []byte) { copy(b, src) })
}

func (w *localWindow) get(_ context.Context, rank, at int, dst []byte) error {
	return w.on(rank, at, len(dst), func(b []byte) { copy(dst, b) })
}

func (w *localWindow) accumulate(_ context.Context, rank, at int, src []byte, a action) error {
	return w.on(rank, at, len(src), func(b []byte) { a.do(b, src) })
}

// do sets b to op of b and v.
func (a action) do(b, v []byte) {
	if a.fn == nil {
		copy(b, v)
		return
	}
	result := bytesOf(make([]complex128, (len(v)+15)/16))[:len(v)] // aligned for every element
	copy(result, v)
	a.fn(b, result)
	copy(b, result)
}

func (w *localWindow) fetch(_ context.Context, rank, at int, v, old []byte, a action) error {
	return w.on(rank, at, len(v), func(b []byte) {
		copy(old, b)
		a.do(b, v)
	})
}

func (w *localWindow) compareAndSwap(_ context.Context, rank, at int, expected, v, old []byte, _ elem) error {
	return w.on(rank, at, len(v), func(b []byte) {
		copy(old, b)
		if bytes.Equal(b, expected) {
			copy(b, v)
		}
	})
}

func (w *localWindow) sync(context.Context) error { return nil }

func (w *localWindow) lock(ctx context.Context, rank int) error {
	p := w.parts[rank]
	for {
		news := w.l.job.news() // before looking, so that nothing is missed
		p.mu.Lock()
		holder, freed := p.holder, p.freed
		if holder < 0 {
			p.holder = w.rank
		}
		p.mu.Unlock()
		if holder < 0 {
			return nil
		}
		if err := w.l.job.unheard(w.world[holder]); err != nil {
			return err
		}
		select {
		case <-freed:
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (w *localWindow) unlock(_ context.Context, rank int) error {
	p := w.parts[rank]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.holder != w.rank {
		return ErrNotLocked
	}
	p.holder = -1
	close(p.freed)
	p.freed = make(chan struct{})
	return nil
}

// free leaves the memory to the garbage collector: slices of it stay valid here.
func (w *localWindow) free(context.Context) error { return nil }
