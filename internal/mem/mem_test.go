package mem_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/mem"
)

func open(t testing.TB, o mem.Options) *mem.Space {
	t.Helper()
	s, err := mem.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestAllocIsExactToTheByte(t *testing.T) {
	s := open(t, mem.Options{})
	for _, n := range []uint64{1, 3, 255, 256, 257, 400, 4096, 65535, 65536, 65537, 1 << 20, 2<<20 + 1, 5 << 20} {
		a, err := s.Alloc(n)
		require.NoError(t, err)
		require.Zero(t, a%mem.Align)
		require.True(t, s.Legal(a, 1))
		require.True(t, s.Legal(a+n-1, 1))
		require.False(t, s.Legal(a+n-1, 2), "size %d", n)
		for i := range uint64(mem.Guard) {
			require.False(t, s.Legal(a+n+i, 1), "size %d, guard byte %d", n, i)
		}
		require.False(t, s.Legal(a-1, 1))
		require.False(t, s.Legal(a-1, 2))
		r, ok := s.Find(a + n/2)
		require.True(t, ok)
		require.Equal(t, mem.Region{Addr: a, Size: n, Kind: mem.Allocation}, r)
		b, err := s.Bytes(a, n)
		require.NoError(t, err)
		b[0], b[n-1] = 1, 2
		require.EqualValues(t, b[n-1], mem.Load8(a+n-1))
		_, err = s.Bytes(a, n+1)
		require.ErrorIs(t, err, mem.ErrIllegal)
	}
}

func TestFreeIsSeenAtOnceByEveryQuestion(t *testing.T) {
	s := open(t, mem.Options{})
	for _, n := range []uint64{100, 1 << 20} {
		a, err := s.Alloc(n)
		require.NoError(t, err)
		c := mem.NewCache(s)
		require.True(t, c.Legal(a+8, 4))
		require.ErrorIs(t, s.Free(a+256), mem.ErrNotAllocated)
		require.NoError(t, s.Free(a))
		require.False(t, c.Legal(a+8, 4))
		require.False(t, s.Legal(a+8, 4))
		require.ErrorIs(t, s.Free(a), mem.ErrNotAllocated)
	}
	require.Zero(t, s.Used())
	require.Equal(t, 1, s.FreeBlocks())
}

func TestCapacity(t *testing.T) {
	s := open(t, mem.Options{Limit: 1 << 20})
	require.EqualValues(t, 1<<20, s.Capacity())
	_, err := s.Alloc(1 << 20)
	require.ErrorIs(t, err, mem.ErrOutOfMemory)
	_, err = s.Alloc(math.MaxUint64)
	require.ErrorIs(t, err, mem.ErrOutOfMemory)
	_, err = s.Alloc(0)
	require.Error(t, err)
	a, err := s.Alloc(1<<20 - mem.Guard)
	require.NoError(t, err)
	require.EqualValues(t, 1<<20, s.Used())
	_, err = s.Alloc(1)
	require.ErrorIs(t, err, mem.ErrOutOfMemory)
	w, err := s.Reserve(4096)
	require.NoError(t, err, "scratch memory does not count")
	require.NoError(t, s.Unreserve(w))
	require.NoError(t, s.Free(a))
	_, err = s.Alloc(1)
	require.NoError(t, err)
}

func TestReservationsAreNeverLegal(t *testing.T) {
	s := open(t, mem.Options{Poison: true})
	w, err := s.Reserve(1000)
	require.NoError(t, err)
	require.False(t, s.Legal(w, 4))
	require.Zero(t, mem.Load64(w), "reservations are zeroed")
	require.Len(t, s.Scratch(w, 1000), 1000)
	require.Nil(t, s.Scratch(w, 1001))
	require.ErrorIs(t, s.Free(w), mem.ErrNotAllocated)
	require.Contains(t, s.Explain(w, 4), "another thread or block")
	require.NoError(t, s.Unreserve(w))
	require.ErrorIs(t, s.Unreserve(w), mem.ErrNotAllocated)
	require.Nil(t, s.Scratch(w, 1))
}

func TestPoison(t *testing.T) {
	s := open(t, mem.Options{Poison: true})
	for range 3 {
		a, err := s.Alloc(70001)
		require.NoError(t, err)
		b, err := s.Bytes(a, 70001)
		require.NoError(t, err)
		for i := range b {
			require.EqualValues(t, mem.PoisonByte, b[i])
			b[i] = 0
		}
		require.NoError(t, s.Free(a))
	}
}

func TestFreedMemoryGoesBack(t *testing.T) {
	s := open(t, mem.Options{Retain: 4 << 20, Limit: 1 << 30})
	var all []uint64
	for range 100 {
		a, err := s.Alloc(1 << 20)
		require.NoError(t, err)
		mem.Store8(a, 1)
		all = append(all, a)
	}
	require.GreaterOrEqual(t, s.Committed(), uint64(100<<20))
	for _, a := range all {
		require.NoError(t, s.Free(a))
	}
	require.LessOrEqual(t, s.Committed(), uint64(4<<20))
	a, err := s.Alloc(64 << 20)
	require.NoError(t, err)
	mem.Fill(a, 64<<20, 7)
	require.EqualValues(t, 7, mem.Load8(a+64<<20-1))
	require.NoError(t, s.Free(a))
	require.LessOrEqual(t, s.Committed(), uint64(4<<20))
}

func TestForeignWindows(t *testing.T) {
	s := open(t, mem.Options{})
	other := open(t, mem.Options{})
	a, err := other.Alloc(1000)
	require.NoError(t, err)
	c := mem.NewCache(s)
	require.False(t, c.Legal(a, 4))
	require.NoError(t, s.AddForeign(a, 1000, "texture buffer"))
	require.NoError(t, s.AddForeign(a+500, 100, "view"))
	require.True(t, c.Legal(a, 4))
	require.True(t, c.Legal(a+599, 4), "behind the inner window, inside the outer one")
	require.False(t, s.Legal(a+998, 4))
	r, ok := s.Find(a + 996)
	require.True(t, ok)
	require.Equal(t, mem.Region{Addr: a, Size: 1000, Kind: mem.Foreign, Name: "texture buffer"}, r)
	require.Equal(t, "the last 2 bytes lie past the end of foreign memory texture buffer of 1000 bytes", s.Explain(a+998, 4))
	require.ErrorIs(t, s.RemoveForeign(a, 999), mem.ErrNotAllocated)
	require.NoError(t, s.RemoveForeign(a, 1000))
	require.False(t, c.Legal(a, 4))
	require.True(t, c.Legal(a+500, 4))
	require.NoError(t, s.RemoveForeign(a+500, 100))
	require.False(t, c.Legal(a+500, 4))

	own, err := s.Alloc(16)
	require.NoError(t, err)
	require.Error(t, s.AddForeign(own, 16, "own"))
	require.Error(t, s.AddForeign(0, 16, "null"))
	require.Error(t, s.AddForeign(math.MaxUint64-3, 16, "wraps"))
}

func TestExplain(t *testing.T) {
	s := open(t, mem.Options{})
	a, err := s.Alloc(400)
	require.NoError(t, err)
	freed, err := s.Alloc(100000)
	require.NoError(t, err)
	require.NoError(t, s.Free(freed))
	base, size := s.Range()
	for _, c := range []struct {
		addr, n uint64
		want    string
	}{
		{a + 412, 4, "12 bytes past the end of an allocation of 400 bytes"},
		{a + 400, 4, "just past the end of an allocation of 400 bytes"},
		{a + 398, 4, "the last 2 bytes lie past the end of an allocation of 400 bytes"},
		{a + 700, 4, "300 bytes past the end of an allocation of 400 bytes"},
		{a + 8, 4, "8 bytes into an allocation of 400 bytes"},
		{a - 1, 1, "1 byte before the beginning of an allocation of 400 bytes"},
		{freed + 70000, 4, "70000 bytes into freed memory of 100000 bytes"},
		{0, 4, "null pointer"},
		{8, 4, "near the null pointer"},
		{math.MaxUint64, 4, "near the null pointer"},
		{base + size/2, 4, "memory that is not allocated"},
		{base + size + 1<<30, 4, "not an address of this device"},
	} {
		require.Equal(t, c.want, s.Explain(c.addr, c.n), "%#x", c.addr)
	}
}

func TestCloseTwice(t *testing.T) {
	s, err := mem.New(mem.Options{})
	require.NoError(t, err)
	a, err := s.Alloc(10)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.False(t, s.Legal(a, 1))
	_, err = s.Alloc(1)
	require.ErrorIs(t, err, mem.ErrClosed)
	require.ErrorIs(t, s.Free(a), mem.ErrClosed)
	require.ErrorIs(t, s.AddForeign(1<<20, 1, "x"), mem.ErrClosed)
}

func TestReserveFallsBack(t *testing.T) {
	refused := errors.New("no addresses")
	for _, bound := range []uint64{1 << 40, 300 << 30, 64 << 30, 5 << 30, 64 << 20} {
		base, size, err := mem.ReserveLargest(100<<30, func(n uint64) (uint64, error) {
			if n > bound {
				return 0, refused
			}
			return 4096, nil
		})
		require.NoError(t, err)
		require.EqualValues(t, 4096, base)
		require.LessOrEqual(t, size, bound)
		require.Greater(t, 4*size, bound, "the next step would have been refused")
	}
	_, _, err := mem.ReserveLargest(1<<30, func(uint64) (uint64, error) { return 0, refused })
	require.ErrorIs(t, err, refused)
}

func TestCgroupLimit(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	require.EqualValues(t, uint64(math.MaxUint64), mem.CgroupLimit(fstest.MapFS{}))
	require.EqualValues(t, 5000, mem.CgroupLimit(fstest.MapFS{
		"proc/self/cgroup":               file("0::/a/b\n"),
		"sys/fs/cgroup/a/b/memory.max":   file("max\n"),
		"sys/fs/cgroup/a/memory.max":     file("5000\n"),
		"sys/fs/cgroup/other/memory.max": file("1\n"),
	}))
	require.EqualValues(t, 7000, mem.CgroupLimit(fstest.MapFS{
		"proc/self/cgroup":                           file("5:cpu:/x\n4:memory,hugetlb:/docker/1\n0::/\nnonsense\n"),
		"sys/fs/cgroup/memory/memory.limit_in_bytes": file("7000\n"),
	}))
}

// TestModel draws allocations, frees and questions and compares every answer with a list.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 1))
		model(t, func(n int) int { return r.IntN(n) }, 3000)
	}
}

func FuzzModel(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Fuzz(func(t *testing.T, script []byte) {
		draw := func(n int) int {
			v := 0
			for m := n; m > 0 && len(script) > 0; m >>= 8 {
				v = v<<8 | int(script[0])
				script = script[1:]
			}
			return v % n
		}
		model(t, draw, len(script)/4)
	})
}

func model(t *testing.T, draw func(int) int, steps int) {
	s := open(t, mem.Options{Limit: 64 << 20, Retain: uint64(draw(3)) << 20})
	cache := mem.NewCache(s)
	type piece struct{ addr, size uint64 }
	var live []piece
	var dead []uint64
	inside := func(addr, n uint64) bool {
		for _, p := range live {
			if addr >= p.addr && addr+n <= p.addr+p.size {
				return true
			}
		}
		return false
	}
	var used uint64
	for range steps {
		switch op := draw(8); {
		case op < 3:
			size := uint64(1 + draw(1<<draw(24)))
			a, err := s.Alloc(size)
			taken := (size+255)/256*256 + 256
			if err != nil {
				require.ErrorIs(t, err, mem.ErrOutOfMemory)
				require.Greater(t, used+taken, uint64(32<<20), "refused with more than half of the capacity free")
				continue
			}
			for _, p := range live {
				require.True(t, a >= p.addr+p.size+mem.Guard || a+size+mem.Guard <= p.addr, "overlap")
			}
			mem.Store8(a, byte(size))
			mem.Store8(a+size-1, byte(size))
			live = append(live, piece{a, size})
			used += taken
		case op < 5 && len(live) > 0:
			i := draw(len(live))
			p := live[i]
			require.EqualValues(t, byte(p.size), mem.Load8(p.addr))
			require.EqualValues(t, byte(p.size), mem.Load8(p.addr+p.size-1))
			require.NoError(t, s.Free(p.addr))
			live[i] = live[len(live)-1]
			live = live[:len(live)-1]
			dead = append(dead, p.addr)
			used -= (p.size+255)/256*256 + 256
		case len(live)+len(dead) > 0:
			var addr uint64
			if i := draw(len(live) + len(dead)); i < len(live) {
				addr = live[i].addr + uint64(draw(int(live[i].size)+512)) - 64
			} else {
				addr = dead[i-len(live)] + uint64(draw(4096))
			}
			n := 1 << draw(5)
			want := inside(addr, uint64(n))
			require.Equal(t, want, s.Legal(addr, n))
			require.Equal(t, want, cache.Legal(addr, n))
			require.NotEmpty(t, s.Explain(addr, uint64(n)))
		}
		require.Equal(t, used, s.Used())
	}
	for _, p := range live {
		require.NoError(t, s.Free(p.addr))
	}
	require.Equal(t, 1, s.FreeBlocks())
	require.Zero(t, s.Used())
}

// TestConcurrent asks about memory that stays while other goroutines allocate and free around it.
func TestConcurrent(t *testing.T) {
	s := open(t, mem.Options{Retain: 1 << 20})
	const n = 3000
	keep, err := s.Alloc(n)
	require.NoError(t, err)
	var stop atomic.Bool
	var readers, writers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			c := mem.NewCache(s)
			for i := uint64(0); !stop.Load(); i++ {
				at := i % n
				if !s.Legal(keep+at, 1) || !c.Legal(keep+at, 1) || s.Legal(keep+n, 1) {
					t.Errorf("wrong answer at %d", at)
					return
				}
			}
		})
	}
	for w := range uint64(4) {
		writers.Go(func() {
			r := rand.New(rand.NewPCG(w, 2))
			var mine []uint64
			for range 2000 {
				if len(mine) > 0 && r.IntN(2) == 0 {
					last := mine[len(mine)-1]
					if !s.Legal(last, 8) || s.Free(last) != nil {
						t.Error("a live allocation is not legal or cannot be freed")
					}
					mine = mine[:len(mine)-1]
					continue
				}
				a, err := s.Alloc(uint64(8 + r.IntN(1<<r.IntN(20))))
				if err != nil {
					t.Error(err)
					return
				}
				mem.Store64(a, w)
				mine = append(mine, a)
			}
			for _, a := range mine {
				if s.Free(a) != nil {
					t.Error("cannot free")
				}
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	readers.Wait()
}

func TestAccess(t *testing.T) {
	s := open(t, mem.Options{})
	a, err := s.Alloc(64)
	require.NoError(t, err)
	mem.Fill(a, 64, 0)
	for size := 1; size <= 8; size++ {
		for off := range uint64(8) {
			v := uint64(0x8796a5b4c3d2e1f0)
			mem.Store(a+16+off, size, v)
			require.Equal(t, v<<(64-8*size)>>(64-8*size), mem.Load(a+16+off, size))
			require.Zero(t, mem.Load8(a+16+off+uint64(size)))
			mem.Fill(a, 64, 0)
		}
	}
	mem.Store32(a, 5)
	require.EqualValues(t, 5, mem.AtomicAdd32(a, 3))
	require.EqualValues(t, 8, mem.AtomicSwap32(a, 9))
	require.True(t, mem.CompareAndSwap32(a, 9, 10))
	require.False(t, mem.CompareAndSwap32(a, 9, 11))
	require.EqualValues(t, 10, mem.AtomicLoad32(a))
	mem.AtomicStore64(a, 1<<40)
	require.EqualValues(t, 1<<40, mem.AtomicAdd64(a, 1))
	require.EqualValues(t, 1<<40+1, mem.AtomicSwap64(a, 2))
	require.True(t, mem.CompareAndSwap64(a, 2, 3))
	require.EqualValues(t, 3, mem.AtomicLoad64(a))
}

func BenchmarkAllocFree(b *testing.B) {
	s := open(b, mem.Options{})
	for b.Loop() {
		a, _ := s.Alloc(400)
		_ = s.Free(a)
	}
}

// BenchmarkMillion allocates a million pieces and frees them in another order.
func BenchmarkMillion(b *testing.B) {
	s := open(b, mem.Options{})
	const n = 1_000_000
	all := make([]uint64, n)
	for b.Loop() {
		for i := range all {
			all[i], _ = s.Alloc(uint64(1 + i%3000))
		}
		for i := range all {
			if err := s.Free(all[uint64(i)*7919%n]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/pair")
}

func BenchmarkLegal(b *testing.B) {
	s := open(b, mem.Options{})
	var at [3]uint64
	for i := range at {
		at[i], _ = s.Alloc(1 << 20)
	}
	b.Run("table", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_ = s.Legal(at[i%3]+uint64(i)%1000, 4)
		}
	})
	b.Run("cache", func(b *testing.B) {
		c := mem.NewCache(s)
		for i := 0; b.Loop(); i++ {
			_ = c.Legal(at[i%3]+uint64(i)%1000, 4)
		}
	})
}
