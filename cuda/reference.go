package cuda

import (
	"context"
	"encoding/binary"
	"fmt"
)

// SetTexture makes the texture reference of that name, `texture<float, 2> name;` in CUDA C++, read what t reads, from the next
// launch on: work on the default stream is waited for. The module keeps t's memory; t must stay open. How the reference was declared does
// not matter, the configuration of t counts. Compilers from CUDA 12 on know no references, only texture objects, which are arguments
// of kernels. The error wraps ErrNotFound if there is no such variable, and ErrNotSupported on a GPU.
func (m *Module) SetTexture(ctx context.Context, name string, t *Texture) error {
	return m.setReference(ctx, "texture", name, &t.view)
}

// SetSurface does for a surface reference what SetTexture does for a texture reference.
func (m *Module) SetSurface(ctx context.Context, name string, s *Surface) error {
	return m.setReference(ctx, "surface", name, &s.view)
}

func (m *Module) setReference(ctx context.Context, kind, name string, v *view) error {
	op := fmt.Sprintf("set %s reference %s in %s", kind, name, m.name)
	if m.dev.info.Kind != Host {
		return misused(op, ErrNotSupported, "references are for the host device; pass the %s as an argument", kind)
	}
	if v.dev != m.dev {
		return misused(op, ErrWrongDevice, "the %s belongs to %s, the module to %s", kind, v.dev.info.ID, m.dev.info.ID)
	}
	variable, err := m.Global(name)
	if err != nil {
		return err
	}
	if variable.Len() != 8 {
		return misused(op, ErrInvalidValue, "the variable is no reference: it has %d bytes", variable.Len())
	}
	held, handle, err := v.object(op)
	if err != nil {
		return err
	}
	defer held.m.release()
	if err := variable.CopyFrom(ctx, binary.LittleEndian.AppendUint64(nil, handle)); err != nil {
		return err
	}
	m.refsMu.Lock()
	defer m.refsMu.Unlock()
	if m.refs == nil {
		m.refs = map[string]*memory{}
	}
	m.refs[name] = v.mem
	return nil
}
