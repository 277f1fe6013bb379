// Package nvrtctest opens NVRTC for tests, which fail where it is missing: it is part of the setup of a machine that
// runs them.
package nvrtctest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

// moreVar names the environment variable with a list of further libraries or folders, for tests that can run with any
// number of versions.
const moreVar = "TANDEM_NVRTC_MORE"

// Open opens the NVRTC of this machine, with a cache of the test's own. The test fails if there is none.
func Open(t testing.TB) *nvrtc.Compiler {
	t.Helper()
	return open(t, nvrtc.Config{CacheDir: t.TempDir()})
}

// OpenWithoutCache is Open without a cache.
func OpenWithoutCache(t testing.TB) *nvrtc.Compiler {
	t.Helper()
	return open(t, nvrtc.Config{NoCache: true})
}

func open(t testing.TB, cfg nvrtc.Config) *nvrtc.Compiler {
	t.Helper()
	c, err := nvrtc.Open(cfg)
	if err != nil {
		t.Fatalf("this test needs NVRTC; run `make setup`: %v", err)
	}
	return c
}

// Each runs test with the NVRTC of this machine and with each one that TANDEM_NVRTC_MORE lists, as subtests that are
// named by their versions.
func Each(t *testing.T, test func(t *testing.T, c *nvrtc.Compiler)) {
	t.Helper()
	compilers := []*nvrtc.Compiler{OpenWithoutCache(t)}
	for _, path := range filepath.SplitList(os.Getenv(moreVar)) {
		compilers = append(compilers, open(t, nvrtc.Config{NoCache: true, Search: &nvrtc.Search{Path: path}}))
	}
	for _, c := range compilers {
		t.Run(c.Version().String(), func(t *testing.T) { test(t, c) })
	}
}
