package cuda_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

func TestUploadDownload(t *testing.T) {
	d, f := open(t)
	xs := randoms(1, 1000)
	b, err := cuda.Upload(background, d, xs)
	require.NoError(t, err)
	require.Equal(t, 1000, b.Len())
	require.Same(t, d, b.Device())
	got, err := b.Download(background)
	require.NoError(t, err)
	require.Equal(t, xs, got)

	v, err := b.Slice(10, 20)
	require.NoError(t, err)
	vv, err := v.Slice(5, 10)
	require.NoError(t, err)
	require.Equal(t, b.Ptr()+60, vv.Ptr())
	require.NoError(t, vv.CopyFrom(background, []float32{1, 2, 3, 4, 5}))
	got, err = b.Download(background)
	require.NoError(t, err)
	require.Equal(t, []float32{xs[14], 1, 2, 3, 4, 5, xs[20]}, got[14:21])

	require.NoError(t, v.Close(), "closing a view does nothing")
	require.Equal(t, 1, f.liveCount())
	require.NoError(t, b.Close())
	require.NoError(t, b.Close())
	require.Zero(t, f.liveCount())
	_, err = vv.Download(background)
	require.ErrorIs(t, err, cuda.ErrClosed)
	require.EqualError(t, vv.CopyFrom(background, make([]float32, 5)), "copy 5 elements to the device: the buffer is closed")
}

// TestUploadIsCompleteForEveryStream: what CopyFrom wrote is there for work on a stream that is ordered behind nothing.
func TestUploadIsCompleteForEveryStream(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	require.NoError(t, spin.Launch(threads(1)))
	uploaded := make(chan *cuda.Buffer[int32])
	go func() {
		x, err := cuda.Upload(background, d, []int32{1})
		if err != nil {
			t.Error(err)
		}
		uploaded <- x
	}()
	f.awaitWaiter()
	select {
	case <-uploaded:
		t.Fatal("Upload returned before the copy, which is behind a kernel")
	default:
	}
	f.release()
	x := <-uploaded
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	require.NoError(t, increment.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}, x))
	got, err := x.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{2}, got)
}

func TestEmptyBuffer(t *testing.T) {
	d, f := open(t)
	b, err := cuda.Upload(background, d, []float32{})
	require.NoError(t, err)
	require.Zero(t, b.Ptr())
	got, err := b.Download(background)
	require.NoError(t, err)
	require.Empty(t, got)
	require.NoError(t, b.Fill(1, nil))
	require.NoError(t, cuda.Copy(b, b, nil))
	k := function(t, d, "saxpy")
	require.NoError(t, k.Run(background, threads(1), 0, float32(1), b, cuda.In([]float32{})))
	require.NoError(t, b.Close())
	h, err := cuda.AllocHost[int32](d, 0)
	require.NoError(t, err)
	require.Empty(t, h.Slice())
	require.NoError(t, h.Close())
	require.Zero(t, f.liveCount())
	require.Zero(t, d.Usage().Allocations)
}

func TestLengths(t *testing.T) {
	d, _ := open(t)
	b, err := cuda.Upload(background, d, []int32{1, 2, 3})
	require.NoError(t, err)
	dst := []int32{7, 7}
	require.ErrorIs(t, b.CopyTo(background, dst), cuda.ErrLength)
	require.Equal(t, []int32{7, 7}, dst)
	require.EqualError(t, b.CopyFrom(background, dst), "copy 2 elements to the device: the buffer has 3")
	for _, r := range [][2]int{{-1, 1}, {2, 1}, {0, 4}, {4, 4}, {math.MinInt, math.MaxInt}} {
		_, err := b.Slice(r[0], r[1])
		require.ErrorIs(t, err, cuda.ErrLength)
	}
	_, err = cuda.Reinterpret[int64](b)
	require.ErrorIs(t, err, cuda.ErrLength)
	v, err := b.Slice(1, 3)
	require.NoError(t, err)
	_, err = cuda.Reinterpret[int64](v)
	require.ErrorIs(t, err, cuda.ErrLength, "not aligned")
	bytes, err := cuda.Reinterpret[byte](v)
	require.NoError(t, err)
	got, err := bytes.Download(background)
	require.NoError(t, err)
	require.Equal(t, []byte{2, 0, 0, 0, 3, 0, 0, 0}, got)
	_, err = cuda.Alloc[int32](d, -1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.Alloc[float64](d, math.MaxInt)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.AllocHost[float64](d, math.MaxInt)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = cuda.Alloc[byte](d, 1<<41)
	require.ErrorIs(t, err, cuda.ErrOutOfMemory)
	require.EqualError(t, err, "alloc 2199023255552 bytes on fake: CUDA_ERROR_OUT_OF_MEMORY (2): not enough device memory")
}

// fillCase fills n elements of a view in the middle, between guards.
func fillCase[T cuda.Element](t *testing.T, d *cuda.Device, v, guard T) {
	t.Helper()
	for _, n := range []int{1, 2, 3, 7, 64, 100} {
		host := make([]T, n+2)
		for i := range host {
			host[i] = guard
		}
		b, err := cuda.Upload(background, d, host)
		require.NoError(t, err)
		mid, err := b.Slice(1, n+1)
		require.NoError(t, err)
		require.NoError(t, mid.Fill(v, nil))
		got, err := b.Download(background)
		require.NoError(t, err)
		for i := 1; i <= n; i++ {
			host[i] = v
		}
		require.Equal(t, host, got)
		require.NoError(t, b.Close())
	}
}

func TestFill(t *testing.T) {
	d, _ := open(t)
	fillCase[uint8](t, d, 0xab, 1)
	fillCase[int16](t, d, -12345, 1)
	fillCase[float32](t, d, 3.25, 1)
	fillCase[float64](t, d, math.Pi, 1)
	fillCase[int64](t, d, -1, 1)
	fillCase[uint64](t, d, 0x0102030405060708, 1)
	fillCase[complex64](t, d, 1+2i, 1)
	fillCase[complex128](t, d, 1-2i, 1)
}

func TestCopyBetweenBuffers(t *testing.T) {
	d, _ := open(t)
	xs := randoms(1, 64)
	src, err := cuda.AllocHost[float32](d, 64)
	require.NoError(t, err)
	require.Equal(t, make([]float32, 64), src.Slice(), "page-locked memory is zero")
	copy(src.Slice(), xs)
	b, err := cuda.Alloc[float32](d, 64)
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	require.NoError(t, cuda.Copy(b, src, s))
	dst, err := cuda.AllocHost[float32](d, 64)
	require.NoError(t, err)
	require.NoError(t, cuda.Copy(dst, b, s))
	require.NoError(t, s.Wait(background))
	require.Equal(t, xs, dst.Slice())

	lo, err := b.Slice(0, 32)
	require.NoError(t, err)
	hi, err := b.Slice(32, 64)
	require.NoError(t, err)
	require.NoError(t, cuda.Copy(lo, hi, nil))
	got, err := b.Download(background)
	require.NoError(t, err)
	require.Equal(t, xs[32:], got[:32])
	mid, err := b.Slice(16, 48)
	require.NoError(t, err)
	require.ErrorIs(t, cuda.Copy(mid, lo, nil), cuda.ErrInvalidValue, "overlap")
	require.ErrorIs(t, cuda.Copy(b, lo, nil), cuda.ErrLength)
	other, _ := open(t)
	foreign, err := cuda.Alloc[float32](other, 64)
	require.NoError(t, err)
	require.ErrorIs(t, cuda.Copy(b, foreign, nil), cuda.ErrWrongDevice)

	k := function(t, d, "increment")
	h, err := cuda.AllocHost[int32](d, 4)
	require.NoError(t, err)
	require.NoError(t, k.Run(background, threads(4), h), "a kernel takes page-locked memory")
	require.Equal(t, []int32{1, 1, 1, 1}, h.Slice())
	require.NoError(t, h.Close())
	require.Nil(t, h.Slice())
	require.ErrorIs(t, k.Run(background, threads(4), h), cuda.ErrClosed)
}

func TestEndedContext(t *testing.T) {
	d, f := open(t)
	ctx, cancel := context.WithCancel(background)
	b, err := cuda.Upload(ctx, d, []int32{1})
	require.NoError(t, err)
	cancel()
	_, err = cuda.Upload(ctx, d, []int32{1})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, f.liveCount(), "a failed Upload leaves nothing")
	_, err = b.Download(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = d.Load(ctx, []byte(image), cuda.LoadConfig{})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, d.Synchronize(ctx), context.Canceled)
}
