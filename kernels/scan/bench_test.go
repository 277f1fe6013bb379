package scan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/scan"
)

// BenchmarkInclusive sums 16M float32. The bound is the memory: they are read twice and written once.
func BenchmarkInclusive(b *testing.B) {
	const n = 1 << 24
	cudatest.EachB(b, func(b *testing.B, dev *cuda.Device) {
		l := scan.New(dev)
		src, err := cuda.Alloc[float32](dev, n)
		require.NoError(b, err)
		require.NoError(b, src.Fill(0.5, nil))
		dst, err := cuda.Alloc[float32](dev, n)
		require.NoError(b, err)
		b.SetBytes(3 * 4 * n)
		for b.Loop() {
			require.NoError(b, scan.Inclusive(b.Context(), l, scan.Add, dst, src, nil))
			require.NoError(b, dev.Synchronize(b.Context()))
		}
	})
}
