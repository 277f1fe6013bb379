package nvtx

import (
	"runtime"
	"sync"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
)

// modules are the numbers of functions of NVTX's modules, each with its first place unused: core, CUDA, OpenCL, CUDA runtime,
// domains, synchronisation. Tools fill in what they want; the core is what is called here.
var modules = [...]int{1: 16, 2: 9, 3: 15, 4: 7, 5: 16, 6: 7}

// Places in the core module (NvtxCallbackIdCore).
const (
	core          = 1
	coreMark      = 2
	coreStart     = 5
	coreEnd       = 7
	tableCallback = 1 // NVTX_ETID_CALLBACKS
	tableVersion  = 3 // NVTX_ETID_VERSIONINFO
)

// tables are what a tool sees. It lives as long as the process, since a tool may keep addresses of it.
type tables struct {
	slots    [len(modules)][]uintptr // functions of a module, which the tool writes
	pointers [len(modules)][]uintptr // their addresses
	callback [2]uintptr              // NvtxExportTableCallbacks: its size, GetModuleFunctionTable
	version  [3]uintptr              // NvtxExportTableVersionInfo: its size, version 3, SetInjectionNvtxVersion
	export   uintptr                 // NvtxGetExportTableFunc_t
	pinner   runtime.Pinner
}

// address is where p is, for C. What it points to is pinned for good.
func address[T any](t *tables, p *T) uintptr {
	t.pinner.Pin(p)
	return uintptr(unsafe.Pointer(p))
}

// shared are the tables of the process. Callbacks cannot be freed, so there is one set of them.
var shared = sync.OnceValues(newTables)

func newTables() (*tables, error) {
	t := &tables{}
	for m, n := range modules {
		if n == 0 {
			continue
		}
		t.slots[m], t.pointers[m] = make([]uintptr, n), make([]uintptr, n)
		for i := range t.slots[m] {
			t.pointers[m][i] = address(t, &t.slots[m][i])
		}
	}
	functions, err := dl.NewCallback(func(module uintptr, table, size *uintptr) uintptr {
		m := uint32(module)
		if m == 0 || m >= uint32(len(modules)) {
			return 0
		}
		if table != nil {
			*table = address(t, &t.pointers[m][0])
		}
		if size != nil {
			*(*uint32)(unsafe.Pointer(size)) = uint32(modules[m])
		}
		return 1
	})
	if err != nil {
		return nil, err
	}
	ignore, err := dl.NewCallback(func(version uintptr) uintptr { return 0 })
	if err != nil {
		return nil, err
	}
	t.callback = [2]uintptr{unsafe.Sizeof(t.callback), functions}
	t.version = [3]uintptr{unsafe.Sizeof(t.version), 3, ignore}
	t.export, err = dl.NewCallback(func(id uintptr) uintptr {
		switch uint32(id) {
		case tableCallback:
			return address(t, &t.callback[0])
		case tableVersion:
			return address(t, &t.version[0])
		}
		return 0
	})
	return t, err
}

// Attach lets a tool, whose functions lookup finds, fill in what it wants to be called. The result has that of it which this
// package calls, and nothing if the tool declines.
func Attach(lookup func(symbol string) (dl.Func, error)) Library {
	begin, err := lookup("InitializeInjectionNvtx2")
	if err != nil || begin == 0 {
		return Library{}
	}
	t, err := shared()
	if err != nil {
		return Library{}
	}
	for _, s := range t.slots {
		clear(s)
	}
	if int32(dl.NewFrame().Int(t.export).Call(begin)) == 0 {
		return Library{}
	}
	s := t.slots[core]
	return Library{start: dl.Func(s[coreStart]), end: dl.Func(s[coreEnd]), mark: dl.Func(s[coreMark])}
}
