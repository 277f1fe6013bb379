//go:build unix

package setup

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

var errNone = errors.New("no NVRTC here")

// box is a machine without NVRTC, with a path of our own, where setup is tried.
type box struct {
	machine
	t         *testing.T
	bin, home string
	out       bytes.Buffer
}

func newBox(t *testing.T) *box {
	realLibraries(t)
	b := &box{t: t, bin: t.TempDir(), home: t.TempDir()}
	b.machine = machine{
		find:     func() (*Result, error) { return nil, errNone },
		dirs:     []string{filepath.Join(b.home, "user"), filepath.Join(b.home, "system")},
		platform: "linux/" + runtime.GOARCH,
	}
	for _, tool := range []string{"sh", "cp", "mkdir", "cat", "touch"} {
		path, err := exec.LookPath(tool)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(b.bin, tool)))
	}
	t.Setenv("PATH", b.bin)
	for _, name := range []string{"TANDEM_NVRTC", "TANDEM_NO_DOWNLOAD", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		t.Setenv(name, "")
	}
	return b
}

// tool puts a shell script into the path; every call appends its arguments to the file log.
func (b *box) tool(name, script string) {
	text := fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >>%s/log\n%s\n", name, b.home, script)
	require.NoError(b.t, os.WriteFile(filepath.Join(b.bin, name), []byte(text), 0o755))
}

func (b *box) log() string {
	text, _ := os.ReadFile(filepath.Join(b.home, "log"))
	return string(text)
}

func (b *box) setup(o Options) (*Result, error) {
	o.Out = &b.out
	return b.run(b.t.Context(), o)
}

// installedNVRTC is the NVRTC that `make setup` has put somewhere. It is looked for before any test loads a copy: after that
// the loader finds the copy by its name.
var installedNVRTC = sync.OnceValues(func() (string, error) {
	c, err := nvrtc.Open(nvrtc.Config{NoCache: true})
	if err != nil {
		return "", err
	}
	return c.Path(), nil
})

// realLibraries is the folder of an NVRTC that works.
func realLibraries(t *testing.T) string {
	path, err := installedNVRTC()
	require.NoError(t, err, "these tests move a real NVRTC around: run make setup")
	require.True(t, filepath.IsAbs(path), path)
	return filepath.Dir(path)
}

// realWheel packs it as a wheel and returns the wheel's pin.
func (b *box) realWheel(name string) (file, pin string) {
	file = filepath.Join(b.home, "nvidia_cuda_nvrtc_cu12-9.9.9-py3-none-any.whl")
	f, err := os.Create(file)
	require.NoError(b.t, err)
	h := sha256.New()
	z := zip.NewWriter(teeWriter{f, h})
	libs, err := filepath.Glob(filepath.Join(realLibraries(b.t), "libnvrtc*.so*"))
	require.NoError(b.t, err)
	for _, lib := range libs {
		data, err := os.ReadFile(lib)
		require.NoError(b.t, err)
		w, err := z.CreateHeader(&zip.FileHeader{Name: "nvidia/cuda_nvrtc/lib/" + filepath.Base(lib), Method: zip.Store})
		require.NoError(b.t, err)
		_, err = w.Write(data)
		require.NoError(b.t, err)
	}
	require.NoError(b.t, z.Close())
	require.NoError(b.t, f.Close())
	return file, fmt.Sprintf("wheel %s 9.9.9 1000000 %s %s\n", name, hex.EncodeToString(h.Sum(nil)), b.platform)
}

type teeWriter [2]interface{ Write([]byte) (int, error) }

func (t teeWriter) Write(p []byte) (int, error) {
	if n, err := t[0].Write(p); err != nil {
		return n, err
	}
	return t[1].Write(p)
}

// pipScript answers --version, and download with the given command.
func pipScript(download string) string {
	return `[ "$1 $2" = "-m pip" ] || exit 9
shift 2
case $1 in
--version) echo pip 23 ;;
download) while [ "$1" != --dest ]; do shift; done; ` + download + ` ;;
*) echo "error: externally-managed-environment" >&2; exit 1 ;;
esac`
}

// TestPip: without root and with an externally managed Python, the wheel is downloaded and unpacked, nothing is installed,
// one line says what comes from where, and the result is readable by all whatever the umask.
func TestPip(t *testing.T) {
	b := newBox(t)
	wheel, pin := b.realWheel("nvidia-cuda-nvrtc-cu12")
	b.versions = pin
	b.tool("python3", pipScript("cp "+wheel+` "$2"`))
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	r, err := b.setup(Options{})
	require.NoError(t, err, b.out.String())
	require.Equal(t, filepath.Join(b.home, "user/nvrtc/9.9.9/nvidia/cuda_nvrtc/lib"), filepath.Dir(r.Path))
	require.NotContains(t, b.log(), "install")
	require.NotContains(t, b.log(), "--break-system-packages")
	require.Contains(t, b.log(), "--timeout=15")
	require.Contains(t, b.out.String(), "downloading nvidia-cuda-nvrtc-cu12 9.9.9, 1.0 MB, NVIDIA's proprietary licence, from pip's index, to "+b.home)
	info, err := os.Stat(r.Path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(b.home, "user/nvrtc/.*"))
	require.NoError(t, err)
	require.Empty(t, left, "nothing temporary is left")
}

// TestPipWrongSum: a wheel that is not the pinned one is not used.
func TestPipWrongSum(t *testing.T) {
	b := newBox(t)
	b.platform = "windows/amd64" // so that there is no second way
	wheel, _ := b.realWheel("w")
	b.versions = "wheel w 9.9.9 1 00ff windows/amd64\n"
	b.tool("python3", pipScript("cp "+wheel+` "$2"`))
	_, err := b.setup(Options{})
	require.ErrorContains(t, err, "pinned in tools/versions; it is not used")
	require.NoDirExists(t, filepath.Join(b.home, "user/nvrtc/9.9.9"))
}

// TestApt: without pip, the distribution's packages, with private lists and without touching the system.
func TestApt(t *testing.T) {
	b := newBox(t)
	b.versions = "deb libnone12,libnone-builtins12\ndeb libnvrtc11.2,libnvrtc-builtins11.8\n"
	if _, err := nonFree(systemSources()); err != nil {
		t.Log("no apt sources on this machine:", err)
		_, err := b.setup(Options{})
		require.Error(t, err)
		return
	}
	b.tool("apt-cache", `case "$*" in
*" -y "*) echo "E: Command line option 'y' is not understood" >&2; exit 100 ;;
*libnone12*) echo "E: No packages found" >&2; exit 100 ;; esac`)
	b.tool("apt-get", `case "$*" in
*update*) : ;;
*download*) touch a.deb b.deb ;;
esac`)
	b.tool("dpkg-deb", `mkdir -p "$3/usr/lib"; cp `+realLibraries(t)+`/libnvrtc* "$3/usr/lib/"`)
	r, err := b.setup(Options{})
	require.NoError(t, err, b.out.String())
	require.Equal(t, filepath.Join(b.home, "user/nvrtc/libnvrtc11.2"), filepath.Dir(r.Path))
	for line := range strings.Lines(b.log()) {
		if strings.HasPrefix(line, "apt-get") {
			require.Contains(t, line, "Dir::Etc::sourceparts=-")
			require.Contains(t, line, "Dir::State::lists="+b.home)
			require.NotContains(t, line, " install ")
		}
	}
}

// TestNothingWorks: the message names every way, the proxy variable and what to do.
func TestNothingWorks(t *testing.T) {
	b := newBox(t)
	b.versions = fmt.Sprintf("wheel w 9.9.9 1 00 %s\n", b.platform)
	b.tool("python3", pipScript("echo 'ERROR: connection refused' >&2; exit 1"))
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	_, err := b.setup(Options{})
	for _, want := range []string{"wheel through pip", "connection refused", "the distribution's packages", "HTTPS_PROXY=http://proxy.example:3128", "--from FILE", "embedded PTX"} {
		require.ErrorContains(t, err, want)
	}
	t.Setenv("HTTPS_PROXY", "")
	_, err = b.setup(Options{})
	require.ErrorContains(t, err, "no proxy is set")
}

func TestNoDownload(t *testing.T) {
	b := newBox(t)
	t.Setenv("TANDEM_NO_DOWNLOAD", "1")
	_, err := b.setup(Options{})
	require.ErrorIs(t, err, ErrDownloadForbidden)
	require.Empty(t, b.log())
}

func TestPrint(t *testing.T) {
	b := newBox(t)
	_, err := b.setup(Options{Print: true})
	require.NoError(t, err)
	require.Contains(t, b.out.String(), "wheel through pip")
	require.Contains(t, b.out.String(), filepath.Join(b.home, "user"))
	require.Empty(t, b.log())
	left, err := os.ReadDir(filepath.Join(b.home, "user"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestThere: a library that is there already is all that is needed.
func TestThere(t *testing.T) {
	b := newBox(t)
	b.find = func() (*Result, error) {
		return &Result{Path: "lib", Version: nvrtc.Version{Major: 12, Minor: 4}, Origin: "loader"}, nil
	}
	_, err := b.setup(Options{})
	require.NoError(t, err)
	require.Equal(t, "NVRTC 12.4 is there: lib (loader)\n", b.out.String())
	require.Empty(t, b.log())
}

// TestExplicitMissing: the user's own choice is not overridden by a download.
func TestExplicitMissing(t *testing.T) {
	b := newBox(t)
	t.Setenv("TANDEM_NVRTC", "nowhere")
	_, err := b.setup(Options{})
	require.ErrorContains(t, err, "TANDEM_NVRTC")
	require.ErrorIs(t, err, errNone)
	require.Empty(t, b.log())
}

func TestFrom(t *testing.T) {
	b := newBox(t)
	wheel, _ := b.realWheel("w")
	for _, from := range []string{realLibraries(t), wheel} {
		r, err := b.setup(Options{From: from})
		require.NoError(t, err, from)
		require.True(t, strings.HasPrefix(r.Path, b.home), r.Path)
	}
	readme := filepath.Join(b.home, "readme.txt")
	require.NoError(t, os.WriteFile(readme, nil, 0o600))
	_, err := b.setup(Options{From: readme})
	require.ErrorContains(t, err, "is no wheel")
	_, err = b.setup(Options{From: filepath.Join(b.home, "none")})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = b.setup(Options{From: t.TempDir()})
	require.ErrorContains(t, err, "holds no NVRTC")
}

// TestBrokenLibrary: what does not load is not left where it would be found.
func TestBrokenLibrary(t *testing.T) {
	b := newBox(t)
	_, err := b.setup(Options{From: makeZip(t, "nvidia/cuda_nvrtc/lib/libnvrtc.so.12")})
	require.Error(t, err)
	left, _ := filepath.Glob(filepath.Join(b.home, "user/nvrtc/*"))
	require.Empty(t, left)
}

// TestDataFolder: root's goes to the system's folder, a user's to the user's, and without either to a private one.
func TestDataFolder(t *testing.T) {
	b := newBox(t)
	dir, _, err := dataFolder(b.dirs, true)
	require.NoError(t, err)
	require.Equal(t, b.dirs[1], dir)
	dir, notice, err := dataFolder(b.dirs, false)
	require.NoError(t, err)
	require.Equal(t, b.dirs[0], dir)
	require.Empty(t, notice)

	t.Setenv("TMPDIR", t.TempDir())
	file := filepath.Join(b.home, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	dir, notice, err = dataFolder([]string{filepath.Join(file, "tandem")}, false) // a folder below a file cannot be made
	require.NoError(t, err)
	require.Contains(t, notice, "temporary folder "+dir)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm(), "nobody else may put a library there")
	require.NoError(t, os.Chmod(dir, 0o777))
	_, _, err = dataFolder([]string{filepath.Join(file, "tandem")}, false)
	require.ErrorContains(t, err, "others can write")
}

// TestCancel: an interrupted setup ends at once and leaves nothing.
func TestCancel(t *testing.T) {
	b := newBox(t)
	b.versions = fmt.Sprintf("wheel w 9.9.9 1 00 %s\n", b.platform)
	b.tool("python3", pipScript("while :; do :; done"))
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stopped")
	b.out = bytes.Buffer{}
	go func() {
		for !strings.Contains(b.log(), "download") {
			runtime.Gosched()
		}
		cancel(stop)
	}()
	_, err := b.run(ctx, Options{})
	require.ErrorIs(t, err, stop)
	left, _ := filepath.Glob(filepath.Join(b.home, "user/nvrtc/.*"))
	require.Empty(t, left)
}

// TestOldGo: the scripts check Go's version before any go command that would fail in other words.
func TestOldGo(t *testing.T) {
	script, err := filepath.Abs("../../tools/setup.sh")
	require.NoError(t, err)
	for _, c := range []struct{ version, toolchain, want string }{
		{"go1.19.8", "local", "Tandem needs Go 1.25.0 or newer"},
		{"go1.26.1", "local", "ran run -buildvcs=false"},
		{"go1.22.0", "auto", "ran run -buildvcs=false"},
	} {
		bin := t.TempDir()
		fake := fmt.Sprintf("#!/bin/sh\ncase $1 in version) echo go version %s linux/amd64 ;; env) echo %s ;; *) echo ran \"$@\" ;; esac\n", c.version, c.toolchain)
		require.NoError(t, os.WriteFile(filepath.Join(bin, "go"), []byte(fake), 0o755))
		cmd := exec.Command("sh", script)
		cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
		out, _ := cmd.CombinedOutput()
		require.Contains(t, string(out), c.want, c.version)
	}
}
