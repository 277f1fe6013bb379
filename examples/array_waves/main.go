// Command array_waves lets waves run through two slits and draws their interference, by operations on arrays alone: no kernel,
// no loop over elements.
//
// It runs on the GPU, or on the CPU if there is none, and writes the mean intensity as a PNG.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/array"
)

func main() {
	out := flag.String("out", "waves.png", "`file` for the picture")
	width := flag.Int("width", 480, "points in each row")
	height := flag.Int("height", 320, "rows")
	steps := flag.Int("steps", 700, "steps of time")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *out, *width, *height, *steps); err != nil {
		fmt.Fprintln(os.Stderr, "array_waves:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, file string, width, height, steps int) error {
	if width < 64 || height < 64 || steps < 1 {
		return fmt.Errorf("a pool of %d x %d points and %d steps: want at least 64 x 64 and 1", width, height, steps)
	}
	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	ws, err := array.NewWorkspace(dev, array.Config{})
	if err != nil {
		return err
	}
	defer ws.Close()
	p := newPool(ws, width, height)
	for t := range steps {
		if err := p.step(ctx, t); err != nil {
			return err
		}
	}
	pixels, err := p.picture().Download(ctx)
	if err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := png.Encode(f, &image.NRGBA{Pix: pixels, Stride: 4 * width, Rect: image.Rect(0, 0, width, height)}); err != nil {
		return err
	}
	s := ws.Stats()
	fmt.Fprintf(w, "%s: %d x %d, %d steps, %d kernels run, %d of them fused\n", file, width, height, steps, s.Launches, s.Fused)
	fmt.Fprintf(w, "device: %s (%s)\n", dev.Info().Name, dev.Info().ID)
	return f.Close()
}

// pool is water with a wall across it.
type pool struct {
	before, now, next *array.Array[float32] // heights at three times
	open              *array.Array[float32] // 1 where there is water inside, 0 at walls
	intensity         *array.Array[float32] // sum of squares so far
}

// newPool puts a wall with two slits at a quarter of the width.
func newPool(ws *array.Workspace, width, height int) *pool {
	i := array.Indices(ws, height, width)
	row, col := i.FloorDiv(width), i.Mod(width)
	fromAxis := row.Mul(2).Sub(height - 1).Abs() // twice the distance
	slit := fromAxis.GreaterEqual(height / 8).And(fromAxis.Less(height / 5))
	water := col.NotEqual(width / 4).Or(slit)
	zero := func() *array.Array[float32] { return array.Zeros[float32](ws, height, width) }
	return &pool{before: zero(), now: zero(), next: zero(), intensity: zero(), open: array.AsType[float32](water)}
}

// speed is the square of how many points a wave runs in a step; stable below 1/2.
const speed = 0.25

// step solves the wave equation by central differences: the height changes as the mean of its neighbours pulls. Waves come in
// at the left side.
func (p *pool) step(ctx context.Context, t int) error {
	const inside = "1:-1, 1:-1"
	u := p.now
	pull := u.Slice("2:, 1:-1").Add(u.Slice(":-2, 1:-1")).Add(u.Slice("1:-1, 2:")).Add(u.Slice("1:-1, :-2")).Sub(u.Slice(inside).Mul(4))
	next := u.Slice(inside).Mul(2).Sub(p.before.Slice(inside)).Add(pull.Mul(speed)).Mul(p.open.Slice(inside))
	if err := p.next.Slice(inside).Assign(ctx, next); err != nil {
		return err
	}
	if err := p.next.Slice(":, 0").Assign(ctx, math.Sin(0.4*float64(t))); err != nil {
		return err
	}
	p.before, p.now, p.next = p.now, p.next, p.before
	return p.intensity.AddAssign(ctx, p.now.Square())
}

// picture colours the intensity: black, red, yellow, white, and walls grey. Its last axis is red, green, blue and opacity.
func (p *pool) picture() *array.Array[uint8] {
	bright := p.intensity.Div(p.intensity.Max()).Sqrt().Mul(6)
	channel := func(from float64) *array.Array[float32] {
		c := bright.Sub(from).Clip(0, 1)
		return array.Where[float32](p.open.Greater(0), c, 0.4)
	}
	one := array.Ones[float32](p.open.Workspace(), p.open.Shape()...)
	return array.AsType[uint8](array.Stack(-1, channel(0), channel(1), channel(2), one).Mul(255))
}
