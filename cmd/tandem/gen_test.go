package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGen: generated files are up to date until the source changes; the exit status tells.
func TestGen(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "k.cu")
	require.NoError(t, os.WriteFile(source, []byte(`extern "C" __global__ void twice(float *x) { *x *= 2; }`), 0o644))
	status, out, errs := tandem(t, "gen", "--package", "p", "--target", "7.5,9.0", source)
	require.Zero(t, status, errs)
	require.Contains(t, out, filepath.Join(dir, "k_compute_90.ptx"))
	status, out, _ = tandem(t, "gen", "--check", dir)
	require.Zero(t, status)
	require.Contains(t, out, "1 generated files are up to date")

	require.NoError(t, os.WriteFile(source, []byte(`extern "C" __global__ void twice(float *x) { *x = 2 }`), 0o644))
	status, _, errs = tandem(t, "gen", "--check", filepath.Join(dir, "k_tandem.go"))
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "go generate")
	status, _, errs = tandem(t, "gen", "--package", "p", source)
	require.Equal(t, exitCompile, status)
	require.Contains(t, errs, `expected a ";"`)
	for _, args := range [][]string{{"gen"}, {"gen", "k.txt"}, {"gen", "--target", "new", source}} {
		status, _, _ = tandem(t, args...)
		require.Equal(t, exitUsage, status, args)
	}
}

// TestGeneratedFilesOfThisModule: what is committed belongs to its source.
func TestGeneratedFilesOfThisModule(t *testing.T) {
	status, out, errs := tandem(t, "gen", "--check", "../..")
	require.Zero(t, status, errs)
	require.NotContains(t, out, "0 generated files")
}
