package nvidia

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// BindTexture makes a texture reference read what a texture reads. The driver has references still, though compilers from CUDA 12
// on make none; one to a mipmap is refused.
func (d *device) BindTexture(h driver.Module, name string, t driver.Texture) error {
	return d.bind(h, name, func(m *module) error {
		d.mu.RLock()
		v, ok := d.views.textures[t]
		d.mu.RUnlock()
		if !ok {
			return badView("texture", uint64(t))
		}
		if v.texture.Mipmap != 0 {
			return fail(driver.NotSupported, "a reference reads no mipmap")
		}
		r, of, err := d.resource(&v.texture)
		if err != nil {
			return d.saw(err)
		}
		defer d.letGo(of)
		s, err := sampling(&v.texture, driver.Format(r.Format))
		if err != nil {
			return err
		}
		return d.call(func() error {
			ref, err := d.api.ModuleGetTexRef(m.native, name)
			if err != nil {
				return err
			}
			return d.api.TexRefSet(ref, &r, &s)
		})
	})
}

// BindSurface makes a surface reference read and write the array of a surface.
func (d *device) BindSurface(h driver.Module, name string, s driver.Surface) error {
	return d.bind(h, name, func(m *module) error {
		d.mu.RLock()
		v, ok := d.views.surfaces[s]
		d.mu.RUnlock()
		if !ok {
			return badView("surface", uint64(s))
		}
		return d.call(func() error {
			ref, err := d.api.ModuleGetSurfRef(m.native, name)
			if err != nil {
				return err
			}
			return d.api.SurfRefSetArray(ref, v.on)
		})
	})
}

// badView is the error for a handle of a texture or surface that the device does not know.
func badView(kind string, handle uint64) error {
	return fail(driver.InvalidHandle, "use %s %#x: no such %s on this device", kind, handle, kind)
}

// bind calls set with a module that is in use.
func (d *device) bind(h driver.Module, name string, set func(m *module) error) error {
	if err := d.use(); err != nil {
		return err
	}
	defer d.users.leave()
	m, err := d.module(h)
	if err != nil {
		return err
	}
	defer d.letGo(&m.object)
	if badName(name) {
		return fail(driver.NotFound, "find reference %q", name)
	}
	if err := set(m); err != nil {
		return fmt.Errorf("set reference %q: %w", name, err)
	}
	return nil
}
