package cuda_test

import (
	"bytes"
	"runtime/pprof"
	"runtime/trace"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// TestTrace: a trace has a region for each step, with the task that began it, and the workers' time on the kernel.
func TestTrace(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	var out bytes.Buffer
	require.NoError(t, trace.Start(&out))
	ctx, step := cuda.StartRange(t.Context(), "the whole step")
	m, err := dev.Compile(ctx, multiplySource, cuda.CompileConfig{Name: "traced.cu"})
	require.NoError(t, err)
	k, err := m.Function("multiply_them")
	require.NoError(t, err)
	x := []float32{1, 2}
	require.NoError(t, k.Run(ctx, threads(2), cuda.Out(x), cuda.In(x), cuda.In(x)))
	b, err := cuda.Upload(ctx, dev, x)
	require.NoError(t, err)
	require.NoError(t, k.Launch(threads(2), b, b, b))
	cuda.Mark(ctx, "launched twice")
	require.NoError(t, b.CopyTo(ctx, x))
	step.End()
	trace.Stop()
	for _, want := range []string{
		"the whole step", "compile traced.cu", "launch multiply_them", "kernel multiply_them",
		"copy 2 elements to the device", "copy 2 elements from the device", "launched twice",
	} {
		require.True(t, bytes.Contains(out.Bytes(), []byte(want)), want)
	}
	cuda.Mark(t.Context(), "nobody listens")
	_, none := cuda.StartRange(t.Context(), "nobody listens")
	none.End()
}

// TestProfilesNameKernels: whoever is on a kernel has its name as a label.
func TestProfilesNameKernels(t *testing.T) {
	dev, kernel := host(t)
	open, err := cuda.AllocHost[uint32](dev, 1)
	require.NoError(t, err)
	defer open.Close()
	require.NoError(t, kernel("gate").Launch(threads(1), open))
	for labelled := false; !labelled; { // ends when a worker has begun
		var profile bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
		labelled = bytes.Contains(profile.Bytes(), []byte(`"kernel":"gate"`))
	}
	atomic.StoreUint32(&open.Slice()[0], 1)
	require.NoError(t, dev.Synchronize(t.Context()))
	var profile bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	require.NotContains(t, profile.String(), `"kernel":"gate"`, "workers forget it")
}
