// Package nvrtc compiles CUDA C++ to PTX or machine code through NVIDIA's NVRTC library, found at run time.
//
// Open finds and loads the library, in the order that Search documents; without it, Open returns an error that wraps
// ErrNotFound and lists every path that was tried. Compile turns a Program into a Result. Programs see small headers
// of Tandem's own (stdint.h, math.h and the like), because NVRTC brings none; a user's header of the same name comes
// first. Results are kept in a cache on disk, so that a program is compiled once on a machine.
//
// NVRTC needs no GPU and no driver. Versions 11.2 to 13 are served; 11.8, 12.4, 12.9 and 13.5 are those that were tested.
// All methods may be called from any goroutine at the same time.
package nvrtc

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvrtc/diskcache"
)

// Version is a version of the NVRTC library.
type Version struct{ Major, Minor int }

// String returns the version as NVIDIA writes it, such as 12.4.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// AtLeast reports whether v is the version w or a later one.
func (v Version) AtLeast(w Version) bool {
	return v.Major > w.Major || v.Major == w.Major && v.Minor >= w.Minor
}

// Config says where a Compiler finds NVRTC and where it keeps results. The zero value searches as the environment says
// and caches in the user's cache folder.
type Config struct {
	// Search is where NVRTC is looked for; nil means DefaultSearch().
	Search *Search
	// CacheDir is the folder of the cache; empty means diskcache.DefaultDir().
	CacheDir string
	// CacheBytes bounds the size of the cache; 0 means diskcache.DefaultBytes.
	CacheBytes int64
	// NoCache compiles each program anew.
	NoCache bool
}

// Compiler is an open NVRTC library with its cache. It holds nothing that must be released.
type Compiler struct {
	lib    *library
	cache  *diskcache.Cache // nil if there is none
	notice string
}

// Open finds NVRTC and loads it. Libraries stay loaded until the process ends, and opening one again is cheap.
// The error wraps ErrNotFound, as a *NotFoundError, if no usable library was found.
func Open(cfg Config) (*Compiler, error) {
	search := cfg.Search
	if search == nil {
		s := DefaultSearch()
		search = &s
	}
	lib, err := search.open()
	if err != nil {
		return nil, err
	}
	c := &Compiler{lib: lib}
	if cfg.NoCache {
		return c, nil
	}
	c.cache, c.notice, err = diskcache.Open(cfg.CacheDir, cfg.CacheBytes)
	if err != nil { // compiling works without a cache
		c.cache, c.notice = nil, fmt.Sprintf("compiled code is not cached: %v", err)
	}
	return c, nil
}

// Version returns the version that the library reports.
func (c *Compiler) Version() Version { return c.lib.version }

// Path returns the file of the library, or its name if the platform's loader found it and the file is not known.
func (c *Compiler) Path() string { return c.lib.path }

// Origin says which step of the search found the library, such as "TANDEM_NVRTC" or "site-packages".
func (c *Compiler) Origin() string { return c.lib.origin }

// SupportedArchs returns the compute capabilities that the library generates code for, ascending, as 10*major+minor.
func (c *Compiler) SupportedArchs() []int { return append([]int(nil), c.lib.archs...) }

// CacheDir returns the folder of the cache, or "" if nothing is cached.
func (c *Compiler) CacheDir() string {
	if c.cache == nil {
		return ""
	}
	return c.cache.Dir()
}

// Notice returns what the user should be told once about the cache, such as that it is in a temporary folder; else "".
func (c *Compiler) Notice() string { return c.notice }

// library is one loaded NVRTC with its entry points. It is immutable after loadLibrary.
type library struct {
	path, origin string
	stamp        string // tells apart builds of one version; part of the cache key
	version      Version
	archs        []int
	fn           entryPoints
	slots        chan struct{} // one token for each compile under way
}

type entryPoints struct {
	errorString, version, numArchs, archs        dl.Func
	create, destroy, compile                     dl.Func
	ptxSize, ptx, cubinSize, cubin, logSize, log dl.Func
	addName, loweredName                         dl.Func
	setFlowCallback/* since 12.9; zero in others */ dl.Func
}

// opened holds each library of the process by its resolved path, since loading one twice wastes memory.
var opened struct {
	sync.Mutex
	byPath map[string]*library
}

// loadLibrary loads the NVRTC at path, a file or a name for the loader, together with its builtins library.
func loadLibrary(path, origin string) (*library, error) {
	opened.Lock()
	defer opened.Unlock()
	key := resolve(path)
	if lib := opened.byPath[key]; lib != nil {
		return lib, nil
	}
	handle, err := dl.Open(path)
	if err != nil {
		return nil, err
	}
	lib := &library{path: loadedPath(path), origin: origin, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	if err := lib.bind(handle); err != nil {
		return nil, err
	}
	if err := lib.identify(); err != nil {
		return nil, err
	}
	if err := loadBuiltins(lib.path, lib.version); err != nil {
		return nil, err
	}
	if info, err := os.Stat(lib.path); err == nil {
		lib.stamp = fmt.Sprintf("%d %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
	}
	if opened.byPath == nil {
		opened.byPath = map[string]*library{}
	}
	opened.byPath[key] = lib
	return lib, nil
}

// bind looks up the entry points.
func (l *library) bind(handle *dl.Library) error {
	fn := &l.fn
	for _, e := range []struct {
		to       *dl.Func
		name     string
		optional bool
	}{
		{&fn.errorString, "nvrtcGetErrorString", false},
		{&fn.version, "nvrtcVersion", false},
		{&fn.numArchs, "nvrtcGetNumSupportedArchs", false},
		{&fn.archs, "nvrtcGetSupportedArchs", false},
		{&fn.create, "nvrtcCreateProgram", false},
		{&fn.destroy, "nvrtcDestroyProgram", false},
		{&fn.compile, "nvrtcCompileProgram", false},
		{&fn.ptxSize, "nvrtcGetPTXSize", false},
		{&fn.ptx, "nvrtcGetPTX", false},
		{&fn.cubinSize, "nvrtcGetCUBINSize", false},
		{&fn.cubin, "nvrtcGetCUBIN", false},
		{&fn.logSize, "nvrtcGetProgramLogSize", false},
		{&fn.log, "nvrtcGetProgramLog", false},
		{&fn.addName, "nvrtcAddNameExpression", false},
		{&fn.loweredName, "nvrtcGetLoweredName", false},
		{&fn.setFlowCallback, "nvrtcSetFlowCallback", true},
	} {
		var err error
		if *e.to, err = handle.Symbol(e.name); err != nil && !e.optional {
			return err
		}
	}
	return nil
}

// identify asks the library for its version and the architectures it knows.
func (l *library) identify() error {
	var major, minor, n int32
	if rc := l.status(dl.NewFrame().Int32(&major).Int32(&minor).Call(l.fn.version)); rc != success {
		return l.failure("ask for the version", rc)
	}
	l.version = Version{int(major), int(minor)}
	if rc := l.status(dl.NewFrame().Int32(&n).Call(l.fn.numArchs)); rc != success || n < 0 {
		return l.failure("ask for the architectures", rc)
	}
	archs := make([]int32, n)
	if rc := l.status(dl.NewFrame().Ints(archs).Call(l.fn.archs)); rc != success {
		return l.failure("ask for the architectures", rc)
	}
	for _, a := range archs {
		l.archs = append(l.archs, int(a))
	}
	return nil
}

// status narrows the result of a call to NVRTC's result type, a C enumeration.
func (l *library) status(r uintptr) Code { return Code(int32(r)) }

// failure describes a failed call.
func (l *library) failure(op string, rc Code) *Error {
	return &Error{Op: op, Code: rc, Name: dl.GoString(l.fn.errorString.Call(uintptr(rc)))}
}
