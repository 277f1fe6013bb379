package hostdev

import (
	"fmt"
	"math"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// settings are what a context was told. Guarded by device.mu.
type settings struct {
	limits map[driver.Limit]uint64
	cache  driver.CacheConfig
}

// newSettings has the limits that CUDA begins with (CUDA C++ Programming Guide, Formatted Output, Dynamic Global Memory
// Allocation, and the chapter on dynamic parallelism).
func newSettings() settings {
	return settings{limits: map[driver.Limit]uint64{
		driver.StackBytes: 1 << 10, driver.PrintfBytes: 1 << 20, driver.HeapBytes: 8 << 20, driver.SyncDepth: 2, driver.PendingLaunches: 2048,
	}}
}

// Limit returns a limit.
func (d *device) Limit(l driver.Limit) (uint64, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	v, ok := d.settings.limits[l]
	if !ok {
		return 0, fail(driver.UnsupportedLimit, "ask for limit %d", l)
	}
	return v, nil
}

// SetLimit sets a limit. Stacks grow as they need, and kernels do not launch kernels: those limits are only kept.
func (d *device) SetLimit(l driver.Limit, v uint64) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	if _, ok := d.settings.limits[l]; !ok {
		return fail(driver.UnsupportedLimit, "set limit %d", l)
	}
	if v > d.mem.Capacity() {
		return fail(driver.InvalidValue, "set limit %d to %d", l, v)
	}
	switch l {
	case driver.PrintfBytes:
		v = max(v, leastPrintf)
		d.rt.SetPrintfBytes(int(min(v, math.MaxInt32)))
	case driver.HeapBytes:
		d.rt.SetHeapBytes(v)
	}
	d.settings.limits[l] = v
	return nil
}

// leastPrintf is the least room for the text of printf, one line of it.
const leastPrintf = 1 << 10

func badCache(c driver.CacheConfig) error {
	if c < driver.CacheNone || c > driver.CacheEqual {
		return fail(driver.InvalidValue, "cache configuration %d", c)
	}
	return nil
}

// CacheConfig returns the preference.
func (d *device) CacheConfig() (driver.CacheConfig, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	return d.settings.cache, nil
}

// SetCacheConfig keeps a preference, which makes no difference to a CPU.
func (d *device) SetCacheConfig(c driver.CacheConfig) error {
	if err := badCache(c); err != nil {
		return err
	}
	if err := d.use(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	d.settings.cache = c
	return nil
}

// PriorityRange says that there is one priority.
func (d *device) PriorityRange() (least, greatest int, err error) {
	if err := d.use(); err != nil {
		return 0, 0, err
	}
	d.mu.Unlock()
	return 0, 0, nil
}

// StartProfiler does nothing: profilers of GPUs do not see this device.
func (d *device) StartProfiler() error { return d.profiler() }

// StopProfiler does nothing either.
func (d *device) StopProfiler() error { return d.profiler() }

func (d *device) profiler() error {
	if err := d.use(); err != nil {
		return err
	}
	d.mu.Unlock()
	return nil
}

// Link connects PTX texts.
func (d *device) Link(inputs []driver.LinkInput, _ driver.ModuleOptions) (image []byte, log string, err error) {
	if err := d.use(); err != nil {
		return nil, "", err
	}
	d.mu.Unlock()
	if len(inputs) == 0 {
		return nil, "", fail(driver.InvalidValue, "link: no input")
	}
	var sources []ptx.Source
	for _, in := range inputs {
		text, err := source(in.Data)
		if err != nil {
			return nil, err.Error(), fmt.Errorf("link %s: %w", in.Name, err)
		}
		sources = append(sources, ptx.Source{Name: in.Name, Text: text})
	}
	m, err := ptx.Link(sources)
	if err == nil {
		var text strings.Builder
		if err = ptx.Print(&text, m); err == nil {
			if _, err = check.Check(m); err == nil {
				return []byte(text.String()), "", nil
			}
		}
	}
	return nil, err.Error(), fmt.Errorf("link: %w: %w", driver.InvalidPTX, err)
}

// kernel finds a function. On success d.mu is held.
func (d *device) kernel(h driver.Function) (*function, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	f, ok := d.functions[h]
	if !ok {
		d.mu.Unlock()
		return nil, badFunction(h)
	}
	return f, nil
}

// SetFunctionAttribute checks and forgets a property: Launch allows all the shared memory that there is.
func (d *device) SetFunctionAttribute(h driver.Function, a driver.FunctionAttribute, v int) error {
	f, err := d.kernel(h)
	if err != nil {
		return err
	}
	defer d.mu.Unlock()
	switch {
	case a == driver.DynamicSharedBytes && v >= 0 && v <= maxSharedOptin-f.info.SharedBytes:
	case a == driver.SharedCarveout && v >= -1 && v <= 100:
	default:
		return fail(driver.InvalidValue, "set attribute %d of %s to %d", a, f.name, v)
	}
	return nil
}

// SetFunctionCache checks and forgets a preference.
func (d *device) SetFunctionCache(h driver.Function, c driver.CacheConfig) error {
	if _, err := d.kernel(h); err != nil {
		return err
	}
	d.mu.Unlock()
	return badCache(c)
}

// The host device counts as many multiprocessors as it has workers, each with the resources of compute capability 7.5.
const blocksPerSM = 16

// resident is how many blocks of a kernel one multiprocessor holds. Threads count in whole warps.
func (f *function) resident(threads int, shared uint64) int {
	if threads > f.info.MaxThreads {
		return 0
	}
	warps := (threads + engine.WarpSize - 1) / engine.WarpSize
	n := min(blocksPerSM, threadsPerSM/(warps*engine.WarpSize))
	if all := uint64(f.info.SharedBytes) + shared; all > 0 {
		n = min(n, int(min(maxSharedOptin/all, blocksPerSM)))
	}
	return n
}

// Occupancy counts by the limits of compute capability 7.5; registers do not bound a CPU.
func (d *device) Occupancy(h driver.Function, threads int, shared uint64) (int, error) {
	f, err := d.kernel(h)
	if err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	if threads < 1 {
		return 0, fail(driver.InvalidValue, "occupancy of blocks of %d threads", threads)
	}
	return f.resident(threads, shared), nil
}

// SuggestBlock tries all whole numbers of warps; of equally good ones it takes the largest block.
func (d *device) SuggestBlock(h driver.Function, shared uint64, limit int) (blocks, threads int, err error) {
	f, err := d.kernel(h)
	if err != nil {
		return 0, 0, err
	}
	defer d.mu.Unlock()
	if limit < 0 {
		return 0, 0, fail(driver.InvalidValue, "suggest a block of at most %d threads", limit)
	}
	most := f.info.MaxThreads
	if limit > 0 {
		most = min(most, limit)
	}
	best := 0
	for n := most; n > 0; n = (n - 1) / engine.WarpSize * engine.WarpSize {
		if r := f.resident(n, shared); r*n > best {
			best, threads, blocks = r*n, n, r*d.config.Workers
		}
	}
	if best == 0 {
		return 0, 0, fail(driver.InvalidValue, "suggest a block: none fits with %d bytes of shared memory", shared)
	}
	return blocks, threads, nil
}

// OpenContext opens a device with a memory of its own, as Open does too.
func (b *backend) OpenContext(ordinal int, _ driver.ContextOptions) (driver.Device, error) {
	return b.Open(ordinal)
}

// Clusters is for GPUs: blocks of this device share no memory with each other.
func (d *device) Clusters(*driver.Launch) (resident, largest int, err error) {
	return 0, 0, fail(driver.NotSupported, "ask for the occupancy of clusters")
}
