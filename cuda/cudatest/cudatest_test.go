package cudatest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

func TestEach(t *testing.T) {
	var ids []string
	seen := map[*cuda.Device]bool{}
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		ids = append(ids, dev.Info().ID)
		seen[dev] = true
		b, err := cuda.Upload(t.Context(), dev, []float32{1, 2, 3})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, b.Close()) })
		_, err = cuda.Alloc[int32](dev, 10) // dropping is no leak
		require.NoError(t, err)
	})
	require.Contains(t, ids, "host")
	require.Len(t, seen, len(ids), "a device for each test")
	for dev := range seen {
		_, err := cuda.Alloc[int32](dev, 1)
		require.ErrorIs(t, err, cuda.ErrClosed)
	}
}

func TestEachObeysTheEnvironment(t *testing.T) {
	t.Setenv("TANDEM_DEVICE", "host")
	runs := 0
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		runs++
		require.Equal(t, cuda.Host, dev.Info().Kind)
	})
	require.Equal(t, 1, runs)
}

// recorder is a test that only notes what happens to it.
type recorder struct {
	testing.TB
	cleanups []func()
	errors   []string
	skipped  string
	fatal    string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Skipf(format string, args ...any) { r.skipped = fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic(r)
}

// TestLeak: a buffer that is still held is reported with the place of its allocation.
func TestLeak(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	r := &recorder{}
	cudatest.Watch(r, dev)
	held, err := cuda.Upload(context.Background(), dev, []float32{1})
	require.NoError(t, err)
	for _, f := range r.cleanups {
		f()
	}
	require.Len(t, r.errors, 1)
	require.Contains(t, r.errors[0], "4 bytes")
	require.Contains(t, r.errors[0], "TestLeak")
	runtime.KeepAlive(held)
}

func TestSkipsAreCountedOrFail(t *testing.T) {
	before := cudatest.Summary()
	r := &recorder{}
	cudatest.Skip(r, "unobtainium", errors.New("none here"))
	require.Equal(t, "no unobtainium: none here", r.skipped)
	require.Equal(t, before+"cudatest: 1 tests were skipped: no unobtainium\n", cudatest.Summary())

	t.Setenv("TANDEM_REQUIRE", "nvrtc,unobtainium")
	require.Panics(t, func() { cudatest.Skip(r, "unobtainium", errors.New("none here")) })
	require.Equal(t, "TANDEM_REQUIRE wants unobtainium: none here", r.fatal)
}
