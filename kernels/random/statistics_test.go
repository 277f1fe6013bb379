package random_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/random"
)

// The limits of these tests are five standard deviations of the statistic, which an ideal generator exceeds once in two million.
const deviations = 5

// samples is how many numbers each test looks at.
const samples = 100_000

// chiSquare compares counts with what is expected: the statistic has mean k-1 and variance 2(k-1).
func chiSquare(t *testing.T, counts []int, expected []float64) {
	t.Helper()
	x := 0.0
	for i, c := range counts {
		require.Greater(t, expected[i], 5.0, "bin %d is too small for the test", i)
		x += (float64(c) - expected[i]) * (float64(c) - expected[i]) / expected[i]
	}
	k := float64(len(counts) - 1)
	require.InDelta(t, k, x, deviations*math.Sqrt(2*k)+deviations, "chi-square")
}

// moments compares mean, variance and fourth moment with those of the distribution; eighth bounds the variance of the last.
func moments(t *testing.T, x []float64, mean, variance, fourth, eighth float64) {
	t.Helper()
	n := float64(len(x))
	var s1, s2, s4 float64
	for _, v := range x {
		d := v - mean
		s1 += d
		s2 += d * d
		s4 += d * d * d * d
	}
	require.InDelta(t, 0, s1/n, deviations*math.Sqrt(variance/n), "mean")
	require.InDelta(t, variance, s2/n, deviations*math.Sqrt((fourth-variance*variance)/n), "variance")
	require.InDelta(t, fourth, s4/n, deviations*math.Sqrt((eighth-fourth*fourth)/n), "fourth moment")
}

// kolmogorov compares with the distribution function: sqrt(n)·D exceeds 2.7 with probability 2·exp(-2·2.7²) = 9e-7.
func kolmogorov(t *testing.T, x []float64, cdf func(float64) float64) {
	t.Helper()
	x = slices.Clone(x)
	slices.Sort(x)
	n, d := float64(len(x)), 0.0
	for i, v := range x {
		f := cdf(v)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	require.Less(t, math.Sqrt(n)*d, 2.7, "Kolmogorov-Smirnov")
}

// serial checks that neighbours at some distances, which are those of lanes, rows and groups, are not correlated: the
// coefficient has standard deviation 1/sqrt(n).
func serial(t *testing.T, x []float64, mean, variance float64) {
	t.Helper()
	for _, lag := range []int{1, 2, 31, 32, 33, 64, 96, 128} {
		s := 0.0
		for i := range len(x) - lag {
			s += (x[i] - mean) * (x[i+lag] - mean)
		}
		n := float64(len(x) - lag)
		require.InDelta(t, 0, s/n/variance, deviations/math.Sqrt(n), "correlation at distance %d", lag)
	}
}

func widen[T random.Real | int32 | int64](x []T) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = float64(x[i])
	}
	return out
}

// testReal tests the continuous distributions of a type.
func testReal[T random.Real](t *testing.T, dev *cuda.Device, g *random.Generator) {
	dst, ctx := oracle.Make[T](t, dev, samples), t.Context()
	require.NoError(t, random.Uniform(ctx, g, 0, 1, dst.Buffer, nil))
	x := widen(dst.Read(t))
	counts, expected := make([]int, 256), make([]float64, 256)
	for _, v := range x {
		require.True(t, v >= 0 && v < 1)
		counts[int(v*256)]++
	}
	for i := range expected {
		expected[i] = samples / 256.0
	}
	chiSquare(t, counts, expected)
	moments(t, x, 0.5, 1.0/12, 1.0/80, 1.0/2304)
	kolmogorov(t, x, func(v float64) float64 { return v })
	serial(t, x, 0.5, 1.0/12)

	require.NoError(t, random.Normal(ctx, g, 0, 1, dst.Buffer, nil))
	x = widen(dst.Read(t))
	moments(t, x, 0, 1, 3, 105)
	kolmogorov(t, x, func(v float64) float64 { return 0.5 * math.Erfc(-v/math.Sqrt2) })
	serial(t, x, 0, 1)

	require.NoError(t, random.Exponential(ctx, g, 2, dst.Buffer, nil))
	x = widen(dst.Read(t))
	// Central moments of rate 1/2: 4, 9·16, and the eighth, 14833·256.
	moments(t, x, 2, 4, 9*16, 14833*256)
	kolmogorov(t, x, func(v float64) float64 { return -math.Expm1(-v / 2) })
	serial(t, x, 2, 4)
}

func TestStatistics(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		for _, m := range []random.Method{random.Philox, random.XORWOW} {
			t.Run(m.String(), func(t *testing.T) {
				testReal[float32](t, dev, l.NewGenerator(random.Config{Method: m, Seed: 1}))
				testReal[float64](t, dev, l.NewGenerator(random.Config{Method: m, Seed: 2}))
			})
		}
	})
}

// testPoisson compares counts with probabilities; the tails are put together until they are large enough.
func testPoisson[T int32 | int64](t *testing.T, dev *cuda.Device, g *random.Generator, rate float64) {
	dst := oracle.Make[T](t, dev, samples)
	require.NoError(t, random.Poisson(t.Context(), g, rate, dst.Buffer, nil))
	x := dst.Read(t)
	sigma := math.Sqrt(rate)
	lo, hi := max(0, int(rate-3*sigma)), int(rate+3*sigma)+1
	width := max(1, (hi-lo)/100)
	bins := (hi-lo)/width + 2
	counts, expected := make([]int, bins), make([]float64, bins)
	bin := func(k float64) int {
		if k < float64(lo) {
			return 0
		}
		return min(1+int(k-float64(lo))/width, bins-1)
	}
	for _, v := range x {
		require.GreaterOrEqual(t, v, T(0))
		counts[bin(float64(v))]++
	}
	for k := max(0, int(rate-20*sigma)); k < int(rate+20*sigma)+40; k++ {
		lg, _ := math.Lgamma(float64(k + 1))
		p := -rate - lg
		if rate > 0 {
			p += float64(k) * math.Log(rate)
		} else if k > 0 {
			p = math.Inf(-1)
		}
		expected[bin(float64(k))] += samples * math.Exp(p)
	}
	for expected[0] <= 5 && len(expected) > 2 { // join bins that are too small
		expected[1] += expected[0]
		counts[1] += counts[0]
		expected, counts = expected[1:], counts[1:]
	}
	for n := len(expected); expected[n-1] <= 5 && n > 2; n = len(expected) {
		expected[n-2] += expected[n-1]
		counts[n-2] += counts[n-1]
		expected, counts = expected[:n-1], counts[:n-1]
	}
	if rate == 0 {
		require.Equal(t, make([]T, samples), x)
		return
	}
	chiSquare(t, counts, expected)
	serial(t, widen(x), rate, rate)
	mean := 0.0
	for _, v := range x {
		mean += float64(v) / samples
	}
	require.InDelta(t, rate, mean, deviations*math.Sqrt(rate/samples))
}

func TestPoisson(t *testing.T) {
	for _, x := range []float64{0, 0.001, 0.5, 1, 7.3, 11.99} {
		require.InEpsilon(t, math.Exp(-x), random.ExpNegative(x), 0x1p-39)
	}
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		g := philoxGenerator(open(t, dev))
		for _, rate := range []float64{0, 0.01, 1, 7.5, 11.99, 12, 13.7, 50, 1e4, 1e9} {
			testPoisson[int32](t, dev, g, rate)
		}
		testPoisson[int64](t, dev, g, 3)
		testPoisson[int64](t, dev, g, 30)
	})
}

// TestPermutation checks that permutations are such, and that each order of five has the same frequency.
func TestPermutation(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		g := philoxGenerator(l)
		for _, n := range []int{0, 1, 33, 3000} {
			p8, p4 := oracle.Make[int64](t, dev, n), oracle.Make[int32](t, dev, n)
			require.NoError(t, random.Permutation(ctx, g, p8.Buffer, nil))
			require.NoError(t, random.Permutation(ctx, g, p4.Buffer, nil))
			a, b := p8.Read(t), p4.Read(t)
			require.True(t, n < 5 || !slices.Equal(widen(a), widen(b)))
			src := oracle.Upload(t, dev, b)
			dst := oracle.Make[int32](t, dev, n)
			g.Seek(g.Index() - uint64(n))
			require.NoError(t, random.Shuffle(ctx, g, dst.Buffer, src.Buffer, nil))
			for i, v := range dst.Read(t) {
				require.Equal(t, b[b[i]], v, "shuffle is the permutation of the same numbers")
			}
			slices.Sort(a)
			for i := range a {
				require.EqualValues(t, i, a[i])
			}
		}
		counts, expected := make([]int, 120), make([]float64, 120)
		p := oracle.Make[int32](t, dev, 5)
		const rounds = 3000
		for range rounds {
			require.NoError(t, random.Permutation(ctx, g, p.Buffer, nil))
			x := p.Read(t)
			number := 0
			for i := range x {
				less := 0
				for _, v := range x[i+1:] {
					if v < x[i] {
						less++
					}
				}
				number = number*(5-i) + less
			}
			counts[number]++
		}
		for i := range expected {
			expected[i] = rounds / 120.0
		}
		chiSquare(t, counts, expected)
	})
}

// TestPermutationOrder compares with a sort of the words, of which some have the same high half.
func TestPermutationOrder(t *testing.T) {
	const n, first, keys = 300_000, 77, 10
	words, same := make([]uint64, n), 0
	order := make([]int32, n)
	for i := range words {
		b, k := block(seed, stream, keys, 2, first+i)
		words[i], order[i] = uint64(b[2*k+1])<<32|uint64(b[2*k]), int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(words[a], words[b]) })
	for i := 1; i < n; i++ {
		if words[order[i-1]]>>32 == words[order[i]]>>32 {
			same++
		}
	}
	require.Greater(t, same, 3, "pairs of equal high halves")
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		g, ctx := philoxGenerator(open(t, dev)), t.Context()
		g.Seek(first)
		p := oracle.Make[int64](t, dev, n)
		require.NoError(t, random.Permutation(ctx, g, p.Buffer, nil))
		require.True(t, slices.Equal(widen(order), widen(p.Read(t))), "the order of the words")
		for _, inPlace := range []bool{false, true} {
			g.Seek(first)
			src := oracle.Upload(t, dev, order)
			dst := src
			if !inPlace {
				dst = oracle.Make[int32](t, dev, n)
			}
			require.NoError(t, random.Shuffle(ctx, g, dst.Buffer, src.Buffer, nil))
			want := make([]int32, n)
			for i, j := range order {
				want[i] = order[j]
			}
			require.True(t, slices.Equal(want, dst.Read(t)), "in the order of the words")
		}
	})
}

func TestSampleAndChoice(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		g := philoxGenerator(l)
		dst := oracle.Make[int32](t, dev, 50)
		require.NoError(t, random.Sample(ctx, g, 60, dst.Buffer, nil))
		x := dst.Read(t)
		slices.Sort(x)
		require.Len(t, slices.Compact(x), 50, "different numbers")
		require.True(t, x[0] >= 0 && x[49] < 60)

		weights := []float64{0, 1, 2, 0, 3.5, 0.5, 0}
		many := oracle.Make[int64](t, dev, samples)
		require.NoError(t, random.Choice(ctx, g, oracle.Upload(t, dev, weights).Buffer, many.Buffer, nil))
		counts := make([]int, len(weights))
		for _, v := range many.Read(t) {
			counts[v]++
		}
		require.Zero(t, counts[0]+counts[3]+counts[6], "weight 0")
		chiSquare(t, []int{counts[1], counts[2], counts[4], counts[5]}, []float64{samples / 7.0, samples * 2 / 7.0, samples / 2.0, samples / 14.0})
	})
}

// BenchmarkRandom fills 16M float32. The bound is the memory: they are written once.
func BenchmarkRandom(b *testing.B) {
	const n = 1 << 24
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		l := random.New(dev)
		dst, err := cuda.Alloc[float32](dev, n)
		require.NoError(b, err)
		ctx := b.Context()
		for _, m := range []random.Method{random.Philox, random.XORWOW} {
			g := l.NewGenerator(random.Config{Method: m})
			for name, f := range map[string]func() error{
				"uniform": func() error { return random.Uniform(ctx, g, 0, 1, dst, nil) },
				"normal":  func() error { return random.Normal(ctx, g, 0, 1, dst, nil) },
			} {
				b.Run(name+"/"+m.String(), func(b *testing.B) {
					b.SetBytes(4 * n)
					for b.Loop() {
						require.NoError(b, f())
						require.NoError(b, dev.Synchronize(ctx))
					}
				})
			}
		}
	})
}
