// Package nvidia runs CUDA kernels on NVIDIA GPUs: the driver contract on top of the driver library (package cuapi),
// without cgo and without a toolkit.
//
// Threads. A context is current on an operating-system thread, and goroutines move between threads. So every call locks
// the goroutine to its thread, makes the device's context current, calls, and unlocks (device.raw): 116 ns for a launch,
// measured, and any goroutine may use any object. Callers that hold a context of their own current on a locked thread
// have to make it current again afterwards.
//
// Handles. The driver does not check handles: a stale one crashes the process. So objects have numbers of ours, which are
// never used again, and each is counted while a call uses it; destroying one takes the number away at once and the
// object itself with its last user.
//
// The context is the device's primary one, which the process shares with other libraries; therefore Reset is refused and
// a fault that another library's kernel causes is a fault here too. Device printf goes to the process's standard output,
// which the driver writes to. Locks: device.mu guards tables, staging.mu its blocks; neither is held during a call that waits.
package nvidia

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// Config configures the back end. The zero value is the default.
type Config struct {
	// Library opens the driver library; nil means cuapi.DefaultSearch().Open.
	Library func() (*cuapi.Library, error)
	// Calls is another binding that makes a part of the calls, given the open library; nil means that the library makes them.
	Calls func(*cuapi.Library) cuapi.Calls
}

// New returns the back end. It opens nothing yet; the driver library is opened when it is first needed, once.
func New(c Config) driver.Backend {
	open := c.Library
	if open == nil {
		open = cuapi.DefaultSearch().Open
	}
	return &backend{start: sync.OnceValues(func() (*cuapi.Driver, error) { return start(open, c.Calls) })}
}

type backend struct {
	start func() (*cuapi.Driver, error)
}

// start opens and initialises the library. What it returns stays true as long as the process lives: the driver looks for
// devices once.
func start(open func() (*cuapi.Library, error), calls func(*cuapi.Library) cuapi.Calls) (*cuapi.Driver, error) {
	lib, err := open()
	if errors.Is(err, dl.ErrNotFound) || errors.Is(err, dl.ErrNoLoader) {
		if runtime.GOOS == "darwin" {
			err = errors.New("there is no CUDA driver for macOS")
		}
		return nil, fmt.Errorf("%w: %w", driver.ErrNoBackend, err)
	}
	if err != nil {
		return nil, err
	}
	if err := lib.Start(); err != nil {
		var call *cuapi.CallError
		if errors.As(err, &call) && call.Result == cuapi.NoDevice {
			return nil, fmt.Errorf("%w: %s found no GPU%s", driver.ErrNoBackend, lib.Path(), hidden())
		}
		if call != nil && call.Result == cuapi.StubLibrary {
			return nil, fmt.Errorf("%s is a stub made for linking, not the driver: %w", lib.Path(), translate(err))
		}
		return nil, fmt.Errorf("initialise the driver %s: %w", lib.Path(), translate(err))
	}
	if calls == nil {
		return lib.Driver(nil), nil
	}
	return lib.Driver(calls(lib)), nil
}

// hidden says whether the environment hides devices.
func hidden() string {
	if v, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set {
		return fmt.Sprintf(" (CUDA_VISIBLE_DEVICES=%q)", v)
	}
	return ""
}

// Name returns "nvidia".
func (*backend) Name() string { return "nvidia" }

// Devices lists the GPUs.
func (b *backend) Devices() ([]driver.Info, error) {
	lib, err := b.start()
	if err != nil {
		return nil, err
	}
	n, err := lib.DeviceGetCount()
	if err != nil {
		return nil, fmt.Errorf("count devices: %w", translate(err))
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: %s found no GPU%s", driver.ErrNoBackend, lib.Path(), hidden())
	}
	version, err := lib.DriverGetVersion()
	if err != nil {
		return nil, fmt.Errorf("ask for the driver's version: %w", translate(err))
	}
	infos := make([]driver.Info, n)
	for i := range infos {
		infos[i] = describe(lib, i, version)
	}
	return infos, nil
}

// describe asks for all that is known of a device. What cannot be found out makes it unusable, ids excepted.
func describe(lib *cuapi.Driver, ordinal, version int) driver.Info {
	info := driver.Info{Ordinal: ordinal, Name: fmt.Sprintf("GPU %d", ordinal), DriverVersion: version}
	dev, err := lib.DeviceGet(ordinal)
	ask := func(what string, f func() error) {
		if err == nil {
			if e := f(); e != nil {
				err = fmt.Errorf("ask for %s: %w", what, translate(e))
			}
		}
	}
	attribute := func(a driver.Attribute, v *int) func() error {
		return func() (err error) {
			*v, err = lib.DeviceGetAttribute(int(a), dev)
			return err
		}
	}
	if err != nil {
		info.Unusable = fmt.Errorf("open: %w", translate(err))
		return info
	}
	var mode int
	ask("the name", func() error {
		name, err := lib.DeviceGetName(dev)
		if err == nil {
			info.Name = name
		}
		return err
	})
	ask("the compute capability", attribute(driver.ComputeCapabilityMajor, &info.ComputeMajor))
	ask("the compute capability", attribute(driver.ComputeCapabilityMinor, &info.ComputeMinor))
	ask("the size of memory", func() (err error) {
		info.TotalBytes, err = lib.DeviceTotalMem(dev)
		return err
	})
	ask("the compute mode", attribute(cuapi.AttributeComputeMode, &mode))
	if err == nil && mode == cuapi.ComputeModeProhibited {
		err = fmt.Errorf("the compute mode is prohibited (nvidia-smi -c 0 changes it): %w", driver.NotPermitted)
	}
	info.Unusable = err
	if id, err := lib.DeviceGetUuid(dev); err == nil { // old devices and some virtual ones have none
		info.UUID = id
	}
	if id, err := lib.DeviceGetPCIBusId(dev); err == nil {
		info.PCIBusID = id
	}
	return info
}

// Open retains the primary context of a GPU and makes the default stream.
func (b *backend) Open(ordinal int) (driver.Device, error) {
	lib, err := b.start()
	if err != nil {
		return nil, err
	}
	d, err := newDevice(lib, ordinal)
	if err != nil {
		return nil, fmt.Errorf("open GPU %d: %w", ordinal, err)
	}
	return d, nil
}
