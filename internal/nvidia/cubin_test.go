//go:build linux && !tandem_nodl

package nvidia_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

// TestRealCubins: what NVRTC makes for each architecture passes the checks that stand before the driver, and does not when it
// is cut off.
func TestRealCubins(t *testing.T) {
	c := nvrtctest.Open(t)
	for _, arch := range c.SupportedArchs() {
		res, err := c.Compile(t.Context(), nvrtc.Program{Source: `__device__ int v; extern "C" __global__ void k(int *p) { *p = v; }`, Arch: fmt.Sprintf("sm_%d", arch)})
		require.NoError(t, err)
		require.NotEmpty(t, res.CUBIN)
		require.NoError(t, nvidia.CheckImage(res.CUBIN), "sm_%d", arch)
		require.ErrorIs(t, nvidia.CheckImage(res.CUBIN[:len(res.CUBIN)/2]), driver.InvalidImage)
	}
}
