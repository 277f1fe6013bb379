package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
)

// TestDiagnose: each usual trouble of an installation has its advice.
func TestDiagnose(t *testing.T) {
	require.Empty(t, cuda.Diagnose(nil))
	for _, c := range []struct {
		err  error
		want string
	}{
		{driver.Status(222), "older than the PTX"},
		{driver.Status(34), "stubs"},
		{driver.Status(46), "exclusive"},
		{driver.NoDevice, "NVIDIA_DRIVER_CAPABILITIES=compute,utility"},
		{driver.NotPermitted, "permission"},
		{driver.OperatingSystem, "nvidia-uvm"},
		{driver.Unknown, "nvidia-uvm"},
		{driver.SystemDriverMismatch, "different versions"},
		{driver.CompatNotSupported, "cuda/compat"},
		{driver.NoBinaryForGPU, "another GPU"},
		{driver.IllegalAddress, "if (i < n)"},
		{driver.Timeout, "CUDA_ERROR_TIMEOUT (909)"}, // known, without advice of its own
		{fmt.Errorf("wait: %w", context.DeadlineExceeded), "deadline"},
		{fmt.Errorf("wait: %w", context.Canceled), "cancelled"},
		{cuda.ErrGPUUnusable, "TANDEM_DEVICE=host"},
		{cuda.ErrNoDevice, "No NVIDIA driver"},
		{errors.New("moon phase"), "no advice for this error: op: moon phase"},
	} {
		require.Contains(t, cuda.Diagnose(fmt.Errorf("op: %w", c.err)), c.want, "%v", c.err)
	}
}
