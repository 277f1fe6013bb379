package cuda

import (
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/kargs"
)

// Arg is a Go slice as a kernel argument, made by In, Out or InOut.
type Arg struct {
	data []byte
	elem kargs.Elem
	form string
	in   bool // copied to the device before the launch
	out  bool // copied back by the wait
}

// In passes a copy of s to a pointer parameter. The copy is made before the launching call returns; what the kernel
// writes there is lost. An empty slice is a null pointer.
func In[T Element](s []T) Arg {
	return Arg{data: bytesOf(s), elem: elemOf[T](), form: "cuda.In([]%s)", in: true}
}

// Out passes fresh memory of len(s) elements to a pointer parameter, and the wait copies it to s: Run itself, or
// Stream.Wait after Launch. Elements that the kernel does not write are undefined; InOut keeps them. If the launch
// fails, or the wait ends early, s is unchanged.
func Out[T Element](s []T) Arg {
	return Arg{data: bytesOf(s), elem: elemOf[T](), form: "cuda.Out([]%s)", out: true}
}

// InOut is In and Out: the kernel finds the elements of s, and the wait copies them back.
func InOut[T Element](s []T) Arg {
	return Arg{data: bytesOf(s), elem: elemOf[T](), form: "cuda.InOut([]%s)", in: true, out: true}
}

// deviceArg is a Buffer or HostBuffer as an argument.
type deviceArg interface {
	Device() *Device
	use(op string) (span, error)
	describe() (e kargs.Elem, form string)
}

func (b *Buffer[T]) describe() (kargs.Elem, string) { return elemOf[T](), "*cuda.Buffer[%s]" }

func (b *HostBuffer[T]) describe() (kargs.Elem, string) { return elemOf[T](), "*cuda.HostBuffer[%s]" }

// objectArg is a Texture or Surface as an argument: a number of eight bytes.
type objectArg interface {
	Device() *Device
	object(op string) (span, uint64, error)
}

func (v *invocation) bindObject(f *Function, op string, i int, a objectArg) error {
	if d := a.Device(); d.c != f.mod.dev.c {
		return misused(op, ErrWrongDevice, "parameter %d: the object belongs to %s, the kernel to %s", i, d.c.name, f.mod.dev.c.name)
	}
	s, handle, err := a.object(op)
	if err != nil {
		return err
	}
	v.held = append(v.held, s)
	v.uses = append(v.uses, use{index: i, form: "object %s", addr: noAddress})
	return v.enc.Value(i, handle)
}

// isNil reports whether the interface holds a nil pointer.
func (b *Buffer[T]) isNil() bool     { return b == nil }
func (b *HostBuffer[T]) isNil() bool { return b == nil }

// use is one device address in a launch: what a fault is matched against.
type use struct {
	index int
	param string
	elem  kargs.Elem
	form  string
	addr  uint64
	n     uint64 // bytes
}

// invocation is one launch under way: the parameter block, and what it holds.
type invocation struct {
	c      *core
	enc    kargs.Encoder
	held   []span   // acquired, one release each
	uses   []use    // for fault messages
	staged []staged // slices

	prepared prepared // what is held besides
}

// staged is a slice argument and its memory on the device.
type staged struct {
	arg   Arg
	index int
	ptr   driver.Ptr
	from  Allocator // of the memory; nil for the driver
}

// reset empties the invocation and keeps its memory.
func (v *invocation) reset() {
	clear(v.held[:cap(v.held)])
	clear(v.staged)
	clear(v.uses)
	v.c, v.held, v.uses, v.staged = nil, v.held[:0], v.uses[:0], v.staged[:0]
}

// release gives back what bind acquired.
func (v *invocation) release() {
	for _, s := range v.held {
		s.m.release()
	}
	v.held = v.held[:0]
}

// bind checks and encodes all arguments. It creates nothing.
func (v *invocation) bind(f *Function, op string, args []any) error {
	v.enc.Reset(f.sig.Load())
	if err := v.enc.Count(len(args)); err != nil {
		return err
	}
	for i, a := range args {
		if err := v.bindOne(f, op, i, a); err != nil {
			return err
		}
	}
	return nil
}

func (v *invocation) bindOne(f *Function, op string, i int, a any) error {
	switch a := a.(type) {
	case Arg:
		if err := v.enc.Memory(i, kargs.Memory{Elem: a.elem, Form: a.form}); err != nil {
			return err
		}
		if len(a.data) > 0 {
			v.staged = append(v.staged, staged{arg: a, index: i})
		}
		return nil
	case deviceArg:
		return v.bindDevice(f, op, i, a)
	case objectArg:
		return v.bindObject(f, op, i, a)
	}
	return v.enc.Value(i, a)
}

func (v *invocation) bindDevice(f *Function, op string, i int, a deviceArg) error {
	if n, ok := a.(interface{ isNil() bool }); ok && n.isNil() {
		return v.enc.Value(i, nil)
	}
	elem, form := a.describe()
	s, err := f.hold(op, i, a)
	if err != nil {
		return err
	}
	v.held = append(v.held, s)
	if err := v.enc.Memory(i, kargs.Memory{Addr: uint64(s.ptr), Elem: elem, Form: form}); err != nil {
		return err
	}
	v.uses = append(v.uses, use{index: i, elem: elem, form: form, addr: uint64(s.ptr), n: s.n})
	return nil
}

// stage makes device memory for the slices and copies in what the kernel shall find. On error it leaves nothing.
func (v *invocation) stage(h driver.Stream) error {
	for i := range v.staged {
		s := &v.staged[i]
		n := uint64(len(s.arg.data))
		s.from = v.c.allocator()
		err := v.c.withMemory(func() (err error) {
			s.ptr, err = v.c.allocate(s.from, n)
			return err
		})
		if err == nil {
			v.c.sites.add(uint64(s.ptr), n)
		}
		if err == nil && s.arg.in {
			err = v.c.drv.Write(s.ptr, s.arg.data, h)
		}
		if err != nil {
			v.unstage()
			return err
		}
		if err := v.enc.Memory(s.index, kargs.Memory{Addr: uint64(s.ptr)}); err != nil {
			v.unstage()
			return err // cannot happen: memory without a type fits wherever the slice did
		}
		v.uses = append(v.uses, use{index: s.index, elem: s.arg.elem, form: s.arg.form, addr: uint64(s.ptr), n: n})
	}
	return nil
}

// unstage frees the memory of all slices.
func (v *invocation) unstage() {
	for i := range v.staged {
		v.freeStaged(&v.staged[i])
	}
}

func (v *invocation) freeStaged(s *staged) {
	if s.ptr != 0 {
		v.c.lose("free", v.c.freeStaging(s.from, s.ptr, uint64(len(s.arg.data))))
		s.ptr = 0
	}
}

// queued is called when the launch was queued: memory that nobody reads back is freed behind it, the rest is owed.
func (v *invocation) queued() []*writeback {
	var due []*writeback
	for i := range v.staged {
		s := &v.staged[i]
		if s.arg.out {
			due = append(due, &writeback{dst: s.arg.data, src: s.ptr, from: s.from})
		} else {
			v.freeStaged(s)
		}
	}
	return due
}
