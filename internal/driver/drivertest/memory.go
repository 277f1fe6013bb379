package drivertest

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
)

func noise(n int, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 42))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

var memoryChecks = []check{
	{"AllocAligned", "Alloc returns n > 0 bytes of device memory, aligned to 256 bytes", func(t *T) {
		type piece struct {
			p driver.Ptr
			b []byte
		}
		var pieces []piece
		for i, n := range []int{1, 3, 255, 256, 257, 4096, 100_000, 1 << 20} {
			b := noise(n, uint64(i))
			pieces = append(pieces, piece{t.upload(b), b})
		}
		for _, x := range pieces { // no piece overlaps another
			got := make([]byte, len(x.b))
			t.ok(t.Read(got, x.p, 0))
			equal(t, x.b, got)
			t.ok(t.Free(x.p))
		}
	}},
	{"AllocZero", "Alloc returns n > 0 bytes of device memory", func(t *T) {
		_, err := t.Alloc(0)
		t.is(err, driver.InvalidValue)
		_, _, err = t.AllocHost(0)
		t.is(err, driver.InvalidValue)
	}},
	{"OutOfMemory", "A call that returns an error has created nothing and changed nothing that the caller can see.", func(t *T) {
		free, total, err := t.MemInfo()
		t.ok(err)
		t.that(free <= total && total > 0, "MemInfo: %d of %d bytes are free", free, total)
		for _, n := range []uint64{total + 1, 1 << 60, math.MaxUint64} {
			_, err = t.Alloc(n)
			t.is(err, driver.OutOfMemory, driver.InvalidValue)
		}
		_, _, err = t.AllocHost(1 << 60)
		t.is(err, driver.OutOfMemory, driver.InvalidValue)
		again, _, err := t.MemInfo()
		t.ok(err)
		t.that(again == free, "%d bytes were free, and %d are after failed calls", free, again)
		t.ok(t.Free(t.alloc(1)))
	}},
	{"MemInfo", "MemInfo returns free and total device memory in bytes.", func(t *T) {
		const n = 64 << 20
		before, total, err := t.MemInfo()
		t.ok(err)
		p := t.alloc(n)
		during, _, err := t.MemInfo()
		t.ok(err)
		t.that(before-during >= n, "%d bytes free, %d after Alloc(%d)", before, during, n)
		t.ok(t.Free(p))
		after, _, err := t.MemInfo()
		t.ok(err)
		t.that(after > during, "%d bytes free before Free, %d after", during, after)
		t.that(total == t.Info().TotalBytes, "MemInfo says %d bytes in all, Info %d", total, t.Info().TotalBytes)
	}},
	{"FreeBad", "Free frees memory from Alloc. (A host pointer, a stale one: InvalidValue.)", func(t *T) {
		p := t.alloc(1000)
		h, _, err := t.AllocHost(1000)
		t.ok(err)
		for _, bad := range []driver.Ptr{0, 1, p + 1, p + 256, h, math.MaxUint64} {
			t.is(t.Free(bad), driver.InvalidValue)
		}
		t.is(t.FreeHost(p), driver.InvalidValue)
		t.is(t.FreeHost(0), driver.InvalidValue)
		t.ok(t.Free(p))
		t.is(t.Free(p), driver.InvalidValue)
		t.ok(t.FreeHost(h))
		t.is(t.FreeHost(h), driver.InvalidValue)
	}},
	{"FreeAfterQueued", "[Free] takes effect after the work that was queued before the call on any stream.", func(t *T) {
		m := t.load()
		s := t.stream()
		src, dst := t.words(1, 2, 3), t.words(0, 0, 0)
		open := t.gate(t.function(m, "gate"), s)
		t.ok(t.Copy(dst, src, 12, s))
		freed := t.background(func() { t.check(t.Free(src)) }) // may wait for the gate, but need not
		open()
		<-freed
		reused := t.words(9, 9, 9)
		equal(t, []uint32{1, 2, 3}, t.read(dst, 3, s))
		equal(t, []uint32{9, 9, 9}, t.read(reused, 3, 0))
	}},
	{"AllocHost", "AllocHost returns n > 0 bytes of page-locked host memory, visible to the device at the returned address.", func(t *T) {
		f := t.kernel("fold")
		p, b, err := t.AllocHost(8)
		t.ok(err)
		t.that(len(b) == 8, "AllocHost(8) returned %d bytes", len(b))
		copy(b, encode(5, 7))
		t.start(f, 0, p, uint32(1))
		t.ok(t.Synchronize(0))
		equal(t, []uint32{5*31 + 1, 7}, decode(b))
		d := t.alloc(8)
		t.ok(t.Copy(d, p, 8, 0))
		equal(t, []uint32{5*31 + 1, 7}, t.read(d, 2, 0))
		t.ok(t.FreeHost(p))
	}},
	{"WriteSnapshot", "Write queues a copy of src to dst. src has been read when Write returns.", func(t *T) {
		m := t.load()
		s := t.stream()
		for _, n := range []int{1, 4, 1000, 300_000} { // on an idle stream, then on a busy one
			src := noise(n, 1)
			want := slices.Clone(src)
			p, q := t.alloc(uint64(n)), t.alloc(uint64(n))
			t.ok(t.Write(p, src, s))
			open := t.gate(t.function(m, "gate"), s)
			t.ok(t.Write(q, src, s))
			clear(src)
			open()
			for _, at := range []driver.Ptr{p, q} {
				got := make([]byte, n)
				t.ok(t.Read(got, at, s))
				equal(t, want, got)
			}
		}
	}},
	{"ReadOrder", "Read waits for the work queued on s so far and copies from src to dst; dst is complete when it returns nil", func(t *T) {
		m := t.load()
		s := t.stream()
		acc := t.words(1)
		open := t.gate(t.function(m, "gate"), s)
		t.start(t.function(m, "fold"), s, acc, uint32(4))
		other := t.read(acc, 1, 0) // another stream does not wait
		open()
		equal(t, []uint32{1}, other)
		equal(t, []uint32{35}, t.read(acc, 1, s))
	}},
	{"ReadWriteBounds", "dst is complete when it returns nil and unchanged otherwise", func(t *T) {
		p := t.upload(noise(1000, 3))
		dst := noise(2000, 4)
		want := slices.Clone(dst)
		for _, bad := range []driver.Ptr{0, 1, 0xdead0000} {
			t.is(t.Read(dst, bad, 0), driver.InvalidValue)
			t.is(t.Write(bad, dst, 0), driver.InvalidValue)
		}
		equal(t, want, dst)
		t.ok(t.Read(nil, p, 0))
		t.ok(t.Write(p, nil, 0))
	}},
	{"Copy", "Copy queues a copy of n bytes between device addresses, page-locked host memory included.", func(t *T) {
		for _, n := range []int{1, 7, 256, 70_001, 1 << 20} {
			src := noise(n, 5)
			a, b := t.upload(src), t.alloc(uint64(n))
			h, hb, err := t.AllocHost(uint64(n))
			t.ok(err)
			t.ok(t.Copy(h, a, uint64(n), 0))
			t.ok(t.Copy(b, h, uint64(n), 0))
			got := make([]byte, n)
			t.ok(t.Read(got, b, 0))
			equal(t, src, got)
			equal(t, src, hb)
		}
		a, b := t.words(1, 2, 3, 4), t.words(5, 6, 7, 8)
		t.ok(t.Copy(a+4, b+8, 8, 0)) // parts of allocations
		t.ok(t.Copy(a, b, 0, 0))
		equal(t, []uint32{1, 7, 8, 4}, t.read(a, 4, 0))
		t.is(t.Copy(0, a, 4, 0), driver.InvalidValue)
		t.is(t.Copy(a, 0, 4, 0), driver.InvalidValue)
		t.is(t.Copy(a, b, math.MaxUint64, 0), driver.InvalidValue)
	}},
	{"Fill", "Fill queues a fill of count elements with the low width bytes (1, 2 or 4) of value. dst is aligned to width.", func(t *T) {
		value := uint32(0xa1b2c3d4)
		for _, width := range []int{1, 2, 4} {
			for _, count := range []int{1, 2, 3, 100, 33_333} {
				want := noise(width*(count+2), 6)
				p := t.upload(want)
				for i := width; i < width*(count+1); i++ {
					want[i] = byte(value >> (8 * (i % width)))
				}
				t.ok(t.Fill(p+driver.Ptr(width), value, width, uint64(count), 0))
				got := make([]byte, len(want))
				t.ok(t.Read(got, p, 0))
				equal(t, want, got)
			}
		}
		p := t.words(1, 2)
		for _, width := range []int{-1, 0, 3, 8, 16} {
			t.is(t.Fill(p, 0, width, 1, 0), driver.InvalidValue)
		}
		t.is(t.Fill(p+1, 0, 2, 1, 0), driver.InvalidValue)
		t.is(t.Fill(p+2, 0, 4, 1, 0), driver.InvalidValue)
		t.is(t.Fill(p, 0, 4, math.MaxUint64/2, 0), driver.InvalidValue)
		t.is(t.Fill(p, 0, 4, math.MaxUint64/4, 0), driver.InvalidValue)
		t.is(t.Fill(0, 0, 1, 1, 0), driver.InvalidValue)
		t.ok(t.Fill(p, 0, 4, 0, 0))
		equal(t, []uint32{1, 2}, t.read(p, 2, 0))
	}},
}
