package hetero_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

const heatSource = `
extern "C" __global__ void heat(int w, int h, const float *in, float *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= w) return;
    float c = in[y * w + x];
    float l = in[y * w + max(x - 1, 0)], r = in[y * w + min(x + 1, w - 1)];
    float u = in[max(y - 1, 0) * w + x], d = in[min(y + 1, h - 1) * w + x];
    out[y * w + x] = c + 0.2f * (((l + r) + (u + d)) - 4.0f * c);
}`

func heatGo(w, h int, in, out []float32, lo, hi int) {
	for y := lo; y < hi; y++ {
		for x := range w {
			c := in[y*w+x]
			l, r := in[y*w+max(x-1, 0)], in[y*w+min(x+1, w-1)]
			u, d := in[max(y-1, 0)*w+x], in[min(y+1, h-1)*w+x]
			out[y*w+x] = c + float32(0.2*float32(((l+r)+(u+d))-float32(4*c)))
		}
	}
}

// TestPlanOfASolver steps a heat equation over CUDA and Go, with halos and a swap after each step, and holds each step
// against plain Go. In the middle the program changes the plate itself.
func TestPlanOfASolver(t *testing.T) {
	const w, h, steps = 33, 90, 24
	a := floats(6, w*h)
	u, v := slices.Clone(a), make([]float32, w*h)
	k, err := hetero.NewKernel("heat", hetero.CUDA(heatSource, "heat", cuda.CompileConfig{Options: []string{"-fmad=false"}}),
		hetero.GoChunk(func(_ context.Context, c hetero.Chunk) error {
			heatGo(w, h, hetero.Elements[float32](c, 2), hetero.Elements[float32](c, 3), c.Lo, c.Hi)
			return nil
		}))
	require.NoError(t, err)
	for name, devices := range map[string][]hetero.Device{"host devices": hosts(t, 3), "with Go": append(hosts(t, 2), hetero.OnCPU(1))} {
		t.Run(name, func(t *testing.T) {
			copy(u, a)
			want, next := slices.Clone(a), make([]float32, w*h)
			args := []hetero.Arg{hetero.Val(int32(w)), hetero.Val(int32(h)), hetero.In(u, hetero.Rows(w).Halo(1, 1, hetero.Stop)), hetero.Out(v, hetero.Rows(w))}
			pl, err := open(t, devices...).Compile(background, k, hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(w, 1)}, args, hetero.RunConfig{Policy: policy.Dynamic(7)})
			require.NoError(t, err)
			in, out := u, v
			for i := range steps {
				if i == steps/2 {
					in[5*w+5], want[5*w+5] = 1e4, 1e4
					require.NoError(t, pl.Changed(2))
				}
				_, err := pl.Run(background)
				require.NoError(t, err)
				heatGo(w, h, want, next, 0, h)
				require.Equal(t, next, out, "step %d", i)
				require.NoError(t, pl.Swap(2, 3))
				in, out = out, in
				want, next = next, want
			}
			require.NoError(t, pl.Close())
			require.NoError(t, pl.Close())
			_, err = pl.Run(background)
			require.ErrorIs(t, err, hetero.ErrClosed)
		})
	}
}

// TestPlanKeepsRows: what a device read in one run is not read again in the next, unless the program says that it changed.
func TestPlanKeepsRows(t *testing.T) {
	const n = 1000
	for name, part := range map[string]hetero.Part{"rows": hetero.Rows(1), "replicated": hetero.Replicate()} {
		x, y := floats(1, n), make([]float32, n)
		pl, err := open(t, hosts(t, 1)...).Compile(background, kernel(t, "shifted"), hetero.Grid1(n, 16),
			[]hetero.Arg{hetero.Total[int32](), hetero.Val(int32(0)), hetero.In(x, part), hetero.Out(y, hetero.Rows(1))}, hetero.RunConfig{})
		require.NoError(t, err)
		run := func() float32 {
			_, err := pl.Run(background)
			require.NoError(t, err)
			return y[77]
		}
		before := run()
		x[77] += 100
		require.Equal(t, before, run(), "%s: the device's copy is used", name)
		require.NoError(t, pl.Changed(2))
		require.Equal(t, 3*x[77]+77, run(), name)
		require.ErrorIs(t, pl.Changed(9), hetero.ErrDeclaration)
		require.ErrorIs(t, pl.Swap(0, 2), hetero.ErrDeclaration)
		require.ErrorIs(t, pl.Swap(2, 9), hetero.ErrDeclaration)
		require.NoError(t, pl.Swap(2, 2))
		require.NoError(t, pl.Close())
	}
}

// TestPlanLearns: in later runs each device gets its part at once and keeps it, and one that fails is out for good.
func TestPlanLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fast := newFake("slow", 2e6, 5*time.Microsecond), newFake("fast", 6e6, 40*time.Microsecond)
		p, job := pool(t, 100_000, hetero.PoolConfig{}, slow, fast)
		pl, err := p.Compile(background, noop(t), hetero.Grid1(100_000, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		var last *hetero.Report
		for i := range 6 {
			last, err = pl.Run(background)
			require.NoError(t, err)
			if i >= 4 {
				require.InDelta(t, 0.25, last.Devices[0].Share, 0.01)
				require.LessOrEqual(t, last.Chunks, 16)
				require.GreaterOrEqual(t, last.Efficiency, 0.98, "%v", last)
			}
		}
		for i, n := range job.counts {
			require.Equal(t, 6, n, "item %d", i)
		}
		fast.lostAt = fast.chunk + 1
		rep, err := pl.Run(background)
		require.NoError(t, err)
		require.ErrorIs(t, rep.Devices[1].Err, hetero.ErrDeviceLost)
		rep, err = pl.Run(background)
		require.NoError(t, err)
		require.Equal(t, 100_000, rep.Devices[0].Items)
		require.Contains(t, rep.Devices[1].Why, "fast is out")
		slow.lostAt = slow.chunk + 1
		_, err = pl.Run(background)
		require.ErrorIs(t, err, hetero.ErrDeviceLost)
		_, err = pl.Run(background)
		require.ErrorIs(t, err, hetero.ErrNoDevice)
		require.NoError(t, pl.Close())
		synctest.Wait()
		require.Equal(t, 1, slow.closed)
		require.Equal(t, 1, fast.closed)
	})
}

// TestOneIsEnough: where a second device would not make a short job shorter, it gets nothing, and the report says why. It is
// tried again some time, for it may have been slow only when it was measured; no run is longer for that.
func TestOneIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fast := newFake("slow", 1e5, 5*time.Microsecond), newFake("fast", 37e5, 5*time.Microsecond)
		p, _ := pool(t, 1000, hetero.PoolConfig{}, slow, fast)
		pl, err := p.Compile(background, noop(t), hetero.Grid1(1000, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		const alone = 5*time.Microsecond + time.Second*1000/3_700_000
		tried, last := 0, 0
		for i := range 200 {
			rep, err := pl.Run(background)
			require.NoError(t, err)
			require.Less(t, rep.Wall, alone+50*time.Microsecond, "run %d: at most a few more chunks\n%v", i, rep)
			if rep.Devices[0].Items > 0 {
				tried, last = tried+1, i
				continue
			}
			require.Equal(t, 1, rep.Chunks)
			require.Contains(t, rep.Devices[0].Why, "the job is over before a second device pays")
		}
		require.NoError(t, pl.Close())
		require.Greater(t, last, 60, "what is known of it is forgotten some time")
		require.Less(t, tried, 40)
	})
}

// TestSlowWhenFirstMeasured: a device that was slow in its first chunk, by compiling or by other work on the machine, is not
// left out of short jobs for that.
func TestSlowWhenFirstMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 64
		late, steady := newFake("late", n/100e-6, 10*time.Microsecond), newFake("steady", n/400e-6, 5*time.Microsecond)
		late.pauseAt, late.pause = 1, 2*time.Millisecond
		p, _ := pool(t, n, hetero.PoolConfig{}, late, steady)
		pl, err := p.Compile(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		var rep *hetero.Report
		for range 16 {
			rep, err = pl.Run(background)
			require.NoError(t, err)
		}
		require.NoError(t, pl.Close())
		require.Less(t, rep.Wall, 115*time.Microsecond, "alone it takes 110\n%v", rep)
	})
}

// TestAlwaysInSmallChunks: a device whose chunks cost more than was thought looks slow in small ones, and is tried in larger
// ones before that decides.
func TestAlwaysInSmallChunks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 64
		heavy, light := newFake("heavy", n/100e-6, 60*time.Microsecond), newFake("light", n/300e-6, 2*time.Microsecond)
		heavy.told = 10 * time.Microsecond
		p, _ := pool(t, n, hetero.PoolConfig{}, light, heavy)
		pl, err := p.Compile(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		var rep *hetero.Report
		for range 10 {
			rep, err = pl.Run(background)
			t.Log(rep)
			require.NoError(t, err)
		}
		require.NoError(t, pl.Close())
		require.Greater(t, rep.Devices[1].Share, 0.5, "%v", rep)
		require.Less(t, rep.Wall, 160*time.Microsecond, "heavy takes 160 alone, light 300\n%v", rep)
	})
}

// TestBuffersOfADevice: data of a device stays there, others help with the rows they get, and a Go body cannot.
func TestBuffersOfADevice(t *testing.T) {
	const n = 1 << 14
	home, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	require.NoError(t, err)
	defer func() { require.NoError(t, home.Close()) }()
	stranger, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	require.NoError(t, err)
	defer func() { require.NoError(t, stranger.Close()) }()
	xs, ys := floats(1, n), floats(2, n)
	x, err := cuda.Upload(background, home, xs)
	require.NoError(t, err)
	y, err := cuda.Upload(background, home, ys)
	require.NoError(t, err)
	k := kernel(t, "saxpy", hetero.Go(func(context.Context, int, int) error { return nil }))
	args := []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)), hetero.InBuffer(x, hetero.Rows(1)), hetero.InOutBuffer(y, hetero.Rows(1))}
	p := open(t, hetero.OnCUDA(home), hosts(t, 1)[0], hetero.OnCPU(1))
	rep, err := p.Run(background, k, hetero.Grid1(n, 64), args, hetero.RunConfig{Policy: policy.Static()})
	require.NoError(t, err)
	require.Contains(t, rep.Devices[2].Why, "which a body in Go cannot reach")
	require.Positive(t, rep.Devices[0].Items)
	require.Positive(t, rep.Devices[1].Items)
	require.Equal(t, n, rep.Devices[0].Items+rep.Devices[1].Items)
	want := make([]float32, n)
	one := slices.Clone(ys)
	_, err = open(t, hosts(t, 1)...).Run(background, k, hetero.Grid1(n, 64),
		[]hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)), hetero.In(xs, hetero.Rows(1)), hetero.InOut(one, hetero.Rows(1))}, hetero.RunConfig{})
	require.NoError(t, err)
	require.NoError(t, y.CopyTo(background, want))
	require.Equal(t, one, want)

	foreign, err := cuda.Upload(background, stranger, ys)
	require.NoError(t, err)
	_, err = p.Run(background, k, hetero.Grid1(n, 64), []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)),
		hetero.InBuffer(foreign, hetero.Rows(1)), hetero.InOut(ys, hetero.Rows(1))}, hetero.RunConfig{})
	require.ErrorIs(t, err, hetero.ErrDeclaration)
	require.ErrorContains(t, err, "which is not a device of the pool")
	_, err = p.Run(background, k, hetero.Grid1(n, 64), []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)),
		hetero.InBuffer(foreign, hetero.Rows(1)), hetero.InOutBuffer(y, hetero.Rows(1))}, hetero.RunConfig{})
	require.ErrorIs(t, err, hetero.ErrDeclaration, "buffers of two devices")
}

// TestShadow: chunks that are computed twice are compared; a kernel and a body that disagree end the run before either is
// committed.
func TestShadow(t *testing.T) {
	const n = 10_000
	for _, wrong := range []int{-1, 7777} {
		x, y := floats(1, n), floats(2, n)
		before := slices.Clone(y)
		k := func() *hetero.Kernel {
			k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{Options: []string{"-fmad=false"}}),
				hetero.Go(func(_ context.Context, lo, hi int) error {
					for i := lo; i < hi; i++ {
						y[i] = float32(2*x[i]) + y[i]
						if i == wrong {
							y[i] += 1
						}
					}
					return nil
				}))
			require.NoError(t, err)
			return k
		}()
		p := open(t, hosts(t, 1)[0], hetero.OnCPU(1))
		rep, err := p.Run(background, k, hetero.Grid1(n, 64),
			[]hetero.Arg{hetero.Total[int32](), hetero.Val(float32(2)), hetero.In(x, hetero.Rows(1)), hetero.InOut(y, hetero.Rows(1))},
			hetero.RunConfig{Policy: policy.Dynamic(10), Shadow: 1})
		require.Positive(t, rep.Shadowed)
		var undone []hetero.Range
		if wrong < 0 {
			require.NoError(t, err)
			require.Equal(t, n, rep.Items)
		} else {
			require.ErrorIs(t, err, hetero.ErrMismatch)
			var failed *hetero.RunError
			require.ErrorAs(t, err, &failed)
			undone = failed.Undone
			var mismatch *hetero.ShadowError
			require.ErrorAs(t, err, &mismatch)
			require.True(t, mismatch.Range.Lo <= wrong && wrong < mismatch.Range.Hi)
			require.NotEqual(t, mismatch.Devices[0], mismatch.Devices[1])
		}
		for i := range y {
			want := float32(2*x[i]) + before[i]
			for _, u := range undone {
				if i >= u.Lo && i < u.Hi {
					want = before[i]
				}
			}
			require.Equal(t, want, y[i], "item %d", i)
		}
	}
}

// TestSpeculation: the last chunk of a device that has become very slow is done by the other one, once.
func TestSpeculation(t *testing.T) {
	for _, speculate := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const n = 100_000
			a, b := newFake("a", 1e6, 5*time.Microsecond), newFake("b", 1e6, 5*time.Microsecond)
			b.pauseAt, b.pause = 20, 900*time.Millisecond
			p, job := pool(t, n, hetero.PoolConfig{}, a, b)
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{Speculate: speculate})
			require.NoError(t, err)
			job.once(t)
			if speculate {
				require.Positive(t, rep.Speculated)
				require.Less(t, rep.Wall, 300*time.Millisecond, "%v", rep)
			} else {
				require.Zero(t, rep.Speculated)
				require.Greater(t, rep.Wall, 900*time.Millisecond)
			}
			time.Sleep(2 * time.Second) // what was late comes back
			synctest.Wait()
			job.once(t)
			require.Equal(t, 1, b.closed)
		})
	}
}

// TestSpeculationAndFailure: chunks under way twice, on devices that fail, hang and come back, count once.
func TestSpeculationAndFailure(t *testing.T) {
	for seed := range *schedules / 2 {
		synctest.Test(t, func(t *testing.T) {
			r := random(seed)
			n, release := 1+r.IntN(20_000), make(chan struct{})
			fakes := []*fake{newFake("good", 1e5, time.Microsecond)}
			for i := range 1 + r.IntN(3) {
				f := newFake(fmt.Sprint("bad ", i), 1e4*float64(int(1)<<r.IntN(8)), time.Duration(r.IntN(50_000)))
				f.lanes, f.release = 1+r.IntN(3), release
				at := 1 + r.IntN(12)
				switch r.IntN(5) {
				case 0:
					f.failAt = at
				case 1:
					f.lostAt = at
				case 2:
					f.hangAt = at
				case 3:
					f.pauseAt, f.pause = at, time.Duration(r.IntN(1e9))
				}
				fakes = append(fakes, f)
			}
			p, job := pool(t, n, hetero.PoolConfig{}, fakes...)
			cfg := hetero.RunConfig{HangFloor: 5 * time.Millisecond, FirstHang: 5 * time.Second, Retries: 20, Speculate: true, Shadow: float64(r.IntN(2)) * 0.3}
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1+r.IntN(64)), nil, cfg)
			require.NoError(t, err, "seed %d", seed)
			require.Equal(t, n, rep.Items)
			job.once(t)
			close(release)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			job.once(t)
			for _, f := range fakes {
				require.Equal(t, f.prepare, f.closed, "%s", f.name)
			}
		})
	}
}

func TestBar(t *testing.T) {
	var b fmtBuffer
	bar := hetero.Bar(&b)
	bar(hetero.Progress{Done: 10, Total: 100, Elapsed: time.Second / 2})
	require.Empty(t, b, "short runs have no bar")
	bar(hetero.Progress{Done: 50, Total: 100, Elapsed: 2 * time.Second})
	require.Equal(t, "\r[####################                    ]  50 %  2s left         ", string(b))
	b = nil
	bar(hetero.Progress{Done: 100, Total: 100, Elapsed: 4 * time.Second})
	require.Equal(t, "\r[########################################] 100 %  in 4s           \n", string(b))
}

type fmtBuffer []byte

func (b *fmtBuffer) Write(p []byte) (int, error) { *b = append(*b, p...); return len(p), nil }
