package cuda_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// foreign is memory that does not move.
var foreign [8]float32

// TestForeign runs a kernel on memory that is not the device's.
func TestForeign(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(t.Context(), `extern "C" __global__ void twice(float *x) { x[threadIdx.x] *= 2; }`, cuda.CompileConfig{})
	require.NoError(t, err)
	twice, err := mod.Function("twice")
	require.NoError(t, err)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(4)}

	mine := append(foreign[:0], 1, 2, 3, 4, 5)
	addr := uint64(uintptr(unsafe.Pointer(&mine[0])))
	b, err := cuda.Foreign[float32](dev, addr, 4)
	require.NoError(t, err)
	require.Equal(t, addr, b.Ptr())
	require.NoError(t, twice.Launch(cfg, b))
	require.NoError(t, b.Close(), "waits for the kernel")
	require.Equal(t, []float32{2, 4, 6, 8, 5}, mine)
	require.NoError(t, b.Close())
	require.ErrorIs(t, twice.Run(t.Context(), cfg, b), cuda.ErrClosed)

	b, err = cuda.Foreign[float32](dev, addr, 4)
	require.NoError(t, err, "it was given back")
	_, err = cuda.Foreign[float32](dev, addr+4, 4)
	require.ErrorIs(t, err, cuda.ErrInvalidValue, "a part of it is in use")
	require.NoError(t, b.Close())

	for _, bad := range []struct {
		addr uint64
		n    int
	}{{0, 1}, {addr, 0}, {addr, -1}, {addr, 1 << 62}, {addr + 1, 1}} {
		_, err := cuda.Foreign[float32](dev, bad.addr, bad.n)
		require.ErrorIs(t, err, cuda.ErrInvalidValue, "%v", bad)
	}
}

// TestForeignFault: beyond its end foreign memory is not legal.
func TestForeignFault(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(t.Context(), `extern "C" __global__ void twice(float *x) { x[threadIdx.x] *= 2; }`, cuda.CompileConfig{})
	require.NoError(t, err)
	twice, err := mod.Function("twice")
	require.NoError(t, err)
	mine := foreign[:]
	b, err := cuda.Foreign[float32](dev, uint64(uintptr(unsafe.Pointer(&mine[0]))), 4)
	require.NoError(t, err)
	err = twice.Run(t.Context(), cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(5)}, b)
	require.ErrorIs(t, err, cuda.ErrIllegalAddress)
}

// TestRegisterGLBuffer: on the host device there is nothing to register, and the error says so.
func TestRegisterGLBuffer(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	_, err = dev.RegisterGLBuffer(1, 0)
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	require.ErrorContains(t, err, "OpenGL buffer 1")
}
