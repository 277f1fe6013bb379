// Command hetero_pi integrates 4/(1+x²) on all devices at once. Each block adds its values up, and those of the blocks are
// added in a fixed tree: every split gives the same bits.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed pi.cu
var source string

//go:generate go run ../../cmd/tandem compile pi.cu -o pi.ptx
//go:embed pi.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_pi:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o *beside.Options) error {
	n := 4_000_000 * o.Size
	sum := 0.0
	k, err := hetero.NewKernel("pi", hetero.CUDA(source, "pi", cuda.CompileConfig{Name: "pi.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	args := []hetero.Arg{hetero.Total[int32](), hetero.Reduce(&sum, hetero.Sum[float64]())}
	err = beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			return p.Run(ctx, k, hetero.Grid1(n, 128), args, cfg)
		},
		Check: beside.Keep(func() []float64 { return []float64{sum} }),
	})
	if err != nil {
		return err
	}
	pi := sum / float64(n)
	fmt.Fprintf(out, "pi = %.15f, error %.1e\n", pi, math.Abs(pi-math.Pi))
	return nil
}
