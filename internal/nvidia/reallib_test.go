//go:build linux && libcuda && !tandem_nodl

package nvidia_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// TestRealLibrary: NVIDIA's own library, on a machine without a GPU, is a driver without a device: no error, no crash, no
// other status. `make test-libcuda` fetches it and names it in TANDEM_LIBCUDA.
func TestRealLibrary(t *testing.T) {
	file := os.Getenv("TANDEM_LIBCUDA")
	require.NotEmpty(t, file, "run: make test-libcuda")
	search := cuapi.Search{Dirs: []string{filepath.Dir(file)}, Files: []string{filepath.Base(file)}}
	lib, err := search.Open()
	require.NoError(t, err)
	version, err := lib.DriverGetVersion()
	require.NoError(t, err)
	require.GreaterOrEqual(t, version, 11000)
	t.Logf("%s supports CUDA %d.%d", filepath.Base(file), version/1000, version%1000/10)
	for _, e := range cuapi.Entries() {
		for _, s := range e.Table() {
			if s.Since <= version && (s.Until == 0 || s.Until > version) {
				require.True(t, lib.Has(e), s.Name)
			}
		}
	}
	name, text := lib.Describe(cuapi.NoDevice)
	require.Equal(t, "CUDA_ERROR_NO_DEVICE", name)
	require.NotEmpty(t, text)

	b := nvidia.New(nvidia.Config{Library: search.Open})
	infos, err := b.Devices()
	require.Empty(t, infos)
	require.ErrorIs(t, err, driver.ErrNoBackend)
	require.ErrorContains(t, err, "found no GPU")
	_, err = b.Open(0)
	require.ErrorIs(t, err, driver.ErrNoBackend)
}
