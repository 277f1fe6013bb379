// Package nvjitlink makes machine code of PTX and other pieces with NVIDIA's library nvJitLink, where it is present: its
// compiler of PTX may be newer than the driver's, and it needs neither driver nor device.
//
// The library comes with toolkits of CUDA 12 and later and as a Python package. Its functions are exported under names with
// the first version that has them (__nvJitLinkCreate_12_0), which later versions keep.
package nvjitlink

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// Library is the open library. Its methods may be called from any goroutine.
type Library struct {
	path         string
	major, minor int
	f            functions
}

type functions struct {
	create, destroy, addData, complete, cubinSize, cubin, errorLogSize, errorLog, infoLogSize, infoLog dl.Func
}

// Input is one piece of code.
type Input struct {
	Name string
	Data []byte
}

// Kinds of input (nvJitLinkInputType).
const (
	kindCubin  = 1
	kindPTX    = 2
	kindFatbin = 4
)

// Open opens the newest library that is found; path, if not empty, is the only one that is tried. Without one the error wraps
// dl.ErrNotFound or dl.ErrNoLoader.
func Open(path string) (*Library, error) {
	names := []string{path}
	if path == "" {
		names = candidates(runtime.GOOS, nvrtc.DefaultSearch())
	}
	lib, err := dl.OpenAny("nvJitLink", names)
	if err != nil {
		return nil, err
	}
	return New(lib.Path(), lib.Symbol)
}

// candidates are the names to try: the loader's, then those in folders of toolkits and Python packages.
func candidates(goos string, s nvrtc.Search) []string {
	switch goos {
	case "linux":
		names := []string{"libnvJitLink.so.13", "libnvJitLink.so.12"}
		var dirs []string
		for _, d := range s.Homes {
			dirs = append(dirs, filepath.Join(d, "lib64"))
		}
		dirs = append(dirs, s.SystemDirs...)
		for _, d := range s.PythonDirs {
			dirs = append(dirs, filepath.Join(d, "nvidia/cu13/lib"), filepath.Join(d, "nvidia/nvjitlink/lib"))
		}
		for _, d := range s.CondaDirs {
			dirs = append(dirs, filepath.Join(d, "lib"))
		}
		return append(names, dl.Find(dirs, names)...)
	case "windows":
		return []string{"nvJitLink_130_0.dll", "nvJitLink_120_0.dll"}
	}
	return nil
}

// New returns the library whose functions lookup finds; path names it in messages.
func New(path string, lookup func(symbol string) (dl.Func, error)) (*Library, error) {
	l := &Library{path: path}
	table := []struct {
		name string
		f    *dl.Func
	}{
		{"Create", &l.f.create}, {"Destroy", &l.f.destroy}, {"AddData", &l.f.addData}, {"Complete", &l.f.complete},
		{"GetLinkedCubinSize", &l.f.cubinSize}, {"GetLinkedCubin", &l.f.cubin}, {"GetErrorLogSize", &l.f.errorLogSize},
		{"GetErrorLog", &l.f.errorLog}, {"GetInfoLogSize", &l.f.infoLogSize}, {"GetInfoLog", &l.f.infoLog},
	}
	for _, t := range table {
		for _, symbol := range []string{"__nvJitLink" + t.name + "_12_0", "__nvJitLink" + t.name + "_13_0"} {
			if fn, err := lookup(symbol); err == nil && fn != 0 {
				*t.f = fn
				break
			}
		}
		if *t.f == 0 {
			return nil, fmt.Errorf("%s has no nvJitLink%s: %w", path, t.name, dl.ErrNotFound)
		}
	}
	if fn, err := lookup("nvJitLinkVersion"); err == nil && fn != 0 {
		v := make([]int32, 2)
		if dl.NewFrame().Int32(&v[0]).Int32(&v[1]).Call(fn) == 0 {
			l.major, l.minor = int(v[0]), int(v[1])
		}
	}
	return l, nil
}

// Path is the library's file or name.
func (l *Library) Path() string { return l.path }

// Version is the version of CUDA that the library belongs to, such as "12.4"; empty before 12.3, which do not tell.
func (l *Library) Version() string {
	if l.major == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", l.major, l.minor)
}

// Error is a link that failed.
type Error struct {
	// Op is the function, Code what it returned (nvJitLinkResult), Log what the linker said.
	Op   string
	Code int
	Log  string
}

// Error returns "nvJitLinkComplete: 7: log".
func (e *Error) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("nvJitLink%s: error %d: %s", e.Op, e.Code, e.Log), ": ")
}

// Link makes machine code for a target such as "sm_90" of PTX, cubins and fatbins. log is what the linker said beside it. The
// error is an *Error, or says that an input is of no kind that it takes.
func (l *Library) Link(arch string, inputs []Input, options ...string) (cubin []byte, log string, err error) {
	h := new(uintptr)
	list := dl.NewStringVector(append([]string{"-arch=" + arch}, options...))
	if r := dl.NewFrame().Word(h).Int(uintptr(1 + len(options))).Strings(list).Call(l.f.create); r != 0 {
		return nil, "", &Error{Op: "Create", Code: int(int32(r))}
	}
	defer func() { dl.NewFrame().Word(h).Call(l.f.destroy) }()
	fail := func(op string, r uintptr) error {
		return &Error{op, int(int32(r)), l.text(*h, l.f.errorLogSize, l.f.errorLog)}
	}
	for _, in := range inputs {
		kind, data := kindOf(in.Data)
		if kind == 0 {
			return nil, "", fmt.Errorf("link %s: %w", in.Name, errKind)
		}
		if r := dl.NewFrame().Int(*h).Int(uintptr(kind)).Bytes(data).Int(uintptr(len(data))).String(in.Name).Call(l.f.addData); r != 0 {
			return nil, "", fail("AddData", r)
		}
	}
	if r := dl.NewFrame().Int(*h).Call(l.f.complete); r != 0 {
		return nil, "", fail("Complete", r)
	}
	size := new(uintptr)
	if r := dl.NewFrame().Int(*h).Word(size).Call(l.f.cubinSize); r != 0 {
		return nil, "", fail("GetLinkedCubinSize", r)
	}
	cubin = make([]byte, *size)
	if r := dl.NewFrame().Int(*h).Bytes(cubin).Call(l.f.cubin); r != 0 {
		return nil, "", fail("GetLinkedCubin", r)
	}
	return cubin, l.text(*h, l.f.infoLogSize, l.f.infoLog), nil
}

var errKind = errors.New("it is neither PTX, nor a cubin, nor a fatbin")

// kindOf tells the kind of an input by its first bytes; 0 for none. Text ends in a zero byte.
func kindOf(data []byte) (int, []byte) {
	switch {
	case len(data) >= 4 && string(data[:4]) == "\x7fELF":
		return kindCubin, data
	case len(data) >= 4 && string(data[:4]) == "\x50\xed\x55\xba":
		return kindFatbin, data
	case len(data) > 0 && strings.IndexByte(strings.TrimRight(string(data), "\x00"), 0) < 0:
		return kindPTX, append([]byte(strings.TrimRight(string(data), "\x00")), 0)
	}
	return 0, nil
}

// text reads a log.
func (l *Library) text(h uintptr, sizeOf, get dl.Func) string {
	size := new(uintptr)
	if dl.NewFrame().Int(h).Word(size).Call(sizeOf) != 0 || *size == 0 || *size > 1<<20 {
		return ""
	}
	b := make([]byte, *size)
	if dl.NewFrame().Int(h).Bytes(b).Call(get) != 0 {
		return ""
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}
