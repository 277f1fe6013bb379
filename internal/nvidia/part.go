package nvidia

import (
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/ptx"
)

// partKernel is a kernel changed so that it can run for a part of its grid, in a native module of its own, or the reason
// why it cannot be.
type partKernel struct {
	*function
	constants []constant
	refused   error
}

// constant is a .const variable of the changed kernel's module and the one of the original whose contents it must have.
type constant struct {
	dst, src cuapi.DevicePtr
	size     uint64
}

// launchPart queues a launch of a part of a grid: a box of blocks that contains the part, of which the kernel's first
// instructions end those outside.
func (d *device) launchPart(f *function, s *stream, l *driver.Launch) error {
	if l.Cooperative {
		return fail(driver.NotSupported, "a cooperative launch of a part of a grid")
	}
	part, err := d.partOf(f)
	if err != nil {
		return err
	}
	if err := d.allow(part.function, l.SharedBytes); err != nil {
		return err
	}
	where := ptx.Part{Grid: [3]uint32{l.Grid.X, l.Grid.Y, l.Grid.Z}, First: l.First, Count: l.Count}
	box := *l
	box.Early = false // the copies of constants are in the order of the stream
	where.Origin, box.Grid = boxOf(l.Grid, l.First, l.Count)
	box.Params = where.Append(append(make([]byte, 0, len(l.Params)+64), l.Params...))
	for _, c := range part.constants {
		if err := d.raw(func() error { return d.api.MemcpyAsync(c.dst, c.src, c.size, s.native) }); err != nil {
			return fmt.Errorf("copy constants: %w", err)
		}
	}
	return d.launch(part.function, s, &box)
}

// boxOf is the smallest box of blocks that contains blocks first to first+count-1 of a grid.
func boxOf(grid driver.Dim3, first, count uint64) (origin [3]uint32, box driver.Dim3) {
	x, y := uint64(grid.X), uint64(grid.Y)
	last := first + count - 1
	lo := [3]uint64{first % x, first / x % y, first / (x * y)}
	hi := [3]uint64{last % x, last / x % y, last / (x * y)}
	switch {
	case lo[2] != hi[2]:
		lo[0], lo[1], hi[0], hi[1] = 0, 0, x-1, y-1
	case lo[1] != hi[1]:
		lo[0], hi[0] = 0, x-1
	}
	return [3]uint32{uint32(lo[0]), uint32(lo[1]), uint32(lo[2])},
		driver.Dim3{X: uint32(hi[0] - lo[0] + 1), Y: uint32(hi[1] - lo[1] + 1), Z: uint32(hi[2] - lo[2] + 1)}
}

// partOf returns the changed kernel, which it makes when first needed: that takes as long as compiling the kernel. A
// failure of the driver is not remembered, that the kernel cannot be changed is.
func (d *device) partOf(f *function) (*partKernel, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.part == nil {
		part, err := d.newPart(f)
		if err != nil {
			return nil, fmt.Errorf("prepare for parts of a grid: %w", err)
		}
		f.part = part
	}
	return f.part, f.part.refused
}

func (d *device) newPart(f *function) (*partKernel, error) {
	m := f.module
	if m.text == nil {
		return &partKernel{refused: fail(driver.NotSupported, "a part of a grid: the PTX of the kernel is not known, only machine code")}, nil
	}
	if f.info.Signature == nil {
		return &partKernel{refused: fail(driver.NotSupported, "a part of a grid: the kernel's parameters are not known")}, nil
	}
	var failed error
	k, err := ptx.NewPartKernel("ptx", m.text, f.name, func(name string) (uint64, bool) {
		p, _, known, err := d.symbol(m.native, name)
		failed = errors.Join(failed, err)
		return uint64(p), known
	})
	switch {
	case failed != nil:
		return nil, failed
	case err != nil:
		return &partKernel{refused: fail(driver.NotSupported, "a part of a grid: %v", err)}, nil
	}
	part := &partKernel{function: &function{module: m, name: f.name}}
	var native cuapi.Module
	err = d.raw(func() (err error) {
		native, _, err = d.api.ModuleLoadDataEx(append([]byte(k.Text), 0), m.options)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := d.fillPart(f, part, native, k.Constants); err != nil {
		return nil, errors.Join(err, d.quiet(func() error { return d.api.ModuleUnload(native) }))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts = append(m.parts, native)
	return part, nil
}

// fillPart finds kernel and constants in the loaded text.
func (d *device) fillPart(f *function, part *partKernel, native cuapi.Module, constants []string) error {
	err := d.raw(func() (err error) {
		if part.native, err = d.api.ModuleGetFunction(native, f.name); err != nil {
			return err
		}
		if d.api.Has(cuapi.FuncLoad) {
			if err := d.api.FuncLoad(part.native); err != nil {
				return err
			}
		}
		part.info, err = d.ask(part.native)
		part.layout = layoutOf(part.info.Signature)
		return err
	})
	for _, name := range constants {
		src, size, known, e := d.symbol(f.module.native, name)
		dst, n, found, e2 := d.symbol(native, name)
		err = errors.Join(err, e, e2)
		if known && found && n == size {
			part.constants = append(part.constants, constant{dst, src, size})
		}
	}
	return err
}

// symbol finds a variable of a native module, if the driver knows it.
func (d *device) symbol(m cuapi.Module, name string) (p cuapi.DevicePtr, size uint64, known bool, err error) {
	err = d.raw(func() (err error) {
		p, size, err = d.api.ModuleGetGlobal(m, name)
		return err
	})
	if isStatus(err, driver.NotFound) {
		return 0, 0, false, nil
	}
	return p, size, err == nil, err
}
