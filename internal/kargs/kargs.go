// Package kargs turns Go values into the parameter block of a kernel launch and refuses every value that the kernel's
// signature says is wrong, before the device sees it.
//
// What is compared depends on what is known. A ksig.Signature from PTX tells count, size and the integer/float class of
// each parameter. Where debug information was read (ksig.Param.Source), the names, the element types behind pointers,
// the members of structures and the signedness of integers are compared as well. The rules:
//
//   - Integers of a fixed width want a parameter of that width. Signedness is not compared: int32 and uint32 are names
//     for the same 32 bits.
//   - int and uint have no width of their own and are taken wherever the value fits.
//   - float32 and float64 want exactly their parameter; nothing is rounded silently.
//   - Structures and arrays want an aggregate of the same size, and where members are known, the same scalars at the
//     same offsets.
//   - Device memory wants a pointer; where the pointee is known it must be made of the same scalars as the elements.
//
// Values are written little-endian, as every CUDA device reads them.
package kargs

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/ksig"
)

// Error is one argument that does not fit its parameter.
type Error struct {
	// Index is the parameter's position, from 0; -1 if the number of arguments is wrong.
	Index int
	// Name is the parameter's name in the source, empty where it is not known.
	Name string
	// Msg says what is wrong: "want float32, have float64; use float32(x)".
	Msg string
}

// Error returns "parameter 1 (a): message", the name only where it is known.
func (e *Error) Error() string {
	switch {
	case e.Index < 0:
		return e.Msg
	case e.Name == "":
		return fmt.Sprintf("parameter %d: %s", e.Index, e.Msg)
	}
	return fmt.Sprintf("parameter %d (%s): %s", e.Index, e.Name, e.Msg)
}

// Memory is an argument that stands for device memory.
type Memory struct {
	// Addr is the device address.
	Addr uint64
	// Elem is the element type as the caller declared it; the zero Elem is memory without a type, which fits any
	// pointer.
	Elem Elem
	// Form is how messages show the argument; %s is the element's name, as in "cuda.In([]%s)".
	Form string
}

// Encoder builds one parameter block. The zero Encoder with Sig set is ready; Reset makes it ready again and keeps its
// memory. It serves one goroutine at a time.
type Encoder struct {
	// Sig is the kernel's signature. With nil nothing is known: values are laid out by their own size and alignment and
	// nothing is checked, except that int and uint, which have no size, are refused.
	Sig *ksig.Signature
	// Block is the parameter block so far; complete after the last argument.
	Block []byte
}

// Reset empties the block and sets the signature.
func (e *Encoder) Reset(sig *ksig.Signature) {
	e.Sig = sig
	size := 0
	if sig != nil {
		size = sig.Size
	}
	e.Block = slices.Grow(e.Block[:0], size)[:size]
	clear(e.Block)
}

// Count checks the number of arguments.
func (e *Encoder) Count(n int) error {
	if e.Sig == nil || len(e.Sig.Params) == n {
		return nil
	}
	want := len(e.Sig.Params)
	msg := fmt.Sprintf("want %d arguments", want)
	if want == 1 {
		msg = "want 1 argument"
	}
	if list := Describe(e.Sig); list != "" {
		msg += " " + list
	}
	return &Error{Index: -1, Msg: fmt.Sprintf("%s, have %d", msg, n)}
}

// Describe lists the parameters in parentheses: "(int n, float a, const float * x)", by type and size where the source
// is not known, and "" for a kernel without parameters.
func Describe(sig *ksig.Signature) string {
	if sig == nil || len(sig.Params) == 0 {
		return ""
	}
	var b strings.Builder
	for i := range sig.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		p := &sig.Params[i]
		b.WriteString(want(p))
		if p.Source != nil && p.Source.Name != "" {
			b.WriteString(" " + p.Source.Name)
		}
	}
	return "(" + b.String() + ")"
}

// Memory writes the address of device memory as parameter i.
func (e *Encoder) Memory(i int, m Memory) error {
	if e.Sig == nil {
		return e.put(nil, 8, m.Addr)
	}
	p := &e.Sig.Params[i]
	if !pointerSized(p) {
		return e.refuse(i, "want %s, have %s, which is a pointer", want(p), m)
	}
	if s := p.Source; s != nil {
		if s.Type.Kind != ksig.KindPtr {
			return e.refuse(i, "want %s, have %s, which is a pointer", want(p), m)
		}
		if s.Type.Elem != nil && m.Elem != (Elem{}) && !m.Elem.fits(s.Type.Elem) {
			return e.refuse(i, "want %s, have %s%s", want(p), m, m.advice(s.Type.Elem))
		}
	}
	return e.put(p, 8, m.Addr)
}

// pointerSized reports whether PTX allows the parameter to be a pointer.
func pointerSized(p *ksig.Param) bool {
	return p.Size == 8 && (p.Class == ksig.Integer || p.Class == ksig.Unknown)
}

// Value writes v as parameter i.
func (e *Encoder) Value(i int, v any) error {
	// v itself is passed on, since putting x into an interface again would take memory.
	switch x := v.(type) {
	case int32:
		return e.scalar(i, ksig.Integer, 4, uint64(uint32(x)), v)
	case uint32:
		return e.scalar(i, ksig.Integer, 4, uint64(x), v)
	case float32:
		return e.scalar(i, ksig.Float, 4, uint64(math.Float32bits(x)), v)
	case int:
		return e.integer(i, int64(x), x < 0, v)
	case float64:
		return e.scalar(i, ksig.Float, 8, math.Float64bits(x), v)
	case int64:
		return e.scalar(i, ksig.Integer, 8, uint64(x), v)
	case uint64:
		return e.address(i, x, v)
	case uint:
		return e.integer(i, int64(x), false, v)
	case int8:
		return e.scalar(i, ksig.Integer, 1, uint64(uint8(x)), v)
	case uint8:
		return e.scalar(i, ksig.Integer, 1, uint64(x), v)
	case int16:
		return e.scalar(i, ksig.Integer, 2, uint64(uint16(x)), v)
	case uint16:
		return e.scalar(i, ksig.Integer, 2, uint64(x), v)
	case bool:
		return e.scalar(i, ksig.Integer, 1, b2u(x), v)
	case uintptr:
		return e.address(i, uint64(x), v)
	case nil:
		return e.null(i)
	}
	return e.reflected(i, v)
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// reflected handles named scalar types, aggregates, and what is no argument at all.
func (e *Encoder) reflected(i int, v any) error {
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		return e.scalar(i, ksig.Integer, 1, b2u(r.Bool()), v)
	case reflect.Int:
		return e.integer(i, r.Int(), r.Int() < 0, v)
	case reflect.Uint:
		return e.integer(i, int64(r.Uint()), false, v)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		size := int(r.Type().Size())
		return e.scalar(i, ksig.Integer, size, uint64(r.Int()), v)
	case reflect.Uint64, reflect.Uintptr:
		return e.address(i, r.Uint(), v)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return e.scalar(i, ksig.Integer, int(r.Type().Size()), r.Uint(), v)
	case reflect.Float32:
		return e.scalar(i, ksig.Float, 4, uint64(math.Float32bits(float32(r.Float()))), v)
	case reflect.Float64:
		return e.scalar(i, ksig.Float, 8, math.Float64bits(r.Float()), v)
	case reflect.Struct, reflect.Array, reflect.Complex64, reflect.Complex128:
		return e.aggregate(i, r)
	}
	return e.foreign(i, r)
}

// foreign explains why a Go value can never be a kernel argument.
func (e *Encoder) foreign(i int, r reflect.Value) error {
	w := ""
	if e.Sig != nil {
		w = "want " + want(&e.Sig.Params[i]) + ", "
	}
	switch r.Kind() {
	case reflect.Slice:
		return e.refuse(i, "%shave %s; wrap it in cuda.In, cuda.Out or cuda.InOut", w, r.Type())
	case reflect.Pointer, reflect.UnsafePointer:
		return e.refuse(i, "%shave %s; kernels never see Go memory, use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut", w, r.Type())
	case reflect.String:
		return e.refuse(i, "%shave %s; use cuda.In([]byte(s))", w, r.Type())
	}
	return e.refuse(i, "%shave %s, which cannot be passed to a kernel", w, r.Type())
}

// scalar writes a value that has a width.
func (e *Encoder) scalar(i int, class ksig.Class, size int, bits uint64, v any) error {
	if e.Sig == nil {
		return e.put(nil, size, bits)
	}
	p := &e.Sig.Params[i]
	if p.Size != size || !classFits(p, class) {
		return e.refuse(i, "want %s, have %T%s", want(p), v, scalarAdvice(p, v))
	}
	if p.Source != nil && p.Source.Type.Kind == ksig.KindPtr {
		return e.refuse(i, "want %s, have %T; use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut", want(p), v)
	}
	return e.put(p, size, bits)
}

// classFits reports whether a scalar of the class may be parameter p, sizes apart.
func classFits(p *ksig.Param, class ksig.Class) bool {
	switch p.Class {
	case ksig.Unknown:
		return true
	case ksig.Float:
		// Go has no half type: its bits come as uint16 or int16.
		return class == ksig.Float || p.Size == 2
	}
	return p.Class == class
}

// address writes an integer that may be a raw device address.
func (e *Encoder) address(i int, bits uint64, v any) error {
	if e.Sig != nil && pointerSized(&e.Sig.Params[i]) {
		return e.put(&e.Sig.Params[i], 8, bits)
	}
	return e.scalar(i, ksig.Integer, 8, bits, v)
}

// null writes a null pointer.
func (e *Encoder) null(i int) error {
	if e.Sig == nil {
		return e.put(nil, 8, 0)
	}
	p := &e.Sig.Params[i]
	if !pointerSized(p) || p.Source != nil && p.Source.Type.Kind != ksig.KindPtr {
		return e.refuse(i, "want %s, have nil, which is the null pointer", want(p))
	}
	return e.put(p, 8, 0)
}

// integer writes an int or uint where it fits. x is the value's bits, negative its sign.
func (e *Encoder) integer(i int, x int64, negative bool, v any) error {
	if e.Sig == nil {
		return e.refuse(i, "have %T, which has no fixed size, and the kernel's parameters are not known; use int32(x) or int64(x)", v)
	}
	p := &e.Sig.Params[i]
	switch {
	case p.Class == ksig.Float || p.Class == ksig.Aggregate:
		return e.refuse(i, "want %s, have %T%s", want(p), v, scalarAdvice(p, v))
	case p.Source != nil && p.Source.Type.Kind == ksig.KindPtr:
		return e.refuse(i, "want %s, have %T; use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut", want(p), v)
	case !integerFits(p, x, negative):
		return e.refuse(i, "%v does not fit into %s", v, want(p))
	}
	return e.put(p, p.Size, uint64(x))
}

// integerFits reports whether the value has a representation in parameter p: of its own signedness where that is known,
// else of either.
func integerFits(p *ksig.Param, x int64, negative bool) bool {
	if p.Size != 1 && p.Size != 2 && p.Size != 4 && p.Size != 8 {
		return false
	}
	signed, unsigned := true, true
	if p.Source != nil {
		switch p.Source.Type.Kind {
		case ksig.KindInt:
			unsigned = false
		case ksig.KindUint:
			signed = false
		case ksig.KindBool:
			return !negative && uint64(x) <= 1
		}
	}
	bits := uint(p.Size * 8)
	if negative {
		return signed && x >= -1<<(bits-1)
	}
	limit := uint64(1)<<(bits-1) - 1
	if unsigned {
		limit = limit<<1 | 1
	}
	return uint64(x) <= limit
}

// put writes the low size bytes of bits as parameter p, or behind what is there if nothing is known (p is nil).
func (e *Encoder) put(p *ksig.Param, size int, bits uint64) error {
	var dst []byte
	if p == nil {
		dst = e.grow(size, size)
	} else {
		dst = e.Block[p.Offset : p.Offset+p.Size]
	}
	switch size {
	case 1:
		dst[0] = byte(bits)
	case 2:
		binary.LittleEndian.PutUint16(dst, uint16(bits))
	case 4:
		binary.LittleEndian.PutUint32(dst, uint32(bits))
	default:
		binary.LittleEndian.PutUint64(dst, bits)
	}
	return nil
}

// grow appends size zero bytes at the next multiple of align and returns them.
func (e *Encoder) grow(size, align int) []byte {
	off := (len(e.Block) + align - 1) / align * align
	e.Block = append(e.Block, make([]byte, off+size-len(e.Block))...)
	return e.Block[off : off+size]
}

// Int writes an int, or the bits of a uint, as parameter i, where it fits. It takes no memory.
func (e *Encoder) Int(i int, x int64, unsigned bool) error {
	p := &e.Sig.Params[i]
	if !integerFits(p, x, x < 0 && !unsigned) {
		if unsigned {
			return e.refuse(i, "%d does not fit into %s", uint64(x), want(p))
		}
		return e.refuse(i, "%d does not fit into %s", x, want(p))
	}
	return e.put(p, p.Size, uint64(x))
}

// Refuse is an *Error about parameter i, with its name where that is known.
func (e *Encoder) Refuse(i int, format string, args ...any) error {
	return e.refuse(i, format, args...)
}

func (e *Encoder) refuse(i int, format string, args ...any) error {
	err := &Error{Index: i, Msg: fmt.Sprintf(format, args...)}
	if e.Sig != nil {
		if s := e.Sig.Params[i].Source; s != nil {
			err.Name = s.Name
		}
	}
	return err
}
