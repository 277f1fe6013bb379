package hetero_test

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

const divideSource = `
// y = A x, A in CSR form.
extern "C" __global__ void spmv(int rows, const int *ptr, const int *col, const double *val, const double *x, double *y) {
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r >= rows) return;
    double s = 0;
    for (int k = ptr[r]; k < ptr[r + 1]; k++) s += val[k] * x[col[k]];
    y[r] = s;
}
// Each item scales the nonzeros of its row in place.
extern "C" __global__ void scalerows(int rows, const int *ptr, double *val) {
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r >= rows) return;
    for (int k = ptr[r]; k < ptr[r + 1]; k++) val[k] = val[k] * r;
}
// Each item writes three elements for its two: the mean of the pair, and both.
extern "C" __global__ void triples(int pairs, const float *x, float *y) {
    int p = blockIdx.x * blockDim.x + threadIdx.x;
    if (p >= pairs) return;
    y[3 * p] = x[2 * p]; y[3 * p + 1] = x[2 * p + 1]; y[3 * p + 2] = (x[2 * p] + x[2 * p + 1]) / 2;
}
extern "C" __global__ void half(int n, const float *x, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && i % 2 == 0) y[i / 2] = x[i];
}
extern "C" __global__ void clamped(int w, int h, int dy, const float *in, float *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < w && y < h) out[y * w + x] = in[min(y + dy, h - 1) * w + x] - in[max(y - dy, 0) * w + x];
}
extern "C" __global__ void zeroed(int w, int h, int dy, const float *in, float *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < w && y < h) out[y * w + x] = (y + dy < h ? in[(y + dy) * w + x] : 0) - (y >= dy ? in[(y - dy) * w + x] : 0);
}
extern "C" __global__ void shiftcount(int total, int first, int count, int *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < count) y[first + i] = total - first - i;
}
extern "C" __global__ void bytes(int n, unsigned char *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = y[i] * 5 + i;
}
extern "C" __global__ void collatz(int n, int *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned v = i + 1; int k = 0;
    for (; v != 1; k++) v = v % 2 ? 3 * v + 1 : v / 2;
    y[i] = k;
}`

func divideKernel(t testing.TB, entry string) *hetero.Kernel {
	k, err := hetero.NewKernel(entry, hetero.CUDA(divideSource, entry, cuda.CompileConfig{}))
	require.NoError(t, err)
	return k
}

// divideJobs are jobs whose arguments follow the split in every way there is.
func divideJobs(t testing.TB) []job {
	const rows, n, w, h = 3001, 6002, 41, 97
	r := random(9)
	ptr32, ptr := make([]int32, rows+1), make([]int, rows+1)
	for i := range rows {
		ptr[i+1] = ptr[i] + r.IntN(9)*r.IntN(3)
		ptr32[i+1] = int32(ptr[i+1])
	}
	nz := ptr[rows]
	col, val, x := make([]int32, nz), make([]float64, nz), make([]float64, rows)
	for i := range val {
		col[i], val[i] = int32(r.IntN(rows)), r.Float64()
	}
	for i := range x {
		x[i] = r.Float64()
	}
	plus1 := hetero.Mapped(func(i hetero.Range) hetero.Range { return hetero.Range{Lo: i.Lo, Hi: i.Hi + 1} })
	in := floats(4, n)
	var y64 []float64
	var y32 []float32
	var i32 []int32
	var u8 []uint8
	stencil := func(entry string, dy int) job {
		img := floats(5, w*h)
		return job{entry, divideKernel(t, entry), hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(32, 3)}, func() []hetero.Arg {
			y32 = make([]float32, w*h)
			return []hetero.Arg{hetero.Val(int32(w)), hetero.Val(int32(h)), hetero.Val(int32(dy)),
				hetero.In(img, hetero.Rows(w).Halo(dy, dy, hetero.Stop)), hetero.Out(y32, hetero.Rows(w))}
		}, func() any { return y32 }}
	}
	return []job{
		{"spmv", divideKernel(t, "spmv"), hetero.Grid1(rows, 32), func() []hetero.Arg {
			y64 = make([]float64, rows)
			return []hetero.Arg{hetero.Total[int32](), hetero.In(ptr32, plus1), hetero.In(col, hetero.Irregular(ptr)), hetero.In(val, hetero.Irregular(ptr)),
				hetero.In(x, hetero.Replicate()), hetero.Out(y64, hetero.Rows(1))}
		}, func() any { return y64 }},
		{"scalerows", divideKernel(t, "scalerows"), hetero.Grid1(rows, 32), func() []hetero.Arg {
			y64 = slices.Clone(val)
			return []hetero.Arg{hetero.Total[int32](), hetero.In(ptr32, plus1), hetero.InOut(y64, hetero.Irregular(ptr))}
		}, func() any { return y64 }},
		{"triples", divideKernel(t, "triples"), hetero.Grid1(n/2, 16), func() []hetero.Arg {
			y32 = make([]float32, n/2*3)
			triple := hetero.Mapped(func(i hetero.Range) hetero.Range { return hetero.Range{Lo: 3 * i.Lo, Hi: 3 * i.Hi} })
			return []hetero.Arg{hetero.Total[int32](), hetero.In(in, hetero.Scaled(2, 1)), hetero.Out(y32, triple)}
		}, func() any { return y32 }},
		{"half", divideKernel(t, "half"), hetero.Grid1(n-1, 16), func() []hetero.Arg {
			y32 = make([]float32, n/2)
			return []hetero.Arg{hetero.Total[int32](), hetero.In(in[:n-1], hetero.Rows(1)), hetero.Out(y32, hetero.Scaled(1, 2))}
		}, func() any { return y32 }},
		stencil("clamped", 1), stencil("clamped", 3), stencil("zeroed", 1), stencil("zeroed", 3),
		{"shiftcount", divideKernel(t, "shiftcount"), hetero.Grid1(n, 16), func() []hetero.Arg {
			i32 = make([]int32, n)
			return []hetero.Arg{hetero.Total[int32](), hetero.Offset[int32](), hetero.Count[int32](), hetero.Out(i32, hetero.Rows(1))}
		}, func() any { return i32 }},
		{"bytes", divideKernel(t, "bytes"), hetero.Grid1(n, 16), func() []hetero.Arg {
			u8 = slices.Repeat([]uint8{7, 250}, n/2)
			return []hetero.Arg{hetero.Total[int32](), hetero.InOut(u8, hetero.Rows(1))}
		}, func() any { return u8 }},
		{"collatz", divideKernel(t, "collatz"), hetero.Grid1(n, 64), func() []hetero.Arg {
			i32 = make([]int32, n)
			return []hetero.Arg{hetero.Total[int32](), hetero.Out(i32, hetero.Rows(1))}
		}, func() any { return i32 }},
	}
}

// TestDividedInEveryWay: whatever the arguments declare, the answer has the bits of one launch over any split.
func TestDividedInEveryWay(t *testing.T) {
	devices, _ := everywhere(t)
	single := open(t, devices[0])
	for _, c := range divideJobs(t) {
		t.Run(c.name, func(t *testing.T) {
			_, err := single.Run(background, c.kernel, c.grid, c.args(), hetero.RunConfig{Policy: policy.Dynamic(1 << 30)})
			require.NoError(t, err)
			want := c.answer()
			for seed := range count(12, 200) {
				r := random(seed)
				rep, err := open(t, anyOf(r, devices)...).Run(background, c.kernel, c.grid, c.args(), hetero.RunConfig{Policy: anyPolicy(r, 30)})
				require.NoError(t, err)
				require.Equal(t, want, c.answer(), "seed %d\n%v", seed, rep)
			}
		})
	}
}

// TestBadDeclarations: what cannot be divided is an error that says so, before anything is written.
func TestBadDeclarations(t *testing.T) {
	x := make([]float32, 100)
	mapped := func(f func(lo int) hetero.Range) hetero.Part {
		return hetero.Mapped(func(r hetero.Range) hetero.Range { return f(r.Lo) })
	}
	var sum float32
	p := open(t, hetero.OnCPU(1))
	for name, a := range map[string]hetero.Arg{
		"offsets too few":         hetero.In(x, hetero.Irregular(make([]int, 100))),
		"offsets that fall":       hetero.In(x, hetero.Irregular(append(slices.Repeat([]int{9, 3}, 50), 100))),
		"offsets beyond":          hetero.In(x, hetero.Irregular(append(make([]int, 100), 101))),
		"negative offsets":        hetero.In(x, hetero.Irregular(append([]int{-1}, make([]int, 100)...))),
		"no function":             hetero.In(x, hetero.Mapped(nil)),
		"mapped beyond":           hetero.In(x, mapped(func(lo int) hetero.Range { return hetero.Range{Lo: lo, Hi: 101} })),
		"mapped below":            hetero.In(x, mapped(func(lo int) hetero.Range { return hetero.Range{Lo: lo - 1, Hi: lo} })),
		"mapped upside down":      hetero.In(x, mapped(func(lo int) hetero.Range { return hetero.Range{Lo: 50, Hi: 40} })),
		"mapped downwards":        hetero.In(x, mapped(func(lo int) hetero.Range { return hetero.Range{Lo: 92 - lo, Hi: 100 - lo} })),
		"overlapping outputs":     hetero.Out(x, mapped(func(lo int) hetero.Range { return hetero.Range{Lo: lo, Hi: min(lo+9, 100)} })),
		"a halo of a map":         hetero.In(x, mapped(func(lo int) hetero.Range { return hetero.Range{} }).Halo(1, 1, hetero.Stop)),
		"scaled unevenly":         hetero.In(x, hetero.Scaled(1, 3)),
		"scaled to another size":  hetero.In(x, hetero.Scaled(2, 1)),
		"scaled by nothing":       hetero.In(x, hetero.Scaled(0, 1)),
		"no destination":          hetero.Reduce[float32](nil, hetero.Sum[float32]()),
		"no operator":             hetero.Reduce(&sum, hetero.Op[float32]{}),
		"accumulator, no op":      hetero.Accum(x, hetero.Op[float32]{}),
		"no buffer":               hetero.InBuffer[float32](nil, hetero.Rows(1)),
		"deterministic, rounding": hetero.Accum(x, hetero.Sum[float32]()),
	} {
		_, err := p.Run(background, noop(t), hetero.Grid1(100, 8), []hetero.Arg{a}, hetero.RunConfig{Deterministic: true})
		require.ErrorIs(t, err, hetero.ErrDeclaration, name)
		_, err = p.Compile(background, noop(t), hetero.Grid1(100, 8), []hetero.Arg{a}, hetero.RunConfig{Deterministic: true})
		require.ErrorIs(t, err, hetero.ErrDeclaration, name)
	}
	require.Equal(t, make([]float32, 100), x)
}

// sumKernel has each block write the tree sum of its 64 items; the body in Go does the same.
func sumKernel(t testing.TB, x []float32) *hetero.Kernel {
	const source = `
extern "C" __global__ void blocksum(int n, const float *x, float *sums) {
    __shared__ float s[64];
    int t = threadIdx.x, i = blockIdx.x * 64 + t;
    s[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int k = 1; k < 64; k *= 2) {
        float v = t % (2 * k) == 0 ? s[t] + s[t + k] : s[t];
        __syncthreads();
        s[t] = v;
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = s[0];
}`
	k, err := hetero.NewKernel("blocksum", hetero.CUDA(source, "blocksum", cuda.CompileConfig{}),
		hetero.GoChunk(func(_ context.Context, c hetero.Chunk) error {
			sums, pad := hetero.Elements[float32](c, 2), make([]float32, 64)
			for lo := c.Lo; lo < c.Hi; lo += 64 {
				clear(pad)
				copy(pad, x[lo:min(lo+64, len(x))])
				sums[lo/64] = hetero.Tree(pad, hetero.Sum[float32]())
			}
			return nil
		}))
	require.NoError(t, err)
	return k
}

// TestReductionsHaveOneResult: sums of numbers of mixed magnitude over random splits, one to five devices, CUDA and Go,
// have the same bits; and are right. What is added in the order of chunks is not, which shows that the test can fail.
func TestReductionsHaveOneResult(t *testing.T) {
	n, runs := int(count(300_007, 10_000_019)), count(200, 1000)
	r := random(12)
	x := make([]float32, n)
	exact := new(big.Float).SetPrec(2000)
	size := 0.0
	for i := range x {
		x[i] = float32(math.Ldexp(r.Float64()-0.5, r.IntN(24)))
		exact.Add(exact, big.NewFloat(float64(x[i])))
		size += math.Abs(float64(x[i]))
	}
	var sum float32
	kernel := sumKernel(t, x)
	acc := make([]float32, 1)
	accumulator := hetero.Accum(acc, hetero.Sum[float32]())
	naive, err := hetero.NewKernel("naive", hetero.GoChunk(func(_ context.Context, c hetero.Chunk) error {
		s := accumulator.Local(c)
		for _, v := range x[c.Lo:c.Hi] {
			s[0] += v
		}
		return nil
	}))
	require.NoError(t, err)
	devices := append(hosts(t, 3), hetero.OnCPU(1), hetero.OnCPU(2))
	seen, loose := map[uint32]int{}, map[uint32]int{}
	for seed := range runs {
		k := 1 + r.IntN(5)
		perm := rand.New(rand.NewPCG(seed, 1)).Perm(5)[:k]
		var some []hetero.Device
		for _, i := range perm {
			some = append(some, devices[i])
		}
		some = append(some, &lossy{Device: hetero.OnCPU(1), every: 3})
		p := open(t, some...)
		sum = 4711
		rep, err := p.Run(background, kernel, hetero.Grid1(n, 64), []hetero.Arg{hetero.Val(int32(n)), hetero.In(x, hetero.Rows(1)),
			hetero.Reduce(&sum, hetero.Sum[float32]())}, hetero.RunConfig{Policy: fickle(seed), Deterministic: true, Retries: 50})
		require.NoError(t, err, "%v", rep)
		seen[math.Float32bits(sum)]++
		_, err = open(t, hetero.OnCPU(1)).Run(background, naive, hetero.Grid1(n, 64), []hetero.Arg{accumulator}, hetero.RunConfig{Policy: fickle(seed)})
		require.NoError(t, err)
		loose[math.Float32bits(acc[0])]++
	}
	require.Len(t, seen, 1, "one bit pattern")
	require.Greater(t, len(loose), 1)
	want, _ := exact.Float64()
	// A tree of n values rounds each at most log2(n)+1 times, by half a unit of its size.
	require.InDelta(t, want, float64(sum), size*25*math.Ldexp(1, -24))
	require.InDelta(t, want, float64(sum), 1e-6*size)
}

// lossy is a device some of whose chunks fail after the body has run.
type lossy struct {
	hetero.Device
	every int
}

func (d *lossy) Prepare(ctx context.Context, j *hetero.Job) (hetero.Feed, error) {
	f, err := d.Device.Prepare(ctx, j)
	return &lossyFeed{Feed: f, every: d.every}, err
}

type lossyFeed struct {
	hetero.Feed
	every, n int
}

func (f *lossyFeed) Do(ctx context.Context, lane int, t *hetero.Task) error {
	if f.n++; f.n%f.every == 0 {
		return errFake
	}
	return f.Feed.Do(ctx, lane, t)
}

const histogramSource = `
extern "C" __global__ void histogram(int n, const unsigned char *x, unsigned *bins) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&bins[x[i]], 1u);
}`

// TestAccumulatorsCountOnce: a histogram over CUDA and Go, with chunks that fail, counts each item once.
func TestAccumulatorsCountOnce(t *testing.T) {
	const n = 40_001
	x, want := make([]uint8, n), make([]uint32, 256)
	r := random(3)
	for i := range x {
		x[i] = uint8(r.IntN(256) & r.IntN(256))
		want[x[i]]++
	}
	bins := slices.Repeat([]uint32{99}, 256)
	acc := hetero.Accum(bins, hetero.Sum[uint32]())
	k, err := hetero.NewKernel("histogram", hetero.CUDA(histogramSource, "histogram", cuda.CompileConfig{}),
		hetero.GoChunk(func(_ context.Context, c hetero.Chunk) error {
			b := acc.Local(c)
			for _, v := range x[c.Lo:c.Hi] {
				b[v]++
			}
			return nil
		}))
	require.NoError(t, err)
	args := []hetero.Arg{hetero.Total[int32](), hetero.In(x, hetero.Rows(1)), acc}
	for seed := range uint64(10) {
		p := open(t, hosts(t, 1)[0], hetero.OnCPU(2), &lossy{Device: hetero.OnCPU(1), every: 2})
		_, err := p.Run(background, k, hetero.Grid1(n, 32), args, hetero.RunConfig{Policy: fickle(seed), Deterministic: true, Retries: 50})
		require.NoError(t, err)
		require.Equal(t, want, bins)
	}
	ctx, cancel := context.WithCancel(background)
	cancel()
	copy(bins, make([]uint32, 256))
	_, err = open(t, hetero.OnCPU(1)).Run(ctx, k, hetero.Grid1(n, 32), args, hetero.RunConfig{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, make([]uint32, 256), bins, "a run that does not do all leaves it as it was")
}

func TestOperators(t *testing.T) {
	lo, hi := hetero.Min(float64(math.MaxFloat64)), hetero.Max(int8(math.MinInt8))
	require.Equal(t, -3.0, hetero.Tree([]float64{4, -3, 8}, lo))
	require.Equal(t, int8(9), hetero.Tree([]int8{4, -3, 9, 2, 1}, hi))
	require.True(t, math.IsNaN(hetero.Tree([]float64{4, math.NaN(), 8, 9, 1}, lo)))
	require.Equal(t, math.MaxFloat64, hetero.Tree(nil, lo))
	values := []int64{1, 2, 3, 4, 5, 6, 7}
	require.Equal(t, int64(28), hetero.Tree(values, hetero.Sum[int64]()))
	require.Equal(t, []int64{1, 2, 3, 4, 5, 6, 7}, values)
}
