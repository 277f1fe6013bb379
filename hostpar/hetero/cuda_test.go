package hetero_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

const source = `
extern "C" __global__ void saxpy(int n, float a, const float *x, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
extern "C" __global__ void shifted(int n, int first, const float *x, float *y) {
    int i = first + blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 3.0f * x[i] + i;
}
// Each point becomes a mean of itself, its neighbours in the row, and rows dy above and below; around the edges.
extern "C" __global__ void blur(int w, int h, int dy, const double *in, const float *weight, double *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= w || y >= h) return;
    double s = in[y * w + x] * weight[0];
    s += (in[y * w + (x + 1) % w] + in[y * w + (x + w - 1) % w]) * weight[1];
    s += (in[(y + dy) % h * w + x] + in[(y + h - dy) % h * w + x]) * weight[2];
    out[y * w + x] = s + gridDim.y * 1000.0;
}
extern "C" __global__ void faulty(int n, int bad, unsigned char *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i == bad) y[i + (1 << 30)] = 1;
    if (i < n) y[i] = y[i] * 3 + i;
}`

func kernel(t testing.TB, entry string, more ...hetero.Impl) *hetero.Kernel {
	k, err := hetero.NewKernel(entry, append([]hetero.Impl{hetero.CUDA(source, entry, cuda.CompileConfig{})}, more...)...)
	require.NoError(t, err)
	return k
}

// hosts opens host devices with one worker each.
func hosts(t testing.TB, n int) (out []hetero.Device) {
	for range n {
		d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, d.Close()) })
		out = append(out, hetero.OnCUDA(d))
	}
	return out
}

func open(t testing.TB, devices ...hetero.Device) *hetero.Pool {
	p, err := hetero.Open(hetero.PoolConfig{Devices: devices, NoModels: true})
	require.NoError(t, err)
	return p
}

func floats(seed uint64, n int) []float32 {
	r, out := random(seed), make([]float32, n)
	for i := range out {
		out[i] = r.Float32()*200 - 100
	}
	return out
}

// fickle is a policy that gives out chunks of random sizes. It keeps the contract: equal states give equal answers.
type fickle uint64

func (f fickle) Next(s *policy.State, d int) (int, policy.Reason) {
	if s.Devices[d].Dead {
		return 0, policy.Gone
	}
	if s.Remaining == 0 {
		return 0, policy.Empty
	}
	r := random(uint64(f) + uint64(s.Remaining)*31 + uint64(d))
	return 1 + r.IntN(min(s.Remaining, 1+s.Total/(1+r.IntN(20)))), policy.Share
}

// TestSameBits: however a job is split, over however many devices, the answer has the bits of one launch.
func TestSameBits(t *testing.T) {
	devices, _ := everywhere(t)
	single := open(t, devices[0])
	one := hetero.RunConfig{Policy: policy.Dynamic(1 << 30)}
	for _, c := range jobs(t) {
		t.Run(c.name, func(t *testing.T) {
			_, err := single.Run(background, c.kernel, c.grid, c.args(), one)
			require.NoError(t, err)
			want := c.answer()
			for seed := range count(12, 200) {
				r := random(seed)
				p := open(t, anyOf(r, devices)...)
				cfg := hetero.RunConfig{Policy: anyPolicy(r, 30)}
				rep, err := p.Run(background, c.kernel, c.grid, c.args(), cfg)
				require.NoError(t, err)
				require.True(t, reflect.DeepEqual(want, c.answer()), "seed %d\n%v", seed, rep)
			}
		})
	}
}

// job is a kernel with arguments that are new for each run, and its answer.
type job struct {
	name   string
	kernel *hetero.Kernel
	grid   hetero.Grid
	args   func() []hetero.Arg
	answer func() any
}

func jobs(t testing.TB) []job {
	const n, w, h = 10_007, 37, 101
	x, y := floats(1, n), []float32(nil)
	img, weight := make([]double, w*h), []float32{0.5, 0.125, 0.125}
	for i, v := range floats(2, w*h) {
		img[i] = double(v)
	}
	var out []double
	blur := func(dy int, halo hetero.Part) job {
		return job{fmt.Sprintf("blur by %d", dy), kernel(t, "blur"), hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(16, 2)},
			func() []hetero.Arg {
				out = make([]double, w*h)
				return []hetero.Arg{hetero.Val(int32(w)), hetero.Val(int32(h)), hetero.Val(int32(dy)), hetero.In(img, halo),
					hetero.In(weight, hetero.Replicate()), hetero.Out(out, hetero.Rows(w))}
			}, func() any { return out }}
	}
	rows := hetero.Rows(w)
	return []job{
		{"saxpy", kernel(t, "saxpy"), hetero.Grid1(n, 64), func() []hetero.Arg {
			y = floats(3, n)
			return []hetero.Arg{hetero.Val(int32(n)), hetero.Val(float32(1.7)), hetero.In(x, hetero.Rows(1)), hetero.InOut(y, hetero.Rows(1))}
		}, func() any { return y }},
		{"with an offset", kernel(t, "shifted"), hetero.Grid1(n, 64), func() []hetero.Arg {
			y = floats(3, n)
			return []hetero.Arg{hetero.Val(int32(n)), hetero.Offset[int32](), hetero.In(x, hetero.Rows(1)), hetero.Out(y, hetero.Rows(1))}
		}, func() any { return y }},
		blur(1, rows.Halo(1, 1, hetero.Wrap)),
		blur(3, rows.Halo(3, 3, hetero.Wrap)),
		blur(60, rows.Halo(60, 60, hetero.Wrap)), // wider than half of the image
		blur(7, hetero.Replicate()),
	}
}

type double = float64

// TestHaloIsNeeded shows that TestSameBits sees rows that were not copied.
func TestHaloIsNeeded(t *testing.T) {
	const w, h = 37, 101
	img, out := make([]double, w*h), make([]double, w*h)
	for i := range img {
		img[i] = double(i)
	}
	args := func(halo int) []hetero.Arg {
		return []hetero.Arg{hetero.Val(int32(w)), hetero.Val(int32(h)), hetero.Val(int32(2)), hetero.In(img, hetero.Rows(w).Halo(halo, halo, hetero.Wrap)),
			hetero.In([]float32{1, 1, 1}, hetero.Replicate()), hetero.Out(out, hetero.Rows(w))}
	}
	host, err := cuda.OpenHost(cuda.HostConfig{Poison: true}) // rows of an earlier run are not found
	require.NoError(t, err)
	defer func() { require.NoError(t, host.Close()) }()
	p := open(t, hetero.OnCUDA(host))
	grid := hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(16, 2)}
	_, err = p.Run(background, kernel(t, "blur"), grid, args(2), hetero.RunConfig{Policy: policy.Dynamic(5)})
	require.NoError(t, err)
	right := append([]double(nil), out...)
	_, err = p.Run(background, kernel(t, "blur"), grid, args(1), hetero.RunConfig{Policy: policy.Dynamic(5)})
	require.NoError(t, err)
	require.False(t, slices.Equal(right, out))
}

// TestCUDAAndGo splits one job over CUDA on host devices and a body in Go, one of them slowed down.
func TestCUDAAndGo(t *testing.T) {
	const n = 1 << 16
	x, y := floats(1, n), floats(2, n)
	want := make([]float32, n)
	for i := range y {
		want[i] = float32(2*x[i]) + y[i]
	}
	body := hetero.Go(func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			y[i] = float32(2*x[i]) + y[i]
		}
		return nil
	})
	k := func() *hetero.Kernel { // -fmad=false: Go does not contract either
		k, err := hetero.NewKernel("saxpy", hetero.CUDA(source, "saxpy", cuda.CompileConfig{Options: []string{"-fmad=false"}}), body)
		require.NoError(t, err)
		return k
	}()
	p := open(t, append(hosts(t, 2), hetero.OnCPU(2))...)
	rec := trace.New(0)
	rep, err := p.Run(background, k, hetero.Grid1(n, 64),
		[]hetero.Arg{hetero.Val(int32(n)), hetero.Val(float32(2)), hetero.In(x, hetero.Rows(1)), hetero.InOut(y, hetero.Rows(1))},
		hetero.RunConfig{Policy: policy.Dynamic(16), Trace: rec})
	require.NoError(t, err)
	t.Log(rep)
	require.True(t, slices.Equal(want, y))
	done := map[trace.Kind]int{}
	for _, s := range rec.Spans() {
		done[s.Kind] += s.Hi - s.Lo
	}
	require.Equal(t, n, done[trace.Commit]+done[trace.Chunk])
}

// TestFaultOnADevice: a kernel that faults for one item loses each host device that meets it; the Go body does the rest.
func TestFaultOnADevice(t *testing.T) {
	const n = 20_000
	y := make([]uint8, n)
	for i := range y {
		y[i] = uint8(i * 7)
	}
	before := append([]uint8(nil), y...)
	k := kernel(t, "faulty", hetero.Go(func(_ context.Context, lo, hi int) error {
		for i := lo; i < hi; i++ {
			y[i] = y[i]*3 + uint8(i)
		}
		return nil
	}))
	p := open(t, append(hosts(t, 2), hetero.OnCPU(1))...)
	args := []hetero.Arg{hetero.Val(int32(n)), hetero.Val(int32(n - 1)), hetero.InOut(y, hetero.Rows(1))}
	rep, err := p.Run(background, k, hetero.Grid1(n, 32), args, hetero.RunConfig{Policy: lastFirst{}})
	require.NoError(t, err)
	t.Log(rep)
	require.ErrorIs(t, rep.Devices[0].Err, cuda.ErrIllegalAddress)
	for i := range y {
		if want := before[i]*3 + uint8(i); y[i] != want {
			require.Equal(t, want, y[i], "item %d", i)
		}
	}
}

// lastFirst gives all to the first device, and what that fails to the others in small pieces.
type lastFirst struct{}

func (lastFirst) Next(s *policy.State, d int) (int, policy.Reason) {
	switch {
	case s.Remaining == 0:
		return 0, policy.Empty
	case d == 0 && s.Devices[0].Issued == 0:
		return s.Remaining, policy.Share
	case s.Devices[0].Issued == 0:
		return 0, policy.Reserved
	}
	return min(s.Remaining, 10), policy.Share
}

// TestGoBodyThatFails: InOut rows are what they were when the next device gets them.
func TestGoBodyThatFails(t *testing.T) {
	const n = 5000
	for _, how := range []string{"error", "panic", "half"} {
		y, tries := make([]int64, n), 0
		k, err := hetero.NewKernel("count", hetero.Go(func(_ context.Context, lo, hi int) error {
			for i := lo; i < hi; i++ {
				if i == 3210 && tries < 2 {
					tries++
					if how == "panic" {
						panic("in the middle")
					}
					return errors.New("in the middle")
				}
				y[i]++
			}
			return nil
		}))
		require.NoError(t, err)
		p := open(t, hetero.OnCPU(1))
		rep, err := p.Run(background, k, hetero.Grid1(n, 1), []hetero.Arg{hetero.InOut(y, hetero.Rows(1))}, hetero.RunConfig{})
		require.NoError(t, err)
		require.Equal(t, 2, tries)
		require.GreaterOrEqual(t, rep.Retried, 2, "what is given back may be divided")
		for i := range y {
			require.EqualValues(t, 1, y[i], "item %d, %s", i, how)
		}
	}
}

func TestStuckBody(t *testing.T) {
	release, ended := make(chan struct{}), make(chan struct{})
	y := make([]int32, 100)
	k, err := hetero.NewKernel("stuck", hetero.Go(func(_ context.Context, lo, hi int) error {
		if lo <= 50 && 50 < hi {
			defer close(ended)
			<-release
		}
		return nil
	}))
	require.NoError(t, err)
	p := open(t, hetero.OnCPU(1))
	_, err = p.Run(background, k, hetero.Grid1(100, 1), []hetero.Arg{hetero.InOut(y, hetero.Rows(1))},
		hetero.RunConfig{HangFloor: 10 * time.Millisecond, FirstHang: 20 * time.Millisecond})
	var stuck *hetero.StuckError
	require.ErrorAs(t, err, &stuck)
	require.True(t, stuck.Range.Lo <= 50 && 50 < stuck.Range.Hi)
	var failed *hetero.RunError
	require.ErrorAs(t, err, &failed)
	require.NotEmpty(t, failed.Undone)
	close(release)
	<-ended
}

func TestDeclarationsThatCannotBeSplit(t *testing.T) {
	x, y := make([]float32, 100), make([]float32, 100)
	p := open(t, hetero.OnCPU(1))
	rows := hetero.Rows(1)
	for name, args := range map[string][]hetero.Arg{
		"InOut with a halo":    {hetero.InOut(x, rows.Halo(1, 1, hetero.Stop))},
		"Out with a halo":      {hetero.Out(x, rows.Halo(0, 1, hetero.Wrap))},
		"replicated output":    {hetero.Out(x, hetero.Replicate())},
		"overlapping outputs":  {hetero.Out(x, rows), hetero.Out(x, rows)},
		"output over an input": {hetero.In(x, rows), hetero.InOut(x, rows)},
		"too few rows":         {hetero.In(x[:99], rows)},
		"rows do not divide":   {hetero.In(make([]float32, 250), hetero.Rows(2))},
		"no stride":            {hetero.In(x, hetero.Rows(0))},
		"negative halo":        {hetero.In(x, rows.Halo(-1, 0, hetero.Stop))},
		"nil":                  {nil},
	} {
		_, err := p.Run(background, noop(t), hetero.Grid1(100, 8), args, hetero.RunConfig{})
		require.ErrorIs(t, err, hetero.ErrDeclaration, name)
	}
	_, err := p.Run(background, noop(t), hetero.Grid1(0, 8), nil, hetero.RunConfig{})
	require.ErrorIs(t, err, hetero.ErrDeclaration)
	_, err = hetero.NewKernel("none")
	require.ErrorIs(t, err, hetero.ErrDeclaration)
	_, err = p.Run(background, noop(t), hetero.Grid1(100, 8), []hetero.Arg{hetero.In(x, rows), hetero.In(x, rows), hetero.Out(y, rows)}, hetero.RunConfig{})
	require.NoError(t, err, "inputs may share memory")
}

func TestKernelHashes(t *testing.T) {
	seen := map[[32]byte]string{}
	for name, impl := range map[string]hetero.Impl{
		"saxpy":   hetero.CUDA(source, "saxpy", cuda.CompileConfig{}),
		"blur":    hetero.CUDA(source, "blur", cuda.CompileConfig{}),
		"comment": hetero.CUDA(source+"//", "saxpy", cuda.CompileConfig{}),
		"option":  hetero.CUDA(source, "saxpy", cuda.CompileConfig{Options: []string{"-DX"}}),
		"header":  hetero.CUDA(source, "saxpy", cuda.CompileConfig{Headers: map[string]string{"a": "b"}}),
		"go":      hetero.Go(func(context.Context, int, int) error { return nil }),
		"other":   hetero.Go(func(context.Context, int, int) error { return errFake }),
		"range":   hetero.GoRange(func(int, int) {}),
	} {
		k, err := hetero.NewKernel("k", impl)
		require.NoError(t, err)
		require.NotContains(t, seen, k.Hash(), name)
		seen[k.Hash()] = name
		again, err := hetero.NewKernel("other name", impl)
		require.NoError(t, err)
		require.Equal(t, k.Hash(), again.Hash())
	}
}

func TestDefaultPool(t *testing.T) {
	p, err := hetero.Open(hetero.PoolConfig{ModelDir: t.TempDir()})
	require.NoError(t, err)
	require.NotEmpty(t, p.Devices())
	const n = 3000
	x, y := floats(1, n), make([]float32, n)
	rep, err := p.Run(background, kernel(t, "shifted"), hetero.Grid1(n, 128),
		[]hetero.Arg{hetero.Val(int32(n)), hetero.Offset[int32](), hetero.In(x, hetero.Rows(1)), hetero.Out(y, hetero.Rows(1))}, hetero.RunConfig{})
	require.NoError(t, err)
	require.NoError(t, rep.ModelErr)
	require.Equal(t, float32(3)*x[n-1]+n-1, y[n-1])
	require.NoError(t, p.Close())
	require.NoError(t, p.Close())
}
