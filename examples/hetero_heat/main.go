// Command hetero_heat solves the heat equation on a plate, step by step, on all devices at once: each needs the rows
// beside its own, and keeps what it has from step to step. With -frames it writes pictures of the plate.
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed heat.cu
var source string

//go:generate go run ../../cmd/tandem compile heat.cu -o heat.ptx
//go:embed heat.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	frames := flag.String("frames", "", "write a picture of the plate every 20 steps to this folder")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o, *frames); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_heat:", err)
		os.Exit(1)
	}
}

const (
	width = 512
	steps = 100
)

func run(ctx context.Context, out io.Writer, o *beside.Options, frames string) error {
	h := 512 * o.Size
	k, err := hetero.NewKernel("heat", hetero.CUDA(source, "heat", cuda.CompileConfig{Name: "heat.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	grid := hetero.Grid{N: cuda.D2(width, h), Block: cuda.D2(128, 1)}
	u, next := make([]float32, width*h), make([]float32, width*h)
	var drawn error
	check := beside.Keep(func() []float32 { return u })
	err = beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			hotPlate(u, h)
			args := []hetero.Arg{hetero.Val(int32(width)), hetero.Total[int32](),
				hetero.In(u, hetero.Rows(width).Halo(1, 1, hetero.Stop)), hetero.Out(next, hetero.Rows(width))}
			plan, err := p.Compile(ctx, k, grid, args, cfg)
			if err != nil {
				return nil, err
			}
			var rep *hetero.Report
			for i := 0; i < steps && err == nil; i++ {
				if frames != "" && i%20 == 0 {
					drawn = errors.Join(drawn, draw(filepath.Join(frames, fmt.Sprintf("heat%03d.png", i)), u, h))
				}
				if rep, err = plan.Run(ctx); err == nil {
					err = plan.Swap(2, 3)
					u, next = next, u
				}
			}
			return rep, errors.Join(err, plan.Close())
		},
		Check: check,
	})
	return errors.Join(err, drawn)
}

// hotPlate is cold, but for a hot disc.
func hotPlate(u []float32, h int) {
	for y := range h {
		for x := range width {
			u[y*width+x] = 0
			if dx, dy := x-width/2, y-h/2; dx*dx+dy*dy < 100*100 {
				u[y*width+x] = 100
			}
		}
	}
}

// draw writes the plate as a picture, from black over red to white.
func draw(name string, u []float32, h int) error {
	img := image.NewRGBA(image.Rect(0, 0, width, h))
	for i, t := range u {
		level := func(from float32) uint8 { return uint8(min(max((t-from)*255/34, 0), 255)) }
		img.SetRGBA(i%width, i/width, color.RGBA{level(0), level(33), level(66), 255})
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
