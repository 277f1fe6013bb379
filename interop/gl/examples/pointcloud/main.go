// Command pointcloud lets a kernel write points straight into OpenGL's buffer and draws them, without a window.
//
// The surface is a wave that runs outwards; each picture is one time of it. The points never pass through Go.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	opengl "github.com/go-gl/gl/v3.3-core/gl"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/gl"
	"github.com/tandem-go/tandem/interop/gl/egl"
	"github.com/tandem-go/tandem/interop/gl/examples/canvas"
)

const (
	side   = 400 // points along each edge of the surface
	width  = 640
	height = 480
)

const source = `
// Position x, y, z and colour r, g, b of the points of a wave at one time, seen from above at an angle.
extern "C" __global__ void wave(float *points, int side, float time)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x, j = blockIdx.y * blockDim.y + threadIdx.y;
    if (i >= side || j >= side)
        return;
    float u = 2.0f * i / (side - 1) - 1, v = 2.0f * j / (side - 1) - 1;
    float r = sqrtf(u * u + v * v), h = cosf(12 * r - 6 * time) * expf(-2 * r);
    float x = 0.8f * u - 0.5f * v, depth = 0.5f * u + 0.8f * v;
    float *p = points + 6 * (j * side + i);
    p[0] = 0.75f * x;
    p[1] = 0.5f * depth + 0.35f * h;
    p[2] = depth / 2;
    p[3] = 0.5f + 0.5f * h;
    p[4] = 0.35f + 0.3f * (1 - r);
    p[5] = 0.9f - 0.6f * h;
}`

func main() {
	frames := flag.Int("frames", 1, "how many pictures")
	out := flag.String("out", ".", "`folder` for the pictures")
	flag.Parse()
	if err := run(context.Background(), *frames, *out); err != nil {
		fmt.Fprintln(os.Stderr, "pointcloud:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, frames int, out string) (err error) {
	c, err := egl.New(egl.Config{Devices: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := opengl.InitWithProcAddrFunc(c.ProcAddress); err != nil {
		return err
	}
	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	s, err := newScene(ctx, dev, c)
	if err != nil {
		return err
	}
	for i := range frames {
		if err := s.draw(float32(i) / 24); err != nil {
			return err
		}
		name := filepath.Join(out, fmt.Sprintf("pointcloud_%03d.png", i))
		if err := canvas.Screenshot(name, width, height); err != nil {
			return err
		}
		fmt.Println(name)
	}
	fmt.Printf("device: %s (%s), OpenGL: %s\n", dev.Info().Name, dev.Info().ID, opengl.GoStr(opengl.GetString(opengl.RENDERER)))
	return s.points.Unregister()
}

// scene is the buffer with its kernel, and what draws it.
type scene struct {
	wave   *cuda.Function
	points *gl.Buffer
}

func newScene(ctx context.Context, dev *cuda.Device, c *egl.Context) (*scene, error) {
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{Name: "wave.cu"})
	if err != nil {
		return nil, err
	}
	s := &scene{}
	if s.wave, err = mod.Function("wave"); err != nil {
		return nil, err
	}
	x, err := gl.New(dev, c.ProcAddress)
	if err != nil {
		return nil, err
	}
	var vertices, buffer, frame, colours, depths uint32
	opengl.GenVertexArrays(1, &vertices)
	opengl.BindVertexArray(vertices)
	opengl.GenBuffers(1, &buffer)
	opengl.BindBuffer(opengl.ARRAY_BUFFER, buffer)
	opengl.BufferData(opengl.ARRAY_BUFFER, 6*4*side*side, nil, opengl.STREAM_DRAW)
	for i := range uint32(2) {
		opengl.EnableVertexAttribArray(i)
		opengl.VertexAttribPointerWithOffset(i, 3, opengl.FLOAT, false, 24, uintptr(12*i))
	}
	opengl.GenFramebuffers(1, &frame)
	opengl.BindFramebuffer(opengl.FRAMEBUFFER, frame)
	for attachment, r := range map[uint32]struct {
		id     *uint32
		format uint32
	}{opengl.COLOR_ATTACHMENT0: {&colours, opengl.RGBA8}, opengl.DEPTH_ATTACHMENT: {&depths, opengl.DEPTH_COMPONENT24}} {
		opengl.GenRenderbuffers(1, r.id)
		opengl.BindRenderbuffer(opengl.RENDERBUFFER, *r.id)
		opengl.RenderbufferStorage(opengl.RENDERBUFFER, r.format, width, height)
		opengl.FramebufferRenderbuffer(opengl.FRAMEBUFFER, attachment, opengl.RENDERBUFFER, *r.id)
	}
	opengl.Viewport(0, 0, width, height)
	opengl.Enable(opengl.DEPTH_TEST)
	opengl.PointSize(2)
	if err := canvas.UseProgram(vertexShader, fragmentShader); err != nil {
		return nil, err
	}
	if s.points, err = x.RegisterBuffer(buffer, gl.WriteDiscard); err != nil {
		return nil, err
	}
	return s, nil
}

// draw runs the kernel for a time and draws its points.
func (s *scene) draw(time float32) error {
	m, err := s.points.Map()
	if err != nil {
		return err
	}
	memory, err := gl.Elements[float32](m)
	if err == nil {
		tiles := (side + 15) / 16
		err = s.wave.Launch(cuda.LaunchConfig{Grid: cuda.D2(tiles, tiles), Block: cuda.D2(16, 16)}, memory, int32(side), time)
	}
	if err := errors.Join(err, m.Unmap()); err != nil {
		return err
	}
	opengl.ClearColor(0.05, 0.06, 0.09, 1)
	opengl.Clear(opengl.COLOR_BUFFER_BIT | opengl.DEPTH_BUFFER_BIT)
	opengl.DrawArrays(opengl.POINTS, 0, side*side)
	return nil
}

const vertexShader = `#version 330 core
layout(location=0) in vec3 position;
layout(location=1) in vec3 colour;
out vec3 c;
void main() { gl_Position = vec4(position, 1); c = colour; }
`

const fragmentShader = `#version 330 core
in vec3 c;
out vec4 pixel;
void main() { pixel = vec4(c, 1); }
`
