//go:build linux && !tandem_nodl

package nvidiatest

import (
	"errors"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
)

// reference is a texture or surface reference of a module, and what it was set to: a launch binds it.
type reference struct {
	module  driver.Module
	name    string
	surface bool
	changed bool
	texture driver.TextureDesc
	array   driver.Array
}

// newReference makes a handle for a reference of a module.
func (c *fakeContext) newReference(p *uintptr, module, name uintptr, surface bool) error {
	r := &reference{module: driver.Module(module), name: dl.GoString(name), surface: surface}
	find := func() error { return c.BindTexture(r.module, r.name, 0) }
	if surface {
		find = func() error { return c.BindSurface(r.module, r.name, 0) }
	}
	if err := find(); errors.Is(err, driver.NotFound) {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	*p = uintptr(0x7ef<<20 + 16*len(c.named))
	c.named[*p] = r
	return nil
}

// setReference changes a reference.
func setReference(name string, h uintptr, change func(r *reference)) uintptr {
	return in(name, func(c *fakeContext) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		r, ok := c.named[h]
		if !ok {
			return driver.InvalidHandle
		}
		r.changed = true
		change(r)
		return nil
	})
}

// bindReferences makes the kernels of the host device see what references were set to since the last launch.
func (c *fakeContext) bindReferences() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.named {
		if !r.changed {
			continue
		}
		r.changed = false
		if r.surface {
			s, err := c.NewSurface(r.array)
			if err != nil {
				return err
			}
			if err := c.BindSurface(r.module, r.name, s); err != nil {
				return err
			}
			continue
		}
		t, err := c.NewTexture(&r.texture)
		if err != nil {
			return err
		}
		if err := c.BindTexture(r.module, r.name, t); err != nil {
			return err
		}
	}
	return nil
}

var referenceFunctions = map[string]any{
	"cuModuleGetTexRef": func(p *uintptr, m, name uintptr) uintptr {
		return in("cuModuleGetTexRef", func(c *fakeContext) error { return c.newReference(p, m, name, false) })
	},
	"cuModuleGetSurfRef": func(p *uintptr, m, name uintptr) uintptr {
		return in("cuModuleGetSurfRef", func(c *fakeContext) error { return c.newReference(p, m, name, true) })
	},
	"cuTexRefSetArray": func(h, a uintptr, flags uint32) uintptr {
		return setReference("cuTexRefSetArray", h, func(r *reference) {
			if flags == 1 {
				r.texture = driver.TextureDesc{Array: driver.Array(a)}
			}
		})
	},
	"cuTexRefSetFormat": func(h uintptr, format, channels int32) uintptr {
		return setReference("cuTexRefSetFormat", h, func(r *reference) {
			r.texture.Array, r.texture.Format, r.texture.Channels = 0, driver.Format(format), int(channels)
		})
	},
	"cuTexRefSetAddress_v2": func(offset *uintptr, h, p, n uintptr) uintptr {
		return setReference("cuTexRefSetAddress", h, func(r *reference) {
			*offset = 0
			r.texture.Ptr, r.texture.Height, r.texture.Pitch = driver.Ptr(p), 0, 0
			r.texture.Width = int(n) / (r.texture.Format.Bytes() * r.texture.Channels)
		})
	},
	"cuTexRefSetAddress2D_v3": func(h, desc, p, pitch uintptr) uintptr {
		return setReference("cuTexRefSetAddress2D", h, func(r *reference) {
			w := words(desc, 3)
			r.texture.Ptr, r.texture.Width, r.texture.Height, r.texture.Pitch = driver.Ptr(p), int(w[0]), int(w[1]), uint64(pitch)
			r.texture.Format, r.texture.Channels = driver.Format(low(w[2])), high(w[2])
		})
	},
	"cuTexRefSetAddressMode": func(h uintptr, dim, mode int32) uintptr {
		return setReference("cuTexRefSetAddressMode", h, func(r *reference) { r.texture.Address[dim] = driver.AddressMode(mode) })
	},
	"cuTexRefSetFilterMode": func(h uintptr, mode int32) uintptr {
		return setReference("cuTexRefSetFilterMode", h, func(r *reference) { r.texture.Linear = mode == 1 })
	},
	"cuTexRefSetBorderColor": func(h, p uintptr) uintptr {
		return setReference("cuTexRefSetBorderColor", h, func(r *reference) {
			b := &r.texture.Border
			numbers(words(p, 2), 0, &b[0], &b[1], &b[2], &b[3])
		})
	},
	"cuTexRefSetFlags": func(h uintptr, flags uint32) uintptr {
		return setReference("cuTexRefSetFlags", h, func(r *reference) {
			r.texture.Integers, r.texture.Normalized = flags&1 != 0, flags&2 != 0
		})
	},
	"cuSurfRefSetArray": func(h, a uintptr, flags uint32) uintptr {
		return setReference("cuSurfRefSetArray", h, func(r *reference) { r.array = driver.Array(a) })
	},
}
