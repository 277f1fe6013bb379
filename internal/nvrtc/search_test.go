//go:build !tandem_nodl

package nvrtc_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

// tree makes empty files below a fresh folder.
func tree(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, f := range files {
		path := filepath.Join(root, filepath.FromSlash(f))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	return root
}

func TestNewestLibraryOfAFolderComesFirst(t *testing.T) {
	if runtime.GOOS == "windows" {
		root := tree(t, "nvrtc64_112_0.dll", "nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc-builtins64_129.dll")
		require.Equal(t, []string{root + `\nvrtc64_130_0.dll`, root + `\nvrtc64_120_0.dll`, root + `\nvrtc64_112_0.dll`}, nvrtc.LibrariesIn(root))
		return
	}
	root := tree(t, "lib/libnvrtc.so", "lib/libnvrtc.so.11.2", "lib/libnvrtc.so.12", "lib/libnvrtc.so.13", "lib/libnvrtc.so.12.9.86",
		"lib/libnvrtc.alt.so.12", "lib/libnvrtc-builtins.so.12.9", "lib/libnvrtc-builtins.alt.so.12.9", "lib/libnvrtc_static.a",
		"lib/libnvrtc.alt.so.14", "lib/stubs/libnvrtc.so.15")
	want := []string{"13", "12.9.86", "12", "11.2"}
	for i, v := range want {
		want[i] = filepath.Join(root, "lib/libnvrtc.so."+v)
	}
	require.Equal(t, append(want, filepath.Join(root, "lib/libnvrtc.so")), nvrtc.LibrariesIn(filepath.Join(root, "lib")))
	require.Empty(t, nvrtc.LibrariesIn(filepath.Join(root, "lib/stubs")))

	root = tree(t, "nvrtc/12.4.127/libnvrtc.so.12", "nvrtc/12.10.1/libnvrtc.so.12", "nvrtc/12.9.86/libnvrtc.so.12")
	got := nvrtc.LibrariesIn(filepath.Join(root, "nvrtc/*"))
	require.Equal(t, filepath.Join(root, "nvrtc/12.10.1/libnvrtc.so.12"), got[0], "between equal names the folder's version decides")
	require.Equal(t, filepath.Join(root, "nvrtc/12.4.127/libnvrtc.so.12"), got[2])
}

func TestFileVersion(t *testing.T) {
	for name, want := range map[string][]int{
		"libnvrtc.so.12": {12}, "libnvrtc.so.11.2": {11, 2}, "/a/b9/libnvrtc.so.12.9.86": {12, 9, 86}, "libnvrtc.so": nil,
		"nvrtc64_120_0.dll": {12, 0}, "nvrtc64_112_0.dll": {11, 2}, "nvrtc64_x_0.dll": {0, 0},
	} {
		require.Equal(t, want, nvrtc.FileVersion(name), name)
	}
}

// attempts opens with a search that finds nothing and returns the steps in the order in which they were tried.
func attempts(t *testing.T, s *nvrtc.Search) (origins []string, paths map[string][]string) {
	t.Helper()
	_, err := nvrtc.Open(nvrtc.Config{NoCache: true, Search: s})
	var notFound *nvrtc.NotFoundError
	require.ErrorAs(t, err, &notFound)
	paths = map[string][]string{}
	for _, a := range notFound.Attempts {
		if n := len(origins); n == 0 || origins[n-1] != a.Origin {
			origins = append(origins, a.Origin)
		}
		paths[a.Origin] = append(paths[a.Origin], a.Path)
		require.Error(t, a.Err)
	}
	return origins, paths
}

func TestStepsAreTriedInOrder(t *testing.T) {
	root := tree(t, "home/lib64/libnvrtc.so.12", "home/bin/nvrtc64_120_0.dll", "py/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"py/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12", "py/site-packages/nvidia/cu13/bin/nvrtc64_130_0.dll")
	in := func(p string) []string { return []string{filepath.Join(root, p)} }
	origins, paths := attempts(t, &nvrtc.Search{Homes: in("home"), SystemDirs: in("system"), PythonDirs: in("p*/site-packages"),
		CondaDirs: in("conda"), DataDirs: in("data")})
	require.Equal(t, []string{"CUDA_PATH, CUDA_HOME", "system folder", "Python package", "conda", "data folder"}, origins)
	if runtime.GOOS != "windows" { // files that are no libraries are tried, and named with the loader's reason
		require.Contains(t, paths["CUDA_PATH, CUDA_HOME"], filepath.Join(root, "home/lib64/libnvrtc.so.12"))
		require.Equal(t, filepath.Join(root, "py/site-packages/nvidia/cu13/lib/libnvrtc.so.13"), paths["Python package"][0])
		require.Contains(t, paths["Python package"], filepath.Join(root, "py/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12"))
	}

	_, err := nvrtc.Open(nvrtc.Config{NoCache: true, Search: &nvrtc.Search{CondaDirs: in("x"), DataDirs: in("y")}})
	require.Len(t, strings.Split(err.Error(), "\n"), 3, "a line for each step: %v", err)
	require.ErrorContains(t, err, "\n\tconda: no ")

	origins, _ = attempts(t, &nvrtc.Search{Path: filepath.Join(root, "py"), Homes: in("home")})
	require.Equal(t, []string{"TANDEM_NVRTC"}, origins, "an explicit choice is the only one")
}

// A folder given relative to the working folder must not turn into a bare name, which the loader would look for.
func TestRelativeFolder(t *testing.T) {
	root := tree(t, "libnvrtc.so.12", "nvrtc64_120_0.dll")
	t.Chdir(root)
	got := nvrtc.LibrariesIn(".")
	require.Len(t, got, 1)
	require.True(t, filepath.IsAbs(got[0]))
}

func TestDefaultSearchReadsTheEnvironment(t *testing.T) {
	home := t.TempDir()
	for k, v := range map[string]string{"TANDEM_NVRTC": "/x/lib", "CUDA_PATH": "/x/path", "CUDA_HOME": "/x/home", "CONDA_PREFIX": "/x/conda",
		"VIRTUAL_ENV": "/x/venv", "HOME": home, "XDG_DATA_HOME": "", "LocalAppData": home, "PATH": "", "TMPDIR": home} {
		t.Setenv(k, v)
	}
	s := nvrtc.DefaultSearch()
	require.Equal(t, "/x/lib", s.Path)
	require.Equal(t, []string{"/x/path", "/x/home"}, s.Homes)
	require.Equal(t, []string{"/x/conda"}, s.CondaDirs)
	require.True(t, s.Loader)
	require.Equal(t, filepath.FromSlash("/x/venv/lib/python3*/site-packages"), s.PythonDirs[0])
	require.NotEmpty(t, s.DataDirs)
	require.Contains(t, s.DataDirs[0], home)
	if runtime.GOOS == "linux" {
		t.Setenv("XDG_DATA_HOME", "/x/data")
		require.Equal(t, "/x/data/tandem", nvrtc.DataDirs()[0])
		t.Setenv("XDG_DATA_HOME", "")
		t.Setenv("HOME", "")
		require.Equal(t, []string{"/usr/local/share/tandem"}, nvrtc.DataDirs())
	}
}
