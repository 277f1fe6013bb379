package random_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
	"github.com/tandem-go/tandem/kernels/random"
)

func open(t *testing.T, dev *cuda.Device) *random.Library {
	l := random.New(dev)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// philox is the definition of the generator.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		h0, l0 := bits.Mul32(0xd2511f53, c[0])
		h1, l1 := bits.Mul32(0xcd9e8d57, c[2])
		c = [4]uint32{h1 ^ c[1] ^ k[0], l1, h0 ^ c[3] ^ k[1], l0}
		k[0] += 0x9e3779b9
		k[1] += 0xbb67ae85
	}
	return c
}

// TestKnownAnswers compares with the vectors that Random123 is published with.
func TestKnownAnswers(t *testing.T) {
	const all = 0xffffffff
	cases := []struct {
		counter [4]uint32
		key     [2]uint32
		want    []uint32
	}{
		{[4]uint32{}, [2]uint32{}, []uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{all, all, all, all}, [2]uint32{all, all}, []uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0}, []uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	}
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		for _, c := range cases {
			dst := oracle.Make[uint32](t, dev, 8)
			require.NoError(t, random.Blocks(t.Context(), l, c.counter, c.key, dst.Buffer, nil))
			got := dst.Read(t)
			require.Equal(t, c.want, got[:4])
			next := c.counter // the counter is one number of 128 bits
			for i := range next {
				next[i]++
				if next[i] != 0 {
					break
				}
			}
			second := philox(next, c.key)
			require.Equal(t, second[:], got[4:])
		}
	})
}

// block is the words of element e of a distribution with so many numbers to a block, and which of them it has.
func block(seed uint64, stream uint32, domain uint32, per, e int) ([4]uint32, int) {
	group, r := e/(32*per), e%(32*per)
	at := uint64(group*32 + r%32)
	return philox([4]uint32{uint32(at), uint32(at >> 32), stream, domain << 24}, [2]uint32{uint32(seed), uint32(seed >> 32)}), r / 32
}

const seed, stream = 0x123456789abcdef0, 7

func philoxGenerator(l *random.Library) *random.Generator {
	return l.NewGenerator(random.Config{Seed: seed, Stream: stream})
}

// TestWords compares words with the definition, in pieces that do not fit any group.
func TestWords(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		g4, g8 := philoxGenerator(l), philoxGenerator(l)
		at := 0
		for _, n := range []int{0, 1, 31, 33, 128, 129, 1000, 5000} {
			w4, w8 := oracle.Make[uint32](t, dev, n), oracle.Make[uint64](t, dev, n)
			require.NoError(t, random.Words(t.Context(), g4, w4.Buffer, nil))
			require.NoError(t, random.Words(t.Context(), g8, w8.Buffer, nil))
			got4, got8 := w4.Read(t), w8.Read(t)
			for i := range n {
				b, k := block(seed, stream, 0, 4, at+i)
				require.Equal(t, b[k], got4[i], "word %d", at+i)
				b, k = block(seed, stream, 1, 2, at+i)
				require.Equal(t, uint64(b[2*k+1])<<32|uint64(b[2*k]), got8[i], "word %d", at+i)
			}
			at += n
			require.EqualValues(t, at, g4.Index())
		}
		first := oracle.Make[uint32](t, dev, 40)
		g4.Seek(1 << 40)
		g4.Skip(3)
		require.NoError(t, random.Words(t.Context(), g4, first.Buffer, nil))
		b, k := block(seed, stream, 0, 4, 1<<40+3)
		require.Equal(t, b[k], first.Read(t)[0])
	})
}

// The functions of random.cu for float32, operation by operation.

var f32 fpmath.F32

func ln(u float32) float32 {
	b := int32(math.Float32bits(u))
	e := (b - 0x3f3504f3) >> 23
	f := math.Float32frombits(uint32(b-e<<23)) - 1
	s := f / float32(2+f)
	z := float32(s * s)
	p := float32(2.0 / 11)
	for _, c := range []float32{2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3} {
		p = f32.Fma(z, p, c)
	}
	return f32.Fma(float32(e), 0x1.62e430p-1, f32.Fma(float32(s*z), p, s+s))
}

func positive(w uint32) float32 { return f32.Fma(float32(w), 0x1p-32, 0x1p-33) }

func boxMuller(w, v uint32) [2]float32 {
	r := float32(math.Sqrt(float64(float32(-2 * ln(positive(w))))))
	q := (v + 1<<29) >> 30
	x := float32(float32(int32(v-q<<30)) * 0x1.921fb6p-30)
	z := float32(x * x)
	p, c := float32(-1.0/39916800), float32(-1.0/3628800)
	for i, k := range []float32{1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6} {
		p, c = f32.Fma(z, p, k), f32.Fma(z, c, []float32{1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5}[i])
	}
	sin, cos := f32.Fma(float32(x*z), p, x), f32.Fma(z, c, 1)
	for range q {
		sin, cos = cos, -sin
	}
	return [2]float32{float32(r * cos), float32(r * sin)}
}

// TestReals32 compares bits of float32 distributions with the definition.
func TestReals32(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx, n := open(t, dev), t.Context(), 1500
		u, z, e := oracle.Make[float32](t, dev, n), oracle.Make[float32](t, dev, n), oracle.Make[float32](t, dev, n)
		const first = 77
		for i, f := range []func(g *random.Generator) error{
			func(g *random.Generator) error { return random.Uniform(ctx, g, -2, 3, u.Buffer, nil) },
			func(g *random.Generator) error { return random.Normal(ctx, g, 1, 2, z.Buffer, nil) },
			func(g *random.Generator) error { return random.Exponential(ctx, g, 3, e.Buffer, nil) },
		} {
			g := philoxGenerator(l)
			g.Skip(first)
			require.NoError(t, f(g), i)
		}
		us, zs, es := u.Read(t), z.Read(t), e.Read(t)
		for i := range n {
			b, k := block(seed, stream, 2, 4, first+i)
			require.Equal(t, f32.Fma(float32(b[k]>>8)*0x1p-24, 5, -2), us[i])
			b, k = block(seed, stream, 4, 4, first+i)
			require.Equal(t, f32.Fma(boxMuller(b[k&2], b[k&2+1])[k&1], 2, 1), zs[i], "normal %d", i)
			b, k = block(seed, stream, 6, 4, first+i)
			require.Equal(t, float32(-ln(positive(b[k]))*3), es[i])
		}
	})
}

// TestReals64 compares float64 distributions with the functions of package math: the kernels' own have errors of few units.
func TestReals64(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx, n := open(t, dev), t.Context(), 1500
		u, z, e := oracle.Make[float64](t, dev, n), oracle.Make[float64](t, dev, n), oracle.Make[float64](t, dev, n)
		require.NoError(t, random.Uniform(ctx, philoxGenerator(l), 0, 1, u.Buffer, nil))
		require.NoError(t, random.Normal(ctx, philoxGenerator(l), 0, 1, z.Buffer, nil))
		require.NoError(t, random.Exponential(ctx, philoxGenerator(l), 1, e.Buffer, nil))
		us, zs, es := u.Read(t), z.Read(t), e.Read(t)
		word := func(b [4]uint32, k int) uint64 { return (uint64(b[2*k+1])<<32 | uint64(b[2*k])) >> 11 }
		for i := range n {
			b, k := block(seed, stream, 3, 2, i)
			require.Equal(t, float64(word(b, k))*0x1p-53, us[i])
			b, k = block(seed, stream, 5, 2, i)
			r := math.Sqrt(-2 * math.Log((float64(word(b, 0))+0.5)*0x1p-53))
			sin, cos := math.Sincos(2 * math.Pi * float64(word(b, 1)) * 0x1p-53)
			// 2πv has an error of 2^-51 here, which counts in full where the result is near 0.
			require.InDelta(t, r*[]float64{cos, sin}[k], zs[i], r*0x1p-50, "normal %d", i)
			b, k = block(seed, stream, 7, 2, i)
			want := -math.Log((float64(word(b, k)) + 0.5) * 0x1p-53)
			require.InDelta(t, want, es[i], want*0x1p-50)
		}
	})
}

// testLogNormal compares with the exponentials of the same normal numbers.
func testLogNormal[T random.Real](t *testing.T, dev *cuda.Device, l *random.Library, u float64) {
	const n = 1000
	z, e := oracle.Make[T](t, dev, n), oracle.Make[T](t, dev, n)
	for _, deviation := range []T{0.25, 3, 15, 400} {
		require.NoError(t, random.Normal(t.Context(), philoxGenerator(l), 1, deviation, z.Buffer, nil))
		require.NoError(t, random.LogNormal(t.Context(), philoxGenerator(l), 1, deviation, e.Buffer, nil))
		got := e.Read(t)
		for i, v := range z.Read(t) {
			want := math.Exp(float64(v))
			if T(want) == 0 || math.IsInf(float64(T(want)), 0) {
				require.Equal(t, T(want), got[i], "e^%v", v)
				continue
			}
			least := 0x1p-1074
			if u > 0x1p-30 {
				least = 0x1p-149
			}
			require.InDelta(t, want, float64(got[i]), 4*u*want+least, "e^%v", v)
		}
	}
}

func TestLogNormal(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		testLogNormal[float32](t, dev, l, 0x1p-24)
		testLogNormal[float64](t, dev, l, 0x1p-53)
		require.ErrorIs(t, random.LogNormal(t.Context(), philoxGenerator(l), 0, -1, oracle.Make[float32](t, dev, 1).Buffer, nil), cuda.ErrInvalidValue)
	})
}

// TestEnginesAgree compares bits between engines, for all distributions.
func TestEnginesAgree(t *testing.T) {
	var first []any
	oracle.Hosts(t, func(name string, dev *cuda.Device) {
		l, ctx, n := random.New(dev), t.Context(), 700
		f4, f8, i4, i8 := oracle.Make[float32](t, dev, n), oracle.Make[float64](t, dev, n), oracle.Make[int32](t, dev, n), oracle.Make[int64](t, dev, n)
		var all []any
		for _, m := range []random.Method{random.Philox, random.XORWOW} {
			g := l.NewGenerator(random.Config{Method: m, Seed: 5})
			require.NoError(t, random.Normal(ctx, g, 0, 1, f4.Buffer, nil))
			require.NoError(t, random.Normal(ctx, g, 0, 1, f8.Buffer, nil))
			all = append(all, f4.Read(t), f8.Read(t))
			require.NoError(t, random.Exponential(ctx, g, 1, f8.Buffer, nil))
			all = append(all, f8.Read(t))
		}
		g := philoxGenerator(l)
		require.NoError(t, random.Poisson(ctx, g, 3.5, i4.Buffer, nil))
		require.NoError(t, random.Poisson(ctx, g, 1000, i8.Buffer, nil))
		all = append(all, i4.Read(t), i8.Read(t))
		require.NoError(t, random.Integers(ctx, g, -5, 1<<40, i8.Buffer, nil))
		all = append(all, i8.Read(t))
		require.NoError(t, random.Permutation(ctx, g, i8.Buffer, nil))
		all = append(all, i8.Read(t))
		if first == nil {
			first = all
		}
		for i := range all {
			require.Equal(t, first[i], all[i], "%s: %d", name, i)
		}
	})
}

// TestIntegers compares with the definition, also where many words are drawn again.
func TestIntegers(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, n := open(t, dev), 3000
		for _, bound := range []uint32{1, 6, 1 << 31, 1<<31 + 1, 3 << 30, math.MaxUint32} {
			dst := oracle.Make[uint32](t, dev, n)
			require.NoError(t, random.Integers(t.Context(), philoxGenerator(l), 0, bound, dst.Buffer, nil))
			again := 0
			for i, got := range dst.Read(t) {
				b, k := block(seed, stream, 8, 4, i)
				h, low := bits.Mul32(b[k], bound)
				for try := uint32(1); low < -bound%bound; try++ {
					again++
					h, low = bits.Mul32(philox([4]uint32{uint32(i), 0, stream, 8<<24 | try}, [2]uint32{seed & 0xffffffff, seed >> 32})[0], bound)
				}
				require.Equal(t, h, got, "bound %d, element %d", bound, i)
			}
			require.Equal(t, bound == 1<<31+1 || bound == 3<<30, again > 0)
		}
		wide := oracle.Make[int64](t, dev, n)
		const bound = 3 << 62 // from -2^62 up to 2^63-1: unfair words are frequent
		low, high := int64(math.MinInt64), int64(math.MinInt64/2)
		require.NoError(t, random.Integers(t.Context(), philoxGenerator(l), low, high, wide.Buffer, nil))
		for _, v := range wide.Read(t) {
			require.True(t, v >= low && v < high, v)
		}
		unsigned := oracle.Make[uint64](t, dev, n)
		require.NoError(t, random.Integers(t.Context(), philoxGenerator(l), 0, uint64(bound), unsigned.Buffer, nil))
		for i, got := range unsigned.Read(t) {
			b, k := block(seed, stream, 8, 2, i)
			x := uint64(b[2*k+1])<<32 | uint64(b[2*k])
			h, lo := bits.Mul64(x, bound)
			var unfair uint64 = bound
			unfair = -unfair % bound
			for try := uint32(1); lo < unfair; try++ {
				c := philox([4]uint32{uint32(i), 0, stream, 8<<24 | try}, [2]uint32{seed & 0xffffffff, seed >> 32})
				h, lo = bits.Mul64(uint64(c[1])<<32|uint64(c[0]), bound)
			}
			require.Equal(t, h, got, "element %d", i)
		}
	})
}

// xorwow is the definition: Marsaglia's, with its state.
func xorwow(s *[6]uint32) uint32 {
	t := s[0] ^ s[0]>>2
	s[0], s[1], s[2], s[3] = s[1], s[2], s[3], s[4]
	s[4] = s[4] ^ s[4]<<4 ^ t ^ t<<1
	s[5] += 362437
	return s[4] + s[5]
}

// jump applies a map of the table.
func jump(table []uint32, x [5]uint32) (y [5]uint32) {
	for i := range 160 {
		if x[i/32]>>(i%32)&1 != 0 {
			for k := range y {
				y[k] ^= table[i*5+k]
			}
		}
	}
	return y
}

// TestJumps compares the map of 2^k steps with steps, and maps with each other.
func TestJumps(t *testing.T) {
	s := [6]uint32{123456789, 362436069, 521288629, 88675123, 5783321, 6615241}
	require.EqualValues(t, 246875399, func() uint32 { c := s; return xorwow(&c) }(), "the first number of Marsaglia's seeds")
	x := [5]uint32(s[:5])
	for k := range 13 {
		c := s
		for range 1 << k {
			xorwow(&c)
		}
		require.Equal(t, [5]uint32(c[:5]), random.JumpOf(k, x), "2^%d steps", k)
	}
	table := random.Jumps()
	require.Equal(t, random.JumpOf(67, x), jump(table, x))
	for b := range 36 {
		require.Equal(t, jump(table[b*800:], jump(table[b*800:], x)), jump(table[(b+1)*800:], x), "map %d twice is the next", b)
	}
}

// TestXORWOW compares words with the definition: subsequences of 32 lanes side by side.
func TestXORWOW(t *testing.T) {
	table := random.Jumps()
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l := open(t, dev)
		g := l.NewGenerator(random.Config{Method: random.XORWOW, Seed: 42})
		word := func(e uint64) uint32 {
			segment, step, lane := e/32768, e%32768/32, e%32
			s := g.State()
			q := segment*32 + lane
			for b := range 37 {
				if q>>b&1 != 0 {
					copy(s[:5], slice(jump(table[b*800:], [5]uint32(s[:5]))))
				}
			}
			var w uint32
			for range step + 1 {
				w = xorwow(&s)
			}
			return w
		}
		for _, at := range []uint64{0, 32000, 5<<15 - 100, 1 << 40} {
			g.Seek(at)
			dst := oracle.Make[uint32](t, dev, 3001)
			require.NoError(t, random.Words(t.Context(), g, dst.Buffer, nil))
			got := dst.Read(t)
			for i := 0; i < len(got); i += 97 {
				require.Equal(t, word(at+uint64(i)), got[i], "word %d", at+uint64(i))
			}
		}
		// The other distributions take the same words.
		u := oracle.Make[float32](t, dev, 500)
		g.Seek(130)
		require.NoError(t, random.Uniform(t.Context(), g, 0, 1, u.Buffer, nil))
		for i, v := range u.Read(t) {
			require.Equal(t, float32(word(uint64(130+i))>>8)*0x1p-24, v)
		}
		require.ErrorIs(t, random.Integers(t.Context(), g, 0, 5, oracle.Make[int32](t, dev, 3).Buffer, nil), cuda.ErrNotSupported)
	})
}

func slice(x [5]uint32) []uint32 { return x[:] }

// TestPieces draws the same numbers in one call and in several.
func TestPieces(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, n := open(t, dev), 2000
		for _, m := range []random.Method{random.Philox, random.XORWOW} {
			whole, parts := oracle.Make[float64](t, dev, n), oracle.Make[float64](t, dev, n)
			require.NoError(t, random.Normal(t.Context(), l.NewGenerator(random.Config{Method: m}), 0, 1, whole.Buffer, nil))
			g := l.NewGenerator(random.Config{Method: m})
			for lo := 0; lo < n; {
				hi := min(lo+1+lo/2, n)
				p, err := parts.Slice(lo, hi)
				require.NoError(t, err)
				require.NoError(t, random.Normal(t.Context(), g, 0, 1, p, nil))
				lo = hi
			}
			require.Equal(t, whole.Read(t), parts.Read(t))
		}
	})
}

func TestRefusals(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		l, ctx := open(t, dev), t.Context()
		g := philoxGenerator(l)
		f, i := oracle.Make[float32](t, dev, 5), oracle.Make[int32](t, dev, 5)
		before, numbers := f.Read(t), i.Read(t)
		nan, inf := float32(math.NaN()), float32(math.Inf(1))
		refused := func(err, kind error, text string) {
			t.Helper()
			require.ErrorIs(t, err, kind)
			require.ErrorContains(t, err, text)
		}
		bad := cuda.ErrInvalidValue
		refused(random.Uniform(ctx, g, 2, 1, f.Buffer, nil), bad, "from 2 to 1")
		refused(random.Uniform(ctx, g, 0, inf, f.Buffer, nil), bad, "+Inf")
		refused(random.Uniform(ctx, g, -math.MaxFloat32, math.MaxFloat32, f.Buffer, nil), bad, "finite")
		refused(random.Normal(ctx, g, 0, -1, f.Buffer, nil), bad, "deviation -1")
		refused(random.Normal(ctx, g, nan, 1, f.Buffer, nil), bad, "NaN")
		refused(random.Exponential(ctx, g, -3, f.Buffer, nil), bad, "mean -3")
		refused(random.Poisson(ctx, g, -0.5, i.Buffer, nil), bad, "rate -0.5")
		refused(random.Poisson(ctx, g, math.NaN(), i.Buffer, nil), bad, "rate NaN")
		refused(random.Poisson(ctx, g, 1e12, i.Buffer, nil), bad, "rate 1e+12")
		refused(random.Integers(ctx, g, 7, 7, i.Buffer, nil), bad, "from 7 up to 7")
		refused(random.Sample(ctx, g, 4, i.Buffer, nil), cuda.ErrLength, "5 different numbers of 4")
		refused(random.Sample(ctx, g, -4, i.Buffer, nil), cuda.ErrLength, "of -4")
		refused(random.Blocks(ctx, l, [4]uint32{}, [2]uint32{}, oracle.Make[uint32](t, dev, 6).Buffer, nil), cuda.ErrLength, "6 words")
		refused(random.Shuffle(ctx, g, i.Buffer, oracle.Make[int32](t, dev, 6).Buffer, nil), cuda.ErrLength, "dst has 5 elements, src has 6")
		inside, err := f.Slice(1, 5)
		require.NoError(t, err)
		before4, err := f.Slice(0, 4)
		require.NoError(t, err)
		refused(random.Shuffle(ctx, g, inside, before4, nil), bad, "dst (4 elements at")
		refused(random.Permutation(ctx, l.NewGenerator(random.Config{Method: random.XORWOW}), i.Buffer, nil), cuda.ErrNotSupported, "use Philox")
		refused(random.Choice(ctx, g, oracle.Upload(t, dev, []float64{1, -1, 2}).Buffer, i.Buffer, nil), bad, "the least weight is -1")
		refused(random.Choice(ctx, g, oracle.Upload(t, dev, []float64{0, 0}).Buffer, i.Buffer, nil), bad, "the sum 0")
		refused(random.Choice(ctx, g, oracle.Make[float64](t, dev, 0).Buffer, i.Buffer, nil), bad, "no weights")
		refused(random.Uniform(ctx, l.NewGenerator(random.Config{Method: 9}), 0, 1, f.Buffer, nil), bad, "Method(9)")
		require.Zero(t, g.Index(), "the generator stays")
		g.Seek(1 << 47)
		refused(random.Uniform(ctx, g, 0, 1, f.Buffer, nil), bad, "5 numbers from index 140737488355328")
		require.Equal(t, before, f.Read(t), "nothing is written")
		require.Equal(t, numbers, i.Read(t), "nothing is written")
		require.Equal(t, "Philox 4x32-10 XORWOW", fmt.Sprint(random.Philox, " ", random.XORWOW))
	})
}
