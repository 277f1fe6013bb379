package drivertest

import (
	"math"

	"github.com/tandem-go/tandem/internal/driver"
)

// pool returns a pool; nil work is to be done on devices without.
func (t *T) pool(o driver.PoolOptions) (p driver.Pool, ok bool) {
	t.Helper()
	p, err := t.NewPool(o)
	if !t.Caps().MemoryPools {
		t.is(err, driver.NotSupported)
		return 0, false
	}
	t.ok(err)
	return p, true
}

var poolChecks = []check{
	{"AllocAsync", "AllocAsync returns n > 0 bytes, aligned to 256, that work queued later on s, or behind an event of it, may use.", func(t *T) {
		pool, ok := t.pool(driver.PoolOptions{})
		if !ok {
			return
		}
		m := t.load()
		s := t.stream()
		open := t.gate(t.function(m, "gate"), s)
		p, err := t.AllocAsync(4, pool, s)
		t.ok(err)
		t.that(p != 0 && p%256 == 0, "AllocAsync returned %#x", p)
		t.ok(t.Fill(p, 1, 4, 1, s))
		t.start(t.function(m, "fold"), s, p, uint32(5))
		h, b, err := t.AllocHost(4)
		t.ok(err)
		t.ok(t.Copy(h, p, 4, s))
		t.ok(t.FreeAsync(p, s))
		t.is(t.FreeAsync(p, s), driver.InvalidValue)
		open()
		t.ok(t.Synchronize(s))
		equal(t, []uint32{folded(1, 5)}, decode(b))
		q, err := t.AllocAsync(1000, pool, 0)
		t.ok(err)
		t.ok(t.Free(q)) // Free does as well
		t.is(t.Free(q), driver.InvalidValue)
		t.is(t.FreeAsync(t.alloc(4), 0), driver.InvalidValue)
		_, err = t.AllocAsync(0, pool, 0)
		t.is(err, driver.InvalidValue)
		_, err = t.AllocAsync(1, 0, 0)
		t.is(err, driver.InvalidHandle)
		_, err = t.AllocAsync(1, pool, 77)
		t.is(err, driver.InvalidHandle)
	}},
	{"PoolFigures", "Used is in the hands of callers, Reserved also what is kept for them; the Peaks are the most since ResetPoolPeaks.", func(t *T) {
		pool, ok := t.pool(driver.PoolOptions{})
		if !ok {
			return
		}
		var ps []driver.Ptr
		for range 4 {
			p, err := t.AllocAsync(1<<20, pool, 0)
			t.ok(err)
			ps = append(ps, p)
		}
		i, err := t.PoolInfo(pool)
		t.ok(err)
		t.that(i.Used >= 4<<20 && i.Reserved >= i.Used && i.UsedPeak >= i.Used && i.ReservedPeak >= i.Reserved, "%+v", i)
		for _, p := range ps[:3] {
			t.ok(t.FreeAsync(p, 0))
		}
		t.ok(t.Synchronize(0))
		j, err := t.PoolInfo(pool)
		t.ok(err)
		t.that(j.Used == i.Used/4 && j.UsedPeak == i.UsedPeak, "%+v, then %+v", i, j)
		t.ok(t.ResetPoolPeaks(pool))
		t.ok(t.TrimPool(pool, 0))
		j, err = t.PoolInfo(pool)
		t.ok(err)
		t.that(j.UsedPeak == j.Used && j.Reserved < i.Reserved, "%+v, and %+v after a reset of peaks and a trim", i, j)
		t.ok(t.DestroyPool(pool))
		_, err = t.PoolInfo(pool)
		t.is(err, driver.InvalidHandle)
		t.is(t.DestroyPool(pool), driver.InvalidHandle)
		t.is(t.TrimPool(pool, 0), driver.InvalidHandle)
		t.is(t.ResetPoolPeaks(pool), driver.InvalidHandle)
		t.ok(t.Fill(ps[3], 0, 4, 1, 0)) // the memory that is in use lives on
		t.ok(t.FreeAsync(ps[3], 0))
	}},
	{"PoolBound", "OutOfMemory also if the pool's bound would be exceeded.", func(t *T) {
		const most = 64 << 20
		pool, ok := t.pool(driver.PoolOptions{MaxBytes: most})
		if !ok {
			return
		}
		p, err := t.AllocAsync(most, pool, 0)
		t.ok(err)
		_, err = t.AllocAsync(1, pool, 0)
		t.is(err, driver.OutOfMemory)
		_, err = t.AllocAsync(math.MaxUint64, pool, 0)
		t.is(err, driver.OutOfMemory, driver.InvalidValue)
		t.ok(t.FreeAsync(p, 0))
		t.ok(t.Synchronize(0))
		p, err = t.AllocAsync(most, pool, 0)
		t.ok(err)
		t.ok(t.FreeAsync(p, 0))
	}},
	{"Managed", "AllocManaged returns n > 0 bytes that host and device access at one address", func(t *T) {
		f := t.kernel("fold")
		p, b, err := t.AllocManaged(8)
		t.ok(err)
		t.that(len(b) == 8, "%d bytes", len(b))
		copy(b, encode(5, 7))
		t.ok(t.Prefetch(p, 8, false, 0))
		t.ok(t.Advise(p, 8, driver.PreferredLocation, false))
		t.ok(t.Advise(p, 8, driver.AccessedBy, true))
		t.ok(t.Attach(p, driver.AttachGlobal, 0))
		t.start(f, 0, p, uint32(1))
		t.ok(t.Prefetch(p, 8, true, 0))
		t.ok(t.Synchronize(0))
		equal(t, []uint32{folded(5, 1), 7}, decode(b))
		q := t.alloc(8)
		t.ok(t.Copy(q, p, 8, 0))
		equal(t, []uint32{folded(5, 1), 7}, t.read(q, 2, 0))
		t.is(t.Prefetch(q, 8, false, 0), driver.InvalidValue) // not managed
		t.is(t.Advise(q, 8, driver.ReadMostly, false), driver.InvalidValue)
		t.is(t.Attach(q, driver.AttachGlobal, 0), driver.InvalidValue)
		t.is(t.Prefetch(p, 9, false, 0), driver.InvalidValue)
		t.is(t.Prefetch(p, 0, false, 0), driver.InvalidValue)
		t.is(t.Advise(p, 8, 99, false), driver.InvalidValue)
		t.is(t.Attach(p, 3, 0), driver.InvalidValue)
		_, _, err = t.AllocManaged(0)
		t.is(err, driver.InvalidValue)
		t.ok(t.Free(p))
		t.is(t.Free(p), driver.InvalidValue)
	}},
	{"RegisterHost", "RegisterHost makes memory of the caller's, b, page-locked and visible to the device at the returned address", func(t *T) {
		f := t.kernel("fold")
		b := outsideHeap(t, 1<<16)
		copy(b, encode(5, 7))
		p, err := t.RegisterHost(b)
		t.ok(err)
		t.start(f, 0, p, uint32(2))
		q := t.alloc(8)
		t.ok(t.Copy(q, p, 8, 0))
		equal(t, []uint32{folded(5, 2), 7}, t.read(q, 2, 0))
		equal(t, []uint32{folded(5, 2), 7}, decode(b[:8]))
		_, err = t.RegisterHost(b[100:200])
		t.is(err, driver.InvalidValue)
		_, err = t.RegisterHost(nil)
		t.is(err, driver.InvalidValue)
		t.is(t.UnregisterHost(p+1), driver.InvalidValue)
		t.is(t.FreeHost(p), driver.InvalidValue)
		t.ok(t.UnregisterHost(p))
		t.is(t.UnregisterHost(p), driver.InvalidValue)
		t.is(t.Copy(q, p, 8, 0), driver.InvalidValue)
		p, err = t.RegisterHost(b)
		t.ok(err)
		t.ok(t.UnregisterHost(p))
	}},
}
