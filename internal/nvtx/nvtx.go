// Package nvtx marks ranges for NVIDIA's tools; without a tool, or a library that tools listen to, nothing happens.
//
// NVTX 3 is a header that is compiled into C programs. What it does in them is done here in Go: the tool names its library in
// NVTX_INJECTION64_PATH, that library is loaded and asked, by InitializeInjectionNvtx2, to put its functions into a table of ours
// (NVTX's nvtxTypes.h, types for callback subscription). Without that variable the library of version 1, libnvToolsExt, is used
// where the process finds it: it comes with CUDA up to version 12 and with Nsight Systems. TANDEM_NVTX names another library with
// the same functions.
package nvtx

import (
	"os"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/dl"
)

// Library is the open library, or an attached tool. The zero Library does nothing. Its methods may be called from any goroutine.
type Library struct{ start, end, mark dl.Func }

// The variables that name a tool's library, and a library of version 1.
const (
	injection = "NVTX_INJECTION64_PATH"
	variable  = "TANDEM_NVTX"
)

// Open attaches the tool that the environment names, else opens the library. The result does nothing if there is none.
func Open() Library {
	if path := os.Getenv(injection); path != "" {
		lib, err := dl.Open(path)
		if err != nil {
			return Library{}
		}
		return Attach(lib.Symbol)
	}
	for _, name := range candidates(runtime.GOOS, os.Getenv(variable)) {
		if lib, err := dl.Open(name); err == nil {
			if l := New(lib.Symbol); l != (Library{}) {
				return l
			}
		}
	}
	return Library{}
}

// candidates are the names to try. A library that the user names is the only one.
func candidates(goos, named string) []string {
	if named != "" {
		return []string{named}
	}
	switch goos {
	case "linux":
		folders := []string{"/usr/local/cuda/lib64", "/usr/local/cuda*/lib64"}
		return append([]string{"libnvToolsExt.so.1"}, dl.Find(folders, []string{"libnvToolsExt.so.1"})...)
	case "windows":
		return []string{"nvToolsExt64_1.dll"}
	}
	return nil
}

// New returns the library whose functions lookup finds; one that lacks a function does nothing.
func New(lookup func(symbol string) (dl.Func, error)) Library {
	var l Library
	for symbol, f := range map[string]*dl.Func{"nvtxRangeStartA": &l.start, "nvtxRangeEnd": &l.end, "nvtxMarkA": &l.mark} {
		var err error
		if *f, err = lookup(symbol); err != nil || *f == 0 {
			return Library{}
		}
	}
	return l
}

// Start begins a range and returns its number.
func (l Library) Start(name string) uint64 {
	if l.start == 0 {
		return 0
	}
	return uint64(dl.NewFrame().String(name).Call(l.start))
}

// End ends a range.
func (l Library) End(id uint64) {
	if l.end != 0 {
		dl.NewFrame().Int(uintptr(id)).Call(l.end)
	}
}

// Mark notes that something has happened.
func (l Library) Mark(name string) {
	if l.mark != 0 {
		dl.NewFrame().String(name).Call(l.mark)
	}
}

// opened is the library of the process.
var opened = sync.OnceValue(Open)

// Start begins a range with the library of the process, which is looked for once.
func Start(name string) uint64 { return opened().Start(name) }

// End ends a range of Start.
func End(id uint64) { opened().End(id) }

// Mark notes that something has happened.
func Mark(name string) { opened().Mark(name) }
