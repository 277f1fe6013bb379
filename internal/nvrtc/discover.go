package nvrtc

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
)

// Search says where NVRTC is looked for. The steps are tried in the order of the fields; in a folder the newest library
// that can be used is taken. Empty fields are skipped.
type Search struct {
	// Path is a library file, or a folder with one in it or in one of the usual subfolders. It is the user's explicit
	// choice: if it is set, nothing else is tried.
	Path string
	// Homes are installations of the CUDA toolkit.
	Homes []string
	// Loader asks the platform's loader for the usual names.
	Loader bool
	// SystemDirs are folders, or patterns of folders, of toolkits and of the distribution.
	SystemDirs []string
	// PythonDirs are folders, or patterns of folders, in which Python packages lie.
	PythonDirs []string
	// CondaDirs are conda environments.
	CondaDirs []string
	// DataDirs are Tandem's own data folders; see DataDirs.
	DataDirs []string
}

// DefaultSearch returns the search that the environment asks for: TANDEM_NVRTC, CUDA_PATH and CUDA_HOME, the loader,
// the system's folders, Python's and conda's folders, and Tandem's data folders.
func DefaultSearch() Search {
	s := Search{
		Path:       os.Getenv("TANDEM_NVRTC"),
		Homes:      nonEmpty(os.Getenv("CUDA_PATH"), os.Getenv("CUDA_HOME")),
		Loader:     true,
		SystemDirs: systemDirs[runtime.GOOS],
		CondaDirs:  nonEmpty(os.Getenv("CONDA_PREFIX")),
		DataDirs:   DataDirs(),
	}
	s.PythonDirs = pythonDirs()
	return s
}

// systemDirs are the folders in which toolkits and distributions put NVRTC.
var systemDirs = map[string][]string{
	"linux": {
		"/usr/local/cuda/lib64", "/usr/local/cuda/targets/*/lib", "/usr/local/cuda-*/lib64", "/usr/local/cuda-*/targets/*/lib",
		"/opt/cuda/lib64", "/opt/cuda/targets/*/lib",
		"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib",
		"/run/opengl-driver/lib", "/run/current-system/sw/lib",
	},
	"windows": {`C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v*\bin`, `C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v*\bin\x64`},
}

// DataDirs returns the folders in which Tandem keeps what its setup fetched: the user's (also the temporary one of users
// without a home, if it was made), then the system's. NVRTC lies in a subfolder nvrtc/VERSION of one of them, as an
// unpacked wheel.
func DataDirs() []string {
	home, _ := os.UserHomeDir() // without a home the user's folder is left out
	in := func(base string, elem ...string) string {
		if base == "" {
			return ""
		}
		return filepath.Join(append([]string{base}, elem...)...)
	}
	switch runtime.GOOS {
	case "windows":
		return nonEmpty(in(os.Getenv("LocalAppData"), "tandem"), in(os.Getenv("ProgramData"), "tandem"))
	case "darwin":
		return nonEmpty(in(home, "Library", "Application Support", "tandem"), "/usr/local/share/tandem")
	}
	return nonEmpty(cmp.Or(in(os.Getenv("XDG_DATA_HOME"), "tandem"), in(home, ".local", "share", "tandem")), existingTemporaryDataDir(), "/usr/local/share/tandem")
}

// pythonDirs returns the patterns of folders with Python packages: those of an active virtual environment, of the
// user, of the interpreter in PATH and of the system. No interpreter is started.
func pythonDirs() []string {
	home, _ := os.UserHomeDir()
	prefixes := nonEmpty(os.Getenv("VIRTUAL_ENV"))
	if home != "" {
		prefixes = append(prefixes, filepath.Join(home, ".local"))
	}
	for _, name := range []string{"python3", "python"} {
		if exe, err := exec.LookPath(name); err == nil {
			prefixes = append(prefixes, filepath.Dir(filepath.Dir(resolve(exe))), filepath.Dir(resolve(exe)))
		}
	}
	prefixes = append(prefixes, "/usr/local", "/usr")
	var dirs []string
	for _, p := range prefixes {
		for _, sub := range []string{"lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages", "Lib/site-packages"} {
			if dir := filepath.Join(p, filepath.FromSlash(sub)); !slices.Contains(dirs, dir) {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// Where the library lies below a toolkit, an environment or an unpacked wheel.
var (
	wheelSubdirs = []string{"nvidia/cu[1-9]*/lib", "nvidia/cuda_nvrtc/lib", "nvidia/cu[1-9]*/bin", "nvidia/cu[1-9]*/bin/x*", "nvidia/cuda_nvrtc/bin"}
	homeSubdirs  = []string{"lib64", "lib", "targets/*/lib", "bin", "bin/x64", "lib/x64"}
	allSubdirs   = slices.Concat([]string{"."}, homeSubdirs, wheelSubdirs)
	dataSubdirs  = prefixed("nvrtc/*", allSubdirs)
)

// step is one origin with the folders that it looks in.
type step struct {
	origin string
	dirs   []string
}

// steps lists the folders to look in. The loader's own path is between the homes and the rest; see open.
func (s *Search) steps() (before, after []step) {
	before = []step{{"CUDA_PATH, CUDA_HOME", below(s.Homes, homeSubdirs)}}
	after = []step{
		{"system folder", s.SystemDirs},
		{"Python package", below(s.PythonDirs, wheelSubdirs)},
		{"conda", below(s.CondaDirs, homeSubdirs)},
		{"data folder", below(s.DataDirs, dataSubdirs)},
	}
	return before, after
}

// open tries each step and returns the first library that can be used.
func (s *Search) open() (*library, error) {
	missing := &NotFoundError{}
	if !dl.Available() {
		missing.Attempts = []Attempt{{"loader", "shared libraries", dl.ErrNoLoader}}
		return nil, missing
	}
	if s.Path != "" {
		if lib := s.openPath(missing); lib != nil {
			return lib, nil
		}
		return nil, missing
	}
	before, after := s.steps()
	if lib := openSteps(before, missing); lib != nil {
		return lib, nil
	}
	if s.Loader {
		if lib := openFiles("loader", loaderNames(), missing); lib != nil {
			return lib, nil
		}
	}
	if lib := openSteps(after, missing); lib != nil {
		return lib, nil
	}
	return nil, missing
}

// openPath opens the explicit choice, a file or a folder.
func (s *Search) openPath(missing *NotFoundError) *library {
	const origin = "TANDEM_NVRTC"
	info, err := os.Stat(s.Path)
	switch {
	case err != nil:
		missing.Attempts = append(missing.Attempts, Attempt{origin, s.Path, errors.Unwrap(err)})
		return nil
	case info.IsDir():
		return openSteps([]step{{origin, below([]string{s.Path}, allSubdirs)}}, missing)
	}
	path, err := filepath.Abs(s.Path) // a bare name would be searched by the loader
	if err != nil {
		path = s.Path
	}
	return openFiles(origin, []string{path}, missing)
}

func openSteps(steps []step, missing *NotFoundError) *library {
	for _, st := range steps {
		for _, dir := range st.dirs {
			files := librariesIn(dir)
			if len(files) == 0 {
				missing.Attempts = append(missing.Attempts, Attempt{st.origin, dir, errNoLibrary})
			}
			if lib := openFiles(st.origin, files, missing); lib != nil {
				return lib
			}
		}
	}
	return nil
}

var errNoLibrary = errors.New("no " + strings.Join(libraryPatterns(runtime.GOOS), " or "))

func openFiles(origin string, files []string, missing *NotFoundError) *library {
	for _, f := range files {
		lib, err := loadLibrary(f, origin)
		if err == nil {
			return lib
		}
		missing.Attempts = append(missing.Attempts, Attempt{origin, f, err})
	}
	return nil
}

// librariesIn lists the NVRTC libraries in the folders that match dir, the newest first, with absolute paths: a bare name
// would be searched for by the loader.
func librariesIn(dir string) []string {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	files := slices.DeleteFunc(dl.Find([]string{dir}, libraryPatterns(runtime.GOOS)), func(f string) bool {
		base := filepath.Base(f)
		return strings.Contains(base, "builtins") || strings.Contains(base, ".alt.")
	})
	slices.SortStableFunc(files, func(a, b string) int { // between equal names the folder's version decides
		return cmp.Or(slices.Compare(fileVersion(b), fileVersion(a)), slices.Compare(numbers(b), numbers(a)))
	})
	return files
}

// libraryPatterns are the names of the library's file on a platform.
func libraryPatterns(goos string) []string {
	if goos == "windows" {
		return []string{"nvrtc64_*_0.dll"}
	}
	return []string{"libnvrtc.so.*", "libnvrtc.so"}
}

// notFoundAdvice is what the error of a failed search tells the user to do.
var notFoundAdvice = map[bool]string{
	true:  "NVIDIA has no NVRTC for macOS: use a Linux container, or embedded PTX",
	false: "run `tandem setup`, or set TANDEM_NVRTC to the library's file or folder",
}[runtime.GOOS == "darwin"]

var digits = regexp.MustCompile(`[0-9]+`)

// fileVersion returns the numbers in the library's file name: {12, 9, 86} for libnvrtc.so.12.9.86, {12, 0} for
// libnvrtc.so.12 as for nvrtc64_120_0.dll, and nothing for libnvrtc.so.
func fileVersion(path string) []int {
	base := filepath.Base(path)
	if rest, ok := strings.CutPrefix(base, "nvrtc64_"); ok {
		n, _ := strconv.Atoi(digits.FindString(rest)) // no number sorts last
		return []int{n / 10, n % 10}
	}
	return numbers(strings.TrimPrefix(base, "libnvrtc.so"))
}

// numbers returns the decimal numbers within s; one that does not fit an int counts as the largest.
func numbers(s string) []int {
	var v []int
	for _, d := range digits.FindAllString(s, -1) {
		n, err := strconv.Atoi(d)
		if err != nil {
			n = math.MaxInt
		}
		v = append(v, n)
	}
	return v
}

// loaderNames are the names under which the loader may know the library, the newest first. NVIDIA names it by its major
// version since 12, and by 11.2 for all of 11.2 to 11.8.
func loaderNames() []string {
	var names []string
	for major := 15; major >= 12; major-- {
		names = append(names, map[bool]string{
			true: fmt.Sprintf("nvrtc64_%d0_0.dll", major), false: fmt.Sprintf("libnvrtc.so.%d", major)}[runtime.GOOS == "windows"])
	}
	if runtime.GOOS == "windows" {
		return append(names, "nvrtc64_112_0.dll")
	}
	return append(names, "libnvrtc.so.11.2", "libnvrtc.so")
}

// builtinsNames are the names of the builtins library of one version.
func builtinsName(goos string, v Version) string {
	if goos == "windows" {
		return fmt.Sprintf("nvrtc-builtins64_%d%d.dll", v.Major, v.Minor)
	}
	return fmt.Sprintf("libnvrtc-builtins.so.%d.%d", v.Major, v.Minor)
}

// loadBuiltins loads the library that NVRTC opens by name at its first compile, and which it does not look for in its
// own folder. Once it is loaded from there by its full path, the loader finds it by name.
func loadBuiltins(path string, v Version) error {
	name := builtinsName(runtime.GOOS, v)
	candidates := []string{name}
	for _, dir := range []string{filepath.Dir(resolve(path)), filepath.Dir(path)} {
		if full := filepath.Join(dir, name); filepath.IsAbs(full) && !slices.Contains(candidates, full) {
			candidates = slices.Insert(candidates, len(candidates)-1, full)
		}
	}
	if _, err := dl.OpenAny("the library "+name+", which NVRTC needs beside it", candidates); err != nil {
		return err
	}
	return nil
}

// loadedPath returns the file that the loader chose for a name without a folder, where the system tells; else name.
func loadedPath(name string) string {
	if filepath.Base(name) != name || runtime.GOOS != "linux" {
		return name
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return name
	}
	defer maps.Close()
	stem := strings.SplitAfter(name, ".so")[0]
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if i := strings.IndexByte(lines.Text(), '/'); i >= 0 {
			if file := lines.Text()[i:]; strings.HasPrefix(filepath.Base(file), stem) && sameFile(file, name) {
				return file
			}
		}
	}
	return name
}

// sameFile reports whether the mapped file is the library called name: the loader maps the file behind its symbolic
// link, libnvrtc.so.12.4.127 for libnvrtc.so.12.
func sameFile(file, name string) bool {
	base := filepath.Base(file)
	return base == name || strings.HasPrefix(base, name+".") || resolve(filepath.Join(filepath.Dir(file), name)) == file
}

// resolve follows symbolic links; a path that cannot be resolved stays as it is.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func below(dirs, subdirs []string) []string {
	var out []string
	for _, d := range dirs {
		if d != "" {
			out = append(out, prefixed(d, subdirs)...)
		}
	}
	return out
}

func prefixed(dir string, subdirs []string) []string {
	out := make([]string, len(subdirs))
	for i, s := range subdirs {
		out[i] = filepath.Join(dir, filepath.FromSlash(s))
	}
	return out
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}
