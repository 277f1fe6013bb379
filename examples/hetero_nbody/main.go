// Command hetero_nbody moves bodies under their gravity on all devices at once: every device needs the places of all
// bodies, and each step brings it those that the others moved.
package main

import (
	"context"
	_ "embed"
	"errors"
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

//go:embed nbody.cu
var source string

//go:generate go run ../../cmd/tandem compile nbody.cu -o nbody.ptx
//go:embed nbody.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_nbody:", err)
		os.Exit(1)
	}
}

const steps = 5

func run(ctx context.Context, out io.Writer, o *beside.Options) error {
	n := 2048 * o.Size
	k, err := hetero.NewKernel("nbody", hetero.CUDA(source, "nbody", cuda.CompileConfig{Name: "nbody.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	// x, y, z and mass of each body; velocities have a fourth that is not used.
	p, next, v := make([]float32, 4*n), make([]float32, 4*n), make([]float32, 4*n)
	before, after := 0.0, 0.0
	err = beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, pool *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			scatter(p)
			clear(v)
			before = momentum(p, v)
			plan, err := pool.Compile(ctx, k, hetero.Grid1(n, 64), []hetero.Arg{hetero.Total[int32](), hetero.Val(float32(1e-3)),
				hetero.In(p, hetero.Replicate()), hetero.InOut(v, hetero.Rows(4)), hetero.Out(next, hetero.Rows(4))}, cfg)
			if err != nil {
				return nil, err
			}
			var rep *hetero.Report
			for i := 0; i < steps && err == nil; i++ {
				if rep, err = plan.Run(ctx); err == nil {
					err = plan.Swap(2, 4)
					p, next = next, p
				}
			}
			after = momentum(p, v)
			return rep, errors.Join(err, plan.Close())
		},
		Check: beside.Keep(func() []float32 { return p }),
	})
	if err == nil {
		fmt.Fprintf(out, "momentum: %.2g before, %.2g after\n", before, after)
	}
	return err
}

// scatter puts bodies into a ball, the same each time.
func scatter(p []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(p); i += 4 {
		for k := range 3 {
			p[i+k] = float32(r.NormFloat64())
		}
		p[i+3] = 1 / float32(len(p))
	}
}

// momentum is what gravity among bodies does not change.
func momentum(p, v []float32) float64 {
	var sum [3]float64
	for i := 0; i < len(p); i += 4 {
		for k := range 3 {
			sum[k] += float64(p[i+3]) * float64(v[i+k])
		}
	}
	return math.Hypot(math.Hypot(sum[0], sum[1]), sum[2])
}
