package cuda_test

import (
	"errors"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// apiKernels are PTX for the tests of what needs no compiler.
const apiKernels = `.version 6.4
.target sm_50
.address_size 64
.visible .entry fold(.param .u64 acc, .param .u32 v)
{
	.reg .b32 %r<4>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [acc];
	ld.param.u32 %r1, [v];
	ld.global.u32 %r2, [%rd1];
	mad.lo.u32 %r3, %r2, 31, %r1;
	st.global.u32 [%rd1], %r3;
	ret;
}
.visible .entry gate(.param .u64 open)
{
	.reg .pred %p<2>;
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [open];
AGAIN:
	ld.volatile.global.u32 %r1, [%rd1];
	setp.eq.u32 %p1, %r1, 0;
	@%p1 bra AGAIN;
	ret;
}
.visible .entry store(.param .u64 p)
{
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [p];
	st.global.u64 [%rd1], %rd1;
	ret;
}
.visible .entry sample(.param .u64 texture, .param .u64 out, .param .u32 width)
{
	.reg .b32 %r<5>;
	.reg .f32 %f<9>;
	.reg .b64 %rd<5>;
	ld.param.u64 %rd1, [texture];
	ld.param.u64 %rd2, [out];
	ld.param.u32 %r1, [width];
	mov.u32 %r2, %tid.x;
	rem.u32 %r3, %r2, %r1;
	div.u32 %r4, %r2, %r1;
	cvt.rn.f32.u32 %f1, %r3;
	cvt.rn.f32.u32 %f2, %r4;
	add.f32 %f3, %f1, 0f3F000000;
	add.f32 %f4, %f2, 0f3F000000;
	tex.2d.v4.f32.f32 {%f5, %f6, %f7, %f8}, [%rd1, {%f3, %f4}];
	mul.wide.u32 %rd3, %r2, 4;
	add.s64 %rd4, %rd2, %rd3;
	st.global.f32 [%rd4], %f5;
	ret;
}
.visible .entry scatter(.param .u64 surface, .param .u32 width)
{
	.reg .b32 %r<8>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [surface];
	ld.param.u32 %r1, [width];
	mov.u32 %r2, %tid.x;
	rem.u32 %r3, %r2, %r1;
	div.u32 %r4, %r2, %r1;
	shl.b32 %r5, %r3, 2;
	suld.b.2d.b32.trap {%r6}, [%rd1, {%r5, %r4}];
	add.u32 %r7, %r6, %r2;
	sust.b.2d.b32.trap [%rd1, {%r5, %r4}], {%r7};
	ret;
}
`

// host opens a host device with the kernels.
func host(t testing.TB) (*cuda.Device, func(name string) *cuda.Function) {
	t.Helper()
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 2, MemoryLimit: 1 << 30})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	m, err := d.Load(background, []byte(apiKernels), cuda.LoadConfig{Name: "api.ptx"})
	require.NoError(t, err)
	return d, func(name string) *cuda.Function {
		f, err := m.Function(name)
		require.NoError(t, err)
		return f
	}
}

// fold is what the kernel leaves in acc for each v in turn.
func fold(acc uint32, vs ...uint32) uint32 {
	for _, v := range vs {
		acc = acc*31 + v
	}
	return acc
}

func uploaded[T cuda.Element](t testing.TB, d *cuda.Device, v ...T) *cuda.Buffer[T] {
	t.Helper()
	b, err := cuda.Upload(background, d, v)
	require.NoError(t, err)
	return b
}

func downloaded[T cuda.Element](t testing.TB, b *cuda.Buffer[T]) []T {
	t.Helper()
	v, err := b.Download(background)
	require.NoError(t, err)
	return v
}

func TestTexturesAndSurfaces(t *testing.T) {
	d, kernel := host(t)
	a, err := d.NewArray(cuda.ArrayConfig{Width: 4, Height: 3, Format: cuda.FormatFloat32})
	require.NoError(t, err)
	v := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	require.NoError(t, cuda.FillArray(background, a, v))
	require.ErrorIs(t, cuda.FillArray(background, a, v[1:]), cuda.ErrLength)
	got := make([]float32, 12)
	require.NoError(t, cuda.ReadArray(background, got, a))
	require.Equal(t, v, got)
	tex, err := a.NewTexture(cuda.TextureConfig{})
	require.NoError(t, err)
	out := uploaded(t, d, make([]float32, 20)...)
	require.NoError(t, kernel("sample").Run(background, threads(20), tex, out, uint32(5)))
	require.Equal(t, []float32{1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 9, 10, 11, 12, 12}, downloaded(t, out))

	plane, err := cuda.AllocPitched[float32](d, 4, 3)
	require.NoError(t, err)
	require.Equal(t, 512, plane.PitchBytes())
	require.NoError(t, plane.CopyPlaneFrom(background, v))
	flat, err := plane.NewTexture(cuda.TextureConfig{Address: [3]cuda.AddressMode{cuda.AddressBorder, cuda.AddressBorder}, Border: [4]float32{-1}})
	require.NoError(t, err)
	require.NoError(t, kernel("sample").Run(background, threads(15), flat, out, uint32(5)))
	require.Equal(t, []float32{1, 2, 3, 4, -1, 5, 6, 7, 8, -1, 9, 10, 11, 12, -1}, downloaded(t, out)[:15])

	words, err := d.NewArray(cuda.ArrayConfig{Width: 4, Height: 2, Format: cuda.FormatUint32, Surface: true})
	require.NoError(t, err)
	require.NoError(t, cuda.FillArray(background, words, []uint32{10, 10, 10, 10, 20, 20, 20, 20}))
	surf, err := words.NewSurface()
	require.NoError(t, err)
	require.NoError(t, kernel("scatter").Run(background, threads(8), surf, uint32(4)))
	after := make([]uint32, 8)
	require.NoError(t, cuda.ReadArray(background, after, words))
	require.Equal(t, []uint32{10, 11, 12, 13, 24, 25, 26, 27}, after)

	_, err = a.NewSurface()
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = a.NewTexture(cuda.TextureConfig{Address: [3]cuda.AddressMode{9}})
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = d.NewArray(cuda.ArrayConfig{Width: -1, Format: cuda.FormatInt8})
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.NewTexture(uploaded(t, d, 1.5), cuda.TextureConfig{})
	require.ErrorIs(t, err, cuda.ErrInvalidValue, "float64")
	other, _ := host(t)
	b := uploaded(t, other, make([]float32, 20)...)
	require.ErrorIs(t, kernel("sample").Run(background, threads(1), tex, b, uint32(5)), cuda.ErrWrongDevice)
	require.NoError(t, tex.Close())
	require.NoError(t, tex.Close())
	require.ErrorIs(t, kernel("sample").Run(background, threads(1), tex, out, uint32(5)), cuda.ErrClosed)
	require.NoError(t, words.Close())
	require.ErrorIs(t, kernel("scatter").Run(background, threads(1), surf, uint32(4)), cuda.ErrClosed)
}

func TestCopyBox(t *testing.T) {
	d, _ := host(t)
	src := make([]uint16, 5*4*3)
	for i := range src {
		src[i] = uint16(i)
	}
	from, to := uploaded(t, d, src...), uploaded(t, d, make([]uint16, 5*4*3)...)
	want := make([]uint16, len(src))
	for z := range 2 {
		for y := range 2 {
			for x := range 3 {
				want[((z+1)*4+y+2)*5+x+2] = src[(z*4+y+1)*5+x+1]
			}
		}
	}
	at := func(b *cuda.Buffer[uint16]) cuda.Region { return cuda.Rows[uint16](b, 5, 4) }
	require.NoError(t, cuda.CopyBox(at(to).At(2, 2, 1), at(from).At(1, 1, 0), cuda.Extent{Width: 3, Height: 2, Depth: 2}, nil))
	require.Equal(t, want, downloaded(t, to))
	one := cuda.Extent{Width: 1, Height: 1, Depth: 1}
	view, err := from.Slice(0, 5)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		dst, src cuda.Region
		e        cuda.Extent
		want     error
	}{
		"outside":      {at(to).At(0, 3, 2), at(from), cuda.Extent{Width: 5, Height: 2, Depth: 1}, cuda.ErrInvalidValue},
		"a wide box":   {at(to), at(from), cuda.Extent{Width: 6, Height: 2, Depth: 1}, cuda.ErrInvalidValue},
		"negative":     {at(to).At(-1, 0, 0), at(from), one, cuda.ErrInvalidValue},
		"empty":        {at(to), at(from), cuda.Extent{Width: 1, Height: 0, Depth: 1}, cuda.ErrInvalidValue},
		"overlap":      {at(to).At(1, 0, 0), at(to), cuda.Extent{Width: 2, Height: 1, Depth: 1}, cuda.ErrInvalidValue},
		"other sizes":  {at(to), cuda.Rows[uint32](uploaded[uint32](t, d, 1), 1, 1), one, cuda.ErrInvalidValue},
		"zero region":  {at(to), cuda.Region{}, one, cuda.ErrInvalidValue},
		"beyond views": {at(to), cuda.Rows[uint16](view, 5, 4), cuda.Extent{Width: 5, Height: 2, Depth: 1}, cuda.ErrInvalidValue},
	} {
		require.ErrorIs(t, cuda.CopyBox(c.dst, c.src, c.e, nil), c.want, name)
	}
	plane, err := cuda.AllocPitched[uint16](d, 6, 3)
	require.NoError(t, err)
	require.NoError(t, plane.CopyPlaneFrom(background, src[:18]))
	require.NoError(t, plane.FillBox(1, 1, 2, 2, 999, nil))
	got := make([]uint16, 18)
	require.NoError(t, plane.CopyPlaneTo(background, got))
	for i := range got {
		w := src[i]
		if x, y := i%6, i/6; x >= 1 && x < 3 && y >= 1 {
			w = 999
		}
		require.Equal(t, w, got[i], "element %d", i)
	}
	require.ErrorIs(t, plane.FillBox(5, 0, 2, 1, 0, nil), cuda.ErrInvalidValue)
}

func TestManagedAndRegisteredMemory(t *testing.T) {
	d, kernel := host(t)
	m, err := cuda.AllocManaged[uint32](d, 3)
	require.NoError(t, err)
	m.Slice()[1] = 5
	require.NoError(t, m.Prefetch(cuda.OnDevice, nil))
	require.NoError(t, m.Advise(cuda.PreferredLocation, cuda.OnDevice))
	require.ErrorIs(t, m.Advise(99, cuda.OnDevice), cuda.ErrInvalidValue)
	require.NoError(t, m.Attach(cuda.AttachGlobal, nil))
	v, err := m.View(1, 2)
	require.NoError(t, err)
	require.NoError(t, kernel("fold").Run(background, threads(1), v, uint32(7)))
	require.NoError(t, m.Prefetch(cuda.OnHost, nil))
	require.NoError(t, d.Synchronize(background))
	require.Equal(t, []uint32{0, fold(5, 7), 0}, m.Slice())
	require.NoError(t, m.Close())
	require.ErrorIs(t, m.Prefetch(cuda.OnDevice, nil), cuda.ErrClosed)
	_, err = cuda.AllocManaged[uint32](d, 0)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)

	own := []uint32{1, 2, 3}
	r, err := cuda.RegisterHost(d, own)
	require.NoError(t, err)
	require.NoError(t, kernel("fold").Run(background, threads(1), r, uint32(4)))
	require.Equal(t, []uint32{fold(1, 4), 2, 3}, own)
	_, err = cuda.RegisterHost(d, own[1:])
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	require.NoError(t, r.Close())
	require.ErrorIs(t, kernel("fold").Launch(threads(1), r, uint32(4)), cuda.ErrClosed)
	require.Zero(t, d.Usage().Allocations)
	_, err = cuda.RegisterHost(d, own) // left to the device's Close
	require.NoError(t, err)
}

func TestPools(t *testing.T) {
	d, kernel := host(t)
	p, err := d.NewPool(cuda.PoolConfig{MaxBytes: 1 << 20})
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	b, err := cuda.AllocFrom[uint32](p, 1<<18, s)
	require.NoError(t, err)
	_, err = cuda.AllocFrom[uint32](p, 1, s)
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.NoError(t, b.Fill(1, s))
	require.NoError(t, kernel("fold").Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, b, uint32(3)))
	v, err := b.Slice(0, 2)
	require.NoError(t, err)
	require.Equal(t, []uint32{fold(1, 3), 1}, downloaded(t, v))
	u, err := p.Usage()
	require.NoError(t, err)
	require.Equal(t, uint64(1<<20), u.Used)
	require.NoError(t, b.Close())
	require.NoError(t, s.Wait(background))
	u, err = p.Usage()
	require.NoError(t, err)
	require.Zero(t, u.Used)
	require.Equal(t, uint64(1<<20), u.UsedPeak)
	require.NoError(t, p.ResetPeaks())
	require.NoError(t, p.Trim(0))
	func() { // dropped buffers go back to the pool as well
		for range 4 {
			_, err := cuda.AllocFrom[uint32](p, 1<<16, nil)
			require.NoError(t, err)
		}
	}()
	_, err = cuda.AllocFrom[uint32](p, 1<<18, nil)
	require.NoError(t, err, "what was dropped is found when the bound is met")
	require.NoError(t, p.Close())
	_, err = cuda.AllocFrom[uint32](p, 1, nil)
	require.ErrorIs(t, err, cuda.ErrClosed)
}

func TestMemoryPools(t *testing.T) {
	d, kernel := host(t)
	p := d.NewMemoryPool()
	b, err := cuda.AllocPooled[uint32](p, 1000)
	require.NoError(t, err)
	addr := b.Ptr()
	require.Equal(t, cuda.BlockUsage{ActiveBlocks: 1, ActiveBytes: 4096}, p.Usage())
	hold, err := cuda.AllocHost[uint32](d, 1)
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	on := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}
	require.NoError(t, kernel("gate").Launch(on, hold))
	require.NoError(t, kernel("fold").Launch(on, b, uint32(1)))
	require.NoError(t, b.Close())
	require.Equal(t, cuda.BlockUsage{HeldBlocks: 1, HeldBytes: 4096}, p.Usage())
	c, err := cuda.AllocPooled[uint32](p, 1010)
	require.NoError(t, err)
	require.NotEqual(t, addr, c.Ptr(), "work on the freed memory has not ended")
	hold.Slice()[0] = 1
	require.NoError(t, s.Wait(background))
	e, err := cuda.AllocPooled[uint32](p, 1010)
	require.NoError(t, err)
	require.Equal(t, addr, e.Ptr(), "the freed memory is used again")
	require.NoError(t, c.Close())
	require.NoError(t, e.Close())
	require.NoError(t, p.FreeHeld())
	require.Equal(t, cuda.BlockUsage{}, p.Usage())
	require.NoError(t, p.Close())

	h := d.NewHostPool()
	x, err := cuda.AllocHostPooled[byte](h, 300)
	require.NoError(t, err)
	require.Len(t, x.Slice(), 300)
	first := &x.Slice()[0]
	require.NoError(t, x.Close())
	y, err := cuda.AllocHostPooled[byte](h, 290)
	require.NoError(t, err)
	require.Same(t, first, &y.Slice()[0])
	require.NoError(t, y.Close())
	require.NoError(t, h.Close())
}

// What a pool holds is given up when the device is out of memory.
func TestPoolsYieldMemory(t *testing.T) {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1, MemoryLimit: 64 << 20})
	require.NoError(t, err)
	defer d.Close()
	p := d.NewMemoryPool()
	b, err := cuda.AllocPooled[byte](p, 40<<20)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.Equal(t, 1, p.Usage().HeldBlocks)
	_, err = cuda.Alloc[byte](d, 40<<20)
	require.NoError(t, err)
	require.Zero(t, p.Usage().HeldBlocks)
}

func TestCapture(t *testing.T) {
	d, kernel := host(t)
	s, other, fork, join := forked(t, d)
	a, b := uploaded(t, d, uint32(9)), uploaded(t, d, uint32(9))
	cfg := func(s *cuda.Stream) cuda.LaunchConfig {
		return cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}
	}
	var calls atomic.Int32
	require.NoError(t, s.BeginCapture())
	require.NoError(t, a.Fill(1, s))
	require.NoError(t, fork.Record(s))
	require.NoError(t, other.WaitFor(fork))
	require.NoError(t, kernel("fold").Launch(cfg(other), a, uint32(2)))
	require.NoError(t, s.HostFunc(func() { calls.Add(1) }))
	require.NoError(t, join.Record(other))
	require.NoError(t, s.WaitFor(join))
	require.NoError(t, cuda.Copy[uint32](b, a, s))
	require.ErrorIs(t, s.Wait(background), cuda.ErrCapture)
	require.ErrorIs(t, s.BeginCapture(), cuda.ErrCapture)
	require.ErrorIs(t, kernel("fold").Launch(cfg(s), cuda.In([]uint32{1}), uint32(2)), cuda.ErrCapture, "a slice")
	<-fork.Done() // asking is answered, not waited for
	g, err := s.EndCapture()
	require.NoError(t, err)
	on, err := other.Capturing()
	require.NoError(t, err)
	require.False(t, on)
	n, err := g.Nodes()
	require.NoError(t, err)
	require.Equal(t, 4, n)
	require.Equal(t, []uint32{9}, downloaded(t, a))
	x, err := g.Instantiate()
	require.NoError(t, err)
	require.NoError(t, g.Close())
	for range 3 {
		require.NoError(t, x.Run(background, nil))
	}
	require.EqualValues(t, 3, calls.Load())
	require.Equal(t, []uint32{fold(1, 2)}, downloaded(t, b))
	require.NoError(t, x.Close())
	require.ErrorIs(t, x.Launch(nil), cuda.ErrClosed)
	_, err = s.EndCapture()
	require.ErrorIs(t, err, cuda.ErrCapture)
}

func TestGraph(t *testing.T) {
	d, kernel := host(t)
	a, b := uploaded(t, d, uint32(9)), uploaded(t, d, uint32(9))
	g, err := d.NewGraph()
	require.NoError(t, err)
	node := func(n cuda.Node, err error) []cuda.Node {
		t.Helper()
		require.NoError(t, err)
		return []cuda.Node{n}
	}
	called := false
	begin := node(cuda.FillNode(g, nil, a, uint32(1)))
	one := node(g.Kernel(begin, kernel("fold"), threads(1), a, uint32(2)))
	two := node(g.HostFunc(begin, func() { called = true }))
	both := node(g.Join(append(one, two...)))
	sub, err := d.NewGraph()
	require.NoError(t, err)
	node(sub.Kernel(nil, kernel("fold"), threads(1), a, uint32(3)))
	child := node(g.Graph(both, sub))
	require.NoError(t, sub.Close())
	node(cuda.CopyNode[uint32](g, child, b, a))
	x, err := g.Instantiate()
	require.NoError(t, err)
	require.NoError(t, x.Run(background, nil))
	require.True(t, called)
	require.Equal(t, []uint32{fold(1, 2, 3)}, downloaded(t, b))

	empty, err := d.NewGraph()
	require.NoError(t, err)
	_, err = empty.Join(begin)
	require.ErrorIs(t, err, cuda.ErrInvalidValue, "a node of another graph")
	_, err = g.Kernel(nil, kernel("fold"), threads(1), cuda.In([]uint32{1}), uint32(1))
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = g.Kernel(nil, kernel("fold"), threads(1), a)
	require.ErrorIs(t, err, cuda.ErrArgument)
	other, _ := host(t)
	_, err = cuda.FillNode(g, nil, uploaded(t, other, uint32(1)), 2)
	require.ErrorIs(t, err, cuda.ErrWrongDevice)
	require.NoError(t, a.Close())
	require.ErrorIs(t, x.Launch(nil), cuda.ErrClosed, "memory of a node was closed")
}

func TestLimitsAndPreferences(t *testing.T) {
	d, kernel := host(t)
	v, err := d.Limit(cuda.LimitHeapBytes)
	require.NoError(t, err)
	require.EqualValues(t, 8<<20, v)
	require.NoError(t, d.SetLimit(cuda.LimitHeapBytes, 16<<20))
	v, err = d.Limit(cuda.LimitHeapBytes)
	require.NoError(t, err)
	require.EqualValues(t, 16<<20, v)
	_, err = d.Limit(77)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	require.NoError(t, d.SetCacheConfig(cuda.CacheL1))
	c, err := d.CacheConfig()
	require.NoError(t, err)
	require.Equal(t, cuda.CacheL1, c)
	require.ErrorIs(t, d.SetCacheConfig(9), cuda.ErrInvalidValue)
	least, greatest, err := d.StreamPriorities()
	require.NoError(t, err)
	require.LessOrEqual(t, greatest, least)
	stop := errors.New("of the function")
	require.ErrorIs(t, d.Profile(func() error { return stop }), stop)
	f := kernel("fold")
	require.NoError(t, f.SetCacheConfig(cuda.CacheShared))
	require.NoError(t, f.SetSharedCarveout(25))
	require.ErrorIs(t, f.SetSharedCarveout(101), cuda.ErrInvalidValue)
	o, err := f.Occupancy(256, 0)
	require.NoError(t, err)
	require.Equal(t, cuda.Occupancy{Blocks: 4, Warps: 32, Fraction: 1}, o) // 1024 threads of compute capability 7.5
	o, err = f.Occupancy(64, 32<<10)
	require.NoError(t, err)
	require.Equal(t, 2, o.Blocks, "64 KiB of shared memory")
	blocks, threads, err := f.SuggestBlock(0, 0)
	require.NoError(t, err)
	require.Equal(t, 1024, threads)
	require.Equal(t, 2, blocks, "two workers")
	_, _, err = f.SuggestBlock(1<<20, 0)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
}

func TestCooperativeLaunch(t *testing.T) {
	_, kernel := host(t)
	d := kernel("fold").Module().Device()
	acc := uploaded(t, d, uint32(1))
	cfg := threads(1)
	cfg.Cooperative = true
	require.NoError(t, kernel("fold").Run(background, cfg, acc, uint32(2)))
	require.Equal(t, []uint32{fold(1, 2)}, downloaded(t, acc))
	cfg.Grid = cuda.D1(1 << 20)
	require.ErrorIs(t, kernel("fold").Launch(cfg, acc, uint32(2)), cuda.ErrInvalidValue)
}

func TestLink(t *testing.T) {
	d, _ := host(t)
	const head = ".version 6.4\n.target sm_50\n.address_size 64\n"
	user := head + `.extern .global .align 4 .u32 base;
.visible .entry get(.param .u64 out)
{
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.global.u32 %r1, [base];
	ld.param.u64 %rd1, [out];
	st.global.u32 [%rd1], %r1;
	ret;
}
`
	in := []cuda.LinkInput{{Name: "user.ptx", Data: []byte(user)}, {Name: "base.ptx", Data: []byte(head + ".visible .global .align 4 .u32 base = 42;\n")}}
	m, err := d.Link(in, cuda.LoadConfig{})
	require.NoError(t, err)
	f, err := m.Function("get")
	require.NoError(t, err)
	out := make([]uint32, 1)
	require.NoError(t, f.Run(background, threads(1), cuda.Out(out)))
	require.Equal(t, []uint32{42}, out)
	_, err = d.Link(in[:1], cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrLink)
	require.ErrorContains(t, err, "unresolved variable base")
	_, err = d.Link(append(in, in[1]), cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrLink)
	require.ErrorContains(t, err, "base is defined here and in base.ptx")
}

// Ten thousand wait for events on channels, and no thread waits for each.
func TestManyWaitForEvents(t *testing.T) {
	d, kernel := host(t)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	hold, err := cuda.AllocHost[uint32](d, 1)
	require.NoError(t, err)
	require.NoError(t, kernel("gate").Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, hold))
	const n = 10_000
	events := make([]*cuda.Event, n)
	before := runtime.NumGoroutine()
	for i := range events {
		events[i], err = d.NewEvent()
		require.NoError(t, err)
		require.NoError(t, events[i].Record(s))
		select {
		case <-events[i].Done():
			t.Fatal("an event happened before the work in front of it")
		default:
		}
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+2, "one goroutine for all")
	again := events[0].Done()
	require.NoError(t, events[0].Record(s)) // the channel is of the record that it was asked for
	hold.Slice()[0] = 1
	for _, e := range events {
		<-e.Done()
	}
	<-again
	never, err := d.NewEvent()
	require.NoError(t, err)
	<-never.Done()
}

func TestFaultClosesChannels(t *testing.T) {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 2})
	require.NoError(t, err)
	defer d.Close()
	m, err := d.Load(background, []byte(apiKernels), cuda.LoadConfig{})
	require.NoError(t, err)
	f := func(name string) *cuda.Function {
		f, err := m.Function(name)
		require.NoError(t, err)
		return f
	}
	hold, err := cuda.AllocHost[uint32](d, 1)
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	require.NoError(t, f("gate").Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, hold))
	e, err := d.NewEvent()
	require.NoError(t, err)
	require.NoError(t, e.Record(s))
	done := e.Done()
	require.NoError(t, f("store").Launch(threads(1), uint64(0x40)))
	select {
	case <-done:
	case <-time.After(30 * time.Second): // far beyond the promise, which a loaded machine may miss
		t.Fatal("the channel is open after a fault")
	}
	require.ErrorIs(t, d.DefaultStream().Wait(background), cuda.ErrIllegalAddress)
}

func TestExtremesAreRefused(t *testing.T) {
	d, _ := host(t)
	_, err := cuda.AllocPitched[float64](d, 0, 1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.AllocPooled[float64](d.NewMemoryPool(), -1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.AllocPooled[float64](d.NewMemoryPool(), math.MaxInt)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.AllocManaged[float64](d, math.MaxInt)
	require.Error(t, err)
	_, err = cuda.RegisterHost(d, []float32{})
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	require.ErrorIs(t, d.DefaultStream().HostFunc(nil), cuda.ErrInvalidValue)
}
