package cuda

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// Mipmap is an Array in levels of detail: each is half as large as the one before, rounded down and at least one texel. Layers and
// faces stay. A kernel reads it through a Texture at a level that it names (tex2DLod) or that follows from how far its coordinates move
// from one point to the next (tex2DGrad); tex2D reads the first level. Its methods may be called from any goroutine.
type Mipmap struct {
	dev    *Device
	res    *resource
	levels []*Array
}

// NewMipmap makes a mipmap with undefined contents, whose first level is as cfg says. 0 levels are all, down to one texel. The error
// wraps ErrInvalidValue for a description of no array, and for more levels than it has.
func (d *Device) NewMipmap(cfg ArrayConfig, levels int) (*Mipmap, error) {
	const op = "make mipmap"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	desc := cfg.desc()
	if levels == 0 {
		levels = desc.Levels()
	}
	var h driver.Mipmap
	if err := d.c.withMemory(func() (err error) {
		h, err = d.c.drv.NewMipmap(desc, levels)
		return err
	}); err != nil {
		return nil, d.c.wrap(op, err)
	}
	m := &Mipmap{dev: d, res: d.c.guarded(mipmapHandle, uint64(h))}
	for n := range levels {
		a, err := d.c.drv.MipmapLevel(h, n)
		if err != nil {
			return nil, d.c.wrap(fmt.Sprintf("%s: level %d", op, n), errors.Join(err, m.res.close()))
		}
		m.levels = append(m.levels, &Array{dev: d, res: m.res, level: a, desc: desc.Level(n)})
	}
	return m, nil
}

// Device returns the mipmap's device.
func (m *Mipmap) Device() *Device { return m.dev }

// Levels is the number of levels.
func (m *Mipmap) Levels() int { return len(m.levels) }

// Level is a level of detail, 0 the first, as an array to fill and read, and to make textures and surfaces of. It ends with the mipmap:
// its Close does nothing. The error wraps ErrInvalidValue if there is no such level.
func (m *Mipmap) Level(n int) (*Array, error) {
	if n < 0 || n >= len(m.levels) {
		return nil, misused("level of a mipmap", ErrInvalidValue, "%d of %d", n, len(m.levels))
	}
	return m.levels[n], nil
}

// Close frees the mipmap once all work queued so far is done. Its levels, and textures and surfaces of it, can no longer be used.
func (m *Mipmap) Close() error { return m.res.close() }

// NewTexture makes a texture of all levels, which has normalised coordinates. The error wraps ErrInvalidValue for a configuration that
// cannot be.
func (m *Mipmap) NewTexture(cfg TextureConfig) (*Texture, error) {
	const op = "make texture"
	if err := m.res.acquire(op, "mipmap"); err != nil {
		return nil, err
	}
	defer m.res.release()
	t, err := cfg.desc(op)
	if err != nil {
		return nil, err
	}
	t.Mipmap = driver.Mipmap(m.res.note.handle)
	return m.dev.newTexture(op, t, m.res)
}
