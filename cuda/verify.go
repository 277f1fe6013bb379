package cuda

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/kargs"
)

// VerifyConfig says what Verify takes for equal. The zero value asks for the same bits.
type VerifyConfig struct {
	_ struct{}
	// ULP is the largest distance between two floating point numbers, in units in the last place: how many numbers of the type
	// lie between them, plus one. -0 and +0 are one apart, and two NaNs always equal. Integers must be the same.
	ULP uint64
}

// ErrDifferent is wrapped by the error of a Verify whose runs differ.
var ErrDifferent = errors.New("results differ")

// Difference is the error of a Verify whose runs differ: the first element that does. It wraps ErrDifferent.
type Difference struct {
	// Kernel is the kernel, Param the number of the parameter and Name its name, where that is known.
	Kernel string
	Param  int
	Name   string
	// Index is the element of the slice or buffer. Of a complex number, Part is 0 for the real part and 1 for the imaginary one.
	Index, Part int
	// A and B are the numbers that the two runs gave, of the Go type of the element (of its parts), and OnA and OnB where they
	// ran.
	A, B     any
	OnA, OnB string
	// ULP is how far apart they are; for integers, by how much they differ.
	ULP uint64
	// Count is how many numbers of the parameter differ by more than is allowed, and Worst the largest distance among them.
	Count int
	Worst uint64
}

// Error returns "verify saxpy: parameter 3 (y), element 17: 1.5 on ..., 1.25 on ...: 2097152 ulp apart; 3 numbers differ, by at
// most 2097152 ulp".
func (d *Difference) Error() string {
	what := fmt.Sprintf("parameter %d", d.Param)
	if d.Name != "" {
		what += fmt.Sprintf(" (%s)", d.Name)
	}
	return fmt.Sprintf("verify %s: %s, element %d: %v on %s, %v on %s: %d ulp apart; %d numbers differ, by at most %d ulp",
		d.Kernel, what, d.Index, d.A, d.OnA, d.B, d.OnB, d.ULP, d.Count, d.Worst)
}

// Unwrap returns ErrDifferent.
func (d *Difference) Unwrap() error { return ErrDifferent }

// Verify runs one launch twice, on a and then on b, which are the same kernel on two devices, such as a GPU and the host
// device, or host devices with the engines jit and interp, and compares what the runs leave in the slices of Out and InOut and
// in the buffers among the arguments. The first difference is a *Difference.
//
// Arguments and cfg are those of a.Run, with buffers of a's device, and are left as that leaves them. For b they are copied,
// those of Out with the contents that they have before, so that what a kernel does not write cannot differ. Buffers must not
// overlap; textures, surfaces and device addresses in structures cannot be copied: the error wraps ErrNotSupported for the
// former two. Variables of the modules are not copied either. Other errors are those of Run.
func Verify(ctx context.Context, a, b *Function, cfg LaunchConfig, v VerifyConfig, args ...any) error {
	op := "verify " + a.name
	sides, err := a.twice(ctx, op, args)
	if err != nil {
		return err
	}
	mine, theirs := slices.Clone(args), slices.Clone(args)
	for i := range sides {
		s := &sides[i]
		if _, ok := args[s.param].(Arg); ok {
			mine[s.param] = Arg{data: s.a, elem: s.elem, form: s.form, in: true, out: true}
		}
		theirs[s.param] = Arg{data: s.b, elem: s.elem, form: s.form, in: true, out: true}
	}
	if err := a.Run(ctx, cfg, mine...); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	for i := range sides {
		if err := a.settleSide(ctx, op, &sides[i], args); err != nil {
			return err
		}
	}
	cfg.Stream = nil
	if err := b.Run(ctx, cfg, theirs...); err != nil {
		return fmt.Errorf("%s on %s: %w", op, b.where(), err)
	}
	for i := range sides {
		if d := sides[i].compare(v.ULP); d != nil {
			d.Kernel, d.OnA, d.OnB = a.name, a.where(), b.where()
			if sig := a.sig.Load(); sig != nil && sig.Params[d.Param].Source != nil {
				d.Name = sig.Params[d.Param].Source.Name
			}
			return d
		}
	}
	return nil
}

// where names the device, and on the host device the engine.
func (f *Function) where() string {
	if e := f.Engine(); e != "" {
		return fmt.Sprintf("%s (%s)", f.mod.dev, e)
	}
	return f.mod.dev.String()
}

// side is the memory of one argument, once for each run.
type side struct {
	param int
	elem  kargs.Elem
	form  string
	a, b  []byte
}

// twice copies what the arguments point to.
func (f *Function) twice(ctx context.Context, op string, args []any) ([]side, error) {
	var sides []side
	var seen []span
	for i, arg := range args {
		switch arg := arg.(type) {
		case Arg:
			if arg.out {
				sides = append(sides, side{param: i, elem: arg.elem, form: arg.form, a: slices.Clone(arg.data), b: slices.Clone(arg.data)})
			}
		case objectArg:
			return nil, misused(op, ErrNotSupported, "parameter %d: textures and surfaces cannot be copied to another device", i)
		case deviceArg:
			if n, ok := arg.(interface{ isNil() bool }); ok && n.isNil() {
				continue
			}
			s, err := f.hold(op, i, arg)
			if err != nil {
				return nil, err
			}
			err = overlapping(op, i, s, seen)
			data := make([]byte, s.n)
			if err == nil {
				err = f.mod.dev.c.fetch(ctx, op, data, s)
			}
			s.m.release()
			if err != nil {
				return nil, err
			}
			seen = append(seen, s)
			elem, form := arg.describe()
			sides = append(sides, side{param: i, elem: elem, form: form, a: data, b: slices.Clone(data)})
		}
	}
	return sides, nil
}

// overlapping refuses memory that another argument has: its copies would not be the same memory.
func overlapping(op string, i int, s span, seen []span) error {
	for _, o := range seen {
		if s.n > 0 && o.n > 0 && s.ptr < o.ptr+driver.Ptr(o.n) && o.ptr < s.ptr+driver.Ptr(s.n) {
			return misused(op, ErrNotSupported, "parameter %d: the buffer overlaps that of another parameter", i)
		}
	}
	return nil
}

// settleSide brings what the run on a left where the caller and the comparison find it.
func (f *Function) settleSide(ctx context.Context, op string, s *side, args []any) error {
	if arg, ok := args[s.param].(Arg); ok {
		copy(arg.data, s.a)
		return nil
	}
	r, err := f.hold(op, s.param, args[s.param].(deviceArg))
	if err != nil {
		return err
	}
	defer r.m.release()
	return f.mod.dev.c.fetch(ctx, op, s.a, r)
}

// compare finds the first number that differs by more than limit, nil if none does.
func (s *side) compare(limit uint64) *Difference {
	var first *Difference
	size := s.elem.Size
	for at := 0; at+size <= len(s.a); at += size {
		x, y := number(s.a[at:], size), number(s.b[at:], size)
		if x == y {
			continue
		}
		apart, allowed := s.distance(x, y), uint64(0)
		if s.elem.Float {
			allowed = limit
		}
		if apart <= allowed {
			continue
		}
		if first == nil {
			n := at / size
			first = &Difference{Param: s.param, Index: n / s.elem.Count, Part: n % s.elem.Count, A: s.value(x), B: s.value(y), ULP: apart}
		}
		first.Count++
		first.Worst = max(first.Worst, apart)
	}
	return first
}

// number is an element's bits.
func number(b []byte, size int) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

// distance is how far apart two numbers are. Floating point numbers lie in the order of their bits, the negative ones the
// other way round (IEEE 754, totalOrder).
func (s *side) distance(x, y uint64) uint64 {
	if s.elem.Float {
		sign := uint64(1) << (8*s.elem.Size - 1)
		if nan(x, s.elem.Size) && nan(y, s.elem.Size) {
			return 0
		}
		order := func(bits uint64) uint64 {
			if bits&sign != 0 {
				return sign - 1 - bits&(sign-1)
			}
			return bits | sign
		}
		x, y = order(x), order(y)
	}
	return max(x, y) - min(x, y)
}

func nan(bits uint64, size int) bool {
	if size == 4 {
		f := math.Float32frombits(uint32(bits))
		return f != f
	}
	return math.IsNaN(math.Float64frombits(bits))
}

// value is a number as Go has it. Named types and signs are those of the bits.
func (s *side) value(bits uint64) any {
	switch {
	case s.elem.Float && s.elem.Size == 4:
		return math.Float32frombits(uint32(bits))
	case s.elem.Float:
		return math.Float64frombits(bits)
	case s.elem.Unsigned:
		return bits
	}
	shift := 64 - 8*s.elem.Size
	return int64(bits<<shift) >> shift
}
