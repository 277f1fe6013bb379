// Command hetero_parzen estimates a density from samples, by a Gaussian on each (Parzen 1962), on all devices at once.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed parzen.cu
var source string

//go:generate go run ../../cmd/tandem compile parzen.cu -o parzen.ptx
//go:embed parzen.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_parzen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o *beside.Options) error {
	const from, to = -6.0, 6.0
	n, points, bandwidth := 2000, 4096*o.Size, float32(0.25)
	samples, density := make([]float32, n), make([]float32, points)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range samples {
		samples[i] = float32(r.NormFloat64() + 4*float64(i%2) - 2) // two heaps
	}
	k, err := hetero.NewKernel("parzen", hetero.CUDA(source, "parzen", cuda.CompileConfig{Name: "parzen.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	step := float32((to - from) / float64(points))
	args := []hetero.Arg{hetero.Total[int32](), hetero.Val(int32(n)), hetero.Val(bandwidth), hetero.Val(float32(from)), hetero.Val(step),
		hetero.In(samples, hetero.Replicate()), hetero.Out(density, hetero.Rows(1))}
	var first []float32
	err = beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			return p.Run(ctx, k, hetero.Grid1(points, 64), args, cfg)
		},
		Check: func() error { // the exponential function is an approximation, which differs from device to device
			if first == nil {
				first = append(first, density...)
			}
			for i := range density {
				if d := math.Abs(float64(density[i] - first[i])); d > 1e-5 {
					return fmt.Errorf("at point %d the densities differ by %g", i, d)
				}
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	sum := 0.0
	for _, d := range density {
		sum += float64(d) * float64(step)
	}
	fmt.Fprintf(out, "integral of the density: %.4f\n", sum)
	return nil
}
