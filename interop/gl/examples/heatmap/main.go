// Command heatmap shows heat that spreads over a plate, while hot spots wander over it. The plate is OpenGL's texture: each
// picture a kernel reads the plate through a texture of CUDA's and writes the next one through a surface.
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

const (
	side  = 256 // of the plate, in texels
	shown = 512 // of the window, in pixels
	block = 16
)

const source = `
// One step of the heat equation: each texel goes towards the mean of its neighbours; edges stay cold. Three spots are hot.
extern "C" __global__ void spread(cudaSurfaceObject_t next, cudaTextureObject_t plate, int side, float time)
{
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= side || y >= side)
        return;
    float u = x + 0.5f, v = y + 0.5f;
    float here = tex2D<float>(plate, u, v);
    float around = tex2D<float>(plate, u - 1, v) + tex2D<float>(plate, u + 1, v) + tex2D<float>(plate, u, v - 1) + tex2D<float>(plate, u, v + 1);
    here += 0.24f * (around - 4 * here);
    for (int k = 0; k < 3; k++) {
        float a = time * (0.4f + 0.17f * k) + 2.1f * k;
        float dx = u - side * (0.5f + 0.33f * cosf(a)), dy = v - side * (0.5f + 0.33f * sinf(1.3f * a));
        if (dx * dx + dy * dy < 30)
            here = 1;
    }
    surf2Dwrite(here, next, x * sizeof here, y);
}`

// palette makes black, red, yellow, white of heat.
const palette = `void main() {
	float h = sqrt(texture(picture, at).r);
	pixel = vec4(clamp(3 * h, 0, 1), clamp(3 * h - 1, 0, 1), clamp(3 * h - 2, 0, 1), 1);
}`

func main() {
	frames := flag.Int("frames", 0, "how many pictures; until the window is closed if 0")
	steps := flag.Int("steps", 8, "steps of the equation a picture")
	shot := flag.String("screenshot", "", "`file` for the last picture")
	flag.Parse()
	cfg := window.Config{Title: "Tandem: heat", Width: shown, Height: shown, Frames: *frames, Screenshot: *shot, Fragment: palette}
	err := window.Show(cfg, func() (func(int) error, func() error, error) {
		p, err := newPlate(context.Background())
		if err != nil {
			return nil, nil, err
		}
		return func(frame int) error {
			for i := range *steps {
				if err := p.step(float32(frame**steps+i) / 100); err != nil {
					return err
				}
			}
			opengl.BindTexture(opengl.TEXTURE_2D, p.images[0].Handle())
			return nil
		}, p.end, nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "heatmap:", err)
		os.Exit(1)
	}
}

// plate is two textures of OpenGL, the first of which holds the heat.
type plate struct {
	spread *cuda.Function
	images [2]*gl.Image
}

func newPlate(ctx context.Context) (*plate, error) {
	dev, err := cuda.Default()
	if err != nil {
		return nil, err
	}
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{Name: "spread.cu"})
	if err != nil {
		return nil, err
	}
	p := &plate{}
	if p.spread, err = mod.Function("spread"); err != nil {
		return nil, err
	}
	x, err := gl.New(dev, glfw.GetProcAddress)
	if err != nil {
		return nil, err
	}
	for i := range p.images {
		id := window.Texture(opengl.R32F, side, side, opengl.RED, opengl.FLOAT)
		if i == 0 {
			cold := make([]float32, side*side)
			opengl.TexSubImage2D(opengl.TEXTURE_2D, 0, 0, 0, side, side, opengl.RED, opengl.FLOAT, opengl.Ptr(cold))
		}
		if p.images[i], err = x.RegisterImage(id, gl.Texture2D, gl.SurfaceLoadStore); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// step makes the next state, which then is the first.
func (p *plate) step(time float32) error {
	from, err := p.images[0].Map()
	if err != nil {
		return err
	}
	to, err := p.images[1].Map()
	if err != nil {
		return errors.Join(err, from.Unmap())
	}
	err = p.launch(from, to, time)
	p.images[0], p.images[1] = p.images[1], p.images[0]
	return errors.Join(err, from.Unmap(), to.Unmap())
}

func (p *plate) launch(from, to *gl.ImageMapping, time float32) (err error) {
	now, err := from.Array(0, 0)
	if err != nil {
		return err
	}
	next, err := to.Array(0, 0)
	if err != nil {
		return err
	}
	plate, err := now.NewTexture(cuda.TextureConfig{Address: [3]cuda.AddressMode{cuda.AddressBorder, cuda.AddressBorder}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plate.Close()) }()
	surface, err := next.NewSurface()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, surface.Close()) }()
	grid := cuda.D2(side/block, side/block)
	return p.spread.Launch(cuda.LaunchConfig{Grid: grid, Block: cuda.D2(block, block)}, surface, plate, int32(side), time)
}

func (p *plate) end() error { return errors.Join(p.images[0].Unregister(), p.images[1].Unregister()) }
