package sort_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/sort"
)

const benchSize = 1 << 24

// BenchmarkSort sorts 16M float32, uniform in [0, 1). The bound is the memory: each of four passes reads the keys twice and
// writes them once.
func BenchmarkSort(b *testing.B) {
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		l := sort.New(dev)
		r := rand.New(rand.NewPCG(1, 2))
		x := make([]float32, benchSize)
		for i := range x {
			x[i] = r.Float32()
		}
		src, err := cuda.Upload(b.Context(), dev, x)
		require.NoError(b, err)
		dst, err := cuda.Alloc[float32](dev, benchSize)
		require.NoError(b, err)
		index, err := cuda.Alloc[int32](dev, benchSize)
		require.NoError(b, err)
		run := func(name string, bytes int64, f func() error) {
			b.Run(name, func(b *testing.B) {
				b.SetBytes(bytes)
				for b.Loop() {
					require.NoError(b, f())
					require.NoError(b, dev.Synchronize(b.Context()))
				}
			})
		}
		ctx := b.Context()
		run("keys", 4*3*4*benchSize, func() error { return sort.Keys(ctx, l, 1, sort.Ascending, dst, src, nil) })
		run("arg", 4*5*4*benchSize, func() error { return sort.Arg(ctx, l, 1, sort.Ascending, index, src, nil) })
		counts, err := cuda.Alloc[int64](dev, 256)
		require.NoError(b, err)
		run("histogram", 4*benchSize, func() error { return sort.Histogram(ctx, l, 0, 1, counts, src, nil) })
	})
}
