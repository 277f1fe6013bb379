package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

// TestAttributes: all that CUDA has a name for is told, and agrees with what is asked for by number and with Info.
func TestAttributes(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		all, err := d.Attributes()
		require.NoError(t, err)
		require.Greater(t, len(all), 100)
		require.Equal(t, d.Info().ComputeMajor, all["COMPUTE_CAPABILITY_MAJOR"])
		require.Equal(t, 32, all["WARP_SIZE"])
		for number, name := range map[int]string{1: "MAX_THREADS_PER_BLOCK", 16: "MULTIPROCESSOR_COUNT", 69: "MAXIMUM_TEXTURE1D_LINEAR_WIDTH"} {
			v, err := d.Attribute(number)
			require.NoError(t, err)
			require.Positive(t, v, name)
			require.Equal(t, v, all[name])
		}
		_, err = d.Attribute(1 << 12)
		require.ErrorIs(t, err, cuda.ErrInvalidValue)
		require.NoError(t, d.Close())
		_, err = d.Attributes()
		require.ErrorIs(t, err, cuda.ErrClosed)
	})
}
