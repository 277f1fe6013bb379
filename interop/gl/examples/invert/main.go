// Command invert shows a picture and its negative in turn, as PyCUDA's gl_interop example does: OpenGL copies the picture to a
// pixel buffer, a kernel inverts it into another one, and OpenGL takes the texture that it draws from there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	opengl "github.com/go-gl/gl/v3.3-core/gl"
	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/gl"
	"github.com/tandem-go/tandem/interop/gl/examples/window"
)

const side = 512

const source = `
// dest is the negative of source, four bytes a pixel; a picture of rings where on is 0.
extern "C" __global__ void invert(uchar4 *dest, const uchar4 *source, int n, int on)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n)
        return;
    uchar4 p = source[i];
    dest[i] = on ? make_uchar4(255 - p.x, 255 - p.y, 255 - p.z, p.w) : p;
}`

func main() {
	frames := flag.Int("frames", 0, "how many pictures; until the window is closed if 0")
	every := flag.Int("every", 60, "after how many pictures it changes")
	shot := flag.String("screenshot", "", "`file` for the last picture")
	flag.Parse()
	cfg := window.Config{
		Title: "Tandem: invert", Width: side, Height: side, Frames: *frames, Screenshot: *shot,
		Fragment: "void main() { pixel = texture(picture, at); }",
	}
	err := window.Show(cfg, func() (func(int) error, func() error, error) {
		s, err := newScene(context.Background())
		if err != nil {
			return nil, nil, err
		}
		return func(frame int) error { return s.draw(frame / *every % 2) }, s.end, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "invert:", err)
		os.Exit(1)
	}
}

// rings is the picture: colours that a negative changes visibly.
func rings() []byte {
	out := make([]byte, 0, 4*side*side)
	for y := range side {
		for x := range side {
			dx, dy := x-side/2, y-side/2
			ring := (dx*dx + dy*dy) / 4096 % 2
			out = append(out, byte(x/2), byte(ring*200), byte(y/2), 255)
		}
	}
	return out
}

// scene is the two pixel buffers, registered, and the texture.
type scene struct {
	invert       *cuda.Function
	source, dest *gl.Buffer
	texture      uint32
}

func newScene(ctx context.Context) (*scene, error) {
	dev, err := cuda.Default()
	if err != nil {
		return nil, err
	}
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{Name: "invert.cu"})
	if err != nil {
		return nil, err
	}
	s := &scene{texture: window.Texture(opengl.RGBA8, side, side, opengl.RGBA, opengl.UNSIGNED_BYTE)}
	if s.invert, err = mod.Function("invert"); err != nil {
		return nil, err
	}
	x, err := gl.New(dev, glfw.GetProcAddress)
	if err != nil {
		return nil, err
	}
	var buffers [2]uint32
	opengl.GenBuffers(2, &buffers[0])
	for i, pixels := range [][]byte{rings(), make([]byte, 4*side*side)} {
		opengl.BindBuffer(opengl.PIXEL_UNPACK_BUFFER, buffers[i])
		opengl.BufferData(opengl.PIXEL_UNPACK_BUFFER, len(pixels), opengl.Ptr(pixels), opengl.STREAM_DRAW)
	}
	opengl.BindBuffer(opengl.PIXEL_UNPACK_BUFFER, 0)
	if s.source, err = x.RegisterBuffer(buffers[0], gl.ReadOnly); err != nil {
		return nil, err
	}
	if s.dest, err = x.RegisterBuffer(buffers[1], gl.WriteDiscard); err != nil {
		return nil, err
	}
	return s, nil
}

// draw fills the texture with the picture, or its negative.
func (s *scene) draw(negative int) error {
	from, err := s.source.Map()
	if err != nil {
		return err
	}
	to, err := s.dest.Map()
	if err != nil {
		return errors.Join(err, from.Unmap())
	}
	err = s.launch(to, from, negative)
	if err := errors.Join(err, to.Unmap(), from.Unmap()); err != nil {
		return err
	}
	opengl.BindTexture(opengl.TEXTURE_2D, s.texture)
	opengl.BindBuffer(opengl.PIXEL_UNPACK_BUFFER, s.dest.Handle())
	opengl.TexSubImage2D(opengl.TEXTURE_2D, 0, 0, 0, side, side, opengl.RGBA, opengl.UNSIGNED_BYTE, nil)
	opengl.BindBuffer(opengl.PIXEL_UNPACK_BUFFER, 0)
	return nil
}

func (s *scene) launch(to, from *gl.Mapping, negative int) error {
	dest, err := to.Memory()
	if err != nil {
		return err
	}
	pixels, err := from.Memory()
	if err != nil {
		return err
	}
	const n, block = side * side, 256
	return s.invert.Launch(cuda.LaunchConfig{Grid: cuda.D1(n / block), Block: cuda.D1(block)}, dest, pixels, int32(n), int32(negative))
}

func (s *scene) end() error { return errors.Join(s.source.Unregister(), s.dest.Unregister()) }
