package nvidia

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// mipmap is a native mipmapped array. Its levels are users of it, so that it outlives their surfaces.
type mipmap struct {
	object
	native cuapi.MipmappedArray
	desc   driver.ArrayDesc
	levels []driver.Array
}

// mipmap finds a mipmap and counts the caller as its user.
func (d *device) mipmap(h driver.Mipmap) (*mipmap, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.views.mipmaps[h]
	if !ok {
		return nil, badMipmap(h)
	}
	m.acquire()
	return m, nil
}

func badMipmap(h driver.Mipmap) error {
	return fail(driver.InvalidHandle, "use mipmap %#x: no such mipmap on this device", uint64(h))
}

// NewMipmap makes an array in levels of detail.
func (d *device) NewMipmap(desc driver.ArrayDesc, levels int) (driver.Mipmap, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	if !desc.Legal() || levels < 1 || levels > desc.Levels() {
		return 0, fail(driver.InvalidValue, "make mipmap: %+v is no array with %d levels", desc, levels)
	}
	m := &mipmap{desc: desc}
	arrays := make([]cuapi.Array, levels)
	if err := d.call(func() (err error) {
		if m.native, err = d.api.MipmappedArrayCreate(nativeDesc(desc), levels); err != nil {
			return err
		}
		for n := range arrays {
			if arrays[n], err = d.api.MipmappedArrayGetLevel(m.native, n); err != nil {
				return errors.Join(err, d.api.MipmappedArrayDestroy(m.native))
			}
		}
		return nil
	}); err != nil {
		return 0, fmt.Errorf("make mipmap: %w", err)
	}
	m.init(func() error {
		if err := d.settle(); err != nil {
			return err // in doubt it stays until the context ends
		}
		return d.quiet(func() error { return d.api.MipmappedArrayDestroy(m.native) })
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, native := range arrays {
		a := &array{native: native, desc: desc.Level(n), level: true}
		m.acquire()
		a.init(m.release)
		h := driver.Array(d.handle())
		d.views.arrays[h] = a
		m.levels = append(m.levels, h)
	}
	h := driver.Mipmap(d.handle())
	d.views.mipmaps[h] = m
	return h, nil
}

// MipmapLevel is a level of detail as an array.
func (d *device) MipmapLevel(h driver.Mipmap, level int) (driver.Array, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	m, err := d.mipmap(h)
	if err != nil {
		return 0, err
	}
	defer d.letGo(&m.object)
	if level < 0 || level >= len(m.levels) {
		return 0, fail(driver.InvalidValue, "level %d of a mipmap with %d", level, len(m.levels))
	}
	return m.levels[level], nil
}

// DestroyMipmap frees a mipmap when the work queued so far is done.
func (d *device) DestroyMipmap(h driver.Mipmap) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	m, ok := d.views.mipmaps[h]
	delete(d.views.mipmaps, h)
	var levels []*array
	if ok {
		for _, l := range m.levels {
			levels = append(levels, d.views.arrays[l])
			delete(d.views.arrays, l)
		}
	}
	d.mu.Unlock()
	if !ok {
		return badMipmap(h)
	}
	var errs []error
	for _, a := range levels {
		errs = append(errs, a.release())
	}
	return errors.Join(append(errs, m.release())...)
}
