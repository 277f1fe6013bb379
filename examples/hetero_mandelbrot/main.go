// Command hetero_mandelbrot computes the Mandelbrot set on all devices at once. Rows cost very different times, which no
// fixed split would get right.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed mandelbrot.cu
var source string

//go:generate go run ../../cmd/tandem compile mandelbrot.cu -o mandelbrot.ptx
//go:embed mandelbrot.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_mandelbrot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o *beside.Options) error {
	w, h, most := 640, 480*o.Size, 500
	counts := make([]int32, w*h)
	k, err := hetero.NewKernel("mandelbrot", hetero.CUDA(source, "mandelbrot", cuda.CompileConfig{Name: "mandelbrot.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	grid := hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(64, 1)}
	args := []hetero.Arg{hetero.Val(int32(w)), hetero.Total[int32](), hetero.Val(int32(most)), hetero.Out(counts, hetero.Rows(w))}
	err = beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			return p.Run(ctx, k, grid, args, cfg)
		},
		Check: beside.Keep(func() []int32 { return counts }),
	})
	if err != nil {
		return err
	}
	inside := 0
	for _, n := range counts {
		if n == int32(most) {
			inside++
		}
	}
	// The picture is 3 by 2, the set about 1.5066 of that.
	fmt.Fprintf(out, "area of the set: %.3f\n", 6*float64(inside)/float64(w*h))
	return nil
}
