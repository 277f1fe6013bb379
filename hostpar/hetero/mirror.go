package hetero

import (
	"context"
	"errors"
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

// rowMirror is a slice or a foreign buffer on a device. On the host device it is memory that program and kernels both
// reach; on a GPU it is device memory, and each lane has a place in page-locked memory, from and to which copies run
// beside kernels.
type rowMirror[T cuda.Element] struct {
	feed   *cudaFeed
	arg    *elements[T]
	shared *cuda.HostBuffer[T] // on the host device
	device *cuda.Buffer[T]     // on a GPU
	lanes  []rowLane[T]
}

// rowLane is what a lane has of a rowMirror.
type rowLane[T cuda.Element] struct {
	pinned  *cuda.HostBuffer[T]
	missing []Range // what fetch found missing, in pinned one after the other
}

func (a *elements[T]) mirror(f *cudaFeed, lanes int) (m mirror, err error) {
	if a.home() == f.dev {
		return ownMirror[T]{a}, nil
	}
	r := &rowMirror[T]{feed: f, arg: a, lanes: make([]rowLane[T], lanes)}
	if f.host {
		r.shared, err = cuda.AllocHost[T](f.dev, a.mem.len())
	} else {
		r.device, err = cuda.Alloc[T](f.dev, a.mem.len())
	}
	return r, err
}

func (m *rowMirror[T]) adopt(a Arg) { m.arg = a.(*elements[T]) }

func (m *rowMirror[T]) argument(int) any {
	if m.shared != nil {
		return m.shared
	}
	return m.device
}

func (m *rowMirror[T]) own(r Range) Range {
	return m.arg.part.own(r, &m.feed.job.layout, m.arg.mem.len())
}

func (m *rowMirror[T]) preload(ctx context.Context) error {
	if m.arg.part.kind != whole {
		return nil
	}
	mem := m.arg.mem
	for _, r := range mem.missing(m, nil, Range{0, mem.len()}) {
		if m.shared != nil {
			if err := mem.read(m.shared.Slice()[r.Lo:r.Hi], r); err != nil {
				return err
			}
		} else if err := m.send(ctx, r); err != nil {
			return err
		}
		mem.hold(m, r)
	}
	return nil
}

// send copies elements to device memory and waits.
func (m *rowMirror[T]) send(ctx context.Context, r Range) error {
	dst, err := m.device.Slice(r.Lo, r.Hi)
	if err != nil {
		return err
	}
	src := m.arg.mem.data
	if src == nil {
		src = make([]T, r.Hi-r.Lo)
		if err := m.arg.mem.read(src, r); err != nil {
			return err
		}
		r = Range{0, len(src)}
	}
	return dst.CopyFrom(ctx, src[r.Lo:r.Hi])
}

func (m *rowMirror[T]) fetch(lane int, r Range) error {
	l, mem := &m.lanes[lane], m.arg.mem
	l.missing = l.missing[:0]
	if m.arg.in {
		reads, k := m.arg.part.reads(r, &m.feed.job.layout, mem.len())
		for _, e := range reads[:k] {
			l.missing = mem.missing(m, l.missing, e)
		}
	}
	if m.shared != nil {
		for _, e := range l.missing {
			if err := mem.read(m.shared.Slice()[e.Lo:e.Hi], e); err != nil {
				return err
			}
		}
		return nil
	}
	n := 0
	for _, e := range l.missing {
		n += e.Hi - e.Lo
	}
	if own := m.own(r); m.arg.out {
		n = max(n, own.Hi-own.Lo)
	}
	if err := m.room(l, n); err != nil || n == 0 {
		return err
	}
	to := l.pinned.Slice()
	for _, e := range l.missing {
		if err := mem.read(to, e); err != nil {
			return err
		}
		to = to[e.Hi-e.Lo:]
	}
	return nil
}

// room makes page-locked memory for so many elements.
func (m *rowMirror[T]) room(l *rowLane[T], n int) (err error) {
	if n == 0 || l.pinned != nil && l.pinned.Len() >= n {
		return nil
	}
	if l.pinned != nil {
		if err := l.pinned.Close(); err != nil {
			return err
		}
		l.pinned = nil
		n += n / 2 // chunks grow
	}
	l.pinned, err = cuda.AllocHost[T](m.feed.dev, n)
	return err
}

func (m *rowMirror[T]) upload(lane int, s *cuda.Stream) (queued bool, err error) {
	l := &m.lanes[lane]
	if m.shared != nil {
		return false, nil
	}
	at := 0
	for _, e := range l.missing {
		if err := m.copy(l, e, at, s, true); err != nil {
			return false, err
		}
		at += e.Hi - e.Lo
	}
	return len(l.missing) > 0, nil
}

// copy queues a copy between elements of device memory and page-locked memory from element at on.
func (m *rowMirror[T]) copy(l *rowLane[T], e Range, at int, s *cuda.Stream, up bool) error {
	dev, err := m.device.Slice(e.Lo, e.Hi)
	if err != nil {
		return err
	}
	host, err := l.pinned.View(at, at+e.Hi-e.Lo)
	if err != nil {
		return err
	}
	if up {
		return cuda.Copy(dev, host, s)
	}
	return cuda.Copy(host, dev, s)
}

func (m *rowMirror[T]) fetched(lane int) {
	for _, e := range m.lanes[lane].missing {
		m.arg.mem.hold(m, e)
	}
}

// start: what the kernel leaves in the rows is theirs only once the chunk counts.
func (m *rowMirror[T]) start(_ int, r Range, _ *cuda.Stream) error {
	if m.arg.out {
		m.arg.mem.lose(m, m.own(r))
	}
	return nil
}

func (m *rowMirror[T]) download(lane int, r Range, s *cuda.Stream) error {
	e := m.own(r)
	if !m.arg.out || e.Lo == e.Hi {
		return nil
	}
	return m.copy(&m.lanes[lane], e, 0, s, false)
}

// results are the rows that a chunk computed.
func (m *rowMirror[T]) results(lane int, e Range) []T {
	if m.shared != nil {
		return m.shared.Slice()[e.Lo:e.Hi]
	}
	if e.Lo == e.Hi {
		return nil
	}
	return m.lanes[lane].pinned.Slice()[:e.Hi-e.Lo]
}

func (m *rowMirror[T]) sum(lane int, r Range, add func([]byte)) {
	if m.arg.out {
		add(bitsOf(m.results(lane, m.own(r))))
	}
}

func (m *rowMirror[T]) commit(lane int, r Range) error {
	if !m.arg.out {
		return nil
	}
	e := m.own(r)
	if err := m.arg.mem.write(e, m.results(lane, e)); err != nil {
		return err
	}
	m.arg.mem.wrote(m, e)
	return nil
}

func (m *rowMirror[T]) Close() error {
	m.arg.mem.forget(m)
	var errs []error
	for i := range m.lanes {
		if p := m.lanes[i].pinned; p != nil {
			errs = append(errs, p.Close())
		}
	}
	if m.shared != nil {
		errs = append(errs, m.shared.Close())
	}
	if m.device != nil {
		errs = append(errs, m.device.Close())
	}
	return errors.Join(errs...)
}

// ownMirror is memory of the device itself: there is nothing to move.
type ownMirror[T cuda.Element] struct{ arg *elements[T] }

func (m ownMirror[T]) argument(int) any                        { return m.arg.mem.buffer }
func (m ownMirror[T]) preload(context.Context) error           { return nil }
func (m ownMirror[T]) fetch(int, Range) error                  { return nil }
func (m ownMirror[T]) upload(int, *cuda.Stream) (bool, error)  { return false, nil }
func (m ownMirror[T]) fetched(int)                             {}
func (m ownMirror[T]) start(int, Range, *cuda.Stream) error    { return nil }
func (m ownMirror[T]) download(int, Range, *cuda.Stream) error { return nil }
func (m ownMirror[T]) sum(int, Range, func([]byte))            {}
func (m ownMirror[T]) commit(int, Range) error                 { return nil }
func (m ownMirror[T]) Close() error                            { return nil }

// accMirror is an accumulator's array, one for each lane.
type accMirror[T cuda.Element] struct {
	feed  *cudaFeed
	acc   *Accumulator[T]
	lanes []accLane[T]
}

type accLane[T cuda.Element] struct {
	host   *cuda.HostBuffer[T]
	device *cuda.Buffer[T] // on a GPU
}

func (a *Accumulator[T]) mirror(f *cudaFeed, lanes int) (mirror, error) {
	m := &accMirror[T]{feed: f, acc: a, lanes: make([]accLane[T], lanes)}
	for i := range m.lanes {
		l := &m.lanes[i]
		var err error
		if l.host, err = cuda.AllocHost[T](f.dev, len(a.dst)); err == nil && !f.host {
			l.device, err = cuda.Alloc[T](f.dev, len(a.dst))
		}
		if err != nil {
			return m, err
		}
	}
	return m, nil
}

func (m *accMirror[T]) argument(lane int) any {
	if l := &m.lanes[lane]; l.device != nil {
		return l.device
	}
	return m.lanes[lane].host
}

func (m *accMirror[T]) preload(context.Context) error { return nil }

func (m *accMirror[T]) fetch(lane int, _ Range) error {
	values := m.lanes[lane].host.Slice()
	for i := range values {
		values[i] = m.acc.op.Identity
	}
	return nil
}

func (m *accMirror[T]) upload(lane int, s *cuda.Stream) (bool, error) {
	l := &m.lanes[lane]
	if l.device == nil {
		return false, nil
	}
	return true, cuda.Copy(l.device, l.host, s)
}

func (m *accMirror[T]) fetched(int)                          {}
func (m *accMirror[T]) start(int, Range, *cuda.Stream) error { return nil }
func (m *accMirror[T]) sum(int, Range, func([]byte))         {}

func (m *accMirror[T]) download(lane int, _ Range, s *cuda.Stream) error {
	if l := &m.lanes[lane]; l.device != nil {
		return cuda.Copy(l.host, l.device, s)
	}
	return nil
}

func (m *accMirror[T]) commit(lane int, _ Range) error {
	m.acc.add(m.lanes[lane].host.Slice())
	return nil
}

func (m *accMirror[T]) Close() error {
	var errs []error
	for _, l := range slices.Backward(m.lanes) {
		if l.device != nil {
			errs = append(errs, l.device.Close())
		}
		if l.host != nil {
			errs = append(errs, l.host.Close())
		}
	}
	return errors.Join(errs...)
}
