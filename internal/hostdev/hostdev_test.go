package hostdev_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/drivertest"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/workers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	workers.StopIdle()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func open(t testing.TB, c hostdev.Config) driver.Device {
	t.Helper()
	d, err := hostdev.New(c).Open(0)
	require.NoError(t, err)
	return d
}

// The reference engine: blocks in order on all cores, and shuffled on fewer and more workers.
func TestConformance(t *testing.T) {
	for _, w := range []int{0, 1, 5} {
		t.Run(fmt.Sprintf("workers=%d", w), func(t *testing.T) {
			drivertest.Run(t, func(t *testing.T) driver.Device {
				return open(t, hostdev.Config{Workers: w, Seed: uint64(w), MemoryLimit: 1 << 30})
			})
		})
	}
}
