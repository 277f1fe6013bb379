package faultdrv

import (
	"github.com/tandem-go/tandem/internal/driver"
)

func (d *device) Limit(l driver.Limit) (uint64, error) {
	if err := d.b.step("Limit"); err != nil {
		return 0, err
	}
	return d.inner.Limit(l)
}

func (d *device) SetLimit(l driver.Limit, v uint64) error {
	if err := d.b.step("SetLimit"); err != nil {
		return err
	}
	return d.inner.SetLimit(l, v)
}

func (d *device) CacheConfig() (driver.CacheConfig, error) {
	if err := d.b.step("CacheConfig"); err != nil {
		return 0, err
	}
	return d.inner.CacheConfig()
}

func (d *device) SetCacheConfig(c driver.CacheConfig) error {
	if err := d.b.step("SetCacheConfig"); err != nil {
		return err
	}
	return d.inner.SetCacheConfig(c)
}

func (d *device) PriorityRange() (int, int, error) {
	if err := d.b.step("PriorityRange"); err != nil {
		return 0, 0, err
	}
	return d.inner.PriorityRange()
}

func (d *device) StartProfiler() error {
	if err := d.b.step("StartProfiler"); err != nil {
		return err
	}
	return d.inner.StartProfiler()
}

func (d *device) StopProfiler() error {
	if err := d.b.step("StopProfiler"); err != nil {
		return err
	}
	return d.inner.StopProfiler()
}

func (d *device) Link(inputs []driver.LinkInput, o driver.ModuleOptions) ([]byte, string, error) {
	if err := d.b.step("Link"); err != nil {
		return nil, "", err
	}
	return d.inner.Link(inputs, o)
}

func (d *device) SetFunctionAttribute(f driver.Function, a driver.FunctionAttribute, v int) error {
	if err := d.b.step("SetFunctionAttribute"); err != nil {
		return err
	}
	return d.inner.SetFunctionAttribute(f, a, v)
}

func (d *device) SetFunctionCache(f driver.Function, c driver.CacheConfig) error {
	if err := d.b.step("SetFunctionCache"); err != nil {
		return err
	}
	return d.inner.SetFunctionCache(f, c)
}

func (d *device) Occupancy(f driver.Function, threads int, sharedBytes uint64) (int, error) {
	if err := d.b.step("Occupancy"); err != nil {
		return 0, err
	}
	return d.inner.Occupancy(f, threads, sharedBytes)
}

func (d *device) SuggestBlock(f driver.Function, sharedBytes uint64, limit int) (int, int, error) {
	if err := d.b.step("SuggestBlock"); err != nil {
		return 0, 0, err
	}
	return d.inner.SuggestBlock(f, sharedBytes, limit)
}

func (d *device) Clusters(l *driver.Launch) (resident, largest int, err error) {
	if err := d.b.step("Clusters"); err != nil {
		return 0, 0, err
	}
	return d.inner.Clusters(l)
}

// OpenContext opens a device whose calls this Backend counts, if the wrapped back end opens contexts.
func (b *Backend) OpenContext(ordinal int, o driver.ContextOptions) (driver.Device, error) {
	if err := b.step("OpenContext"); err != nil {
		return nil, err
	}
	inner, ok := b.inner.(driver.ContextOpener)
	if !ok {
		return nil, driver.NotSupported
	}
	opened, err := inner.OpenContext(ordinal, o)
	if err != nil {
		return nil, err
	}
	d := &device{inner: opened, b: b}
	b.begin(object{"Open", d, uint64(ordinal)})
	return d, nil
}
