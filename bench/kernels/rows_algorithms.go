package main

import (
	"context"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/linalg"
	"github.com/tandem-go/tandem/kernels/random"
	"github.com/tandem-go/tandem/kernels/scan"
	"github.com/tandem-go/tandem/kernels/sort"
)

// algorithmRows measure kernels/scan, sort, random and linalg. Results go to memory that is there, as NumPy's do where it can.
var algorithmRows = []row{
	{"cumsum(x)", "z = np.empty_like(x)", "np.cumsum(x, out=z)", 2, scans(scan.Add)},
	{"maximum.accumulate(x)", "z = np.empty_like(x)", "np.maximum.accumulate(x, out=z)", 0, scans(scan.Max)},
	{"cumsum along axis 1 of 4096 rows", "m = x.reshape(4096, -1); z = np.empty_like(m)", "np.cumsum(m, axis=1, out=z)", 0, rowScans},
	{"sort(x)", "", "z = np.sort(x)", 2, sorts(1)},
	{"sort(x), stable", "", "z = np.sort(x, kind='stable')", 0, sorts(1)},
	{"argsort(x), stable", "", "z = np.argsort(x, kind='stable')", 0, argsorts},
	{"sort along axis 1 of 16384 rows", "m = x.reshape(16384, -1)", "z = np.sort(m, axis=1)", 0, sorts(16384)},
	{"unique(x), with counts", "", "z, c = np.unique(x, return_counts=True)", 0, unique},
	{"the 1000 largest of x, sorted", "", "i = np.argpartition(x, n-1000)[n-1000:]; i = i[np.argsort(-x[i], kind='stable')]; z = x[i]", 0, top},
	{"histogram(x), 256 bins", "", "z = np.histogram(x, bins=256, range=(0, 1))[0]", 0, histogram},
	{"searchsorted, 1M values in 16M", "s = np.sort(x); v = y[:1<<20]", "z = np.searchsorted(s, v)", 0, search},
	{"random uniform, Philox", "g = np.random.Generator(np.random.Philox(1)); z = np.empty_like(x)", "g.random(dtype=np.float32, out=z)", 0, uniforms(random.Philox)},
	{"random uniform, Philox; NumPy's default generator", "g = np.random.default_rng(1); z = np.empty_like(x)", "g.random(dtype=np.float32, out=z)", 3, uniforms(random.Philox)},
	{"random uniform, XORWOW; NumPy's default generator", "g = np.random.default_rng(1); z = np.empty_like(x)", "g.random(dtype=np.float32, out=z)", 0, uniforms(random.XORWOW)},
	{"random normal; NumPy's default generator", "g = np.random.default_rng(1); z = np.empty_like(x)", "g.standard_normal(dtype=np.float32, out=z)", 3, normals},
	{"random exponential; NumPy's default generator", "g = np.random.default_rng(1); z = np.empty_like(x)", "g.standard_exponential(dtype=np.float32, out=z)", 0, exponentials},
	{"random Poisson of rate 5", "g = np.random.default_rng(1)", "z = g.poisson(5, n)", 0, poissons(5)},
	{"random Poisson of rate 100", "g = np.random.default_rng(1)", "z = g.poisson(100, n)", 0, poissons(100)},
	{"random integers below 1000, int32", "g = np.random.default_rng(1)", "z = g.integers(0, 1000, n, dtype=np.int32)", 0, integers},
	{"random permutation", "g = np.random.default_rng(1)", "z = g.permutation(n)", 0, permutations},
	{"float32 matrix product, 1024", "a = x[:1<<20].reshape(1024, 1024); b = y[:1<<20].reshape(1024, 1024); c = a @ b", "np.matmul(a, b, out=c)", 0.5, gemm[float32](1024)},
	{"float64 matrix product, 1024", "a = x[:1<<20].reshape(1024, 1024).astype(np.float64); b = a.T.copy(); c = a @ b", "np.matmul(a, b, out=c)", 0, gemm[float64](1024)},
	{"complex64 matrix product, 512", "a = x[:1<<18].reshape(512, 512).astype(np.complex64); b = a.T.copy(); c = a @ b", "np.matmul(a, b, out=c)", 0, gemm[complex64](512)},
	{"float32 matrix times vector, 4096", "m = x.reshape(4096, -1); v = y[:4096]; c = m @ v", "np.matmul(m, v, out=c)", 0, gemv},
}

// opener opens one side of a row.
type opener = func(ctx context.Context, s *session) (func() error, error)

// waited is a queued operation that is waited for.
func waited(ctx context.Context, dev *cuda.Device, f func() error) func() error {
	return func() error {
		if err := f(); err != nil {
			return err
		}
		return dev.Synchronize(ctx)
	}
}

// memory is x on the device, and room for a result. The result is written once, so that its pages are there.
func memory[T cuda.Element](ctx context.Context, s *session) (x *cuda.Buffer[float32], out *cuda.Buffer[T], err error) {
	if x, err = cuda.Upload(ctx, s.dev, s.x); err != nil {
		return nil, nil, err
	}
	if out, err = cuda.Alloc[T](s.dev, len(s.x)); err != nil {
		return nil, nil, err
	}
	var zero T
	return x, out, out.Fill(zero, nil)
}

func scans(op scan.Op) opener {
	return func(ctx context.Context, s *session) (func() error, error) {
		x, z, err := memory[float32](ctx, s)
		l := scan.New(s.dev)
		return waited(ctx, s.dev, func() error { return scan.Inclusive(ctx, l, op, z, x, nil) }), err
	}
}

func rowScans(ctx context.Context, s *session) (func() error, error) {
	x, z, err := memory[float32](ctx, s)
	l := scan.New(s.dev)
	return waited(ctx, s.dev, func() error { return scan.InclusiveRows(ctx, l, scan.Add, 4096, z, x, nil) }), err
}

func sorts(rows int) opener {
	return func(ctx context.Context, s *session) (func() error, error) {
		x, z, err := memory[float32](ctx, s)
		l := sort.New(s.dev)
		return waited(ctx, s.dev, func() error { return sort.Keys(ctx, l, rows, sort.Ascending, z, x, nil) }), err
	}
}

func argsorts(ctx context.Context, s *session) (func() error, error) {
	x, z, err := memory[int64](ctx, s)
	l := sort.New(s.dev)
	return waited(ctx, s.dev, func() error { return sort.Arg(ctx, l, 1, sort.Ascending, z, x, nil) }), err
}

func unique(ctx context.Context, s *session) (func() error, error) {
	x, _, err := memory[float32](ctx, s)
	l := sort.New(s.dev)
	return waited(ctx, s.dev, func() error {
		values, counts, err := sort.Unique(ctx, l, x, nil)
		if err != nil {
			return err
		}
		if err := values.Close(); err != nil {
			return err
		}
		return counts.Close()
	}), err
}

func top(ctx context.Context, s *session) (func() error, error) {
	x, _, err := memory[float32](ctx, s)
	if err != nil {
		return nil, err
	}
	const k = 1000
	z, err := cuda.Alloc[float32](s.dev, k)
	if err != nil {
		return nil, err
	}
	index, err := cuda.Alloc[int64](s.dev, k)
	l := sort.New(s.dev)
	return waited(ctx, s.dev, func() error { return sort.TopK(ctx, l, sort.Descending, z, index, x, nil) }), err
}

func histogram(ctx context.Context, s *session) (func() error, error) {
	x, _, err := memory[float32](ctx, s)
	if err != nil {
		return nil, err
	}
	counts, err := cuda.Alloc[int64](s.dev, 256)
	l := sort.New(s.dev)
	return waited(ctx, s.dev, func() error { return sort.Histogram(ctx, l, 0, 1, counts, x, nil) }), err
}

func search(ctx context.Context, s *session) (func() error, error) {
	x, z, err := memory[float32](ctx, s)
	if err != nil {
		return nil, err
	}
	l := sort.New(s.dev)
	if err := sort.Keys(ctx, l, 1, sort.Ascending, z, x, nil); err != nil {
		return nil, err
	}
	v, err := cuda.Upload(ctx, s.dev, s.y[:min(len(s.y), 1<<20)])
	if err != nil {
		return nil, err
	}
	index, err := cuda.Alloc[int64](s.dev, v.Len())
	return waited(ctx, s.dev, func() error { return sort.Search(ctx, l, sort.Left, index, z, v, nil) }), err
}

func uniforms(m random.Method) opener {
	return func(ctx context.Context, s *session) (func() error, error) {
		_, z, err := memory[float32](ctx, s)
		g := random.New(s.dev).NewGenerator(random.Config{Method: m})
		return waited(ctx, s.dev, func() error { return random.Uniform(ctx, g, 0, 1, z, nil) }), err
	}
}

func normals(ctx context.Context, s *session) (func() error, error) {
	_, z, err := memory[float32](ctx, s)
	g := random.New(s.dev).NewGenerator(random.Config{})
	return waited(ctx, s.dev, func() error { return random.Normal(ctx, g, 0, 1, z, nil) }), err
}

func exponentials(ctx context.Context, s *session) (func() error, error) {
	_, z, err := memory[float32](ctx, s)
	g := random.New(s.dev).NewGenerator(random.Config{})
	return waited(ctx, s.dev, func() error { return random.Exponential(ctx, g, 1, z, nil) }), err
}

func poissons(rate float64) opener {
	return func(ctx context.Context, s *session) (func() error, error) {
		_, z, err := memory[int64](ctx, s)
		g := random.New(s.dev).NewGenerator(random.Config{})
		return waited(ctx, s.dev, func() error { return random.Poisson(ctx, g, rate, z, nil) }), err
	}
}

func integers(ctx context.Context, s *session) (func() error, error) {
	_, z, err := memory[int32](ctx, s)
	g := random.New(s.dev).NewGenerator(random.Config{})
	return waited(ctx, s.dev, func() error { return random.Integers(ctx, g, 0, 1000, z, nil) }), err
}

func permutations(ctx context.Context, s *session) (func() error, error) {
	_, z, err := memory[int64](ctx, s)
	g := random.New(s.dev).NewGenerator(random.Config{})
	return waited(ctx, s.dev, func() error { return random.Permutation(ctx, g, z, nil) }), err
}

// gemm multiplies matrices of small numbers; their values do not matter to its time.
func gemm[T linalg.Number](n int) opener {
	return func(ctx context.Context, s *session) (func() error, error) {
		var m [3]linalg.Matrix[T]
		for i := range m {
			b, err := cuda.Alloc[T](s.dev, n*n)
			if err != nil {
				return nil, err
			}
			if err := b.Fill(T(1), nil); err != nil {
				return nil, err
			}
			m[i] = linalg.Matrix[T]{Rows: n, Cols: n, Data: b}
		}
		l := linalg.New(s.dev)
		return waited(ctx, s.dev, func() error { return linalg.Gemm(ctx, l, linalg.NoTrans, linalg.NoTrans, 1, m[0], m[1], 0, m[2], nil) }), nil
	}
}

func gemv(ctx context.Context, s *session) (func() error, error) {
	x, z, err := memory[float32](ctx, s)
	if err != nil {
		return nil, err
	}
	rows := 4096
	cols := len(s.x) / rows
	a := linalg.Matrix[float32]{Rows: rows, Cols: cols, Data: x}
	v, err := cuda.Upload(ctx, s.dev, s.y[:cols])
	l := linalg.New(s.dev)
	return waited(ctx, s.dev, func() error {
		return linalg.Gemv(ctx, l, linalg.NoTrans, 1, a, linalg.Vector[float32]{N: cols, Data: v}, 0, linalg.Vector[float32]{N: rows, Data: z}, nil)
	}), err
}
