// Command hetero_histogram counts bytes on all devices at once: each chunk counts into an array of its own, and those that
// count are added up.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/examples/internal/beside"
	"github.com/tandem-go/tandem/hostpar/hetero"
)

//go:embed histogram.cu
var source string

//go:generate go run ../../cmd/tandem compile histogram.cu -o histogram.ptx
//go:embed histogram.ptx
var embedded []byte

func main() {
	o := beside.Flags()
	flag.Parse()
	if err := run(context.Background(), os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "hetero_histogram:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o *beside.Options) error {
	const each = 64 // bytes that a thread counts
	n := 1 << 20 * o.Size
	data, want, bins := make([]uint8, n), make([]uint32, 256), make([]uint32, 256)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = uint8(128 + 32*r.NormFloat64())
		want[data[i]]++
	}
	k, err := hetero.NewKernel("histogram", hetero.CUDA(source, "histogram", cuda.CompileConfig{Name: "histogram.cu", Embedded: embedded}))
	if err != nil {
		return err
	}
	args := []hetero.Arg{hetero.Val(int32(n)), hetero.In(data, hetero.Rows(each)), hetero.Accum(bins, hetero.Sum[uint32]())}
	return beside.Compare(ctx, out, o, beside.Job{
		Run: func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error) {
			return p.Run(ctx, k, hetero.Grid1(n/each, 64), args, cfg)
		},
		Check: func() error {
			if !slices.Equal(bins, want) {
				return fmt.Errorf("the counts %v are not those of a loop, %v", bins, want)
			}
			return nil
		},
	})
}
