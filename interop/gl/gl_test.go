package gl_test

import (
	"image"
	"image/color"
	"os"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/interop/gl"
	"github.com/tandem-go/tandem/interop/gl/egl"
)

func TestMain(m *testing.M) { os.Exit(cudatest.Run(m)) }

const (
	arrayBuffer = 0x8892
	copyRead    = 0x8F36
	streamDraw  = 0x88E0
)

// screen is a context with the functions that the tests draw with.
type screen struct {
	t *testing.T
	c *egl.Context
}

// call calls an OpenGL function whose arguments are integers or pointers.
func (s *screen) call(name string, args ...any) uintptr {
	p := s.c.ProcAddress(name)
	require.NotNil(s.t, p, name)
	f := dl.NewFrame()
	for _, a := range args {
		switch a := a.(type) {
		case int:
			f = f.Int(uintptr(a))
		case uint32:
			f = f.Int(uintptr(a))
		case []int32:
			f = f.Ints(a)
		case []byte:
			f = f.Bytes(a)
		case *dl.StringVector:
			f = f.Strings(a)
		default:
			s.t.Fatalf("argument of type %T", a)
		}
	}
	return f.Call(dl.Func(uintptr(p)))
}

// gen makes an object by one of the glGen functions.
func (s *screen) gen(name string) uint32 {
	id := []int32{0}
	s.call(name, 1, id)
	return uint32(id[0])
}

// buffer makes a buffer of n bytes and leaves nothing bound.
func (s *screen) buffer(n int) uint32 {
	id := s.gen("glGenBuffers")
	s.call("glBindBuffer", arrayBuffer, id)
	s.call("glBufferData", arrayBuffer, n, 0, streamDraw)
	s.call("glBindBuffer", arrayBuffer, 0)
	require.Zero(s.t, s.call("glGetError"))
	return id
}

func (s *screen) contents(id uint32, n int) []byte {
	b := make([]byte, n)
	s.call("glBindBuffer", arrayBuffer, id)
	s.call("glGetBufferSubData", arrayBuffer, 0, n, b)
	s.call("glBindBuffer", arrayBuffer, 0)
	require.Zero(s.t, s.call("glGetError"))
	return b
}

// setUp makes a context and a host device that shares with it.
func setUp(t *testing.T) (*screen, *cuda.Device, *gl.Interop) {
	c, err := egl.New(egl.Config{})
	require.NoError(t, err, "install the packages of `tandem setup --test`")
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, dev.Close()) })
	x, err := gl.New(dev, c.ProcAddress)
	require.NoError(t, err)
	return &screen{t, c}, dev, x
}

const kernels = `
extern "C" __global__ void number(unsigned *x, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        x[i] = i * 2654435761u;
}

// One vertex for each pixel of a disc, elsewhere one that is clipped.
extern "C" __global__ void disc(float2 *vertices, int size)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y;
    if (x >= size)
        return;
    int dx = 2 * x + 1 - size, dy = 2 * y + 1 - size;
    bool in = dx * dx + dy * dy < size * size / 2;
    vertices[y * size + x] = in ? make_float2((float)dx / size, (float)dy / size) : make_float2(9, 9);
}`

func function(t *testing.T, dev *cuda.Device, name string) *cuda.Function {
	mod, err := dev.Compile(t.Context(), kernels, cuda.CompileConfig{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mod.Close()) })
	f, err := mod.Function(name)
	require.NoError(t, err)
	return f
}

// TestBuffer: what a kernel writes is in the buffer when OpenGL reads it, and nothing that was bound is bound otherwise.
func TestBuffer(t *testing.T) {
	s, dev, x := setUp(t)
	shareBuffer(t, s, dev, x)
	old, err := gl.New(dev, func(name string) unsafe.Pointer {
		if strings.Contains(name, "Named") { // as before OpenGL 4.5
			return nil
		}
		return s.c.ProcAddress(name)
	})
	require.NoError(t, err)
	shareBuffer(t, s, dev, old)
}

func shareBuffer(t *testing.T, s *screen, dev *cuda.Device, x *gl.Interop) {
	const n = 1000
	id, other := s.buffer(4*n), s.buffer(16)
	s.call("glBindBuffer", copyRead, other)
	b, err := x.RegisterBuffer(id, gl.WriteDiscard)
	require.NoError(t, err)
	require.Equal(t, id, b.Handle())
	number := function(t, dev, "number")
	for range 2 {
		m, err := b.Map()
		require.NoError(t, err)
		ptr, size, err := m.DevicePtrAndSize()
		require.NoError(t, err)
		require.NotZero(t, ptr)
		require.Equal(t, 4*n, size)
		words, err := gl.Elements[uint32](m)
		require.NoError(t, err)
		require.NoError(t, number.Launch(cuda.LaunchConfig{Grid: cuda.D1(4), Block: cuda.D1(256)}, words, int32(n)))
		require.NoError(t, m.Unmap(), "waits for the kernel")
		bound := []int32{0}
		s.call("glGetIntegerv", copyRead, bound)
		require.EqualValues(t, other, bound[0])
		got := s.contents(id, 4*n)
		for i := range n {
			require.Equal(t, uint32(i)*2654435761, *(*uint32)(unsafe.Pointer(&got[4*i])))
		}
		_, err = words.Download(t.Context())
		require.ErrorIs(t, err, cuda.ErrClosed)
		_, err = m.Memory()
		require.ErrorIs(t, err, gl.ErrNotMapped)
	}
	require.Len(t, x.Leaked(), 1)
	require.Contains(t, x.Leaked()[0].Where, "gl_test.go")
	require.NoError(t, b.Unregister())
	require.Empty(t, x.Leaked())
}

// TestDraw draws the points that a kernel made and compares every pixel.
func TestDraw(t *testing.T) {
	s, dev, x := setUp(t)
	const size = 64
	id := s.buffer(8 * size * size)
	b, err := x.RegisterBuffer(id, gl.WriteDiscard)
	require.NoError(t, err)
	m, err := b.Map()
	require.NoError(t, err)
	vertices, err := m.Memory()
	require.NoError(t, err)
	require.NoError(t, function(t, dev, "disc").Launch(cuda.LaunchConfig{Grid: cuda.D2(1, size), Block: cuda.D1(size)}, vertices, int32(size)))
	require.NoError(t, m.Unmap())
	require.NoError(t, b.Unregister())

	img := s.drawPoints(id, size)
	for y := range size {
		for x := range size {
			dx, dy := 2*x+1-size, 2*y+1-size
			want := color.RGBA{}
			if dx*dx+dy*dy < size*size/2 {
				want = color.RGBA{255, 255, 255, 255}
			}
			require.Equal(t, want, img.RGBAAt(x, y), "at %d, %d", x, y)
		}
	}
}

// drawPoints draws the vertices of a buffer to a picture of size x size pixels.
func (s *screen) drawPoints(id uint32, size int) *image.RGBA {
	const framebuffer, attachment, renderbuffer, rgba8, points, float, program = 0x8D40, 0x8CE0, 0x8D41, 0x8058, 0, 0x1406, 0x8B82
	rb := s.gen("glGenRenderbuffers")
	s.call("glBindRenderbuffer", renderbuffer, rb)
	s.call("glRenderbufferStorage", renderbuffer, rgba8, size, size)
	fb := s.gen("glGenFramebuffers")
	s.call("glBindFramebuffer", framebuffer, fb)
	s.call("glFramebufferRenderbuffer", framebuffer, attachment, renderbuffer, rb)
	s.call("glViewport", 0, 0, size, size)
	s.call("glClear", 0x4000)
	p := uint32(s.call("glCreateProgram"))
	for kind, text := range map[int]string{
		0x8B31: "#version 330 core\nlayout(location=0) in vec2 p; void main() { gl_Position = vec4(p, 0, 1); }",
		0x8B30: "#version 330 core\nout vec4 c; void main() { c = vec4(1); }",
	} {
		shader := uint32(s.call("glCreateShader", kind))
		s.call("glShaderSource", shader, 1, dl.NewStringVector([]string{text}), 0)
		s.call("glCompileShader", shader)
		s.call("glAttachShader", p, shader)
	}
	s.call("glLinkProgram", p)
	linked := []int32{0}
	s.call("glGetProgramiv", p, program, linked)
	require.EqualValues(s.t, 1, linked[0])
	s.call("glUseProgram", p)
	s.call("glBindVertexArray", s.gen("glGenVertexArrays"))
	s.call("glBindBuffer", arrayBuffer, id)
	s.call("glEnableVertexAttribArray", 0)
	s.call("glVertexAttribPointer", 0, 2, float, 0, 0, 0)
	s.call("glDrawArrays", points, 0, size*size)
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	s.call("glReadPixels", 0, 0, size, size, 0x1908, 0x1401, img.Pix)
	require.Zero(s.t, s.call("glGetError"))
	return img
}

// TestMistakes: each gets the error that CUDA has for it.
func TestMistakes(t *testing.T) {
	s, _, x := setUp(t)
	id := s.buffer(10)
	_, err := x.RegisterBuffer(id+1000, gl.ReadWrite)
	require.ErrorIs(t, err, gl.ErrHandle)
	_, err = x.RegisterBuffer(id, 99)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	b, err := x.RegisterBuffer(id, gl.ReadWrite)
	require.NoError(t, err)
	_, err = x.RegisterBuffer(id, gl.ReadWrite)
	require.ErrorIs(t, err, gl.ErrHandle)
	m, err := b.Map()
	require.NoError(t, err)
	_, err = b.Map()
	require.ErrorIs(t, err, gl.ErrMapped)
	_, err = gl.Elements[float32](m)
	require.ErrorIs(t, err, cuda.ErrLength, "10 bytes")
	require.NoError(t, m.Unmap())
	require.ErrorIs(t, m.Unmap(), gl.ErrNotMapped)

	// The buffer gets another size between two mappings.
	s.call("glBindBuffer", arrayBuffer, id)
	s.call("glBufferData", arrayBuffer, 24, 0, streamDraw)
	m, err = b.Map()
	require.NoError(t, err)
	_, size, err := m.DevicePtrAndSize()
	require.NoError(t, err)
	require.Equal(t, 24, size)

	// Without a context nothing is done, and it can be done later.
	unmapped, err := x.RegisterBuffer(s.buffer(4), gl.ReadWrite)
	require.NoError(t, err)
	require.NoError(t, s.c.Release())
	require.ErrorIs(t, m.Unmap(), gl.ErrContext)
	_, err = unmapped.Map()
	require.ErrorIs(t, err, gl.ErrContext)
	_, err = x.RegisterBuffer(id, gl.ReadWrite)
	require.ErrorIs(t, err, gl.ErrContext)
	require.NoError(t, s.c.MakeCurrent())
	require.NoError(t, unmapped.Unregister())
	require.NoError(t, b.Unregister(), "unmaps, too")
	require.ErrorIs(t, m.Unmap(), gl.ErrNotMapped)
	require.ErrorIs(t, b.Unregister(), gl.ErrHandle)
	_, err = b.Map()
	require.ErrorIs(t, err, gl.ErrHandle)

	// The buffer is deleted behind our back.
	other := s.buffer(8)
	b, err = x.RegisterBuffer(other, gl.ReadOnly)
	require.NoError(t, err)
	m, err = b.Map()
	require.NoError(t, err)
	s.call("glDeleteBuffers", 1, []int32{int32(other)})
	require.ErrorIs(t, m.Unmap(), gl.ErrHandle)
	_, err = b.Map()
	require.ErrorIs(t, err, gl.ErrHandle)
	require.NoError(t, b.Unregister())
	empty := s.gen("glGenBuffers")
	s.call("glBindBuffer", arrayBuffer, empty)
	_, err = x.RegisterBuffer(empty, gl.ReadWrite)
	require.ErrorContains(t, err, "no memory")
}

func TestNoContext(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	_, err = gl.New(dev, func(string) unsafe.Pointer { return nil })
	require.ErrorIs(t, err, gl.ErrContext)
	_, err = egl.New(egl.Config{Major: 99})
	require.ErrorIs(t, err, egl.ErrUnavailable)
}

// BenchmarkMap maps and unmaps 64 MiB; BenchmarkMapBufferRange is the same in OpenGL alone.
func BenchmarkMap(b *testing.B) {
	c, id := largeBuffer(b)
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(b, err)
	defer dev.Close()
	x, err := gl.New(dev, c.ProcAddress)
	require.NoError(b, err)
	r, err := x.RegisterBuffer(id, gl.ReadWrite)
	require.NoError(b, err)
	for b.Loop() {
		m, err := r.Map()
		if err == nil {
			err = m.Unmap()
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMapBufferRange(b *testing.B) {
	c, _ := largeBuffer(b)
	mapRange, unmap := entry(c, "glMapBufferRange"), entry(c, "glUnmapBuffer")
	for b.Loop() {
		if mapRange.Call(copyRead, 0, large, 3) == 0 {
			b.Fatal("not mapped")
		}
		unmap.Call(copyRead)
	}
}

const large = 64 << 20

func entry(c *egl.Context, name string) dl.Func { return dl.Func(uintptr(c.ProcAddress(name))) }

// largeBuffer makes a context and a buffer of 64 MiB, bound.
func largeBuffer(b *testing.B) (*egl.Context, uint32) {
	c, err := egl.New(egl.Config{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, c.Close()) })
	id := []int32{0}
	dl.NewFrame().Int(1).Ints(id).Call(entry(c, "glGenBuffers"))
	entry(c, "glBindBuffer").Call(copyRead, uintptr(id[0]))
	entry(c, "glBufferData").Call(copyRead, large, 0, streamDraw)
	return c, uint32(id[0])
}

// TestBufferObject is PyCUDA's older program: it registers and maps at once what it draws from.
func TestBufferObject(t *testing.T) {
	s, dev, x := setUp(t)
	id := s.buffer(64)
	o, err := x.NewBufferObject(id)
	require.NoError(t, err)
	require.Equal(t, id, o.Handle())
	m, err := o.Map()
	require.NoError(t, err)
	p, err := m.DevicePtr()
	require.NoError(t, err)
	require.Equal(t, 64, m.Size())
	words, err := cuda.Foreign[uint32](dev, p, 16)
	require.Error(t, err, "the mapping has it")
	require.Nil(t, words)
	require.NoError(t, m.Unmap())
	_, err = m.DevicePtr()
	require.ErrorIs(t, err, gl.ErrNotMapped)
	require.NoError(t, o.Unregister())
	require.Empty(t, x.Leaked())
}
