package cuda

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
)

// SetTexture makes the texture reference of that name, `texture<float, 2> name;` in CUDA C++, read what t reads, from the next
// launch on: work on the default stream is waited for. The module keeps t's memory; t must stay open. How the reference was declared does
// not matter, the configuration of t counts. Compilers from CUDA 12 on know no references, only texture objects, which are arguments
// of kernels. The error wraps ErrNotFound if there is no such reference, and ErrNotSupported for a texture of a Mipmap on a GPU.
func (m *Module) SetTexture(ctx context.Context, name string, t *Texture) error {
	return m.setReference(ctx, "texture", name, &t.view, func(d driver.Device, code driver.Module, h uint64) error {
		return d.BindTexture(code, name, driver.Texture(h))
	})
}

// SetSurface does for a surface reference what SetTexture does for a texture reference.
func (m *Module) SetSurface(ctx context.Context, name string, s *Surface) error {
	return m.setReference(ctx, "surface", name, &s.view, func(d driver.Device, code driver.Module, h uint64) error {
		return d.BindSurface(code, name, driver.Surface(h))
	})
}

// setReference binds a reference to the object of a view.
func (m *Module) setReference(ctx context.Context, kind, name string, v *view, bind func(d driver.Device, code driver.Module, h uint64) error) error {
	op := fmt.Sprintf("set %s reference %s in %s", kind, name, m.name)
	if v.dev != m.dev {
		return misused(op, ErrWrongDevice, "the %s belongs to %s, the module to %s", kind, v.dev.info.ID, m.dev.info.ID)
	}
	if err := m.res.acquire(op, "module"); err != nil {
		return err
	}
	defer m.res.release()
	held, handle, err := v.object(op)
	if err != nil {
		return err
	}
	defer held.m.release()
	c := m.dev.c
	if err := c.wait(ctx, op, c.main); err != nil {
		return err
	}
	if err := bind(c.drv, driver.Module(m.res.note.handle), handle); err != nil {
		return c.wrap(op, err)
	}
	m.refsMu.Lock()
	defer m.refsMu.Unlock()
	if m.refs == nil {
		m.refs = map[string]*memory{}
	}
	m.refs[name] = v.mem
	return nil
}
