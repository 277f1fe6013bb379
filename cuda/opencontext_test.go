package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
)

// sizedGPUs is a back end of several fakes.
type sizedGPUs struct{ devs []*fake }

func (b *sizedGPUs) Name() string { return "sized" }

func (b *sizedGPUs) Devices() ([]driver.Info, error) {
	var out []driver.Info
	for i, f := range b.devs {
		info := f.Info()
		info.Ordinal = i
		out = append(out, info)
	}
	return out, nil
}

func (b *sizedGPUs) Open(n int) (driver.Device, error) { return b.devs[n], nil }

func TestOpenMostFree(t *testing.T) {
	b := &sizedGPUs{}
	for _, size := range []uint64{1 << 30, 4 << 30, 2 << 30} {
		f := newFake()
		f.limit = size
		b.devs = append(b.devs, f)
	}
	d, err := cuda.NewSystem("", hostOK, b).OpenMostFree()
	require.NoError(t, err)
	free, _, err := d.Memory()
	require.NoError(t, err)
	require.EqualValues(t, 4<<30, free)
	for i, f := range b.devs {
		require.Equal(t, i != 1, f.closed, "device %d", i)
	}
	require.NoError(t, d.Close())
	d, err = cuda.NewSystem("", hostOK, noDriver).OpenMostFree()
	require.NoError(t, err)
	require.Equal(t, cuda.Host, d.Info().Kind)
	require.NoError(t, d.Close())
}

func TestOpenByAddress(t *testing.T) {
	s := cuda.NewSystem("", hostOK, gpus(second, good))
	d, err := s.Open("0000:3B:00.0")
	require.NoError(t, err)
	require.Equal(t, cuda.GPU, d.Info().Kind)
	require.NoError(t, d.Close())
	_, err = s.Open("0000:99:00.0")
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
}

func TestOpenContext(t *testing.T) {
	d, _ := host(t)
	own, err := d.OpenContext()
	require.NoError(t, err)
	a, b := uploaded(t, d, uint32(1)), uploaded(t, own, uint32(2))
	require.ErrorIs(t, cuda.Copy[uint32](a, b, nil), cuda.ErrWrongDevice)
	require.NoError(t, own.Close())
	require.Equal(t, []uint32{1}, downloaded(t, a), "the other context lives on")
	fake, _ := open(t)
	_, err = fake.OpenContext()
	require.ErrorIs(t, err, cuda.ErrNotSupported)
}
