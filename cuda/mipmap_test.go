package cuda_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

const mipmapKernels = `
extern "C" __global__ void at(cudaTextureObject_t t, const float *x, const float *y, const float *level, float *out) {
    const int i = threadIdx.x;
    out[i] = tex2DLod<float>(t, x[i], y[i], level[i]);
}
extern "C" __global__ void by(cudaTextureObject_t t, const float *x, const float *y, const float *step, float *out) {
    const int i = threadIdx.x;
    out[i] = tex2DGrad<float>(t, x[i], y[i], make_float2(step[i], 0), make_float2(0, step[i] / 2));
}
extern "C" __global__ void first(cudaTextureObject_t t, const float *x, const float *y, const float *, float *out) {
    const int i = threadIdx.x;
    out[i] = tex2D<float>(t, x[i], y[i]);
}`

// picture is a mipmap of numbers, and how it is read.
type picture struct {
	w, h   int
	levels [][]float32
	cfg    cuda.TextureConfig
}

func (p *picture) extent(level int) (w, h int) { return max(1, p.w>>level), max(1, p.h>>level) }

// read computes what a kernel sees at a level of detail, in real numbers, with weights of 1/256; coordinates are clamped.
func (p *picture) read(x, y, lod float64) float64 {
	last := float64(len(p.levels) - 1)
	highest := last
	if p.cfg.MaxLevel > 0 {
		highest = min(last, float64(p.cfg.MaxLevel))
	}
	lod = max(float64(p.cfg.MinLevel), min(highest, lod+float64(p.cfg.LevelBias)))
	if !p.cfg.LinearLevels {
		return p.level(int(math.Floor(lod+0.5)), x, y)
	}
	i, w := parts(lod)
	if i == len(p.levels)-1 {
		return p.level(i, x, y)
	}
	return (1-w)*p.level(i, x, y) + w*p.level(i+1, x, y)
}

// parts is a number as a whole one and a weight.
func parts(v float64) (whole int, weight float64) {
	f := math.Floor(v)
	return int(f), math.RoundToEven((v-f)*256) / 256
}

func (p *picture) level(n int, x, y float64) float64 {
	w, h := p.extent(n)
	texel := func(i, j int) float64 { return float64(p.levels[n][max(0, min(h-1, j))*w+max(0, min(w-1, i))]) }
	x, y = x*float64(w), y*float64(h)
	if !p.cfg.Linear {
		return texel(int(math.Floor(x)), int(math.Floor(y)))
	}
	i, a := parts(x - 0.5)
	j, b := parts(y - 0.5)
	return (1-b)*((1-a)*texel(i, j)+a*texel(i+1, j)) + b*((1-a)*texel(i, j+1)+a*texel(i+1, j+1))
}

// TestMipmap: kernels read levels of detail as a computation in real numbers says, for each filter, bias and clamp.
func TestMipmap(t *testing.T) {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	require.NoError(t, err)
	defer d.Close()
	code, err := d.Compile(t.Context(), mipmapKernels, cuda.CompileConfig{})
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(21, 11))
	p := &picture{w: 21, h: 10}
	m, err := d.NewMipmap(cuda.ArrayConfig{Width: p.w, Height: p.h, Format: cuda.FormatFloat32}, 0)
	require.NoError(t, err)
	require.Equal(t, 5, m.Levels())
	for n := range m.Levels() {
		w, h := p.extent(n)
		texels := make([]float32, w*h)
		for i := range texels {
			texels[i] = float32(rng.IntN(128) - 64)
		}
		p.levels = append(p.levels, texels)
		level, err := m.Level(n)
		require.NoError(t, err)
		require.NoError(t, cuda.FillArray(t.Context(), level, texels))
	}
	const n = 96
	x, y, lod, out := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for _, cfg := range []cuda.TextureConfig{
		{}, {Linear: true}, {LinearLevels: true}, {Linear: true, LinearLevels: true},
		{Linear: true, LinearLevels: true, LevelBias: 0.75}, {LinearLevels: true, MinLevel: 0.5, MaxLevel: 2.25}, {LevelBias: -1, MaxLevel: 1},
	} {
		cfg.Normalized = true
		p.cfg = cfg
		texture, err := m.NewTexture(cfg)
		require.NoError(t, err)
		for _, name := range []string{"at", "by", "first"} {
			f, err := code.Function(name)
			require.NoError(t, err)
			for i := range n {
				x[i], y[i] = float32(rng.IntN(320)-32)/256, float32(rng.IntN(320)-32)/256
				lod[i] = float32(rng.IntN(7*64)-64) / 64
				if name == "by" { // the gradient in x is longer than that in y: 21 texels against 5
					lod[i] = float32(math.Exp2(float64(lod[i])) / 21)
				}
			}
			require.NoError(t, f.Run(t.Context(), threads(n), texture, cuda.In(x), cuda.In(y), cuda.In(lod), cuda.Out(out)))
			for i := range n {
				want := 0.0
				switch level := float64(lod[i]); name {
				case "first":
					want = p.level(0, float64(x[i]), float64(y[i]))
				case "by":
					// Rounded to 1/256, a logarithm is what it was made from.
					want = p.read(float64(x[i]), float64(y[i]), math.Round(math.Log2(level*21)*64)/64)
				default:
					want = p.read(float64(x[i]), float64(y[i]), level)
				}
				// Three blends of numbers up to 64 with three roundings each, to 24 bits.
				require.InDelta(t, want, out[i], 9*64*0x1p-24, "%s(%v, %v, %v) with %+v", name, x[i], y[i], lod[i], cfg)
			}
		}
		require.NoError(t, texture.Close())
	}
}

// TestMipmapMistakes: what cannot be is refused, and a level ends with its mipmap.
func TestMipmapMistakes(t *testing.T) {
	d, kernel := host(t)
	whole := cuda.ArrayConfig{Width: 4, Height: 2, Format: cuda.FormatUint32, Surface: true}
	_, err := d.NewMipmap(whole, 4)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = d.NewMipmap(whole, -1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = d.NewMipmap(cuda.ArrayConfig{}, 0)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	m, err := d.NewMipmap(whole, 2)
	require.NoError(t, err)
	for _, n := range []int{-1, 2} {
		_, err = m.Level(n)
		require.ErrorIs(t, err, cuda.ErrInvalidValue)
	}
	for _, cfg := range []cuda.TextureConfig{
		{}, {Normalized: true, MinLevel: 2, MaxLevel: 1}, {Normalized: true, LinearLevels: true}, {Normalized: true, Integers: true, Linear: true},
	} {
		_, err = m.NewTexture(cfg)
		require.ErrorIs(t, err, cuda.ErrInvalidValue, "%+v", cfg)
	}
	level, err := m.Level(1)
	require.NoError(t, err)
	require.NoError(t, cuda.FillArray(background, level, []uint32{5, 6}))
	surface, err := level.NewSurface()
	require.NoError(t, err)
	require.NoError(t, kernel("scatter").Run(background, threads(2), surface, uint32(2)))
	require.NoError(t, level.Close())
	got := make([]uint32, 2)
	require.NoError(t, cuda.ReadArray(background, got, level))
	require.Equal(t, []uint32{5, 7}, got)
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	require.ErrorIs(t, kernel("scatter").Run(background, threads(2), surface, uint32(2)), cuda.ErrClosed)
	require.ErrorIs(t, cuda.ReadArray(background, got, level), cuda.ErrClosed)
	_, err = m.NewTexture(cuda.TextureConfig{Normalized: true})
	require.ErrorIs(t, err, cuda.ErrClosed)
	_, err = level.NewTexture(cuda.TextureConfig{})
	require.ErrorIs(t, err, cuda.ErrClosed)
}
