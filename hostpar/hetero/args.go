package hetero

import (
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
)

// Arg is an argument of a kernel and how it follows the split: In, Out, InOut and their forms for buffers, Reduce, Accum,
// Val, Total, Offset or Count.
type Arg interface {
	// check reports why the argument cannot be split over the layout.
	check(l *layout) error
	// span is its memory, 0 and 0 if it has none, and whether a run writes it.
	span() (lo, hi uintptr, written bool)
}

// elements is an argument that has elements: a slice, a buffer, or what Reduce and Accum keep. T says of which type.
type elements[T cuda.Element] struct {
	mem     *memory[T]
	part    Part
	in, out bool
}

// In is a slice that the kernel reads. It must not change during the run.
func In[T cuda.Element](s []T, p Part) Arg {
	return &elements[T]{mem: &memory[T]{data: s}, part: p, in: true}
}

// Out is a slice whose rows the kernel writes, all elements of them, and does not read. Elements that it does not write are
// undefined after the run.
func Out[T cuda.Element](s []T, p Part) Arg {
	return &elements[T]{mem: &memory[T]{data: s}, part: p, out: true}
}

// InOut is a slice whose rows the kernel reads and writes. A chunk finds the rows as they were before the run.
func InOut[T cuda.Element](s []T, p Part) Arg {
	return &elements[T]{mem: &memory[T]{data: s}, part: p, in: true, out: true}
}

// InBuffer is In for memory of a device of the pool, which uses it where it is. Another device takes part if that makes
// the run shorter by at least 3 % although its rows must be copied there and back; bodies in Go do not. All buffers of a
// run are on one device. What its rows are after a run that failed is undefined if the device writes them.
func InBuffer[T cuda.Element](b *cuda.Buffer[T], p Part) Arg {
	return &elements[T]{mem: &memory[T]{buffer: b, resident: true}, part: p, in: true}
}

// OutBuffer is Out for memory of a device; see InBuffer.
func OutBuffer[T cuda.Element](b *cuda.Buffer[T], p Part) Arg {
	return &elements[T]{mem: &memory[T]{buffer: b, resident: true}, part: p, out: true}
}

// InOutBuffer is InOut for memory of a device; see InBuffer.
func InOutBuffer[T cuda.Element](b *cuda.Buffer[T], p Part) Arg {
	return &elements[T]{mem: &memory[T]{buffer: b, resident: true}, part: p, in: true, out: true}
}

func (a *elements[T]) check(l *layout) error {
	if a.mem.buffer == nil && a.mem.resident {
		return fmt.Errorf("%w: no buffer", ErrDeclaration)
	}
	return a.part.check(l, a.mem.len(), a.out)
}

func (a *elements[T]) span() (lo, hi uintptr, written bool) {
	size := reflect.TypeFor[T]().Size()
	switch {
	case a.mem.len() == 0:
		return 0, 0, false
	case a.mem.buffer != nil:
		lo = uintptr(a.mem.buffer.Ptr())
	default:
		lo = reflect.ValueOf(a.mem.data).Pointer()
	}
	return lo, lo + uintptr(a.mem.len())*size, a.out
}

// home is the device whose memory the argument is, nil for Go's memory.
func (a *elements[T]) home() *cuda.Device {
	if a.mem.buffer == nil {
		return nil
	}
	return a.mem.buffer.Device()
}

// bytes is how many bytes of a whole run move to a device that has nothing, and back.
func (a *elements[T]) bytes() (in, out int) {
	n := a.mem.len() * int(reflect.TypeFor[T]().Size())
	if a.in {
		in = n
	}
	if a.out {
		out = n
	}
	return in, out
}

// resident is an argument whose memory may belong to a device.
type resident interface {
	home() *cuda.Device
	bytes() (in, out int)
}

// swap exchanges the memory of two arguments.
func (a *elements[T]) swap(b Arg) error {
	o, ok := b.(*elements[T])
	if !ok || o.mem.len() != a.mem.len() {
		return fmt.Errorf("%w: only slices of one type and length can be swapped", ErrDeclaration)
	}
	a.mem, o.mem = o.mem, a.mem
	return nil
}

// replicated reports whether each device has all of it.
func (a *elements[T]) replicated() bool { return a.part.kind == whole }

// stale says that all devices' copies are old.
func (a *elements[T]) stale() { a.mem.wrote(nil, Range{0, a.mem.len()}) }

// value is a scalar or structure.
type value struct{ v any }

// Val is a scalar or a structure by value, as cuda.Function.Launch takes it.
func Val(v any) Arg { return value{v} }

func (value) check(*layout) error            { return nil }
func (value) span() (lo, hi uintptr, w bool) { return }

// Integer is the type of a Total, Offset or Count.
type Integer interface {
	~int32 | ~uint32 | ~int64 | ~uint64
}

// placed is a number that depends on the chunk.
type placed interface{ at(r Range, items int) any }

type (
	total[T Integer]  struct{}
	offset[T Integer] struct{}
	count[T Integer]  struct{}
)

// Total is the number of items of the whole run.
func Total[T Integer]() Arg { return total[T]{} }

// Offset is the first item of the chunk, for kernels that add it to their index along the split axis. They see a grid of
// the chunk's blocks only. It lets devices take part that cannot launch a part of the grid of this kernel.
func Offset[T Integer]() Arg { return offset[T]{} }

// Count is the number of items of the chunk, for kernels with an Offset.
func Count[T Integer]() Arg { return count[T]{} }

func (total[T]) check(*layout) error             { return nil }
func (total[T]) span() (lo, hi uintptr, w bool)  { return }
func (total[T]) at(_ Range, items int) any       { return T(items) }
func (offset[T]) check(*layout) error            { return nil }
func (offset[T]) span() (lo, hi uintptr, w bool) { return }
func (offset[T]) at(r Range, _ int) any          { return T(r.Lo) }
func (offset[T]) shifts()                        {}
func (count[T]) check(*layout) error             { return nil }
func (count[T]) span() (lo, hi uintptr, w bool)  { return }
func (count[T]) at(r Range, _ int) any           { return T(r.Hi - r.Lo) }

// shifting is an Offset of any type.
type shifting interface{ shifts() }

// checkArgs checks all arguments by themselves and against each other.
func checkArgs(args []Arg, l *layout) error {
	var home *cuda.Device
	for i, a := range args {
		if a == nil {
			return fmt.Errorf("argument %d: %w: it is nil", i, ErrDeclaration)
		}
		if err := a.check(l); err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
		r, ok := a.(resident)
		if !ok || r.home() == nil {
			continue
		}
		if home != nil && home != r.home() {
			return fmt.Errorf("argument %d: %w: it is memory of %s, and another argument of %s", i, ErrDeclaration, r.home().Info().Name, home.Info().Name)
		}
		home = r.home()
	}
	for i, a := range args {
		lo, hi, written := a.span()
		for j, b := range args {
			blo, bhi, _ := b.span()
			if i != j && written && lo < bhi && blo < hi {
				return fmt.Errorf("arguments %d and %d: %w: they share memory that argument %d writes", i, j, ErrDeclaration, i)
			}
		}
	}
	return nil
}
