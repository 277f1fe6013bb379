//go:build linux && !tandem_nodl

package nvidiatest

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// Fake is a driver library whose functions are C callbacks into this package and whose devices are host devices, so that
// kernels run. It is as strict as a driver is dangerous: what may crash or corrupt there fails the test here, such as a
// call without the right context, a stale handle, a copy from memory that is not page-locked.
type Fake struct {
	// Hidden are symbols that this driver does not export, Count the devices that it finds, Mode their compute mode. Binary is
	// the PTX that a fatbin was made from; empty for "not for this device". They are set before they are needed.
	Hidden map[string]bool
	Count  int
	Mode   int32
	Binary string
	// Apart: the devices do not reach each other's memory. Clusters: they launch clusters of blocks.
	Apart, Clusters bool
	// NewestPTX is the newest version of PTX that the driver knows, as 84 for 8.4; 0 for any.
	NewestPTX int

	t     *testing.T
	probe driver.Device // answers questions about devices

	mu       sync.Mutex
	hooks    map[string]func()      // guarded by mu: called by functions before they do anything
	results  map[string]uint32      // guarded by mu: what functions return instead of doing anything
	calls    map[string]int         // guarded by mu: how often each was called
	contexts int                    // guarded by mu: that cuCtxCreate made
	linkers  []*fakeLinker          // guarded by mu
	devices  map[int32]*fakeContext // guarded by mu: primary contexts, by device
	current  map[int]*fakeContext   // guarded by mu: by thread
	strings  map[string][]byte      // guarded by mu: C strings that were given out
	options  []cuapi.JITOption      // guarded by mu: of the last ModuleLoadDataEx
	values   []uintptr              // guarded by mu

	attributes map[uintptr][2]uintptr // guarded by mu: of the last cuLaunchKernelEx
}

// fakeContext is a primary context: a host device, and what the host device does not know.
type fakeContext struct {
	id   uintptr
	refs int
	driver.Device

	mu      sync.Mutex
	pinned  map[uintptr]pinned // by host address
	memory  map[uintptr]uint64
	dynamic map[uintptr]int32      // of functions, what was allowed
	entries map[uintptr][]string   // of modules
	loaded  map[uintptr]bool       // functions that cuFuncLoad loaded
	made    map[string]int         // objects that were made and not destroyed, by kind
	named   map[uintptr]*reference // of modules
	reached map[uintptr]bool       // contexts whose memory this one reaches
	wide    map[uintptr]bool       // functions that may run in clusters of more than eight blocks
}

type pinned struct {
	ptr driver.Ptr
	n   uint64
}

// active is the fake that the callbacks serve: callbacks cannot be freed, so there is one set of them.
var active atomic.Pointer[Fake]

// callbacks are the functions as C calls them. One that could not be made is missing, as in an old driver.
var callbacks = sync.OnceValue(func() map[string]dl.Func {
	out := map[string]dl.Func{}
	for name, fn := range functions() {
		if addr, err := dl.NewCallback(counted(name, fn)); err == nil {
			out[name] = dl.Func(addr)
		}
	}
	return out
})

// Callback is a function of the fake as C calls it; 0 if there is none of that name. It serves the fake that was made last.
func Callback(symbol string) dl.Func { return callbacks()[symbol] }

// Parameters is how many parameters a function takes, and whether there is one of that name.
func Parameters(symbol string) (n int, ok bool) {
	fn, ok := functions()[symbol]
	if !ok {
		return 0, false
	}
	return reflect.TypeOf(fn).NumIn(), true
}

// counted wraps fn so that it is counted and can be made to fail.
func counted(name string, fn any) any {
	v := reflect.ValueOf(fn)
	return reflect.MakeFunc(v.Type(), func(args []reflect.Value) []reflect.Value {
		f := active.Load()
		f.mu.Lock()
		f.calls[name]++
		hook := f.hooks[name]
		f.mu.Unlock()
		if hook != nil {
			hook()
		}
		f.mu.Lock()
		r, forced := f.results[name]
		f.mu.Unlock()
		if forced {
			return []reflect.Value{reflect.ValueOf(uintptr(r))}
		}
		return v.Call(args)
	}).Interface()
}

// New makes the driver that this test uses from now on. When the test ends, every context must have been released.
func New(t *testing.T) *Fake {
	f := &Fake{
		t: t, Count: 2, Hidden: map[string]bool{}, results: map[string]uint32{}, hooks: map[string]func(){}, calls: map[string]int{},
		devices: map[int32]*fakeContext{}, current: map[int]*fakeContext{}, strings: map[string][]byte{},
	}
	f.probe = openHost(t)
	active.Store(f)
	t.Cleanup(func() {
		if err := f.probe.Close(); err != nil {
			t.Errorf("close the host device behind the fake: %v", err)
		}
		for _, c := range f.devices {
			t.Errorf("context %#x was not released", c.id)
			c.Close()
		}
	})
	return f
}

func openHost(t *testing.T) driver.Device {
	d, err := hostdev.New(hostdev.Config{Workers: 2, MemoryLimit: 1 << 30}).Open(0)
	if err != nil {
		t.Fatalf("open the host device behind the fake: %v", err)
	}
	return d
}

// Library is the fake as package cuapi sees it.
func (f *Fake) Library() (*cuapi.Library, error) {
	return cuapi.New("fake driver", func(symbol string) (dl.Func, error) {
		if fn, ok := callbacks()[symbol]; ok && !f.Hidden[symbol] {
			return fn, nil
		}
		return 0, dl.ErrNoSymbol
	}), nil
}

// Backend is package nvidia on the fake.
func (f *Fake) Backend() driver.Backend { return nvidia.New(nvidia.Config{Library: f.Library}) }

// Open opens device 0.
func (f *Fake) Open(t *testing.T) driver.Device {
	t.Helper()
	d, err := f.Backend().Open(0)
	if err != nil {
		t.Fatalf("open device 0 of the fake: %v", err)
	}
	return d
}

// Force lets a function return r from now on; 0 lets it work again.
func (f *Fake) Force(name string, r driver.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.results, name); r != 0 {
		f.results[name] = uint32(r)
	}
}

// Hook lets a function call h before it does anything.
func (f *Fake) Hook(name string, h func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hooks[name] = h
}

// Called is how often a function was called.
func (f *Fake) Called(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[name]
}

// JITOptions are the options of the last module that was loaded, and their values.
func (f *Fake) JITOptions() ([]cuapi.JITOption, []uintptr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.options, f.values
}

// context returns the context that is current on this thread.
func (f *Fake) context(name string) *fakeContext {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.current[syscall.Gettid()]
	if c == nil || c.refs == 0 {
		f.t.Errorf("%s was called without a context", name)
		return nil
	}
	return c
}

// in calls do with the current context, unless that is poisoned, and returns a CUresult. A handle that the host device
// does not know is one that crashes a driver.
func in(name string, do func(c *fakeContext) error) uintptr {
	f := active.Load()
	c := f.context(name)
	if c == nil {
		return uintptr(driver.InvalidContext)
	}
	if err := c.Err(); err != nil {
		return result(err)
	}
	err := do(c)
	if r := result(err); r != uintptr(driver.InvalidHandle) || name == "cuEventElapsedTime" { // events without timing
		return r
	}
	f.t.Errorf("%s: %v", name, err)
	return uintptr(driver.InvalidHandle)
}

func result(err error) uintptr {
	var s driver.Status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return uintptr(s)
	}
	return uintptr(driver.Unknown)
}

// stream checks that a call names a stream: the null stream is another one than any of ours.
func stream(name string, s uintptr) driver.Stream {
	if s == 0 {
		active.Load().t.Errorf("%s was called on the null stream", name)
	}
	return driver.Stream(s)
}

// at is the page-locked memory at a host address.
func (c *fakeContext) at(name string, host, n uintptr) driver.Ptr {
	c.mu.Lock()
	defer c.mu.Unlock()
	for base, p := range c.pinned {
		if host >= base && uint64(host-base)+uint64(n) <= p.n {
			return p.ptr + driver.Ptr(host-base)
		}
	}
	active.Load().t.Errorf("%s: %d bytes at %#x are not page-locked", name, n, host)
	return 0
}

func (f *Fake) cstring(s string) uintptr {
	f.mu.Lock()
	defer f.mu.Unlock()
	b, ok := f.strings[s]
	if !ok {
		b = append([]byte(s), 0)
		f.strings[s] = b
	}
	return uintptr(unsafe.Pointer(&b[0]))
}

// memory is the n bytes at an address that C got from Go.
func memory(p uintptr, n int) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n) }

func word(p uintptr) uintptr { return *(*uintptr)(unsafe.Pointer(&memory(p, 8)[0])) }

func fill(p *byte, n int32, s string) { copy(unsafe.Slice(p, n), s+"\x00") }

// deviceFunctions are those of the library and its devices.
var deviceFunctions = map[string]any{
	"cuInit":             func(flags uint32) uintptr { return 0 },
	"cuDriverGetVersion": func(v *int32) uintptr { *v = 12040; return 0 },
	"cuGetErrorName": func(r uint32, p *uintptr) uintptr {
		if s := driver.Status(r); s.Name() != "CUDA_ERROR" {
			*p = active.Load().cstring(s.Name())
			return 0
		}
		return uintptr(driver.InvalidValue)
	},
	"cuGetErrorString": func(r uint32, p *uintptr) uintptr {
		if s := driver.Status(r); s.Text() != "" {
			*p = active.Load().cstring("fake: " + s.Text())
			return 0
		}
		return uintptr(driver.InvalidValue)
	},

	"cuDeviceGetCount": func(n *int32) uintptr { *n = int32(active.Load().Count); return 0 },
	"cuDeviceGet": func(d *int32, ordinal int32) uintptr {
		*d = ordinal + 100 // not the ordinal
		return 0
	},
	"cuDeviceGetName":     func(p *byte, n, d int32) uintptr { fill(p, n, fmt.Sprintf("Fake %d", d-100)); return 0 },
	"cuDeviceTotalMem_v2": func(n *uintptr, d int32) uintptr { *n = 1 << 30; return 0 },
	"cuDeviceGetAttribute": func(v *int32, a, d int32) uintptr {
		if a == cuapi.AttributeComputeMode {
			*v = active.Load().Mode
			return 0
		}
		if driver.Attribute(a) == driver.ClusterLaunch && active.Load().Clusters {
			*v = 1
			return 0
		}
		n, err := active.Load().probe.Attribute(driver.Attribute(a))
		*v = int32(n)
		return result(err)
	},
	"cuDeviceGetUuid":     func(p *byte, d int32) uintptr { copy(unsafe.Slice(p, 16), "0123456789abcdef"); return 0 },
	"cuDeviceGetPCIBusId": func(p *byte, n, d int32) uintptr { fill(p, n, "0000:3B:00.0"); return 0 },

	"cuDevicePrimaryCtxRetain": func(p *uintptr, d int32) uintptr {
		f := active.Load()
		f.mu.Lock()
		defer f.mu.Unlock()
		c := f.devices[d]
		if c == nil {
			c = f.newContext(0xc0de00 + uintptr(d))
			f.devices[d] = c
		}
		c.refs++
		*p = c.id
		return 0
	},
	"cuDevicePrimaryCtxRelease_v2": func(d int32) uintptr {
		f := active.Load()
		f.mu.Lock()
		defer f.mu.Unlock()
		c := f.devices[d]
		if c == nil {
			return uintptr(driver.InvalidContext)
		}
		if c.refs--; c.refs == 0 {
			f.drop(d, c)
		}
		return 0
	},
	"cuCtxSetCurrent": func(id uintptr) uintptr {
		f := active.Load()
		f.mu.Lock()
		defer f.mu.Unlock()
		if id == 0 {
			f.setCurrent(nil)
			return 0
		}
		for _, c := range f.devices {
			if c.id == id {
				f.current[syscall.Gettid()] = c
				return 0
			}
		}
		return uintptr(driver.InvalidContext)
	},
}

// newContext makes a context.
func (f *Fake) newContext(id uintptr) *fakeContext {
	return &fakeContext{
		Device: openHost(f.t), id: id,
		pinned: map[uintptr]pinned{}, memory: map[uintptr]uint64{}, dynamic: map[uintptr]int32{},
		entries: map[uintptr][]string{}, loaded: map[uintptr]bool{}, made: map[string]int{}, named: map[uintptr]*reference{},
		reached: map[uintptr]bool{}, wide: map[uintptr]bool{},
	}
}

// drop destroys a context, in which nothing may be left.
func (f *Fake) drop(d int32, c *fakeContext) {
	delete(f.devices, d)
	if len(c.memory)+len(c.pinned) > 0 && c.Err() == nil {
		f.t.Errorf("%d allocations and %d of page-locked memory were left", len(c.memory), len(c.pinned))
	}
	for kind, n := range c.made {
		if n != 0 && c.Err() == nil {
			f.t.Errorf("%d of kind %s were left", n, kind)
		}
	}
	c.Close()
}

func (f *Fake) setCurrent(c *fakeContext) { f.current[syscall.Gettid()] = c }

// functions are the driver's. Callbacks take integers and pointers as C would pass them.
var functions = sync.OnceValue(func() map[string]any {
	all := map[string]any{}
	for _, table := range []map[string]any{
		deviceFunctions, memoryFunctions, graphFunctions, controlFunctions, streamFunctions, moduleFunctions, imageFunctions, referenceFunctions, poolFunctions, graphicsFunctions, peerFunctions,
	} {
		maps.Copy(all, table)
	}
	for newer, older := range map[string]string{
		"cuDeviceGetUuid_v2": "cuDeviceGetUuid", "cuEventElapsedTime_v2": "cuEventElapsedTime", "cuDevicePrimaryCtxRelease": "cuDevicePrimaryCtxRelease_v2",
		"cuGraphAddKernelNode": "cuGraphAddKernelNode_v2",
	} {
		all[newer] = all[older]
	}
	return all
})

// Younger are the symbols that the oldest drivers lack.
var Younger = []string{
	"cuDeviceGetUuid_v2", "cuEventElapsedTime_v2", "cuDevicePrimaryCtxRelease_v2",
	"cuFuncGetParamInfo", "cuModuleGetFunctionCount", "cuModuleEnumerateFunctions", "cuFuncLoad",
	"cuMemPrefetchAsync_v2", "cuMemAdvise_v2", "cuMemPoolCreate", "cuLaunchKernelEx",
}

var memoryFunctions = map[string]any{
	"cuMemGetInfo_v2": func(free, total *uintptr) uintptr {
		return in("cuMemGetInfo", func(c *fakeContext) error {
			f, t, err := c.MemInfo()
			*free, *total = uintptr(f), uintptr(t)
			return err
		})
	},
	"cuMemAlloc_v2": func(p *uintptr, n uintptr) uintptr {
		return in("cuMemAlloc", func(c *fakeContext) error {
			q, err := c.Alloc(uint64(n))
			if err == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.memory[uintptr(q)] = uint64(n)
			}
			*p = uintptr(q)
			return err
		})
	},
	"cuMemFree_v2": func(p uintptr) uintptr {
		return in("cuMemFree", func(c *fakeContext) error {
			c.mu.Lock()
			delete(c.memory, p)
			c.mu.Unlock()
			return c.Free(driver.Ptr(p))
		})
	},
	"cuMemGetAddressRange_v2": func(base, size *uintptr, p uintptr) uintptr {
		return in("cuMemGetAddressRange", func(c *fakeContext) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			for b, n := range c.memory {
				if p >= b && uint64(p-b) < n {
					*base, *size = b, uintptr(n)
					return nil
				}
			}
			return driver.NotFound
		})
	},
	"cuMemHostAlloc": func(p *uintptr, n uintptr, flags uint32) uintptr {
		return in("cuMemHostAlloc", func(c *fakeContext) error {
			q, b, err := c.AllocHost(uint64(n))
			if err == nil {
				*p = uintptr(unsafe.Pointer(&b[0]))
				c.mu.Lock()
				defer c.mu.Unlock()
				c.pinned[*p] = pinned{q, uint64(n)}
			}
			return err
		})
	},
	"cuMemHostGetDevicePointer_v2": func(p *uintptr, host uintptr, flags uint32) uintptr {
		return in("cuMemHostGetDevicePointer", func(c *fakeContext) error {
			*p = uintptr(c.at("cuMemHostGetDevicePointer", host, 1))
			return nil
		})
	},
	"cuMemFreeHost": func(host uintptr) uintptr {
		return in("cuMemFreeHost", func(c *fakeContext) error {
			p := c.at("cuMemFreeHost", host, 1)
			c.mu.Lock()
			delete(c.pinned, host)
			c.mu.Unlock()
			return c.FreeHost(p)
		})
	},
	"cuMemcpyHtoDAsync_v2": func(dst, src, n, s uintptr) uintptr {
		return in("cuMemcpyHtoDAsync", func(c *fakeContext) error {
			return c.Copy(driver.Ptr(dst), c.at("cuMemcpyHtoDAsync", src, n), uint64(n), stream("cuMemcpyHtoDAsync", s))
		})
	},
	"cuMemcpyDtoHAsync_v2": func(dst, src, n, s uintptr) uintptr {
		return in("cuMemcpyDtoHAsync", func(c *fakeContext) error {
			return c.Copy(c.at("cuMemcpyDtoHAsync", dst, n), driver.Ptr(src), uint64(n), stream("cuMemcpyDtoHAsync", s))
		})
	},
	"cuMemcpyAsync": func(dst, src, n, s uintptr) uintptr {
		return in("cuMemcpyAsync", func(c *fakeContext) error {
			return c.Copy(driver.Ptr(dst), driver.Ptr(src), uint64(n), stream("cuMemcpyAsync", s))
		})
	},
	"cuMemsetD8Async":  func(p uintptr, v uint8, n, s uintptr) uintptr { return set(p, uint32(v), 1, n, s) },
	"cuMemsetD16Async": func(p uintptr, v uint16, n, s uintptr) uintptr { return set(p, uint32(v), 2, n, s) },
	"cuMemsetD32Async": func(p uintptr, v uint32, n, s uintptr) uintptr { return set(p, v, 4, n, s) },
}

func set(p uintptr, v uint32, width int, n, s uintptr) uintptr {
	return in("cuMemset", func(c *fakeContext) error {
		return c.Fill(driver.Ptr(p), v, width, uint64(n), stream("cuMemset", s))
	})
}

var streamFunctions = map[string]any{
	"cuStreamCreateWithPriority": func(p *uintptr, flags uint32, priority int32) uintptr {
		return in("cuStreamCreateWithPriority", func(c *fakeContext) error {
			if flags != cuapi.StreamNonBlocking {
				active.Load().t.Errorf("a stream with flags %d", flags)
			}
			s, err := c.NewStream(int(priority))
			*p = uintptr(s)
			return err
		})
	},
	"cuStreamDestroy_v2": func(s uintptr) uintptr {
		return in("cuStreamDestroy", func(c *fakeContext) error { return c.DestroyStream(stream("cuStreamDestroy", s)) })
	},
	"cuStreamSynchronize": func(s uintptr) uintptr {
		return in("cuStreamSynchronize", func(c *fakeContext) error { return c.Synchronize(stream("cuStreamSynchronize", s)) })
	},
	"cuStreamQuery": func(s uintptr) uintptr {
		return in("cuStreamQuery", func(c *fakeContext) error { return c.reported(c.Query(stream("cuStreamQuery", s))) })
	},
	"cuStreamWaitEvent": func(s, e uintptr, flags uint32) uintptr {
		return in("cuStreamWaitEvent", func(c *fakeContext) error { return c.waitFor(stream("cuStreamWaitEvent", s), driver.Event(e)) })
	},
	"cuLaunchHostFunc": func(s, fn, data uintptr) uintptr {
		return in("cuLaunchHostFunc", func(c *fakeContext) error {
			return c.HostFunc(stream("cuLaunchHostFunc", s), func() { dl.Func(fn).Call(data) })
		})
	},
	"cuEventCreate": func(p *uintptr, flags uint32) uintptr {
		return in("cuEventCreate", func(c *fakeContext) error {
			e, err := c.NewEvent(flags&cuapi.EventDisableTiming == 0)
			*p = uintptr(e)
			return err
		})
	},
	"cuEventDestroy_v2": func(e uintptr) uintptr {
		return in("cuEventDestroy", func(c *fakeContext) error { return c.DestroyEvent(driver.Event(e)) })
	},
	"cuEventRecord": func(e, s uintptr) uintptr {
		return in("cuEventRecord", func(c *fakeContext) error { return c.Record(driver.Event(e), stream("cuEventRecord", s)) })
	},
	"cuEventQuery": func(e uintptr) uintptr {
		return in("cuEventQuery", func(c *fakeContext) error { return c.reported(c.QueryEvent(driver.Event(e))) })
	},
	"cuEventSynchronize": func(e uintptr) uintptr {
		return in("cuEventSynchronize", func(c *fakeContext) error { return c.SynchronizeEvent(driver.Event(e)) })
	},
	"cuEventElapsedTime": func(ms *float32, a, b uintptr) uintptr {
		return in("cuEventElapsedTime", func(c *fakeContext) error {
			d, err := c.Elapsed(driver.Event(a), driver.Event(b))
			*ms = float32(d.Seconds() * 1000)
			return err
		})
	},
}

// reported is what a query of CUDA returns: the fault, which ours do not report.
func (c *fakeContext) reported(err error) error {
	if err == nil {
		return c.Err()
	}
	return err
}

var moduleFunctions = map[string]any{
	"cuModuleLoadDataEx": func(p *uintptr, image uintptr, n uint32, options *int32, values *uintptr) uintptr {
		return in("cuModuleLoadDataEx", func(c *fakeContext) error { return compile(c, p, image, int(n), options, values) })
	},
	"cuModuleUnload": func(m uintptr) uintptr {
		return in("cuModuleUnload", func(c *fakeContext) error { return c.UnloadModule(driver.Module(m)) })
	},
	"cuModuleGetFunction": func(p *uintptr, m, name uintptr) uintptr {
		return in("cuModuleGetFunction", func(c *fakeContext) error {
			f, err := c.Function(driver.Module(m), dl.GoString(name))
			*p = uintptr(f)
			return err
		})
	},
	"cuModuleGetGlobal_v2": func(p, size *uintptr, m, name uintptr) uintptr {
		return in("cuModuleGetGlobal", func(c *fakeContext) error {
			q, n, err := c.Global(driver.Module(m), dl.GoString(name))
			*p, *size = uintptr(q), uintptr(n)
			return err
		})
	},
	"cuModuleGetFunctionCount": func(n *uint32, m uintptr) uintptr {
		return in("cuModuleGetFunctionCount", func(c *fakeContext) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			*n = uint32(len(c.entries[m]))
			return nil
		})
	},
	"cuModuleEnumerateFunctions": func(p *uintptr, n uint32, m uintptr) uintptr {
		return in("cuModuleEnumerateFunctions", func(c *fakeContext) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			for i, name := range c.entries[m][:n] {
				f, err := c.Function(driver.Module(m), name)
				if err != nil {
					return err
				}
				unsafe.Slice(p, n)[i] = uintptr(f)
			}
			return nil
		})
	},
	"cuFuncLoad": func(f uintptr) uintptr {
		return in("cuFuncLoad", func(c *fakeContext) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.loaded[f] = true
			return nil
		})
	},
	"cuFuncGetAttribute": func(v *int32, a int32, f uintptr) uintptr {
		return in("cuFuncGetAttribute", func(c *fakeContext) error {
			i, err := c.FunctionInfo(driver.Function(f))
			c.mu.Lock()
			c.loaded[f] = true
			c.mu.Unlock()
			table := []int{i.MaxThreads, i.SharedBytes, i.ConstBytes, i.LocalBytes, i.Registers, i.PTXVersion, i.BinaryVersion}
			if err == nil && int(a) < len(table) {
				*v = int32(table[a])
			}
			return err
		})
	},
	"cuFuncSetAttribute": func(f uintptr, a, v int32) uintptr {
		return in("cuFuncSetAttribute", func(c *fakeContext) error {
			if a == 9 { // the preferred carveout
				return c.SetFunctionAttribute(driver.Function(f), driver.SharedCarveout, int(v))
			}
			if cuapi.FuncAttribute(a) == cuapi.FuncWideClusters {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.wide[f] = v != 0
				return nil
			}
			if cuapi.FuncAttribute(a) != cuapi.FuncMaxDynamicSharedBytes {
				return driver.InvalidValue
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.dynamic[f] = v
			return nil
		})
	},
	"cuFuncGetParamInfo": func(f, i uintptr, off, size *uintptr) uintptr {
		return in("cuFuncGetParamInfo", func(c *fakeContext) error {
			info, err := c.FunctionInfo(driver.Function(f))
			if err != nil || int(i) >= len(info.Signature.Params) {
				return errors.Join(err, driver.InvalidValue)
			}
			*off, *size = uintptr(info.Signature.Params[i].Offset), uintptr(info.Signature.Params[i].Size)
			return nil
		})
	},
	"cuLaunchKernel": func(f uintptr, gx, gy, gz, x, y, z, shared uint32, s, params, extra uintptr) uintptr {
		return in("cuLaunchKernel", func(c *fakeContext) error {
			l := &driver.Launch{
				Function: driver.Function(f), Grid: driver.Dim3{X: gx, Y: gy, Z: gz}, Block: driver.Dim3{X: x, Y: y, Z: z},
				SharedBytes: shared, Stream: stream("cuLaunchKernel", s),
			}
			if extra == 0 {
				return c.launchWith(l, params)
			}
			if err := takeExtra(l, extra); err != nil {
				return err
			}
			return c.launch(l)
		})
	},
	"cuLaunchCooperativeKernel": func(f uintptr, gx, gy, gz, x, y, z, shared uint32, s, params uintptr) uintptr {
		return in("cuLaunchCooperativeKernel", func(c *fakeContext) error {
			l := &driver.Launch{
				Function: driver.Function(f), Grid: driver.Dim3{X: gx, Y: gy, Z: gz}, Block: driver.Dim3{X: x, Y: y, Z: z},
				SharedBytes: shared, Stream: stream("cuLaunchCooperativeKernel", s), Cooperative: true,
			}
			return c.launchWith(l, params)
		})
	},
}

// takeExtra reads the parameter block that a launch points to.
func takeExtra(l *driver.Launch, extra uintptr) error {
	if extra == 0 {
		return nil
	}
	if word(extra) != 1 || word(extra+16) != 2 || word(extra+32) != 0 {
		return driver.InvalidValue
	}
	l.Params = memory(word(extra+8), int(word(word(extra+24))))
	return nil
}

// launchWith launches with one pointer for each parameter.
func (c *fakeContext) launchWith(l *driver.Launch, params uintptr) error {
	info, err := c.FunctionInfo(l.Function)
	if err != nil {
		return err
	}
	l.Params = make([]byte, info.Signature.Size)
	for i, p := range info.Signature.Params {
		copy(l.Params[p.Offset:], memory(word(params+8*uintptr(i)), p.Size))
	}
	return c.launch(l)
}

// launch refuses as CUDA does: one status for nearly everything, and no large shared memory unless it was allowed.
func (c *fakeContext) launch(l *driver.Launch) error {
	c.mu.Lock()
	if !c.loaded[uintptr(l.Function)] {
		active.Load().t.Errorf("a kernel is loaded by its first launch")
	}
	allowed := max(48<<10, c.dynamic[uintptr(l.Function)])
	c.mu.Unlock()
	if l.SharedBytes > uint32(allowed) {
		return driver.InvalidValue
	}
	if err := c.bindReferences(); err != nil {
		return err
	}
	_, err := c.Launch(l)
	if errors.Is(err, driver.LaunchOutOfResources) {
		return driver.InvalidValue
	}
	return err
}
