package dlpack_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/dlpack"
)

// theirs is memory of another library, which does not move.
var theirs [6]float32

func imported(t *testing.T, change func(*dlpack.Tensor)) *dlpack.Imported {
	tensor := dlpack.Tensor{Data: uintptr(unsafe.Pointer(&theirs)), Offset: 4, Type: float32Type, Device: dlpack.Device{Type: dlpack.CPU}, Shape: []int64{2, 2}}
	if change != nil {
		change(&tensor)
	}
	p, err := dlpack.Export(tensor, nil)
	require.NoError(t, err)
	im, err := dlpack.Import(p)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, im.Close()) })
	return im
}

// TestToBuffer runs a kernel on the memory of another library.
func TestToBuffer(t *testing.T) {
	cudatest.NVRTC(t)
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	mod, err := dev.Compile(t.Context(), `extern "C" __global__ void number(float *x) { x[threadIdx.x] = threadIdx.x + 1; }`, cuda.CompileConfig{})
	require.NoError(t, err)
	number, err := mod.Function("number")
	require.NoError(t, err)
	clear(theirs[:])
	b, err := dlpack.ToBuffer[float32](dev, imported(t, nil))
	require.NoError(t, err)
	require.NoError(t, number.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(4)}, b))
	require.NoError(t, b.Close())
	require.Equal(t, [6]float32{0, 1, 2, 3, 4, 0}, theirs)

	empty, err := dlpack.ToBuffer[float32](dev, imported(t, func(x *dlpack.Tensor) { x.Shape[0] = 0 }))
	require.NoError(t, err)
	require.Zero(t, empty.Len())
	_, err = dlpack.ToBuffer[int32](dev, imported(t, nil))
	require.ErrorIs(t, err, dlpack.ErrType)
	_, err = dlpack.ToBuffer[float32](dev, imported(t, func(x *dlpack.Tensor) { x.Device = dlpack.Device{Type: dlpack.CUDA, ID: 1} }))
	require.ErrorIs(t, err, dlpack.ErrDevice)
	require.ErrorContains(t, err, "CUDA 1, not on host")
	_, err = dlpack.ToBuffer[float32](dev, imported(t, func(x *dlpack.Tensor) { x.Strides = []int64{1, 2} }))
	require.ErrorIs(t, err, dlpack.ErrLayout)
}
