package cuda

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvjitlink"
)

// Limit is a resource of a device that can be bounded.
type Limit int

// The limits, by CUDA's numbers (CUlimit).
const (
	// LimitStackBytes is the stack of each thread. The host device gives each thread what it needs.
	LimitStackBytes = Limit(driver.StackBytes)
	// LimitPrintfBytes is the text of printf that is kept between waits.
	LimitPrintfBytes = Limit(driver.PrintfBytes)
	// LimitHeapBytes is what kernels may hold by malloc.
	LimitHeapBytes = Limit(driver.HeapBytes)
	// LimitSyncDepth and LimitPendingLaunches bound kernels that launch kernels.
	LimitSyncDepth       = Limit(driver.SyncDepth)
	LimitPendingLaunches = Limit(driver.PendingLaunches)
)

// Limit returns a limit in bytes, or the number that it is. The error wraps ErrNotSupported if the device has none such.
func (d *Device) Limit(l Limit) (v uint64, err error) {
	op := fmt.Sprintf("ask for limit %d", l)
	if err := d.c.usable(op); err != nil {
		return 0, err
	}
	v, err = d.c.drv.Limit(driver.Limit(l))
	return v, d.c.wrap(op, err)
}

// SetLimit asks for a limit, which the device may round or clamp.
func (d *Device) SetLimit(l Limit, v uint64) error {
	op := fmt.Sprintf("set limit %d to %d", l, v)
	if err := d.c.usable(op); err != nil {
		return err
	}
	return d.c.wrap(op, d.c.drv.SetLimit(driver.Limit(l), v))
}

// CacheConfig says how on-chip memory is divided between cache and shared memory. It changes speed, never results.
type CacheConfig int

// The divisions, by CUDA's numbers (CUfunc_cache).
const (
	CacheNone   = CacheConfig(driver.CacheNone)
	CacheShared = CacheConfig(driver.CacheShared)
	CacheL1     = CacheConfig(driver.CacheL1)
	CacheEqual  = CacheConfig(driver.CacheEqual)
)

// CacheConfig returns the preference of the device.
func (d *Device) CacheConfig() (CacheConfig, error) {
	const op = "ask for the cache configuration"
	if err := d.c.usable(op); err != nil {
		return 0, err
	}
	c, err := d.c.drv.CacheConfig()
	return CacheConfig(c), d.c.wrap(op, err)
}

// SetCacheConfig sets the preference of the device, which it may ignore.
func (d *Device) SetCacheConfig(c CacheConfig) error {
	const op = "set the cache configuration"
	if err := d.c.usable(op); err != nil {
		return err
	}
	return d.c.wrap(op, d.c.drv.SetCacheConfig(driver.CacheConfig(c)))
}

// StreamPriorities returns the numbers of the lowest and the highest priority of streams; both are 0 on a device with one.
func (d *Device) StreamPriorities() (least, greatest int, err error) {
	const op = "ask for the priorities of streams"
	if err := d.c.usable(op); err != nil {
		return 0, 0, err
	}
	least, greatest, err = d.c.drv.PriorityRange()
	return least, greatest, d.c.wrap(op, err)
}

// Profile calls f between a start and a stop for a profiler that is attached to the process and told to wait for it, such as
// `nsys profile -c cudaProfilerApi`.
func (d *Device) Profile(f func() error) error {
	const op = "start profiler"
	if err := d.c.usable(op); err != nil {
		return err
	}
	if err := d.c.drv.StartProfiler(); err != nil {
		return d.c.wrap(op, err)
	}
	err := f()
	return errorsFirst(err, d.c.wrap("stop profiler", d.c.drv.StopProfiler()))
}

// use keeps the function's module for a call.
func (f *Function) use(op string) error { return f.mod.res.acquire(op, "module") }

// SetSharedCarveout asks for a part of on-chip memory as shared memory, in percent; -1 is the device's choice.
func (f *Function) SetSharedCarveout(percent int) error {
	return f.set("set the carveout of "+f.name, func(d driver.Device) error {
		return d.SetFunctionAttribute(f.h, driver.SharedCarveout, percent)
	})
}

// SetCacheConfig sets the preference of the kernel, which the device may ignore.
func (f *Function) SetCacheConfig(c CacheConfig) error {
	return f.set("set the cache configuration of "+f.name, func(d driver.Device) error {
		return d.SetFunctionCache(f.h, driver.CacheConfig(c))
	})
}

func (f *Function) set(op string, call func(d driver.Device) error) error {
	if err := f.use(op); err != nil {
		return err
	}
	defer f.mod.res.release()
	return f.mod.dev.c.wrap(op, call(f.mod.dev.c.drv))
}

// Occupancy is how well blocks of a kernel fill a multiprocessor.
type Occupancy struct {
	// Blocks are resident at once on one multiprocessor, Warps is how many warps they have.
	Blocks, Warps int
	// Fraction is Warps as a part of what a multiprocessor holds, from 0 to 1.
	Fraction float64
}

// Occupancy tells how many blocks of that many threads, each with that much dynamic shared memory, are resident at once on
// one multiprocessor. The host device counts by the limits of compute capability 7.5, and each worker as a multiprocessor.
func (f *Function) Occupancy(threads, sharedBytes int) (o Occupancy, err error) {
	op := "ask for the occupancy of " + f.name
	if threads < 1 || sharedBytes < 0 {
		return o, misused(op, ErrInvalidValue, "%d threads, %d bytes of shared memory", threads, sharedBytes)
	}
	c := f.mod.dev.c
	err = f.set(op, func(d driver.Device) (err error) {
		o.Blocks, err = d.Occupancy(f.h, threads, uint64(sharedBytes))
		return err
	})
	if err != nil {
		return o, err
	}
	warp, err := c.attribute(driver.WarpSize)
	if err != nil {
		return o, c.wrap(op, err)
	}
	most, err := c.attribute(driver.MaxThreadsPerSM)
	if err != nil {
		return o, c.wrap(op, err)
	}
	o.Warps = o.Blocks * ((threads + warp - 1) / warp)
	o.Fraction = float64(o.Warps*warp) / float64(most)
	return o, nil
}

// SuggestBlock returns the number of threads of a block, at most limit (0 is no limit), that gives the best occupancy with
// that much dynamic shared memory for each block, and the least number of blocks that fills the device. The error wraps
// ErrInvalidValue if no block fits.
func (f *Function) SuggestBlock(sharedBytes, limit int) (blocks, threads int, err error) {
	op := "suggest a block for " + f.name
	if sharedBytes < 0 || limit < 0 {
		return 0, 0, misused(op, ErrInvalidValue, "%d bytes of shared memory, a limit of %d", sharedBytes, limit)
	}
	err = f.set(op, func(d driver.Device) (err error) {
		blocks, threads, err = d.SuggestBlock(f.h, uint64(sharedBytes), limit)
		return err
	})
	return blocks, threads, err
}

// LinkInput is one piece of code for Link: PTX, and on a GPU also a cubin, a fatbin, an object or a library. Name is for
// messages.
type LinkInput struct {
	Name string
	Data []byte
}

// Link connects pieces of code that were compiled apart (-rdc=true) and loads the result. What no piece defines, or two do,
// gives an error that wraps ErrInvalidPTX or ErrLink, with the linker's log. PTX that is newer than a GPU's driver is linked by
// nvJitLink where that library is found.
func (d *Device) Link(inputs []LinkInput, cfg LoadConfig) (*Module, error) {
	if cfg.Name == "" {
		cfg.Name = "linked"
	}
	op := "link " + cfg.Name
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	in := make([]driver.LinkInput, len(inputs))
	for i := range inputs {
		in[i] = driver.LinkInput(inputs[i])
	}
	image, log, err := d.c.drv.Link(in, cfg.options())
	if err != nil && d.c.caps.LoadsCubin && tooNew(err, log) {
		var pieces []nvjitlink.Input
		for _, i := range inputs {
			pieces = append(pieces, nvjitlink.Input(i))
		}
		if cubin, _, e := d.assemble(pieces, &cfg); e == nil {
			image, err = cubin, nil
		}
	}
	if err != nil {
		err = d.c.withLog(d.c.wrap(op, err), log)
		if e, ok := err.(*Error); ok && e.Fault == nil {
			e.wraps = append(e.wraps, ErrLink)
		}
		return nil, err
	}
	return d.load(op, image, image, cfg)
}

// options is the configuration as the driver takes it.
func (cfg *LoadConfig) options() driver.ModuleOptions {
	return driver.ModuleOptions{
		Name: cfg.Name, MaxRegisters: cfg.MaxRegisters, OptLevel: cfg.OptLevel, Debug: cfg.Debug, LineInfo: cfg.LineInfo,
		Target: cfg.Target, PreferBinary: cfg.PreferBinary,
	}
}
