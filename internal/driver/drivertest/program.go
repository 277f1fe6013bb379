package drivertest

import (
	"math/rand/v2"

	"github.com/tandem-go/tandem/internal/driver"
)

// cell is one word of device memory and what it should hold.
type cell struct {
	p    driver.Ptr
	want uint32
	last driver.Event // recorded behind the last work that touches it; 0 before the first
}

// program is a random sequence of work on several streams, ordered by events where work shares memory, so that its result
// is that of the sequence.
type program struct {
	*T
	rng     *rand.Rand
	fold    driver.Function
	streams []driver.Stream
	cells   []*cell
}

func (p *program) fresh() *cell {
	c := &cell{p: p.alloc(4)}
	p.use(0, []*cell{c}, func(s driver.Stream) { p.ok(p.Fill(c.p, 0, 4, 1, s)) })
	return c
}

// use queues work that touches cells on a stream.
func (p *program) use(s driver.Stream, cells []*cell, work func(s driver.Stream)) {
	p.Helper()
	for _, c := range cells {
		if c.last != 0 {
			p.ok(p.WaitEvent(s, c.last))
			p.ok(p.DestroyEvent(c.last))
		}
	}
	work(s)
	for _, c := range cells {
		c.last = p.event(p.rng.IntN(2) == 0)
		p.ok(p.Record(c.last, s))
	}
}

func (p *program) step() {
	s := p.streams[p.rng.IntN(len(p.streams))]
	i, v := p.rng.IntN(len(p.cells)), p.rng.Uint32()
	a, b := p.cells[i], p.cells[p.rng.IntN(len(p.cells))]
	switch p.rng.IntN(8) {
	case 0:
		p.use(s, []*cell{a}, func(s driver.Stream) { p.ok(p.Fill(a.p, v, 4, 1, s)) })
		a.want = v
	case 1:
		p.use(s, []*cell{a}, func(s driver.Stream) { p.ok(p.Write(a.p, encode(v), s)) })
		a.want = v
	case 2, 3, 4:
		p.use(s, []*cell{a}, func(s driver.Stream) { p.start(p.fold, s, a.p, v) })
		a.want = folded(a.want, v)
	case 5:
		if a != b {
			p.use(s, []*cell{a, b}, func(s driver.Stream) { p.ok(p.Copy(a.p, b.p, 4, s)) })
			a.want = b.want
		}
	case 6: // memory is freed behind the work that uses it, and the place may be used again
		p.ok(p.DestroyEvent(a.last))
		p.ok(p.Free(a.p))
		p.cells[i] = p.fresh()
	case 7:
		p.use(s, []*cell{a}, func(s driver.Stream) { equal(p.T, []uint32{a.want}, p.read(a.p, 1, s)) })
	}
}

var programChecks = []check{
	{"RandomPrograms", "Work on one stream happens in the order of the calls; between streams only events order. [Free] takes effect after the work that was queued before the call on any stream.", func(t *T) {
		fold := t.kernel("fold")
		for seed := range uint64(10) {
			p := &program{T: t, rng: rand.New(rand.NewPCG(seed, 1)), fold: fold, streams: []driver.Stream{0}}
			for range p.rng.IntN(5) {
				p.streams = append(p.streams, t.stream())
			}
			for range 2 + p.rng.IntN(8) {
				p.cells = append(p.cells, p.fresh())
			}
			for range 200 {
				p.step()
			}
			for _, c := range p.cells {
				t.ok(t.SynchronizeEvent(c.last))
				equal(t, []uint32{c.want}, t.read(c.p, 1, 0))
				t.ok(t.DestroyEvent(c.last))
				t.ok(t.Free(c.p))
			}
			for _, s := range p.streams[1:] {
				t.ok(t.DestroyStream(s))
			}
		}
	}},
}
