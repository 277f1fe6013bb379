//go:build linux && !tandem_nodl

package nvrtc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/nvrtc/nvrtctest"
)

// loaderVar makes the test binary a process that looks for NVRTC by the loader's path only.
const loaderVar = "TANDEM_TEST_LOADER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(loaderVar) != "" {
		os.Exit(loaderChild())
	}
	goleak.VerifyTestMain(m)
}

func loaderChild() int {
	c, err := nvrtc.Open(nvrtc.Config{NoCache: true, Search: &nvrtc.Search{Loader: true}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(c.Origin(), c.Path())
	return 0
}

// The loader reads its path when a process starts, so a process of its own is needed.
func TestLibraryOfTheLoadersPath(t *testing.T) {
	found := nvrtctest.OpenWithoutCache(t).Path()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), loaderVar+"=1", "LD_LIBRARY_PATH="+filepath.Dir(found))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	real, err := filepath.EvalSymlinks(found)
	require.NoError(t, err)
	require.Equal(t, "loader "+real+"\n", string(out))
}
