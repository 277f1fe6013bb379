// Package hostdev runs CUDA kernels on the cores of the CPU: the driver contract on top of PTX, IR and an engine.
//
// A device owns one memory space, any number of streams and the modules loaded on it. LoadModule parses and checks PTX;
// a kernel is lowered when it is looked up and compiled when it is first launched. Launches queue in streams; package
// workers lends the goroutines that run blocks. The device decides which block runs where and for how long, stops
// launches that were cancelled, and turns what an engine reports into a driver.Fault with names and lines.
//
// Locks: device.mu guards everything but the inside of a running launch, which grid.mu guards. Code of users (host
// functions, the output writer) is called without a lock.
package hostdev

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/mem"
)

// Config configures the host device. The zero value is the default.
type Config struct {
	// Engine executes kernels; nil is the reference engine.
	Engine engine.Engine
	// NoFallback makes a kernel that Engine cannot compile an error. Otherwise the reference engine runs it.
	NoFallback bool
	// Workers is the number of multiprocessors: blocks of one launch that run at the same time. 0 means GOMAXPROCS.
	Workers int
	// MemoryLimit lowers the capacity of device memory, in bytes; 0 means what package mem finds right.
	MemoryLimit uint64
	// Seed, if it is not zero, varies what CUDA leaves open: in which order the blocks of a launch begin, and how long each
	// runs before others get a turn. On one worker the same seed gives the same course. Kernels that rely on blocks
	// beginning in order may hang, which is for the caller to find out.
	Seed uint64
	// Poison fills new device memory and each block's shared memory with mem.PoisonByte, so that a kernel that reads what
	// nobody wrote is noticed.
	Poison bool
	// Checks are tools that look for defects in all launches; Cover counts executions of source lines in all launches.
	Checks driver.Checks
	Cover  bool
	// Count counts the operations that kernels execute (driver.FunctionInfo.Executed).
	Count bool
}

// New returns the back end. It opens nothing yet.
func New(c Config) driver.Backend {
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	b := &backend{config: c}
	if c.Engine != nil {
		b.engines = append(b.engines, c.Engine)
	}
	if c.Engine == nil || !c.NoFallback {
		b.engines = append(b.engines, interp.New())
	}
	return b
}

type backend struct {
	config  Config
	engines []engine.Engine // to be tried in order
}

// Name returns "host".
func (*backend) Name() string { return "host" }

// Devices lists the one host device.
func (b *backend) Devices() ([]driver.Info, error) {
	space, err := b.memory()
	info := driver.Info{Name: cpuName(), ComputeMajor: computeMajor, ComputeMinor: computeMinor, Unusable: err}
	if err == nil {
		info.TotalBytes = space.Capacity()
		err = space.Close()
	}
	return []driver.Info{info}, err
}

func (b *backend) memory() (*mem.Space, error) {
	return mem.New(mem.Options{Limit: b.config.MemoryLimit, Poison: b.config.Poison})
}

// Open opens the device. Every call makes a device with memory of its own.
func (b *backend) Open(ordinal int) (driver.Device, error) {
	if ordinal != 0 {
		return nil, fail(driver.InvalidDevice, "open host device %d: there is only device 0", ordinal)
	}
	d, err := newDevice(b)
	if err != nil {
		return nil, fmt.Errorf("open host device: %w: %w", statusOf(err), err)
	}
	return d, nil
}

// fail returns an error that wraps a status.
func fail(s driver.Status, format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), s)
}

// statusOf says which status an error of package mem is.
func statusOf(err error) driver.Status {
	switch {
	case errors.Is(err, mem.ErrOutOfMemory):
		return driver.OutOfMemory
	case errors.Is(err, mem.ErrClosed):
		return driver.Deinitialized
	case errors.Is(err, mem.ErrNotAllocated), errors.Is(err, mem.ErrIllegal):
		return driver.InvalidValue
	}
	return driver.OperatingSystem
}
