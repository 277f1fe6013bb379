// Package egl makes OpenGL contexts without a window, for programs and tests on machines that may have no display.
//
// It opens the EGL library of the system at run time and needs no cgo. A context belongs to the operating system's thread
// that made it: New locks the calling goroutine to its thread, Close unlocks it, and between them only that goroutine may
// call OpenGL.
//
// Source: EGL 1.5; EGL_MESA_platform_surfaceless, EGL_EXT_platform_device, EGL_KHR_create_context.
package egl

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/dl"
)

// ErrUnavailable says that the machine has no EGL, or none that can do what was asked for.
var ErrUnavailable = errors.New("no EGL context")

const (
	platformSurfaceless = 0x31DD
	platformDevice      = 0x313F

	none            = 0x3038
	surfaceType     = 0x3033
	renderableType  = 0x3040
	openGLBit       = 0x0008
	openGLAPI       = 0x30A2
	contextMajor    = 0x3098
	contextMinor    = 0x30FB
	contextProfile  = 0x30FD
	coreProfile     = 0x0001
	vendorString    = 0x3053
	maxDevices      = 16
	libraryOfTheABI = "libEGL.so.1"
)

// Config says what context New makes.
type Config struct {
	// Major and Minor are the least version of OpenGL, core profile; 3.3 if zero.
	Major, Minor int
	// Devices makes the context on a device of EGL_EXT_platform_device, which is what an NVIDIA GPU needs to share buffers
	// with CUDA: the first that works. Without it, or if none works, Mesa's platform without surfaces is used.
	Devices bool
}

// Context is a context that is current on the thread of the goroutine that made it.
type Context struct {
	f                functions
	display, context uintptr
	vendor           string
}

// functions are the entry points of EGL.
type functions struct {
	getProcAddress, getPlatformDisplay, initialize, bindAPI, chooseConfig, createContext, destroyContext, makeCurrent,
	queryString, getError dl.Func
	queryDevices dl.Func // 0 where the extension is missing
}

func load() (f functions, err error) {
	lib, err := dl.Open(libraryOfTheABI)
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for name, fn := range map[string]*dl.Func{
		"eglGetProcAddress": &f.getProcAddress, "eglGetPlatformDisplay": &f.getPlatformDisplay, "eglInitialize": &f.initialize,
		"eglBindAPI": &f.bindAPI, "eglChooseConfig": &f.chooseConfig, "eglCreateContext": &f.createContext,
		"eglDestroyContext": &f.destroyContext, "eglMakeCurrent": &f.makeCurrent, "eglQueryString": &f.queryString,
		"eglGetError": &f.getError,
	} {
		if *fn, err = lib.Symbol(name); err != nil {
			return f, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	f.queryDevices = dl.Func(f.address("eglQueryDevicesEXT"))
	return f, nil
}

func (f *functions) address(name string) uintptr {
	return dl.NewFrame().String(name).Call(f.getProcAddress)
}

// failed is the error of a call that has just failed.
func (f *functions) failed(call string) error {
	return fmt.Errorf("%w: %s: EGL error %#x", ErrUnavailable, call, uint32(f.getError.Call()))
}

// New makes a context and makes it current. The error wraps ErrUnavailable.
func New(cfg Config) (*Context, error) {
	f, err := load()
	if err != nil {
		return nil, err
	}
	if cfg.Major == 0 {
		cfg.Major, cfg.Minor = 3, 3
	}
	runtime.LockOSThread()
	var errs []error
	if cfg.Devices {
		for _, d := range f.devices() {
			c, err := f.open(platformDevice, d, cfg)
			if err == nil {
				return c, nil
			}
			errs = append(errs, err)
		}
	}
	c, err := f.open(platformSurfaceless, 0, cfg)
	if err != nil {
		runtime.UnlockOSThread()
		return nil, errors.Join(append(errs, err)...)
	}
	return c, nil
}

// devices are the handles of EGL's devices.
func (f *functions) devices() []uintptr {
	if f.queryDevices == 0 {
		return nil
	}
	list := make([]uintptr, maxDevices)
	var n int32
	if uint32(dl.NewFrame().Int(maxDevices).Words(list).Int32(&n).Call(f.queryDevices)) == 0 {
		return nil
	}
	return list[:min(max(int(n), 0), maxDevices)]
}

func (f *functions) open(platform uint32, device uintptr, cfg Config) (*Context, error) {
	c := &Context{f: *f}
	if c.display = f.getPlatformDisplay.Call(uintptr(platform), device, 0); c.display == 0 {
		return nil, f.failed("eglGetPlatformDisplay")
	}
	if uint32(f.initialize.Call(c.display, 0, 0)) == 0 {
		return nil, f.failed("eglInitialize")
	}
	c.vendor = dl.GoString(f.queryString.Call(c.display, vendorString))
	if uint32(f.bindAPI.Call(openGLAPI)) == 0 {
		return nil, errors.Join(f.failed("eglBindAPI"), c.end())
	}
	var config uintptr
	var n int32
	want := []int32{surfaceType, 0, renderableType, openGLBit, none}
	if uint32(dl.NewFrame().Int(c.display).Ints(want).Word(&config).Int(1).Int32(&n).Call(f.chooseConfig)) == 0 || n < 1 {
		return nil, errors.Join(f.failed("eglChooseConfig"), c.end())
	}
	version := []int32{contextMajor, int32(cfg.Major), contextMinor, int32(cfg.Minor), contextProfile, coreProfile, none}
	if c.context = dl.NewFrame().Int(c.display).Int(config).Int(0).Ints(version).Call(f.createContext); c.context == 0 {
		return nil, errors.Join(f.failed(fmt.Sprintf("eglCreateContext %d.%d", cfg.Major, cfg.Minor)), c.end())
	}
	if uint32(f.makeCurrent.Call(c.display, 0, 0, c.context)) == 0 {
		return nil, errors.Join(f.failed("eglMakeCurrent"), c.end())
	}
	return c, nil
}

// Vendor is what EGL says of itself, such as "Mesa Project" or "NVIDIA".
func (c *Context) Vendor() string { return c.vendor }

// MakeCurrent makes the context current on the calling thread, which must be locked to the goroutine.
func (c *Context) MakeCurrent() error {
	if uint32(c.f.makeCurrent.Call(c.display, 0, 0, c.context)) == 0 {
		return c.f.failed("eglMakeCurrent")
	}
	return nil
}

// Release makes no context current on the calling thread. OpenGL does nothing then.
func (c *Context) Release() error {
	if uint32(c.f.makeCurrent.Call(c.display, 0, 0, 0)) == 0 {
		return c.f.failed("eglMakeCurrent with no context")
	}
	return nil
}

// Close destroys the context and unlocks the goroutine from its thread. It is called on the goroutine that called New.
func (c *Context) Close() error {
	if c.display == 0 {
		return nil
	}
	err := errors.Join(c.Release(), c.end())
	runtime.UnlockOSThread()
	return err
}

// end destroys what was made. The display is shared by all contexts of the process, so it is not terminated.
func (c *Context) end() error {
	context := c.context
	display := c.display
	c.context, c.display = 0, 0
	if context != 0 && uint32(c.f.destroyContext.Call(display, context)) == 0 {
		return c.f.failed("eglDestroyContext")
	}
	return nil
}
