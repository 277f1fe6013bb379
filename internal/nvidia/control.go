package nvidia

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// inContext calls f in the context of an open device without a fault.
func (d *device) inContext(f func() error) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	return d.call(f)
}

// maxLimit is the largest number of a CUlimit that is asked for.
const maxLimit = 64

// Limit asks for a limit.
func (d *device) Limit(l driver.Limit) (v uint64, err error) {
	if l < 0 || l > maxLimit {
		return 0, fail(driver.UnsupportedLimit, "ask for limit %d", l)
	}
	err = d.inContext(func() (err error) {
		v, err = d.api.CtxGetLimit(int(l))
		return err
	})
	return v, err
}

// SetLimit sets a limit.
func (d *device) SetLimit(l driver.Limit, v uint64) error {
	if l < 0 || l > maxLimit {
		return fail(driver.UnsupportedLimit, "set limit %d", l)
	}
	if v > maxAlloc {
		return fail(driver.InvalidValue, "set limit %d to %d", l, v)
	}
	return d.inContext(func() error { return d.api.CtxSetLimit(int(l), v) })
}

func badCache(c driver.CacheConfig) error {
	if c < driver.CacheNone || c > driver.CacheEqual {
		return fail(driver.InvalidValue, "cache configuration %d", c)
	}
	return nil
}

// CacheConfig asks for the preference.
func (d *device) CacheConfig() (c driver.CacheConfig, err error) {
	err = d.inContext(func() error {
		v, err := d.api.CtxGetCacheConfig()
		c = driver.CacheConfig(v)
		return err
	})
	return c, err
}

// SetCacheConfig sets the preference.
func (d *device) SetCacheConfig(c driver.CacheConfig) error {
	if err := badCache(c); err != nil {
		return err
	}
	return d.inContext(func() error { return d.api.CtxSetCacheConfig(int(c)) })
}

// PriorityRange asks for the priorities.
func (d *device) PriorityRange() (least, greatest int, err error) {
	err = d.inContext(func() (err error) {
		least, greatest, err = d.api.CtxGetStreamPriorityRange()
		return err
	})
	return least, greatest, err
}

// StartProfiler tells a profiler.
func (d *device) StartProfiler() error { return d.inContext(d.api.ProfilerStart) }

// StopProfiler tells a profiler.
func (d *device) StopProfiler() error { return d.inContext(d.api.ProfilerStop) }

// inputKind says what a piece of code is.
func inputKind(data []byte, text bool) int {
	switch {
	case text:
		return cuapi.InputPTX
	case bytes.HasPrefix(data, []byte("!<arch>\n")):
		return cuapi.InputLibrary
	case bytes.HasPrefix(data, []byte(elfMagic)):
		return cuapi.InputCubin
	}
	return cuapi.InputFatbin
}

// Link has the driver link.
func (d *device) Link(inputs []driver.LinkInput, o driver.ModuleOptions) (image []byte, log string, err error) {
	if err := d.use(); err != nil {
		return nil, "", err
	}
	defer d.users.leave()
	if len(inputs) == 0 {
		return nil, "", fail(driver.InvalidValue, "link: no input")
	}
	var in []cuapi.LinkInput
	for _, i := range inputs {
		name := i.Name
		if badName(name) {
			name = "input"
		}
		data, text, err := i.Data, false, error(nil)
		if !bytes.HasPrefix(data, []byte("!<arch>\n")) {
			data, text, err = prepare(data)
		}
		if err != nil {
			return nil, err.Error(), fmt.Errorf("link %s: %w", name, err)
		}
		in = append(in, cuapi.LinkInput{Kind: inputKind(data, text), Data: data, Name: name})
	}
	err = d.call(func() (err error) {
		o.PreferBinary = false // the linker wants exact matches
		image, log, err = d.api.Link(in, settings(o))
		return err
	})
	if err == nil {
		return image, log, nil
	}
	if log == "" {
		log = err.Error()
	}
	if isFault(err) || isStatus(err, driver.OutOfMemory) || isStatus(err, driver.InvalidPTX) || isStatus(err, driver.NotSupported) {
		return nil, log, fmt.Errorf("link: %w", err)
	}
	return nil, log, fmt.Errorf("link: %w: %w", driver.InvalidImage, err)
}

// onFunction calls f with a kernel in use.
func (d *device) onFunction(h driver.Function, f func(f *function) error) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.RLock()
	k, ok := d.kernels[h]
	if ok {
		k.module.acquire()
	}
	d.mu.RUnlock()
	if !ok {
		return badFunction(h)
	}
	defer func() { d.lose(k.module.release()) }()
	return d.call(func() error { return f(k) })
}

// SetFunctionAttribute sets a property of a kernel.
func (d *device) SetFunctionAttribute(h driver.Function, a driver.FunctionAttribute, v int) error {
	return d.onFunction(h, func(f *function) error {
		switch {
		case a == driver.DynamicSharedBytes && v >= 0 && v <= d.limits.sharedOptin-f.info.SharedBytes:
		case a == driver.SharedCarveout && v >= -1 && v <= 100:
		default:
			return fail(driver.InvalidValue, "set attribute %d of %s to %d", a, f.name, v)
		}
		if err := d.api.FuncSetAttribute(f.native, cuapi.FuncAttribute(a), v); err != nil {
			return err
		}
		if a == driver.DynamicSharedBytes {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.dynamic = uint32(v)
		}
		return nil
	})
}

// SetFunctionCache sets the preference of a kernel.
func (d *device) SetFunctionCache(h driver.Function, c driver.CacheConfig) error {
	return d.onFunction(h, func(f *function) error {
		if err := badCache(c); err != nil {
			return err
		}
		return d.api.FuncSetCacheConfig(f.native, int(c))
	})
}

// Occupancy asks the driver.
func (d *device) Occupancy(h driver.Function, threads int, shared uint64) (n int, err error) {
	err = d.onFunction(h, func(f *function) (err error) {
		if threads < 1 {
			return fail(driver.InvalidValue, "occupancy of blocks of %d threads", threads)
		}
		if threads > f.info.MaxThreads || shared > maxAlloc {
			return nil
		}
		n, err = d.api.OccupancyMaxActiveBlocks(f.native, threads, shared)
		return err
	})
	return n, err
}

// SuggestBlock asks the driver.
func (d *device) SuggestBlock(h driver.Function, shared uint64, limit int) (blocks, threads int, err error) {
	err = d.onFunction(h, func(f *function) (err error) {
		if limit < 0 || shared > maxAlloc {
			return fail(driver.InvalidValue, "suggest a block of at most %d threads with %d bytes of shared memory", limit, shared)
		}
		blocks, threads, err = d.api.OccupancyMaxPotentialBlockSize(f.native, shared, min(limit, 1<<20))
		if err == nil && threads < 1 {
			err = fail(driver.InvalidValue, "suggest a block: none fits with %d bytes of shared memory", shared)
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return blocks, threads, nil
}

// OpenContext opens a GPU with a context of its own.
func (b *backend) OpenContext(ordinal int, _ driver.ContextOptions) (driver.Device, error) {
	lib, err := b.start()
	if err != nil {
		return nil, err
	}
	d, err := openDevice(lib, ordinal, true)
	if err != nil {
		return nil, fmt.Errorf("open a context on GPU %d: %w", ordinal, err)
	}
	return d, nil
}

// giveUp destroys the device's own context, or releases the shared one.
func (d *device) giveUp() error {
	if !d.own {
		return d.api.DevicePrimaryCtxRelease(d.native)
	}
	return d.api.CtxDestroy(d.ctx)
}

// retain makes the context, or counts one more user of the shared one.
func (d *device) retain() (err error) {
	if !d.own {
		d.ctx, err = d.api.DevicePrimaryCtxRetain(d.native)
		return err
	}
	return onThread(func() error {
		if d.ctx, err = d.api.CtxCreate(0, d.native); err != nil {
			return err
		}
		// The driver left it current on this thread, which other calls do not rely on.
		return errors.Join(d.api.CtxSetCurrent(0))
	})
}
