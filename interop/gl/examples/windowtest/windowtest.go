// Package windowtest runs an example that opens a window on a display of its own.
//
// The display is Xvfb's. GLFW wants the main thread, which tests do not have; so the test's binary runs itself as the example.
package windowtest

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const variable = "WINDOWTEST_MAIN"

// Main is what a test's TestMain calls: it runs the example if this process was started by Run, else the tests.
func Main(m *testing.M, example func()) {
	if os.Getenv(variable) != "" {
		example()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Run runs the example with these arguments under a display of its own and returns what it printed.
func Run(t *testing.T, args ...string) string {
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self, args...)
	c.Env = append(os.Environ(), variable+"=1", "DISPLAY="+display(t))
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// display starts an X server and returns its name.
func display(t *testing.T) string {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), "Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp")
	c.ExtraFiles = []*os.File{w}
	require.NoError(t, c.Start(), "install the packages of `tandem setup --test`")
	t.Cleanup(func() {
		require.NoError(t, c.Process.Signal(os.Interrupt))
		_ = c.Wait() // it ends by our signal
		require.NoError(t, r.Close())
	})
	require.NoError(t, w.Close())
	number, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err, "Xvfb did not start")
	return fmt.Sprintf(":%s", strings.TrimSpace(number))
}

// Picture reads a PNG.
func Picture(t *testing.T, name string) image.Image {
	f, err := os.Open(name)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	return img
}
