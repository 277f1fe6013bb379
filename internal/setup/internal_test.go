package setup

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/tools"
)

func TestPins(t *testing.T) {
	w, debs, err := pins(tools.Versions, "linux/amd64")
	require.NoError(t, err)
	require.NotNil(t, w)
	require.Len(t, w.sha256, 64)
	require.Positive(t, w.bytes)
	require.NotEmpty(t, debs)
	for _, pair := range debs {
		require.Len(t, pair, 2, "the compiler and its builtins")
	}
	w, _, err = pins(tools.Versions, "darwin/arm64")
	require.NoError(t, err)
	require.Nil(t, w)
	_, _, err = pins("wheel onlyaname\n", "linux/amd64")
	require.ErrorContains(t, err, "bad line")
}

// TestNonFree checks that only the distribution's own archives are asked, and for the component non-free alone.
func TestNonFree(t *testing.T) {
	got, err := nonFree(map[string]string{
		"/etc/apt/sources.list": "# deb http://old main\ndeb http://mirror/debian bookworm main contrib # ours\n" +
			"deb-src http://mirror/debian bookworm main\ndeb [arch=amd64 trusted=yes] http://mirror/sec bookworm-security main\n" +
			"deb [broken http://x y main\ndeb http://vendor/apt stable tools\n",
		"/etc/apt/sources.list.d/debian.sources": "Types: deb deb-src\n# comment\nURIs: http://m2/debian\nSuites: sid\n stable\nComponents: main\nSigned-By: /usr/share/keyrings/k.gpg\n\n" +
			"Types: deb\nURIs: http://vendor2/x\nSuites: nodistro\nComponents: main\nEnabled: no\n",
		"/etc/apt/sources.list.d/readme.txt": "deb http://no no main\n",
	})
	require.NoError(t, err)
	require.Equal(t, "deb [arch=amd64 trusted=yes] http://mirror/sec bookworm-security non-free\n"+
		"deb [signed-by=/usr/share/keyrings/k.gpg] http://m2/debian sid non-free\n"+
		"deb [signed-by=/usr/share/keyrings/k.gpg] http://m2/debian stable non-free\n"+
		"deb http://mirror/debian bookworm non-free\n", got)
	_, err = nonFree(nil)
	require.ErrorContains(t, err, "main")
}

func makeZip(t *testing.T, names ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nvrtc-1.2-py3-none-any.whl")
	f, err := os.Create(file)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	for _, n := range names {
		w, err := z.Create(n)
		require.NoError(t, err)
		_, err = w.Write([]byte(n))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())
	return file
}

func TestUnzipKeepsLibrariesOnly(t *testing.T) {
	into := t.TempDir()
	require.NoError(t, unzip(makeZip(t, "nvidia/lib/libnvrtc.so.12", "nvidia/lib/libnvrtc.alt.so.12", "nvidia/include/nvrtc.h", "x/License.txt"), into))
	require.FileExists(t, filepath.Join(into, "nvidia/lib/libnvrtc.so.12"))
	require.FileExists(t, filepath.Join(into, "x/License.txt"))
	require.NoFileExists(t, filepath.Join(into, "nvidia/lib/libnvrtc.alt.so.12"))
	require.NoFileExists(t, filepath.Join(into, "nvidia/include/nvrtc.h"))
}

// TestUnzipHostile: a wheel must not write outside its folder, and one without the library is no success.
func TestUnzipHostile(t *testing.T) {
	into := filepath.Join(t.TempDir(), "into")
	require.ErrorContains(t, unzip(makeZip(t, "../libnvrtc.so.12"), into), "outside")
	require.NoFileExists(t, filepath.Join(filepath.Dir(into), "libnvrtc.so.12"))
	require.ErrorContains(t, unzip(makeZip(t, "readme"), into), "holds no NVRTC")
	bad := filepath.Join(t.TempDir(), "bad.whl")
	require.NoError(t, os.WriteFile(bad, []byte("no zip"), 0o600))
	require.Error(t, unzip(bad, into))
}

// TestCopyLibraries: a library under two names stays one file.
func TestCopyLibraries(t *testing.T) {
	from, into := t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(from, "usr/lib"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(from, "usr/lib/libnvrtc.so.11.8.89"), []byte("x"), 0o600))
	require.NoError(t, os.Symlink("libnvrtc.so.11.8.89", filepath.Join(from, "usr/lib/libnvrtc.so.11.2")))
	outside := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.WriteFile(outside, []byte("y"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(from, "libnvrtc-builtins.so.11.8")))
	require.NoError(t, copyLibraries(from, into))
	target, err := os.Readlink(filepath.Join(into, "libnvrtc.so.11.2"))
	require.NoError(t, err)
	require.Equal(t, "libnvrtc.so.11.8.89", target)
	info, err := os.Lstat(filepath.Join(into, "libnvrtc-builtins.so.11.8"))
	require.NoError(t, err)
	require.True(t, info.Mode().IsRegular(), "a link to elsewhere would break")
	require.NoError(t, readable(into))
}

func TestVerify(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(f, []byte("abc"), 0o600))
	require.NoError(t, verify(f, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
	require.ErrorContains(t, verify(f, "00"), "pinned")
}
