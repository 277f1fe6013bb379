// Package cudatest runs a test on every device of the machine, with a device of its own for each test, and fails the
// test if it leaves memory allocated.
//
// It is the only package whose tests may be skipped, and only because a device or a library is absent. Every skip is
// counted, and Run prints the number. The environment variable TANDEM_REQUIRE turns skips into failures: it lists what
// must be there, separated by commas: "gpu", "nvrtc".
package cudatest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tandem-go/tandem/cuda"
)

// Each runs test as a subtest on each device of the machine, the host device included, or on the one that TANDEM_DEVICE
// chooses. The subtest is named after the device's ID. A GPU that is there and cannot be used fails its subtest with the
// reason.
//
// Each test gets a device of its own, which is closed after the test and its cleanups. Buffers may be closed or dropped;
// one that is still held then, by a package variable for instance, fails the test with the place of its allocation. So
// does an error that nobody saw.
func Each(t *testing.T, test func(t *testing.T, dev *cuda.Device)) {
	t.Helper()
	for _, id := range ids() {
		t.Run(id, func(t *testing.T) { test(t, open(t, id)) })
	}
}

// EachB is Each for benchmarks. It does not look for leaks.
func EachB(b *testing.B, bench func(b *testing.B, dev *cuda.Device)) {
	b.Helper()
	for _, id := range ids() {
		b.Run(id, func(b *testing.B) {
			dev, err := cuda.Open(id)
			if err != nil {
				b.Fatalf("open %s: %v\n%s", id, err, cuda.Diagnose(err))
			}
			defer func() {
				if err := dev.Close(); err != nil {
					b.Errorf("close %s: %v", id, err)
				}
			}()
			bench(b, dev)
		})
	}
}

// ids are the devices to test: those that are there, or the one that was chosen.
func ids() []string {
	if id := os.Getenv("TANDEM_DEVICE"); id != "" && id != "auto" {
		return []string{id}
	}
	var out []string
	for _, info := range cuda.Devices() {
		out = append(out, info.ID)
	}
	return out
}

func open(t *testing.T, id string) *cuda.Device {
	t.Helper()
	dev, err := cuda.Open(id)
	if err != nil {
		t.Fatalf("open %s: %v\n%s", id, err, cuda.Diagnose(err))
	}
	watch(t, dev)
	return dev
}

// watch closes dev at the end of the test and reports what is left.
func watch(t testing.TB, dev *cuda.Device) {
	dev.TraceAllocations(true)
	t.Cleanup(func() {
		for _, l := range leaks(dev) {
			t.Errorf("%d bytes of %v are still held after the test; allocated at\n%s", l.Bytes, dev, l.Site)
		}
		if err := dev.Close(); err != nil {
			t.Errorf("close %v: %v", dev, err)
		}
	})
}

// attempts bounds how often leaks collects garbage: cleanups run at their own pace, and an object that hangs on another
// with a cleanup is found one collection later.
const attempts = 20

func leaks(dev *cuda.Device) (left []cuda.Allocation) {
	for range attempts {
		if left = dev.Leaks(); len(left) == 0 {
			return nil
		}
	}
	return left
}

// GPU opens the first usable GPU for the test, or skips it if there is none.
func GPU(t *testing.T) *cuda.Device {
	t.Helper()
	dev, err := cuda.Open("gpu")
	if errors.Is(err, cuda.ErrNoDevice) && !errors.Is(err, cuda.ErrGPUUnusable) {
		skip(t, "gpu", err)
	}
	if err != nil {
		t.Fatalf("open a GPU: %v\n%s", err, cuda.Diagnose(err))
	}
	watch(t, dev)
	return dev
}

// NVRTC skips the test if NVIDIA's compiler was not found.
func NVRTC(t *testing.T) {
	t.Helper()
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	// An empty source is compiled as fast as anything, and the cache knows it.
	_, err = dev.Compile(context.Background(), "", cuda.CompileConfig{Name: "empty.cu"})
	if errors.Is(err, cuda.ErrNoCompiler) {
		skip(t, "nvrtc", err)
	}
	if err != nil {
		t.Fatalf("compile an empty source: %v\n%s", err, cuda.Diagnose(err))
	}
}

// skips counts the skipped tests by what they lacked.
var skips struct {
	sync.Mutex
	by map[string]int
}

// skip skips the test, or fails it if what it lacks is required.
func skip(t testing.TB, what string, err error) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("TANDEM_REQUIRE"), ","), what) {
		t.Fatalf("TANDEM_REQUIRE wants %s: %v", what, err)
	}
	skips.Lock()
	if skips.by == nil {
		skips.by = map[string]int{}
	}
	skips.by[what]++
	skips.Unlock()
	t.Skipf("no %s: %v", what, err)
}

// Run runs the tests of a package, prints how many were skipped for lack of what, and returns the exit status. It is what
// a TestMain passes to os.Exit.
func Run(m *testing.M) int {
	code := m.Run()
	fmt.Fprint(os.Stderr, summary())
	return code
}

// summary is one line for each thing that was lacking.
func summary() string {
	skips.Lock()
	defer skips.Unlock()
	var lines []string
	for what, n := range skips.by {
		lines = append(lines, fmt.Sprintf("cudatest: %d tests were skipped: no %s\n", n, what))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}
