package drivertest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// folded is what fold leaves in acc when it is launched with each v in turn.
func folded(acc uint32, vs ...uint32) uint32 {
	for _, v := range vs {
		acc = acc*31 + v
	}
	return acc
}

var orderChecks = []check{
	{"StreamOrder", "Work on one stream happens in the order of the calls", func(t *T) {
		f := t.kernel("fold")
		for _, s := range []driver.Stream{0, t.stream()} {
			acc := t.words(1)
			var vs []uint32
			for v := range uint32(200) {
				t.start(f, s, acc, v)
				vs = append(vs, v)
			}
			t.ok(t.Write(acc+0, encode(5), s))
			t.start(f, s, acc, uint32(6))
			t.ok(t.Synchronize(s))
			equal(t, []uint32{folded(5, 6)}, t.read(acc, 1, s))
			t.ok(t.Fill(acc, 1, 4, 1, s))
			for _, v := range vs {
				t.start(f, s, acc, v)
			}
			equal(t, []uint32{folded(1, vs...)}, t.read(acc, 1, s))
		}
	}},
	{"StreamsAreIndependent", "between streams only events order. All streams are non-blocking, Stream zero included.", func(t *T) {
		m := t.load()
		a, b := t.stream(), t.stream()
		acc := t.words(1, 1, 1)
		for i, busy := range []driver.Stream{a, 0} {
			open := t.gate(t.function(m, "gate"), busy)
			for j, s := range []driver.Stream{a, b, 0} {
				if s != busy {
					p := acc + driver.Ptr(4*j)
					t.start(t.function(m, "fold"), s, p, uint32(i))
					t.within("work on another stream than the busy one", func() { t.check(t.Synchronize(s)) })
				}
			}
			t.is(t.Query(busy), driver.NotReady)
			open()
			t.ok(t.Synchronize(busy))
			t.ok(t.Query(busy))
		}
		equal(t, []uint32{folded(1, 1), folded(1, 0, 1), folded(1, 0)}, t.read(acc, 3, 0))
	}},
	{"WaitEvent", "WaitEvent makes work queued on s later wait for the last record of e so far.", func(t *T) {
		m := t.load()
		fold := t.function(m, "fold")
		a, b := t.stream(), t.stream()
		e := t.event(false)
		acc := t.words(1)
		open := t.gate(t.function(m, "gate"), a)
		t.start(fold, a, acc, uint32(1))
		t.ok(t.Record(e, a))
		open2 := t.gate(t.function(m, "gate"), a)
		t.ok(t.WaitEvent(b, e))
		t.ok(t.Record(e, a)) // does not matter to the wait before it
		t.start(fold, b, acc, uint32(2))
		t.is(t.Query(b), driver.NotReady)
		open()
		t.within("the wait for the first record", func() { t.check(t.Synchronize(b)) })
		t.is(t.Query(a), driver.NotReady)
		open2()
		equal(t, []uint32{folded(1, 1, 2)}, t.read(acc, 1, b))
		t.ok(t.Synchronize(a))
	}},
	{"WaitEventChain", "between streams only events order", func(t *T) {
		m := t.load()
		const n = 20
		acc := t.words(1)
		var want []uint32
		first := t.stream()
		open := t.gate(t.function(m, "gate"), first)
		last := first
		for i := range uint32(n) {
			s, e := t.stream(), t.event(false)
			t.ok(t.Record(e, last))
			t.ok(t.WaitEvent(s, e))
			t.start(t.function(m, "fold"), s, acc, i)
			t.ok(t.DestroyEvent(e))
			want = append(want, i)
			last = s
		}
		open()
		equal(t, []uint32{folded(1, want...)}, t.read(acc, 1, last))
	}},
	{"WaitEventNever", "An event never recorded is no wait.", func(t *T) {
		s, e := t.stream(), t.event(true)
		t.ok(t.WaitEvent(s, e))
		t.ok(t.Synchronize(s))
		t.ok(t.QueryEvent(e))
		t.ok(t.SynchronizeEvent(e))
		t.ok(t.Record(e, s))
		t.ok(t.WaitEvent(s, e)) // of its own stream
		t.ok(t.Synchronize(s))
	}},
	{"EventQuery", "QueryEvent returns nil if the last record of e has happened or there was none, NotReady if it is pending.", func(t *T) {
		m := t.load()
		s, e := t.stream(), t.event(false)
		t.ok(t.Record(e, s))
		t.ok(t.SynchronizeEvent(e))
		t.ok(t.QueryEvent(e))
		open := t.gate(t.function(m, "gate"), s)
		t.ok(t.Record(e, s)) // an earlier record of it is forgotten
		t.is(t.QueryEvent(e), driver.NotReady)
		open2 := t.gate(t.function(m, "gate"), s)
		open()
		t.within("SynchronizeEvent", func() { t.check(t.SynchronizeEvent(e)) })
		t.ok(t.QueryEvent(e))
		t.is(t.Query(s), driver.NotReady)
		open2()
		t.ok(t.Synchronize(s))
	}},
	{"Elapsed", "Elapsed is the time from the record of a to the record of b. NotReady if either is pending. Without timing Elapsed refuses it.", func(t *T) {
		m := t.load()
		s, a, b := t.stream(), t.event(true), t.event(true)
		_, err := t.Elapsed(a, b)
		t.is(err, driver.InvalidHandle)
		begin := time.Now()
		t.ok(t.Record(a, s))
		open := t.gate(t.function(m, "gate"), s)
		t.ok(t.Record(b, s))
		_, err = t.Elapsed(a, b)
		t.is(err, driver.NotReady)
		time.Sleep(20 * time.Millisecond) // the thing to be measured
		open()
		t.ok(t.SynchronizeEvent(b))
		all := time.Since(begin)
		took, err := t.Elapsed(a, b)
		t.ok(err)
		// The resolution of CUDA's events is half a microsecond.
		t.that(took >= 19*time.Millisecond && took <= all+time.Microsecond, "%v passed, Elapsed says %v", all, took)
		back, err := t.Elapsed(b, a)
		t.ok(err)
		t.that(back == -took, "from a to b %v, from b to a %v", took, back)
		plain := t.event(false)
		t.ok(t.Record(plain, s))
		t.ok(t.SynchronizeEvent(plain))
		_, err = t.Elapsed(a, plain)
		t.is(err, driver.InvalidHandle)
	}},
	{"HostFunc", "HostFunc queues a call of f on some goroutine. Work queued behind waits for it.", func(t *T) {
		m := t.load()
		s := t.stream()
		acc, seen := t.words(1), make([]byte, 4)
		p, b, err := t.AllocHost(4)
		t.ok(err)
		hold, entered := make(chan struct{}), make(chan struct{})
		t.start(t.function(m, "fold"), s, acc, uint32(2))
		t.ok(t.Copy(p, acc, 4, s))
		t.ok(t.HostFunc(s, func() {
			copy(seen, b)
			close(entered)
			<-hold
			copy(b, encode(100))
		}))
		t.ok(t.Copy(acc, p, 4, s))
		t.start(t.function(m, "fold"), s, acc, uint32(3))
		t.within("the host function", func() { <-entered })
		t.is(t.Query(s), driver.NotReady)
		t.within("another stream beside a host function", func() { t.check(t.Synchronize(0)) })
		close(hold)
		equal(t, []uint32{folded(100, 3)}, t.read(acc, 1, s))
		equal(t, []uint32{folded(1, 2)}, decode(seen))
		t.is(t.HostFunc(s, nil), driver.InvalidValue)
	}},
	{"HostFuncOrder", "HostFunc queues a call of f on some goroutine. Work queued behind waits for it.", func(t *T) {
		s := t.stream()
		var order []int // no lock: the calls are one after the other
		for i := range 100 {
			t.ok(t.HostFunc(s, func() { order = append(order, i) }))
		}
		t.ok(t.Synchronize(s))
		for i := range 100 {
			t.that(order[i] == i, "host function %d ran as number %d", order[i], i)
		}
	}},
	{"DestroyStreamKeepsWork", "DestroyStream releases the handle; queued work goes on.", func(t *T) {
		m := t.load()
		s, e := t.stream(), t.event(false)
		acc := t.words(1)
		open := t.gate(t.function(m, "gate"), s)
		t.start(t.function(m, "fold"), s, acc, uint32(2))
		t.ok(t.Record(e, s))
		destroyed := t.background(func() { t.check(t.DestroyStream(s)) })
		open()
		<-destroyed
		t.ok(t.SynchronizeEvent(e))
		equal(t, []uint32{folded(1, 2)}, t.read(acc, 1, 0))
		t.is(t.Synchronize(s), driver.InvalidHandle)
	}},
	{"ConcurrentCalls", "Every object may be used from any goroutine. Calls on one stream from several goroutines take effect in some order.", func(t *T) {
		m := t.load()
		fold := t.function(m, "fold")
		shared, sum := t.stream(), atomic.Uint32{}
		acc := t.words(0)
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				s, err := t.NewStream(g)
				t.check(err)
				e, err := t.NewEvent(true)
				t.check(err)
				p, err := t.Alloc(64)
				t.check(err)
				var want uint32
				t.check(t.Fill(p, 0, 4, 16, s))
				for i := range uint32(50) {
					_, err = t.Launch(&driver.Launch{Function: fold, Grid: one, Block: one, Stream: s, Params: params(p, i)})
					t.check(err)
					want = folded(want, i)
					t.check(t.HostFunc(shared, func() { sum.Add(1) }))
					t.check(t.Record(e, s))
					t.check(t.WaitEvent(shared, e))
					if i%8 == 0 {
						q, err := t.Alloc(1000)
						t.check(err)
						t.check(t.Write(q, make([]byte, 1000), s))
						t.check(t.SynchronizeEvent(e))
						t.check(t.Free(q))
					}
				}
				b := make([]byte, 4)
				t.check(t.Read(b, p, s))
				if got := decode(b)[0]; got != want {
					t.Errorf("goroutine %d: want %d, have %d", g, want, got)
				}
				t.check(t.Free(p))
				t.check(t.DestroyEvent(e))
				t.check(t.DestroyStream(s))
			})
		}
		all.Wait()
		t.start(fold, shared, acc, uint32(1))
		equal(t, []uint32{1}, t.read(acc, 1, shared))
		t.that(sum.Load() == 400, "%d of 400 host functions ran", sum.Load())
	}},
}
