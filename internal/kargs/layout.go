package kargs

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"sync"

	"github.com/tandem-go/tandem/internal/ksig"
)

// Elem is the element type of device memory: one scalar, or several of the same (a complex number has two).
type Elem struct {
	// Float is whether the scalars are floating point.
	Float bool
	// Size is the size of a scalar in bytes, Count how many there are in an element.
	Size, Count int
	// Name is Go's name of the element type, and Unsigned whether it is an unsigned integer.
	Name     string
	Unsigned bool
}

// ElemOf describes a Go scalar type. ok is false for any other type.
func ElemOf(t reflect.Type) (e Elem, ok bool) {
	e = Elem{Size: int(t.Size()), Count: 1, Name: t.String()}
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		e.Float = true
	case reflect.Complex64, reflect.Complex128:
		e.Float, e.Size, e.Count = true, e.Size/2, 2
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		e.Unsigned = true
	default:
		return Elem{}, false
	}
	return e, true
}

// fits reports whether memory of such elements may be what a pointer to t points to: t is made of the same scalars, or
// is void or unknown, or is a structure and the elements are plain bytes.
func (e Elem) fits(t *ksig.Type) bool {
	leaves, ok := sourceLeaves(nil, t, 0, "")
	if !ok || len(leaves) == 0 {
		return true
	}
	if e.Size == 1 && !e.Float && (t.Kind == ksig.KindStruct || t.Kind == ksig.KindArray) {
		return true
	}
	for _, l := range leaves {
		if l.float != e.Float || l.size != e.Size {
			return false
		}
	}
	return true
}

// uniform returns the one scalar that t is made of, if there is just one kind of it.
func uniform(t *ksig.Type) (leaf, bool) {
	leaves, ok := sourceLeaves(nil, t, 0, "")
	if !ok || len(leaves) == 0 {
		return leaf{}, false
	}
	for _, l := range leaves[1:] {
		if l.float != leaves[0].float || l.size != leaves[0].size {
			return leaf{}, false
		}
	}
	return leaves[0], true
}

// leaf is one scalar of an aggregate.
type leaf struct {
	path     string
	off      int
	size     int
	float    bool
	unsigned bool
}

func (l leaf) goName() string {
	switch {
	case l.float && l.size == 2:
		return "uint16"
	case l.float:
		return fmt.Sprintf("float%d", l.size*8)
	case l.unsigned:
		return fmt.Sprintf("uint%d", l.size*8)
	}
	return fmt.Sprintf("int%d", l.size*8)
}

// maxLeaves bounds how far arrays are unrolled for a comparison.
const maxLeaves = 4096

// sourceLeaves appends the scalars of t at offset off. ok is false where the type is not known, is too large, or where
// members share bytes (unions, bit fields), so that only sizes can be compared.
func sourceLeaves(out []leaf, t *ksig.Type, off int, path string) (_ []leaf, ok bool) {
	if len(out) > maxLeaves {
		return out, false
	}
	switch t.Kind {
	case ksig.KindInt, ksig.KindEnum:
		return append(out, leaf{path: path, off: off, size: t.Size}), true
	case ksig.KindUint, ksig.KindBool, ksig.KindPtr:
		return append(out, leaf{path: path, off: off, size: t.Size, unsigned: true}), true
	case ksig.KindFloat:
		return append(out, leaf{path: path, off: off, size: t.Size, float: true}), true
	case ksig.KindArray:
		if t.Elem == nil || t.Elem.Size == 0 {
			return out, false
		}
		ok = true
		for i := 0; i < t.Len && ok; i++ {
			out, ok = sourceLeaves(out, t.Elem, off+i*t.Elem.Size, fmt.Sprintf("%s[%d]", path, i))
		}
		return out, ok
	case ksig.KindStruct:
		end := 0
		for i := range t.Fields {
			f := &t.Fields[i]
			if f.Offset < end {
				return out, false
			}
			end = f.Offset + f.Type.Size
			if out, ok = sourceLeaves(out, &f.Type, off+f.Offset, join(path, f.Name)); !ok {
				return out, false
			}
		}
		return out, len(t.Fields) > 0
	}
	return out, false
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// layout is how a Go aggregate lies in memory.
type layout struct {
	leaves []leaf
	err    string // why it cannot be passed, empty if it can
}

// layouts caches layout by reflect.Type.
var layouts sync.Map

func layoutOf(t reflect.Type) *layout {
	if l, ok := layouts.Load(t); ok {
		return l.(*layout)
	}
	l := &layout{}
	l.add(t, 0, "")
	layouts.Store(t, l)
	return l
}

// add appends the scalars of t at offset off. Blank fields are padding and have none.
func (l *layout) add(t reflect.Type, off int, path string) {
	if l.err != "" {
		return
	}
	size := int(t.Size())
	switch t.Kind() {
	case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		l.leaves = append(l.leaves, leaf{path: path, off: off, size: size, unsigned: true})
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		l.leaves = append(l.leaves, leaf{path: path, off: off, size: size})
	case reflect.Float32, reflect.Float64:
		l.leaves = append(l.leaves, leaf{path: path, off: off, size: size, float: true})
	case reflect.Complex64, reflect.Complex128:
		l.leaves = append(l.leaves, leaf{path: path, off: off, size: size / 2, float: true},
			leaf{path: path, off: off + size/2, size: size / 2, float: true})
	case reflect.Array:
		for i := range t.Len() {
			l.add(t.Elem(), off+i*int(t.Elem().Size()), fmt.Sprintf("%s[%d]", path, i))
		}
	case reflect.Struct:
		for f := range fields(t) {
			if f.Name != "_" {
				l.add(f.Type, off+int(f.Offset), join(path, f.Name))
			}
		}
	case reflect.Int, reflect.Uint:
		l.err = fmt.Sprintf("field %s is %s, which has no fixed size; use int32 or int64", path, t)
	default:
		l.err = fmt.Sprintf("field %s is %s, which kernels cannot use; a device pointer in a structure is a uint64 (Buffer.Ptr)", path, t)
	}
}

func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if !yield(t.Field(i)) {
				return
			}
		}
	}
}

// aggregate writes a structure, array or complex number as parameter i.
func (e *Encoder) aggregate(i int, r reflect.Value) error {
	t := r.Type()
	l := layoutOf(t)
	if l.err != "" {
		return e.refuse(i, "%s cannot be passed by value: %s", t, l.err)
	}
	if e.Sig == nil {
		if t.Size() > 0 {
			write(e.grow(int(t.Size()), t.Align()), r)
		}
		return nil
	}
	p := &e.Sig.Params[i]
	switch {
	case p.Class == ksig.Integer || p.Class == ksig.Float:
		return e.refuse(i, "want %s, have %s", want(p), t)
	case int(t.Size()) != p.Size:
		return e.refuse(i, "want %s, have %s of %d bytes aligned to %d; %s", sized(p), t, t.Size(), t.Align(), padding(p, t))
	}
	if p.Source != nil {
		if msg := l.compare(&p.Source.Type); msg != "" {
			return e.refuse(i, "%s does not lie in memory as %s: %s", t, want(p), msg)
		}
	}
	write(e.Block[p.Offset:p.Offset+p.Size], r)
	return nil
}

// sized is want with the size in bytes and the alignment, which C++ names do not show.
func sized(p *ksig.Param) string {
	if p.Source != nil && p.Source.Type.Spelling != "" {
		return fmt.Sprintf("%s of %d bytes aligned to %d", p.Source.Type.Spelling, p.Size, p.Align)
	}
	return want(p)
}

// padding explains the usual reasons for a size that differs.
func padding(p *ksig.Param, t reflect.Type) string {
	if p.Source != nil {
		if msg := layoutOf(t).compare(&p.Source.Type); msg != "" {
			return msg
		}
	}
	size := int(t.Size())
	if size < p.Size {
		return fmt.Sprintf("C++ pads members and the end to their alignment, Go aligns to %d at most: add blank fields such as _ [%d]byte where C++ pads",
			t.Align(), p.Size-size)
	}
	return "the fields must be those of the C++ structure, with types of the same width"
}

// compare says where the scalars of the Go type differ from those of the C++ type, "" if they agree or the C++ type
// cannot be compared. Bytes in Go cover anything.
func (l *layout) compare(t *ksig.Type) string {
	want, ok := sourceLeaves(nil, t, 0, "")
	if !ok {
		return ""
	}
	have := l.leaves
	for _, w := range want {
		for len(have) > 0 && have[0].off+have[0].size <= w.off {
			if have[0].size != 1 {
				return fmt.Sprintf("field %s at offset %d has no counterpart before %s at offset %d", have[0].path, have[0].off, w.path, w.off)
			}
			have = have[1:]
		}
		if len(have) == 0 || have[0].off >= w.off+w.size {
			return fmt.Sprintf("%s at offset %d has no counterpart", w.path, w.off)
		}
		h := have[0]
		switch {
		case h.off != w.off:
			return fmt.Sprintf("field %s is at offset %d, %s at offset %d; add a blank field _ [N]byte where C++ pads", h.path, h.off, w.path, w.off)
		case h.size == w.size && h.float == w.float:
			have = have[1:]
		case h.size == 1 && h.unsigned:
			// raw bytes: the loop above skips those that w covers
		default:
			return fmt.Sprintf("field %s is %s, %s is %s", h.path, h.goName(), w.path, w.goName())
		}
	}
	return ""
}

// write puts the scalars of r into dst, which is zero and as large as r's type.
func write(dst []byte, r reflect.Value) {
	le := binary.LittleEndian
	switch r.Kind() {
	case reflect.Bool:
		dst[0] = byte(b2u(r.Bool()))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		writeInt(dst, int(r.Type().Size()), uint64(r.Int()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		writeInt(dst, int(r.Type().Size()), r.Uint())
	case reflect.Float32:
		le.PutUint32(dst, math.Float32bits(float32(r.Float())))
	case reflect.Float64:
		le.PutUint64(dst, math.Float64bits(r.Float()))
	case reflect.Complex64:
		c := r.Complex()
		le.PutUint32(dst, math.Float32bits(float32(real(c))))
		le.PutUint32(dst[4:], math.Float32bits(float32(imag(c))))
	case reflect.Complex128:
		c := r.Complex()
		le.PutUint64(dst, math.Float64bits(real(c)))
		le.PutUint64(dst[8:], math.Float64bits(imag(c)))
	case reflect.Array:
		size := int(r.Type().Elem().Size())
		for i := range r.Len() {
			write(dst[i*size:(i+1)*size], r.Index(i))
		}
	case reflect.Struct:
		i := 0
		for f := range fields(r.Type()) {
			if f.Name != "_" {
				write(dst[f.Offset:f.Offset+f.Type.Size()], r.Field(i))
			}
			i++
		}
	}
}

func writeInt(dst []byte, size int, v uint64) {
	for i := range size {
		dst[i] = byte(v >> (8 * i))
	}
}
