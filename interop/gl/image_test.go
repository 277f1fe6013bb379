package gl_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/gl"
)

// texels is an internal format of OpenGL, with the format and type of transfers, as the tests see it.
type texels struct {
	name            string
	internal        int
	pixels, of      int
	format          cuda.Format
	channels, bytes int
}

// sharedFormats are all that CUDA shares: one, two and four channels of ten types.
func sharedFormats() []texels {
	types := []struct {
		name     string
		internal [3]int
		integer  bool
		of       int
		format   cuda.Format
		bytes    int
	}{
		{"8", [3]int{0x8229, 0x822B, 0x8058}, false, 0x1401, cuda.FormatUint8, 1},
		{"16", [3]int{0x822A, 0x822C, 0x805B}, false, 0x1403, cuda.FormatUint16, 2},
		{"16F", [3]int{0x822D, 0x822F, 0x881A}, false, 0x140B, cuda.FormatFloat16, 2},
		{"32F", [3]int{0x822E, 0x8230, 0x8814}, false, 0x1406, cuda.FormatFloat32, 4},
		{"8I", [3]int{0x8231, 0x8237, 0x8D8E}, true, 0x1400, cuda.FormatInt8, 1},
		{"8UI", [3]int{0x8232, 0x8238, 0x8D7C}, true, 0x1401, cuda.FormatUint8, 1},
		{"16I", [3]int{0x8233, 0x8239, 0x8D88}, true, 0x1402, cuda.FormatInt16, 2},
		{"16UI", [3]int{0x8234, 0x823A, 0x8D76}, true, 0x1403, cuda.FormatUint16, 2},
		{"32I", [3]int{0x8235, 0x823B, 0x8D82}, true, 0x1404, cuda.FormatInt32, 4},
		{"32UI", [3]int{0x8236, 0x823C, 0x8D70}, true, 0x1405, cuda.FormatUint32, 4},
	}
	var out []texels
	for _, t := range types {
		for k, channels := range []int{1, 2, 4} {
			pixels := [3]int{0x1903, 0x8227, 0x1908}[k]
			if t.integer {
				pixels = [3]int{0x8D94, 0x8228, 0x8D99}[k]
			}
			name := [3]string{"R", "RG", "RGBA"}[k] + t.name
			out = append(out, texels{name, t.internal[k], pixels, t.of, t.format, channels, t.bytes * channels})
		}
	}
	return out
}

const (
	wide, high, deep = 5, 3, 4 // rows of odd numbers of bytes show wrong packing
	framebuffer      = 0x8D40
)

// kind is a target, and how the tests write and read images of it.
type kind struct {
	target gl.Target
	parts  int
	depth  int
}

var kinds = []kind{
	{gl.Texture2D, 1, 0}, {gl.TextureRectangle, 1, 0}, {gl.TextureCubeMap, 6, 0}, {gl.Texture3D, 1, deep}, {gl.Texture2DArray, deep, 0},
	{gl.Renderbuffer, 1, 0},
}

func (k kind) width() int {
	if k.target == gl.TextureCubeMap {
		return high // faces are square
	}
	return wide
}

func (k kind) bytes(f texels) int { return k.width() * high * max(k.depth, 1) * f.bytes }

// pattern is random texels; floats are numbers, which OpenGL need not keep otherwise.
func pattern(r *rand.Rand, f texels, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	switch f.format {
	case cuda.FormatFloat16:
		for i := 1; i < n; i += 2 {
			b[i] = 0x38 | b[i]&0x87 // exponents from 14 to 15
		}
	case cuda.FormatFloat32:
		for i := 3; i < n; i += 4 {
			b[i] = 0x3f | b[i]&0x80
			b[i-1] &= 0xbf
		}
	}
	return b
}

// image makes an image with these texels in its parts.
func (s *screen) image(k kind, f texels, parts [][]byte) uint32 {
	target, w := int(k.target), k.width()
	s.call("glPixelStorei", 0x0CF5, 1)
	defer s.call("glPixelStorei", 0x0CF5, 4)
	if k.target == gl.Renderbuffer {
		id := s.gen("glGenRenderbuffers")
		s.call("glBindRenderbuffer", target, id)
		s.call("glRenderbufferStorage", target, f.internal, w, high)
		s.call("glBindRenderbuffer", target, 0)
		require.Zero(s.t, s.call("glGetError"), f.name)
		return id
	}
	id := s.gen("glGenTextures")
	s.call("glBindTexture", target, id)
	switch k.target {
	case gl.Texture3D, gl.Texture2DArray:
		s.call("glTexImage3D", target, 0, f.internal, w, high, deep, 0, f.pixels, f.of, bytes.Join(parts, nil))
	case gl.TextureCubeMap:
		for i, p := range parts {
			s.call("glTexImage2D", 0x8515+i, 0, f.internal, w, high, 0, f.pixels, f.of, p)
		}
	default:
		s.call("glTexImage2D", target, 0, f.internal, w, high, 0, f.pixels, f.of, parts[0])
	}
	s.call("glBindTexture", target, 0)
	require.Zero(s.t, s.call("glGetError"), f.name)
	return id
}

// texels reads the parts of an image.
func (s *screen) texels(id uint32, k kind, f texels) [][]byte {
	n, out := k.bytes(f), [][]byte{}
	s.call("glPixelStorei", 0x0D05, 1)
	defer s.call("glPixelStorei", 0x0D05, 4)
	if k.target == gl.Renderbuffer {
		fb := s.gen("glGenFramebuffers")
		s.call("glBindFramebuffer", framebuffer, fb)
		s.call("glFramebufferRenderbuffer", framebuffer, 0x8CE0, int(k.target), id)
		b := make([]byte, n)
		s.call("glReadPixels", 0, 0, k.width(), high, f.pixels, f.of, b)
		s.call("glBindFramebuffer", framebuffer, 0)
		s.call("glDeleteFramebuffers", 1, []int32{int32(fb)})
		require.Zero(s.t, s.call("glGetError"), f.name)
		return append(out, b)
	}
	s.call("glBindTexture", int(k.target), id)
	defer s.call("glBindTexture", int(k.target), 0)
	if k.target == gl.TextureCubeMap {
		for i := range 6 {
			b := make([]byte, n)
			s.call("glGetTexImage", 0x8515+i, 0, f.pixels, f.of, b)
			out = append(out, b)
		}
	} else {
		b := make([]byte, n*k.parts)
		s.call("glGetTexImage", int(k.target), 0, f.pixels, f.of, b)
		for i := range k.parts {
			out = append(out, b[i*n:(i+1)*n])
		}
	}
	require.Zero(s.t, s.call("glGetError"), f.name)
	return out
}

// TestImage takes each kind of image in each format through a mapping and back.
func TestImage(t *testing.T) {
	s, _, x := setUp(t)
	r := rand.New(rand.NewPCG(1, 2))
	for _, k := range kinds {
		for _, f := range sharedFormats() {
			roundTrip(t, s, x, r, k, f) // no subtest: that would be another thread
		}
	}
	require.Empty(t, x.Leaked())
}

func roundTrip(t *testing.T, s *screen, x *gl.Interop, r *rand.Rand, k kind, f texels) {
	name := fmt.Sprintf("target %#x, format %s", uint32(k.target), f.name)
	first, second := make([][]byte, k.parts), make([][]byte, k.parts)
	for i := range k.parts {
		first[i], second[i] = pattern(r, f, k.bytes(f)), pattern(r, f, k.bytes(f))
	}
	id := s.image(k, f, first)
	image, err := x.RegisterImage(id, k.target, gl.ReadWrite)
	require.NoError(t, err, name)
	require.Equal(t, id, image.Handle())
	if k.target == gl.Renderbuffer { // it has no texels yet
		write(t, image, first)
	}
	m, err := image.Map()
	require.NoError(t, err, name)
	for i := range k.parts {
		a, err := m.Array(i, 0)
		require.NoError(t, err, name)
		require.Equal(t, f.format, a.Config().Format)
		require.Equal(t, f.channels, a.Config().Channels)
		require.Equal(t, k.depth, a.Config().Depth)
		got := make([]byte, k.bytes(f))
		require.NoError(t, cuda.ReadArray(t.Context(), got, a), name)
		require.Equal(t, first[i], got, name)
		again, err := m.Array(i, 0)
		require.NoError(t, err, name)
		require.Same(t, a, again, name)
	}
	require.NoError(t, m.Unmap(), name)
	require.Equal(t, first, s.texels(id, k, f), name)
	write(t, image, second)
	require.Equal(t, second, s.texels(id, k, f), name)
	require.NoError(t, image.Unregister(), name)
}

// write gives the parts of an image these texels.
func write(t *testing.T, image *gl.Image, parts [][]byte) {
	m, err := image.Map()
	require.NoError(t, err)
	for i, p := range parts {
		a, err := m.Array(i, 0)
		require.NoError(t, err)
		require.NoError(t, cuda.FillArray(t.Context(), a, p))
	}
	require.NoError(t, m.Unmap())
}

const imageKernels = `
// Each texel becomes its complement.
extern "C" __global__ void invert(cudaSurfaceObject_t image, int width, int height)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= width || y >= height)
        return;
    uchar4 p = surf2Dread<uchar4>(image, x * sizeof p, y);
    surf2Dwrite(make_uchar4(255 - p.x, 255 - p.y, 255 - p.z, p.w), image, x * sizeof p, y);
}

// Each pixel of the output is the mean of a texel and its neighbour on the right.
extern "C" __global__ void blend(float *out, cudaTextureObject_t image, int width, int height)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x < width && y < height)
        out[y * width + x] = tex2D<float>(image, x + 1, y + 0.5f);
}`

// TestImageKernels: a kernel changes a texture through a surface, and reads another with interpolation.
func TestImageKernels(t *testing.T) {
	s, dev, x := setUp(t)
	mod, err := dev.Compile(t.Context(), imageKernels, cuda.CompileConfig{})
	require.NoError(t, err)
	defer mod.Close()
	all := sharedFormats()
	rgba8, r32f, k := all[2], all[9], kinds[0]
	require.Equal(t, "RGBA8", rgba8.name)
	require.Equal(t, "R32F", r32f.name)
	r := rand.New(rand.NewPCG(3, 4))
	cfg := cuda.LaunchConfig{Grid: cuda.D2(1, high), Block: cuda.D1(32)}

	before := pattern(r, rgba8, k.bytes(rgba8))
	id := s.image(k, rgba8, [][]byte{before})
	image, err := x.RegisterImage(id, gl.Texture2D, gl.ReadWrite|gl.SurfaceLoadStore)
	require.NoError(t, err)
	m, err := image.Map()
	require.NoError(t, err)
	a, err := m.Array(0, 0)
	require.NoError(t, err)
	surface, err := a.NewSurface()
	require.NoError(t, err)
	invert, err := mod.Function("invert")
	require.NoError(t, err)
	require.NoError(t, invert.Launch(cfg, surface, int32(wide), int32(high)))
	require.NoError(t, m.Unmap(), "waits for the kernel")
	require.NoError(t, surface.Close())
	for i, b := range s.texels(id, k, rgba8)[0] {
		want := 255 - before[i]
		if i%4 == 3 {
			want = before[i]
		}
		require.Equal(t, want, b, "byte %d", i)
	}
	require.NoError(t, image.Unregister())

	ramp := make([]byte, 0, 4*wide*high)
	for range high {
		for c := range wide {
			ramp = append(ramp, 0, 0, []byte{0x00, 0x80, 0x00, 0x40, 0x80}[c], []byte{0x00, 0x3f, 0x40, 0x40, 0x40}[c]) // 0, 1, 2, 3, 4
		}
	}
	image, err = x.RegisterImage(s.image(k, r32f, [][]byte{ramp}), gl.Texture2D, gl.ReadOnly)
	require.NoError(t, err)
	m, err = image.Map()
	require.NoError(t, err)
	a, err = m.Array(0, 0)
	require.NoError(t, err)
	texture, err := a.NewTexture(cuda.TextureConfig{Linear: true})
	require.NoError(t, err)
	blend, err := mod.Function("blend")
	require.NoError(t, err)
	out := make([]float32, wide*high)
	require.NoError(t, blend.Run(t.Context(), cfg, cuda.Out(out), texture, int32(wide), int32(high)))
	for i, v := range out {
		require.Equal(t, min(float32(i%wide)+0.5, 4), v)
	}
	require.NoError(t, texture.Close())
	require.NoError(t, image.Unregister())
}

// TestImageState: nothing that a program has set is set otherwise afterwards.
func TestImageState(t *testing.T) {
	s, _, x := setUp(t)
	queries := []int{0x8069, 0x84F6, 0x8514, 0x806A, 0x8C1D, 0x8CA7, 0x88ED, 0x88EF, 0x8CAA, 0x8CA6, 0x0D05, 0x0D02, 0x0D03, 0x0D04,
		0x0CF5, 0x0CF2, 0x0CF3, 0x0CF4, 0x0C11, 0x806B, 0x806C, 0x806D, 0x806E}
	state := func() []int32 {
		out := make([]int32, len(queries))
		for i, q := range queries {
			s.call("glGetIntegerv", q, out[i:i+1])
		}
		return out
	}
	f := sharedFormats()[0]
	for _, k := range kinds {
		parts := make([][]byte, k.parts)
		for i := range parts {
			parts[i] = bytes.Repeat([]byte{byte(i)}, k.bytes(f))
		}
		id, other := s.image(k, f, parts), s.image(k, f, parts)
		bind := "glBindTexture"
		if k.target == gl.Renderbuffer {
			bind = "glBindRenderbuffer"
		}
		s.call(bind, int(k.target), other)
		pbo, fb := s.buffer(1000), s.gen("glGenFramebuffers")
		for _, b := range []int{0x88EB, 0x88EC} {
			s.call("glBindBuffer", b, pbo)
		}
		s.call("glBindFramebuffer", framebuffer, fb)
		s.call("glEnable", 0x0C11)
		s.call("glScissor", 0, 0, 1, 1)
		for _, p := range []int{0x0D05, 0x0CF5, 0x0D02, 0x0CF2, 0x0D03, 0x0CF4, 0x806B, 0x806E} {
			s.call("glPixelStorei", p, 8)
		}
		before := state()
		image, err := x.RegisterImage(id, k.target, gl.ReadWrite)
		require.NoError(t, err)
		want := make([][]byte, k.parts)
		for i := range want {
			want[i] = bytes.Repeat([]byte{byte(100 + i)}, k.bytes(f))
		}
		write(t, image, want)
		require.NoError(t, image.Unregister())
		require.Equal(t, before, state(), "target %#x", uint32(k.target))
		require.Zero(t, s.call("glGetError"))
		for _, p := range []int{0x0D02, 0x0CF2, 0x0D03, 0x0CF4, 0x806B, 0x806E} {
			s.call("glPixelStorei", p, 0)
		}
		s.call("glDisable", 0x0C11)
		s.call("glBindFramebuffer", framebuffer, 0)
		for _, b := range []int{0x88EB, 0x88EC} {
			s.call("glBindBuffer", b, 0)
		}
		require.Equal(t, want, s.texels(id, k, f), "the program's settings do not change what is copied")
	}
}

// TestImageLevels maps a level of a texture that is smaller than the first.
func TestImageLevels(t *testing.T) {
	s, _, x := setUp(t)
	const target = int(gl.Texture2D)
	id := s.gen("glGenTextures")
	s.call("glBindTexture", target, id)
	s.call("glTexImage2D", target, 0, 0x8058, 8, 8, 0, 0x1908, 0x1401, make([]byte, 256))
	want := pattern(rand.New(rand.NewPCG(5, 6)), sharedFormats()[2], 64)
	s.call("glTexImage2D", target, 1, 0x8058, 4, 4, 0, 0x1908, 0x1401, want)
	image, err := x.RegisterImage(id, gl.Texture2D, gl.ReadOnly)
	require.NoError(t, err)
	m, err := image.Map()
	require.NoError(t, err)
	a, err := m.Array(0, 1)
	require.NoError(t, err)
	got := make([]byte, 64)
	require.NoError(t, cuda.ReadArray(t.Context(), got, a))
	require.Equal(t, want, got)
	_, err = m.Array(0, 2)
	require.ErrorIs(t, err, gl.ErrHandle, "there is no such level")
	_, err = m.Array(0, -1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)

	// ReadOnly: what a kernel writes all the same does not come back.
	require.NoError(t, cuda.FillArray(t.Context(), a, make([]byte, 64)))
	require.NoError(t, m.Unmap())
	back := make([]byte, 64)
	s.call("glGetTexImage", target, 1, 0x1908, 0x1401, back)
	require.Equal(t, want, back)
	require.NoError(t, image.Unregister())
}

// TestImageMistakes: each gets the error that CUDA has for it.
func TestImageMistakes(t *testing.T) {
	s, _, x := setUp(t)
	const target = int(gl.Texture2D)
	rgba8, k := sharedFormats()[2], kinds[0]
	id := s.image(k, rgba8, [][]byte{make([]byte, k.bytes(rgba8))})
	for name, c := range map[string]struct {
		id     uint32
		target gl.Target
		flags  gl.Flags
		err    error
	}{
		"no such texture":      {id + 100, gl.Texture2D, 0, gl.ErrHandle},
		"another kind":         {id, gl.Texture3D, 0, gl.ErrHandle},
		"a target of lines":    {id, 0x0DE0, 0, gl.ErrFormat},
		"no such flags":        {id, gl.Texture2D, 16, cuda.ErrInvalidValue},
		"read and discard":     {id, gl.Texture2D, gl.ReadOnly | gl.WriteDiscard, cuda.ErrInvalidValue},
		"no such renderbuffer": {id + 100, gl.Renderbuffer, 0, gl.ErrHandle},
	} {
		_, err := x.RegisterImage(c.id, c.target, c.flags)
		require.ErrorIs(t, err, c.err, name)
	}
	for name, internal := range map[string]int{"RGB8": 0x8051, "SRGB8_ALPHA8": 0x8C43, "DEPTH_COMPONENT24": 0x81A6, "RGB10_A2": 0x8059} {
		bad, pixels := s.gen("glGenTextures"), 0x1908
		if name == "DEPTH_COMPONENT24" {
			pixels = 0x1902
		}
		s.call("glBindTexture", target, bad)
		s.call("glTexImage2D", target, 0, internal, 4, 4, 0, pixels, map[int]int{0x1908: 0x1401, 0x1902: 0x1405}[pixels], 0)
		require.Zero(t, s.call("glGetError"), name)
		_, err := x.RegisterImage(bad, gl.Texture2D, 0)
		require.ErrorIs(t, err, gl.ErrFormat, name)
	}
	many := s.gen("glGenRenderbuffers")
	s.call("glBindRenderbuffer", int(gl.Renderbuffer), many)
	s.call("glRenderbufferStorageMultisample", int(gl.Renderbuffer), 4, 0x8058, 4, 4)
	_, err := x.RegisterImage(many, gl.Renderbuffer, 0)
	require.ErrorIs(t, err, gl.ErrFormat)
	require.ErrorContains(t, err, "4 samples")
	empty := s.gen("glGenTextures")
	s.call("glBindTexture", target, empty)
	_, err = x.RegisterImage(empty, gl.Texture2D, 0)
	require.ErrorContains(t, err, "no memory")
	require.Zero(t, s.call("glGetError"))
}

// TestImageLifetime: what is done twice, too late or behind our back.
func TestImageLifetime(t *testing.T) {
	s, _, x := setUp(t)
	const target = int(gl.Texture2D)
	rgba8, k := sharedFormats()[2], kinds[0]
	id := s.image(k, rgba8, [][]byte{make([]byte, k.bytes(rgba8))})
	image, err := x.RegisterImage(id, gl.Texture2D, gl.WriteDiscard)
	require.NoError(t, err)
	_, err = x.RegisterImage(id, gl.Texture2D, 0)
	require.ErrorIs(t, err, gl.ErrHandle, "twice")
	require.Len(t, x.Leaked(), 1)
	require.Equal(t, gl.Texture2D, x.Leaked()[0].Target)
	require.Contains(t, x.Leaked()[0].Where, "image_test.go")
	m, err := image.Map()
	require.NoError(t, err)
	_, err = image.Map()
	require.ErrorIs(t, err, gl.ErrMapped)
	_, err = m.Array(1, 0)
	require.ErrorIs(t, err, cuda.ErrInvalidValue, "one layer")
	a, err := m.Array(0, 0)
	require.NoError(t, err)
	_, err = a.NewSurface()
	require.ErrorIs(t, err, cuda.ErrInvalidValue, "it was not registered for surfaces")

	// It gets another size behind our back; then it ends, and the mapping with it.
	s.call("glBindTexture", target, id)
	s.call("glTexImage2D", target, 0, 0x8058, 9, 9, 0, 0x1908, 0x1401, 0)
	require.ErrorIs(t, m.Unmap(), gl.ErrHandle)
	require.ErrorIs(t, m.Unmap(), gl.ErrNotMapped)
	_, err = m.Array(0, 0)
	require.ErrorIs(t, err, gl.ErrNotMapped)
	m, err = image.Map()
	require.NoError(t, err)
	require.NoError(t, s.c.Release())
	require.ErrorIs(t, m.Unmap(), gl.ErrContext)
	require.NoError(t, s.c.MakeCurrent())
	s.call("glDeleteTextures", 1, []int32{int32(id)})
	_, err = m.Array(0, 0)
	require.ErrorIs(t, err, gl.ErrHandle)
	require.NoError(t, image.Unregister(), "unmaps, too")
	require.ErrorIs(t, image.Unregister(), gl.ErrHandle)
	_, err = image.Map()
	require.ErrorIs(t, err, gl.ErrHandle)
}
