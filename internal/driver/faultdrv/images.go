package faultdrv

import (
	"github.com/tandem-go/tandem/internal/driver"
)

func (d *device) NewArray(a driver.ArrayDesc) (driver.Array, error) {
	if err := d.b.step("NewArray"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewArray(a)
	d.made("NewArray", uint64(r0), err)
	return r0, err
}

func (d *device) DestroyArray(a driver.Array) error {
	return d.finish("DestroyArray", "NewArray", uint64(a), func() error { return d.inner.DestroyArray(a) })
}

func (d *device) NewMipmap(a driver.ArrayDesc, levels int) (driver.Mipmap, error) {
	if err := d.b.step("NewMipmap"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewMipmap(a, levels)
	d.made("NewMipmap", uint64(r0), err)
	return r0, err
}

func (d *device) MipmapLevel(m driver.Mipmap, level int) (driver.Array, error) {
	if err := d.b.step("MipmapLevel"); err != nil {
		return 0, err
	}
	return d.inner.MipmapLevel(m, level)
}

func (d *device) DestroyMipmap(m driver.Mipmap) error {
	return d.finish("DestroyMipmap", "NewMipmap", uint64(m), func() error { return d.inner.DestroyMipmap(m) })
}

func (d *device) NewTexture(t *driver.TextureDesc) (driver.Texture, error) {
	if err := d.b.step("NewTexture"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewTexture(t)
	d.made("NewTexture", uint64(r0), err)
	return r0, err
}

func (d *device) DestroyTexture(t driver.Texture) error {
	return d.finish("DestroyTexture", "NewTexture", uint64(t), func() error { return d.inner.DestroyTexture(t) })
}

func (d *device) NewSurface(a driver.Array) (driver.Surface, error) {
	if err := d.b.step("NewSurface"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewSurface(a)
	d.made("NewSurface", uint64(r0), err)
	return r0, err
}

func (d *device) DestroySurface(s driver.Surface) error {
	return d.finish("DestroySurface", "NewSurface", uint64(s), func() error { return d.inner.DestroySurface(s) })
}

func (d *device) BindTexture(m driver.Module, name string, t driver.Texture) error {
	if err := d.b.step("BindTexture"); err != nil {
		return err
	}
	return d.inner.BindTexture(m, name, t)
}

func (d *device) BindSurface(m driver.Module, name string, s driver.Surface) error {
	if err := d.b.step("BindSurface"); err != nil {
		return err
	}
	return d.inner.BindSurface(m, name, s)
}

func (d *device) CopyRegion(r *driver.Region, s driver.Stream) error {
	if err := d.b.step("CopyRegion"); err != nil {
		return err
	}
	return d.inner.CopyRegion(r, s)
}

func (d *device) FillRows(dst driver.Ptr, pitch uint64, value uint32, width int, columns, rows uint64, s driver.Stream) error {
	if err := d.b.step("FillRows"); err != nil {
		return err
	}
	return d.inner.FillRows(dst, pitch, value, width, columns, rows, s)
}
