package cuda_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
)

// gpus is a back end with the given devices, which can be opened.
func gpus(infos ...driver.Info) driver.Backend {
	f := newFake()
	f.caps = driver.Caps{LoadsPTX: true, LoadsCubin: true}
	return &fakeBackend{f: f, devices: infos}
}

func hostOK(cuda.HostConfig) (driver.Backend, error) { return newFake().backend(), nil }

var (
	noDriver  = &fakeBackend{err: fmt.Errorf("libcuda.so.1 was not found: %w", driver.ErrNoBackend)}
	mismatch  = &fakeBackend{err: fmt.Errorf("cuInit: %w", driver.SystemDriverMismatch)}
	good      = driver.Info{Ordinal: 0, Name: "GPU A", ComputeMajor: 9, DriverVersion: 12040, UUID: [16]byte{1, 2}, PCIBusID: "0000:3b:00.0"}
	second    = driver.Info{Ordinal: 1, Name: "GPU B", ComputeMajor: 8, ComputeMinor: 6}
	forbidden = driver.Info{Ordinal: 0, Name: "GPU C", Unusable: fmt.Errorf("open: %w", driver.NotPermitted)}
)

// TestDefault: which device it is, or why there is none.
func TestDefault(t *testing.T) {
	for _, c := range []struct {
		name string
		env  string
		gpu  driver.Backend
		want string // ID, or the message
		is   error
	}{
		{"no driver", "", noDriver, "host", nil},
		{"no driver, auto", "auto", noDriver, "host", nil},
		{"no device", "", gpus(), "host", nil},
		{"gpu", "", gpus(good, second), "gpu:0", nil},
		{"host wanted", "host", gpus(good), "host", nil},
		{"gpu wanted", "gpu", gpus(good, second), "gpu:0", nil},
		{"second wanted", "gpu:1", gpus(good, second), "gpu:1", nil},
		{"first fails", "", gpus(forbidden, second), "gpu:1", nil},
		{"all fail", "", gpus(forbidden), "the GPU cannot be used: gpu:0 (GPU C): open: CUDA_ERROR_NOT_PERMITTED (800)", cuda.ErrGPUUnusable},
		{"driver fails", "", mismatch, "the GPU cannot be used: cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)", cuda.ErrGPUUnusable},
		{"driver fails, gpu wanted", "gpu", mismatch, "TANDEM_DEVICE=gpu: the GPU cannot be used: cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803)", cuda.ErrGPUUnusable},
		{"driver fails, host wanted", "host", mismatch, "host", nil},
		{"gpu wanted, none", "gpu", noDriver, "TANDEM_DEVICE=gpu: no such device: libcuda.so.1 was not found: no device of this kind", cuda.ErrNoDevice},
		{"third wanted", "gpu:2", gpus(good, second), "TANDEM_DEVICE=gpu:2: no such device: there is no gpu:2", cuda.ErrNoDevice},
		{"nonsense", "tpu", gpus(good), `TANDEM_DEVICE=tpu: open device: "tpu" is none of auto, host, gpu, gpu:N, or the PCI address of a GPU`, cuda.ErrInvalidValue},
		{"nonsense number", "gpu:x", gpus(good), `TANDEM_DEVICE=gpu:x: open device: "gpu:x" is none of auto, host, gpu, gpu:N, or the PCI address of a GPU`, cuda.ErrInvalidValue},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := cuda.NewSystem(c.env, hostOK, c.gpu).OpenDefault()
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
				require.EqualError(t, err, c.want)
				require.NotEmpty(t, cuda.Diagnose(err))
				return
			}
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			kind, _, _ := cutKind(c.want)
			require.Equal(t, kind, d.Info().Kind)
		})
	}
}

func cutKind(id string) (cuda.Kind, string, bool) {
	if id == "host" {
		return cuda.Host, "", false
	}
	return cuda.GPU, id, true
}

func TestDevices(t *testing.T) {
	list := cuda.NewSystem("", hostOK, gpus(good, forbidden)).Devices()
	require.Len(t, list, 3)
	require.Equal(t, cuda.Info{
		ID: "gpu:0", Kind: cuda.GPU, Name: "GPU A", ComputeMajor: 9, DriverVersion: "12.4",
		UUID: "GPU-01020000-0000-0000-0000-000000000000", PCIBusID: "0000:3b:00.0",
	}, list[0])
	require.ErrorIs(t, list[1].Unusable, driver.NotPermitted)
	require.Contains(t, cuda.Diagnose(list[1].Unusable), "permission")
	require.Equal(t, "host", list[2].ID)
	require.NoError(t, list[2].Unusable)

	list = cuda.NewSystem("", hostOK, mismatch).Devices()
	require.Len(t, list, 2)
	require.ErrorIs(t, list[0].Unusable, cuda.ErrGPUUnusable)
	require.Contains(t, cuda.Diagnose(list[0].Unusable), "different versions")
	require.Len(t, cuda.NewSystem("", hostOK, noDriver).Devices(), 1, "a machine without a driver has the host device only")

	broken := errors.New("no memory range")
	list = cuda.NewSystem("", func(cuda.HostConfig) (driver.Backend, error) { return nil, broken }, noDriver).Devices()
	require.Len(t, list, 1)
	require.ErrorIs(t, list[0].Unusable, broken)
}

func TestThisMachineHasAHost(t *testing.T) {
	list := cuda.Devices()
	require.NotEmpty(t, list)
	host := list[len(list)-1]
	require.Equal(t, "host", host.ID)
	require.NoError(t, host.Unusable)
	require.Equal(t, 7, host.ComputeMajor)
	require.Equal(t, 5, host.ComputeMinor)
	d, err := cuda.Open("host")
	require.NoError(t, err)
	require.Equal(t, host.Name, d.String())
	require.True(t, d.StopsKernels())
	free, total, err := d.Memory()
	require.NoError(t, err)
	require.LessOrEqual(t, free, total)
	warp, err := d.Attribute(int(driver.WarpSize))
	require.NoError(t, err)
	require.Equal(t, 32, warp)
	_, err = d.Attribute(-1)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	require.NoError(t, d.Close())
}

func TestOpenHost(t *testing.T) {
	for _, c := range []struct {
		cfg  cuda.HostConfig
		want error
	}{
		{cuda.HostConfig{}, nil},
		{cuda.HostConfig{Engine: "interp", Workers: 2, MemoryLimit: 1 << 20}, nil},
		{cuda.HostConfig{Engine: "steam"}, cuda.ErrNotSupported},
		{cuda.HostConfig{Checks: []cuda.Check{"memcheck"}}, nil},
		{cuda.HostConfig{Checks: []cuda.Check{"speedcheck"}}, cuda.ErrInvalidValue},
		{cuda.HostConfig{Workers: -1}, cuda.ErrInvalidValue},
	} {
		d, err := cuda.OpenHost(c.cfg)
		if c.want != nil {
			require.ErrorIs(t, err, c.want)
			continue
		}
		require.NoError(t, err)
		if c.cfg.MemoryLimit > 0 {
			_, err := cuda.Alloc[byte](d, 2<<20)
			require.ErrorIs(t, err, cuda.ErrOutOfMemory)
		}
		require.NoError(t, d.Close())
	}
}

func TestDefaultIsOne(t *testing.T) {
	a, err := cuda.Default()
	require.NoError(t, err)
	b, err := cuda.Default()
	require.NoError(t, err)
	require.Same(t, a, b)
	require.NoError(t, a.Close())
	b, err = cuda.Default()
	require.NoError(t, err)
	require.NotSame(t, a, b, "a closed one is replaced")
	require.NoError(t, b.Close())
}
