package faultdrv

import (
	"github.com/tandem-go/tandem/internal/driver"
)

func (d *device) NewPool(o driver.PoolOptions) (driver.Pool, error) {
	if err := d.b.step("NewPool"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewPool(o)
	d.made("NewPool", uint64(r0), err)
	return r0, err
}

func (d *device) DestroyPool(p driver.Pool) error {
	return d.finish("DestroyPool", "NewPool", uint64(p), func() error { return d.inner.DestroyPool(p) })
}

func (d *device) PoolInfo(p driver.Pool) (driver.PoolInfo, error) {
	if err := d.b.step("PoolInfo"); err != nil {
		return driver.PoolInfo{}, err
	}
	return d.inner.PoolInfo(p)
}

func (d *device) ResetPoolPeaks(p driver.Pool) error {
	if err := d.b.step("ResetPoolPeaks"); err != nil {
		return err
	}
	return d.inner.ResetPoolPeaks(p)
}

func (d *device) TrimPool(p driver.Pool, keep uint64) error {
	if err := d.b.step("TrimPool"); err != nil {
		return err
	}
	return d.inner.TrimPool(p, keep)
}

func (d *device) AllocAsync(n uint64, p driver.Pool, s driver.Stream) (driver.Ptr, error) {
	if err := d.b.step("AllocAsync"); err != nil {
		return 0, err
	}
	r0, err := d.inner.AllocAsync(n, p, s)
	d.made("AllocAsync", uint64(r0), err)
	return r0, err
}

func (d *device) FreeAsync(p driver.Ptr, s driver.Stream) error {
	return d.finish("FreeAsync", "AllocAsync", uint64(p), func() error { return d.inner.FreeAsync(p, s) })
}

func (d *device) AllocManaged(n uint64) (driver.Ptr, []byte, error) {
	if err := d.b.step("AllocManaged"); err != nil {
		return 0, nil, err
	}
	r0, r1, err := d.inner.AllocManaged(n)
	d.made("AllocManaged", uint64(r0), err)
	return r0, r1, err
}

func (d *device) Prefetch(p driver.Ptr, n uint64, toHost bool, s driver.Stream) error {
	if err := d.b.step("Prefetch"); err != nil {
		return err
	}
	return d.inner.Prefetch(p, n, toHost, s)
}

func (d *device) Advise(p driver.Ptr, n uint64, a driver.Advice, host bool) error {
	if err := d.b.step("Advise"); err != nil {
		return err
	}
	return d.inner.Advise(p, n, a, host)
}

func (d *device) Attach(p driver.Ptr, a driver.Attachment, s driver.Stream) error {
	if err := d.b.step("Attach"); err != nil {
		return err
	}
	return d.inner.Attach(p, a, s)
}

func (d *device) RegisterHost(b []byte) (driver.Ptr, error) {
	if err := d.b.step("RegisterHost"); err != nil {
		return 0, err
	}
	r0, err := d.inner.RegisterHost(b)
	d.made("RegisterHost", uint64(r0), err)
	return r0, err
}

func (d *device) UnregisterHost(p driver.Ptr) error {
	return d.finish("UnregisterHost", "RegisterHost", uint64(p), func() error { return d.inner.UnregisterHost(p) })
}
