package sort_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/npy"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/sort"
)

func open(t *testing.T, dev *cuda.Device) *sort.Library {
	l := sort.New(dev)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// compare is the order of keys: NaN last, all NaNs equal, and both zeros.
func compare[K sort.Key](order sort.Order) func(a, b K) int {
	return func(a, b K) int {
		c := cmp.Compare(a, b) // NaN first
		if (a != a) != (b != b) {
			c = -c
		}
		if order == sort.Descending {
			return -c
		}
		return c
	}
}

// bits are the bits of a key.
func bits[K sort.Key](x K) uint64 {
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Float32:
		return uint64(math.Float32bits(float32(x)))
	case reflect.Float64:
		return math.Float64bits(float64(x))
	default:
		return uint64(x)
	}
}

func allBits[K sort.Key](x []K) []uint64 {
	out := make([]uint64, len(x))
	for i := range x {
		out[i] = bits(x[i])
	}
	return out
}

// draw makes keys of which many are equal, with everything that a type has.
func draw[K sort.Key](r *rand.Rand, n int) []K {
	x := oracle.Bits[K](r, n)
	few := oracle.Bits[K](r, 5)
	for i := range x {
		switch r.IntN(4) {
		case 0:
			x[i] = few[r.IntN(len(few))]
		case 1:
			x[i] = K(r.IntN(3))
		}
		if K(1)/2 != 0 && r.IntN(5) == 0 {
			v := reflect.ValueOf(&x[i]).Elem()
			v.SetFloat([]float64{math.NaN(), math.Copysign(math.NaN(), -1), math.Inf(1), math.Inf(-1), 0, math.Copysign(0, -1)}[r.IntN(6)])
		}
	}
	return x
}

// argsort is the definition, line by line.
func argsort[K sort.Key](x []K, rows int, order sort.Order) []int64 {
	out := make([]int64, len(x))
	for row := range rows {
		n := len(x) / rows
		line, number := x[row*n:(row+1)*n], out[row*n:(row+1)*n]
		for i := range number {
			number[i] = int64(i)
		}
		by := compare[K](order)
		slices.SortStableFunc(number, func(a, b int64) int { return by(line[a], line[b]) })
	}
	return out
}

func gather[T any](x []T, rows int, index []int64) []T {
	out := make([]T, len(x))
	for i := range out {
		n := len(x) / rows
		out[i] = x[int64(i/n*n)+index[i]]
	}
	return out
}

func testSorts[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library) {
	r := oracle.Rand(t, 1)
	for i, n := range []int{0, 1, 2, 3, 31, 32, 33, 100, 2047, 2048, 2049, 4099, 40_001} {
		testSort(t, dev, l, draw[K](r, n), 1, sort.Order(i%2))
		testSort(t, dev, l, draw[K](r, n), 1, sort.Order(1-i%2))
	}
	for i, n := range []int{1, 33, 1000, 9001} {
		testSort(t, dev, l.LikeGPU(), draw[K](r, n), 1, sort.Order(i%2))
		testSort(t, dev, l.LikeGPU(), draw[K](r, 3*n), 3, sort.Order(i%2))
	}
	for i, shape := range [][2]int{{1, 5}, {3, 1}, {5, 33}, {64, 100}, {3, 2048}, {3, 2049}, {2, 9001}} {
		testSort(t, dev, l, draw[K](r, shape[0]*shape[1]), shape[0], sort.Order(i%2))
	}
}

// testSort sorts in all ways and compares bits.
func testSort[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library, x []K, rows int, order sort.Order) {
	ctx := t.Context()
	index := argsort(x, max(rows, 1), order)
	want := gather(x, rows, index)
	src, dst := oracle.Upload(t, dev, x), oracle.Make[K](t, dev, len(x))
	require.NoError(t, sort.Keys(ctx, l, rows, order, dst.Buffer, src.Buffer, nil))
	require.Equal(t, allBits(want), allBits(dst.Read(t)), "%d rows of %d", rows, len(x)/rows)

	i4, i8 := oracle.Make[int32](t, dev, len(x)), oracle.Make[int64](t, dev, len(x))
	require.NoError(t, sort.Arg(ctx, l, rows, order, i8.Buffer, src.Buffer, nil))
	require.Equal(t, index, i8.Read(t))
	require.NoError(t, sort.Arg(ctx, l, rows, order, i4.Buffer, src.Buffer, nil))
	for i, v := range i4.Read(t) {
		require.EqualValues(t, index[i], v)
	}
	i8, dst = oracle.Make[int64](t, dev, len(x)), oracle.Make[K](t, dev, len(x))
	require.NoError(t, sort.KeysAndArg(ctx, l, rows, order, dst.Buffer, i8.Buffer, src.Buffer, nil))
	require.Equal(t, index, i8.Read(t))
	require.Equal(t, allBits(want), allBits(dst.Read(t)))
	require.Equal(t, allBits(x), allBits(src.Read(t)), "the input is unchanged")

	v4, v8 := make([]float32, len(x)), make([]complex64, len(x))
	for i := range x {
		v4[i], v8[i] = float32(i), complex(float32(i), float32(-i))
	}
	d4, d8 := oracle.Upload(t, dev, v4), oracle.Upload(t, dev, v8)
	out4 := oracle.Make[float32](t, dev, len(x))
	require.NoError(t, sort.Pairs(ctx, l, rows, order, dst.Buffer, out4.Buffer, src.Buffer, d4.Buffer, nil))
	require.Equal(t, allBits(want), allBits(dst.Read(t)))
	require.Equal(t, gather(v4, rows, index), out4.Read(t))
	require.NoError(t, sort.Pairs(ctx, l, rows, order, src.Buffer, d8.Buffer, src.Buffer, d8.Buffer, nil), "in place")
	require.Equal(t, allBits(want), allBits(src.Read(t)))
	require.Equal(t, gather(v8, rows, index), d8.Read(t))
	again := oracle.Upload(t, dev, x)
	require.NoError(t, sort.Keys(ctx, l, rows, order, again.Buffer, again.Buffer, nil), "in place")
	require.Equal(t, allBits(want), allBits(again.Read(t)))
}

// testUnique compares with a walk through the sorted elements.
func testUnique[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library) {
	r := oracle.Rand(t, 2)
	for _, n := range []int{0, 1, 33, 2048, 5000, 40_001} {
		x := draw[K](r, n)
		sorted := gather(x, 1, argsort(x, 1, sort.Ascending))
		var want []K
		var counts []int64
		for i, v := range sorted {
			if i == 0 || compare[K](sort.Ascending)(sorted[i-1], v) != 0 {
				want, counts = append(want, v), append(counts, 0)
			}
			counts[len(counts)-1]++
		}
		dv, dc, err := sort.Unique(t.Context(), l, oracle.Upload(t, dev, x).Buffer, nil)
		require.NoError(t, err)
		values, err := dv.Download(t.Context())
		require.NoError(t, err)
		have, err := dc.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, allBits(want), allBits(values))
		require.ElementsMatch(t, counts, have)
		if n > 0 {
			require.Equal(t, counts, have)
		}
		require.NoError(t, dv.Close())
		require.NoError(t, dc.Close())
	}
}

func testTopK[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library) {
	r := oracle.Rand(t, 3)
	for _, n := range []int{1, 33, 2049, 20_001} {
		x := draw[K](r, n)
		src := oracle.Upload(t, dev, x)
		for _, order := range []sort.Order{sort.Ascending, sort.Descending} {
			index := argsort(x, 1, order)
			want := gather(x, 1, index)
			for i, k := range []int{0, 1, n / 3, n - 1, n} {
				l := []*sort.Library{l, l.LikeGPU()}[i%2]
				dst, di := oracle.Make[K](t, dev, k), oracle.Make[int64](t, dev, k)
				require.NoError(t, sort.TopK(t.Context(), l, order, dst.Buffer, di.Buffer, src.Buffer, nil))
				require.Equal(t, index[:k], di.Read(t), "%d of %d, %v", k, n, order)
				require.Equal(t, allBits(want[:k]), allBits(dst.Read(t)))
			}
		}
		require.Equal(t, allBits(x), allBits(src.Read(t)), "the input is unchanged")
	}
}

func testSearch[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library) {
	r := oracle.Rand(t, 4)
	by := compare[K](sort.Ascending)
	for _, n := range []int{0, 1, 33, 5000} {
		sorted := draw[K](r, n)
		slices.SortStableFunc(sorted, by)
		values := append(draw[K](r, 300), sorted[:min(n, 40)]...)
		ds, dv := oracle.Upload(t, dev, sorted), oracle.Upload(t, dev, values)
		for _, side := range []sort.Side{sort.Left, sort.Right} {
			i4, i8 := oracle.Make[int32](t, dev, len(values)), oracle.Make[int64](t, dev, len(values))
			require.NoError(t, sort.Search(t.Context(), l, side, i4.Buffer, ds.Buffer, dv.Buffer, nil))
			require.NoError(t, sort.Search(t.Context(), l, side, i8.Buffer, ds.Buffer, dv.Buffer, nil))
			got4, got8 := i4.Read(t), i8.Read(t)
			for i, v := range values {
				want := 0
				for _, x := range sorted {
					if c := by(x, v); c < 0 || c == 0 && side == sort.Right {
						want++
					}
				}
				require.EqualValues(t, want, got4[i])
				require.EqualValues(t, want, got8[i])
			}
		}
	}
}

// testHistogram counts with the definition of bins.
func testHistogram[K sort.Key](t *testing.T, dev *cuda.Device, l *sort.Library) {
	r := oracle.Rand(t, 5)
	for _, n := range []int{0, 1, 33, 20_001} {
		x := oracle.Small[K](r, n, 0, 1000)
		if K(1)/2 != 0 {
			for i, v := range draw[K](r, n) {
				if i%3 == 0 {
					x[i] = v
				}
			}
		}
		src := oracle.Upload(t, dev, x)
		for _, bins := range []int{1, 7, 100, 5000} {
			edges := sort.Edges(100, 900, bins)
			counts := oracle.Make[int64](t, dev, bins)
			require.NoError(t, sort.Histogram(t.Context(), l, 100, 900, counts.Buffer, src.Buffer, nil))
			require.Equal(t, count(x, edges), counts.Read(t))
			for i := range edges {
				edges[i] = 1.0 + r.Float64()*700
			}
			slices.Sort(edges)
			require.NoError(t, sort.HistogramEdges(t.Context(), l, edges, counts.Buffer, src.Buffer, nil))
			require.Equal(t, count(x, edges), counts.Read(t))
		}
	}
}

func count[K sort.Key](x []K, edges []float64) []int64 {
	out := make([]int64, len(edges)-1)
	last := len(edges) - 1
	for _, k := range x {
		v := float64(k)
		if v == edges[last] {
			out[last-1]++
			continue
		}
		if j, _ := slices.BinarySearchFunc(edges, v, func(e, v float64) int {
			if e <= v {
				return -1
			}
			return 1
		}); v == v && j > 0 && j <= last {
			out[j-1]++
		}
	}
	return out
}

func each(t *testing.T, f32, f64, i32, u32, i64, u64 func(t *testing.T, dev *cuda.Device, l *sort.Library)) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		for name, f := range map[string]func(t *testing.T, dev *cuda.Device, l *sort.Library){
			"float32": f32, "float64": f64, "int32": i32, "uint32": u32, "int64": i64, "uint64": u64} {
			t.Run(name, func(t *testing.T) { f(t, dev, l) })
		}
	})
}

func TestSorts(t *testing.T) {
	each(t, testSorts[float32], testSorts[float64], testSorts[int32], testSorts[uint32], testSorts[int64], testSorts[uint64])
}

func TestUnique(t *testing.T) {
	each(t, testUnique[float32], testUnique[float64], testUnique[int32], testUnique[uint32], testUnique[int64], testUnique[uint64])
}

func TestTopK(t *testing.T) {
	each(t, testTopK[float32], testTopK[float64], testTopK[int32], testTopK[uint32], testTopK[int64], testTopK[uint64])
}

func TestSearch(t *testing.T) {
	each(t, testSearch[float32], testSearch[float64], testSearch[int32], testSearch[uint32], testSearch[int64], testSearch[uint64])
}

func TestHistogram(t *testing.T) {
	each(t, testHistogram[float32], testHistogram[float64], testHistogram[int32], testHistogram[uint32], testHistogram[int64], testHistogram[uint64])
}

// TestNumPy compares with NumPy: sort, argsort, unique, searchsorted and histogram.
func TestNumPy(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	l, ctx, r := open(t, dev), t.Context(), oracle.Rand(t, 6)
	for _, n := range []int{1, 50, 3000, 20_000} {
		x := draw[float64](r, n)
		inputs := map[string]*npy.Array{"x": oracle.Array(t, x), "v": oracle.Array(t, x[:n/2])}
		program := `
a = np.argsort(x, kind='stable')
s = x[a]
u, c = np.unique(x, return_counts=True)
left, right = np.searchsorted(s, v), np.searchsorted(s, v, side='right')
h = np.histogram(x[np.isfinite(x)], bins=50, range=(-1.5, 2.5))[0]`
		results, here := oracle.NumPy(t, program, inputs, "a", "s", "u", "c", "left", "right", "h")
		src, index, sorted := oracle.Upload(t, dev, x), oracle.Make[int64](t, dev, n), oracle.Make[float64](t, dev, n)
		require.NoError(t, sort.Arg(ctx, l, 1, sort.Ascending, index.Buffer, src.Buffer, nil))
		require.Equal(t, argsort(x, 1, sort.Ascending), index.Read(t))
		require.NoError(t, sort.Keys(ctx, l, 1, sort.Ascending, sorted.Buffer, src.Buffer, nil))
		if !here {
			continue
		}
		require.Equal(t, oracle.Elements[int64](t, results["a"]), index.Read(t))
		require.Equal(t, allBits(oracle.Elements[float64](t, results["s"])), allBits(sorted.Read(t)))
		values, counts, err := sort.Unique(ctx, l, src.Buffer, nil)
		require.NoError(t, err)
		have, err := counts.Download(ctx)
		require.NoError(t, err)
		require.Equal(t, oracle.Elements[int64](t, results["c"]), have)
		u, err := values.Download(ctx)
		require.NoError(t, err)
		for i, want := range oracle.Elements[float64](t, results["u"]) {
			require.True(t, want == u[i] || want != want && u[i] != u[i], "%v, NumPy %v", u[i], want)
		}
		v, at := oracle.Upload(t, dev, x[:n/2]), oracle.Make[int64](t, dev, n/2)
		for side, name := range []string{"left", "right"} {
			require.NoError(t, sort.Search(ctx, l, sort.Side(side), at.Buffer, sorted.Buffer, v.Buffer, nil))
			require.Equal(t, oracle.Elements[int64](t, results[name]), at.Read(t), name)
		}
		h := oracle.Make[int64](t, dev, 50)
		require.NoError(t, sort.Histogram(ctx, l, -1.5, 2.5, h.Buffer, src.Buffer, nil))
		require.Equal(t, oracle.Elements[int64](t, results["h"]), h.Read(t))
	}
}

func TestRefusals(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		x, y := oracle.Upload(t, dev, []float32{3, 1, 2, 5, 4, 6}), oracle.Make[float32](t, dev, 5)
		index := oracle.Make[int32](t, dev, 6)
		long := oracle.Make[int64](t, dev, 7)
		before, numbers := y.Read(t), index.Read(t)
		refused := func(err, kind error, text string) {
			t.Helper()
			require.ErrorIs(t, err, kind)
			require.ErrorContains(t, err, text)
		}
		part := func(lo, hi int) *cuda.Buffer[float32] {
			p, err := x.Slice(lo, hi)
			require.NoError(t, err)
			return p
		}
		refused(sort.Keys(ctx, l, 1, sort.Ascending, y.Buffer, x.Buffer, nil), cuda.ErrLength, "dst has 5 elements, src has 6")
		refused(sort.Keys(ctx, l, 4, sort.Ascending, x.Buffer, x.Buffer, nil), cuda.ErrLength, "6 elements are no 4 rows")
		refused(sort.Keys(ctx, l, -1, sort.Ascending, x.Buffer, x.Buffer, nil), cuda.ErrLength, "-1 rows")
		refused(sort.Keys(ctx, l, 1, sort.Order(7), x.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "Order(7)")
		refused(sort.Keys(ctx, l, 1, sort.Ascending, part(1, 6), part(0, 5), nil), cuda.ErrInvalidValue, "overlaps")
		refused(sort.Arg(ctx, l, 1, sort.Ascending, long.Buffer, x.Buffer, nil), cuda.ErrLength, "dst has 7 elements, src has 6")
		refused(sort.Pairs(ctx, l, 1, sort.Ascending, y.Buffer, index.Buffer, part(0, 5), index.Buffer, nil), cuda.ErrLength, "values has 6 elements, keys has 5")
		refused(sort.Pairs(ctx, l, 1, sort.Ascending, x.Buffer, x.Buffer, x.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "overlaps")
		refused(sort.TopK(ctx, l, sort.Ascending, x.Buffer, long.Buffer, y.Buffer, nil), cuda.ErrLength, "index has 7 elements, dst has 6")
		i6 := oracle.Make[int64](t, dev, 6)
		refused(sort.TopK(ctx, l, sort.Ascending, x.Buffer, i6.Buffer, y.Buffer, nil), cuda.ErrLength, "6 of 5 elements")
		refused(sort.Search(ctx, l, sort.Left, index.Buffer, x.Buffer, y.Buffer, nil), cuda.ErrLength, "dst has 6 elements, values has 5")
		refused(sort.Search(ctx, l, sort.Side(3), index.Buffer, y.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "side 3")
		refused(sort.Histogram(ctx, l, 2, 2, long.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "7 bins from 2 to 2")
		refused(sort.Histogram(ctx, l, 0, math.NaN(), long.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "NaN")
		refused(sort.HistogramEdges(ctx, l, []float64{1, 2}, long.Buffer, x.Buffer, nil), cuda.ErrLength, "2 edges of 7 bins")
		refused(sort.HistogramEdges(ctx, l, []float64{1, 3, 2, 4, 5, 6, 7, 8}, long.Buffer, x.Buffer, nil), cuda.ErrInvalidValue, "ascending")
		require.Equal(t, []float32{3, 1, 2, 5, 4, 6}, x.Read(t), "nothing is written")
		require.Equal(t, before, y.Read(t), "nothing is written")
		require.Equal(t, numbers, index.Read(t), "nothing is written")
		require.Equal(t, "descending Order(9)", fmt.Sprint(sort.Descending, sort.Order(9)))
	})
}
