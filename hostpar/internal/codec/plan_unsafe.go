package codec

import (
	"encoding"
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// plan says how one type is carried. enc and dec are set when planOf has returned; plans of recursive types refer to
// plans that are not ready before that.
type plan struct {
	typ   reflect.Type
	enc   func(e *Encoder, p unsafe.Pointer) error
	dec   func(d *Decoder, p unsafe.Pointer) error
	flat  bool // enc copies memory
	size  uintptr
	least int // the least number of bytes of an encoding
}

// plans caches what was made; failed types are not kept.
var plans struct {
	sync.RWMutex
	m map[reflect.Type]*plan
}

func planOf(t reflect.Type) (*plan, error) {
	plans.RLock()
	p := plans.m[t]
	plans.RUnlock()
	if p != nil {
		return p, nil
	}
	// Each attempt works on a table of its own, so that nobody sees a plan that is not ready.
	m := maker{}
	p, err := m.make(t)
	if err != nil {
		return nil, err
	}
	plans.Lock()
	defer plans.Unlock()
	if plans.m == nil {
		plans.m = map[reflect.Type]*plan{}
	}
	for t, p := range m {
		if plans.m[t] == nil {
			plans.m[t] = p
		}
	}
	return p, nil
}

type maker map[reflect.Type]*plan

// gobEncoder and gobDecoder are those of encoding/gob, whose import would cost every worker a tenth of its start.
type (
	gobEncoder interface{ GobEncode() ([]byte, error) }
	gobDecoder interface{ GobDecode(b []byte) error }
)

var (
	handleType      = reflect.TypeFor[Handle]()
	marshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	unmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
	gobEncoderType  = reflect.TypeFor[gobEncoder]()
	gobDecoderType  = reflect.TypeFor[gobDecoder]()
)

func (m maker) make(t reflect.Type) (*plan, error) {
	if p := m[t]; p != nil {
		return p, nil
	}
	p := &plan{typ: t, size: t.Size(), least: 1}
	m[t] = p
	if m.byMethods(p, reflect.PointerTo(t)) {
		return p, nil
	}
	var err error
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		p.copied()
	case reflect.Bool:
		p.enc, p.dec = encBool, decBool
	case reflect.String:
		p.enc, p.dec = encString, decString
	case reflect.Array:
		err = m.array(p)
	case reflect.Struct:
		err = m.structure(p)
	case reflect.Slice:
		err = m.slice(p)
	case reflect.Pointer:
		err = m.pointer(p)
	case reflect.Map:
		err = m.dictionary(p)
	case reflect.Interface:
		p.dynamic()
	default:
		err = fmt.Errorf("%w: %v", ErrType, t)
	}
	if err != nil {
		delete(m, t)
		return nil, err
	}
	return p, nil
}

// byMethods makes the plan of a type that carries itself, and reports whether it does.
func (m maker) byMethods(p *plan, ptr reflect.Type) bool {
	t := p.typ
	marshal := func(to func(any) ([]byte, error), from func(any, []byte) error) {
		p.enc = func(e *Encoder, v unsafe.Pointer) error {
			b, err := to(reflect.NewAt(t, v).Interface())
			if err != nil {
				return fmt.Errorf("encode %v: %w", t, err)
			}
			e.Bytes(b)
			return nil
		}
		p.dec = func(d *Decoder, v unsafe.Pointer) error {
			b, err := d.Bytes()
			if err != nil {
				return err
			}
			// The method may keep the bytes, and the message is used again.
			if err := from(reflect.NewAt(t, v).Interface(), append([]byte(nil), b...)); err != nil {
				return fmt.Errorf("decode %v: %w", t, err)
			}
			return nil
		}
	}
	switch {
	case t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer:
		return false
	case ptr.Implements(handleType):
		p.enc = func(e *Encoder, v unsafe.Pointer) error {
			return reflect.NewAt(t, v).Interface().(Handle).EncodeHandle(e)
		}
		p.dec = func(d *Decoder, v unsafe.Pointer) error {
			return reflect.NewAt(t, v).Interface().(Handle).DecodeHandle(d)
		}
	case ptr.Implements(marshalerType) && ptr.Implements(unmarshalerType):
		marshal(func(v any) ([]byte, error) { return v.(encoding.BinaryMarshaler).MarshalBinary() },
			func(v any, b []byte) error { return v.(encoding.BinaryUnmarshaler).UnmarshalBinary(b) })
	case ptr.Implements(gobEncoderType) && ptr.Implements(gobDecoderType):
		marshal(func(v any) ([]byte, error) { return v.(gobEncoder).GobEncode() },
			func(v any, b []byte) error { return v.(gobDecoder).GobDecode(b) })
	default:
		return false
	}
	return true
}

// copied makes a plan that copies memory. Booleans are not among what it is for: a byte that is neither 0 nor 1 must
// not become one.
func (p *plan) copied() {
	size := p.size
	p.flat, p.least = true, int(size)
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		e.Buf = append(e.Buf, unsafe.Slice((*byte)(v), size)...)
		return nil
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		b, err := d.next(uint64(size))
		if err != nil {
			return err
		}
		copy(unsafe.Slice((*byte)(v), size), b)
		return nil
	}
}

func encBool(e *Encoder, p unsafe.Pointer) error {
	b := byte(0)
	if *(*bool)(p) {
		b = 1
	}
	e.Buf = append(e.Buf, b)
	return nil
}

func decBool(d *Decoder, p unsafe.Pointer) error {
	b, err := d.next(1)
	if err != nil {
		return err
	}
	if b[0] > 1 {
		return ErrCorrupt
	}
	*(*bool)(p) = b[0] == 1
	return nil
}

func encString(e *Encoder, p unsafe.Pointer) error {
	e.String(*(*string)(p))
	return nil
}

func decString(d *Decoder, p unsafe.Pointer) (err error) {
	*(*string)(p), err = d.String()
	return err
}

func (m maker) array(p *plan) error {
	elem, err := m.make(p.typ.Elem())
	if err != nil {
		return fmt.Errorf("element of %v: %w", p.typ, err)
	}
	n := p.typ.Len()
	if elem.flat || n == 0 {
		p.copied()
		return nil
	}
	p.least = n * elem.least
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		for i := range n {
			if err := elem.enc(e, unsafe.Add(v, uintptr(i)*elem.size)); err != nil {
				return err
			}
		}
		return nil
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		for i := range n {
			if err := elem.dec(d, unsafe.Add(v, uintptr(i)*elem.size)); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

type field struct {
	*plan
	offset uintptr
}

func (m maker) structure(p *plan) error {
	t := p.typ
	fields := make([]field, t.NumField())
	flat, least := true, 0
	for i := range fields {
		f := t.Field(i)
		sub, err := m.make(f.Type)
		if err != nil {
			return fmt.Errorf("field %s of %v: %w", f.Name, t, err)
		}
		fields[i] = field{sub, f.Offset}
		flat = flat && sub.flat
		least += sub.least
	}
	if flat {
		p.copied()
		return nil
	}
	p.least = least
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		for _, f := range fields {
			if err := f.enc(e, unsafe.Add(v, f.offset)); err != nil {
				return err
			}
		}
		return nil
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		for _, f := range fields {
			if err := f.dec(d, unsafe.Add(v, f.offset)); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

// slice makes a plan that writes the length plus one, or 0 for nil, then the elements.
func (m maker) slice(p *plan) error {
	elem, err := m.make(p.typ.Elem())
	if err != nil {
		return fmt.Errorf("element of %v: %w", p.typ, err)
	}
	t := p.typ
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		s := (*[]byte)(v) // any slice: only pointer and length are used
		if *s == nil {
			e.Uvarint(0)
			return nil
		}
		n := len(*s)
		e.Uvarint(uint64(n) + 1)
		return elem.encAll(e, unsafe.Pointer(unsafe.SliceData(*s)), n)
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		n, err := d.Uvarint()
		if err != nil {
			return err
		}
		s := reflect.NewAt(t, v).Elem()
		if n == 0 {
			s.SetZero()
			return nil
		}
		size, err := d.length(n-1, elem.least)
		if err != nil {
			return err
		}
		made := reflect.MakeSlice(t, size, size)
		s.Set(made)
		return elem.decAll(d, made.UnsafePointer(), size)
	}
	return nil
}

// encAll writes n elements that lie one after another.
func (p *plan) encAll(e *Encoder, v unsafe.Pointer, n int) error {
	if n == 0 {
		return nil
	}
	if p.flat {
		e.Buf = append(e.Buf, unsafe.Slice((*byte)(v), uintptr(n)*p.size)...)
		return nil
	}
	if err := enter(&e.depth); err != nil {
		return err
	}
	defer leave(&e.depth)
	for i := range n {
		if err := p.enc(e, unsafe.Add(v, uintptr(i)*p.size)); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) decAll(d *Decoder, v unsafe.Pointer, n int) error {
	if n == 0 {
		return nil
	}
	if p.flat {
		b, err := d.next(uint64(n) * uint64(p.size))
		if err != nil {
			return err
		}
		copy(unsafe.Slice((*byte)(v), len(b)), b)
		return nil
	}
	if err := enter(&d.depth); err != nil {
		return err
	}
	defer leave(&d.depth)
	for i := range n {
		if err := p.dec(d, unsafe.Add(v, uintptr(i)*p.size)); err != nil {
			return err
		}
	}
	return nil
}

func enter(depth *int) error {
	if *depth >= maxDepth {
		return ErrDepth
	}
	*depth++
	return nil
}

func leave(depth *int) { *depth-- }

func (m maker) pointer(p *plan) error {
	elem, err := m.make(p.typ.Elem())
	if err != nil {
		return fmt.Errorf("what %v points to: %w", p.typ, err)
	}
	et := p.typ.Elem()
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		to := *(*unsafe.Pointer)(v)
		if to == nil {
			e.Buf = append(e.Buf, 0)
			return nil
		}
		if err := enter(&e.depth); err != nil {
			return err
		}
		defer leave(&e.depth)
		e.Buf = append(e.Buf, 1)
		return elem.enc(e, to)
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		b, err := d.next(1)
		if err != nil {
			return err
		}
		if b[0] == 0 {
			*(*unsafe.Pointer)(v) = nil
			return nil
		}
		if err := enter(&d.depth); err != nil {
			return err
		}
		defer leave(&d.depth)
		made := reflect.New(et).UnsafePointer()
		if err := elem.dec(d, made); err != nil {
			return err
		}
		*(*unsafe.Pointer)(v) = made
		return nil
	}
	return nil
}

// dictionary makes a plan that writes the length plus one, or 0 for nil, then keys and values.
func (m maker) dictionary(p *plan) error {
	t := p.typ
	key, err := m.make(t.Key())
	if err != nil {
		return fmt.Errorf("key of %v: %w", t, err)
	}
	elem, err := m.make(t.Elem())
	if err != nil {
		return fmt.Errorf("element of %v: %w", t, err)
	}
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		dict := reflect.NewAt(t, v).Elem()
		if dict.IsNil() {
			e.Uvarint(0)
			return nil
		}
		if err := enter(&e.depth); err != nil {
			return err
		}
		defer leave(&e.depth)
		e.Uvarint(uint64(dict.Len()) + 1)
		k, x := reflect.New(t.Key()), reflect.New(t.Elem())
		for it := dict.MapRange(); it.Next(); {
			k.Elem().SetIterKey(it)
			x.Elem().SetIterValue(it)
			if err := key.enc(e, k.UnsafePointer()); err != nil {
				return err
			}
			if err := elem.enc(e, x.UnsafePointer()); err != nil {
				return err
			}
		}
		return nil
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		n, err := d.Uvarint()
		if err != nil {
			return err
		}
		dict := reflect.NewAt(t, v).Elem()
		if n == 0 {
			dict.SetZero()
			return nil
		}
		size, err := d.length(n-1, max(1, key.least+elem.least))
		if err != nil && key.size > 0 {
			return err
		}
		if err := enter(&d.depth); err != nil {
			return err
		}
		defer leave(&d.depth)
		dict.Set(reflect.MakeMapWithSize(t, size))
		for range size {
			k, x := reflect.New(t.Key()), reflect.New(t.Elem())
			if err := key.dec(d, k.UnsafePointer()); err != nil {
				return err
			}
			if !k.Elem().Comparable() {
				return fmt.Errorf("%w: key of %v", ErrCorrupt, t) // an interface that holds a slice
			}
			if err := elem.dec(d, x.UnsafePointer()); err != nil {
				return err
			}
			dict.SetMapIndex(k.Elem(), x.Elem())
		}
		return nil
	}
	return nil
}

// dynamic makes the plan of an interface: the registered name of the type, then the value; no name for nil.
func (p *plan) dynamic() {
	t := p.typ
	p.enc = func(e *Encoder, v unsafe.Pointer) error {
		x := reflect.NewAt(t, v).Elem()
		if x.IsNil() {
			e.String("")
			return nil
		}
		x = x.Elem()
		name, sub, err := registeredType(x.Type())
		if err != nil {
			return err
		}
		if err := enter(&e.depth); err != nil {
			return err
		}
		defer leave(&e.depth)
		e.String(name)
		box := reflect.New(x.Type())
		box.Elem().Set(x)
		return sub.enc(e, box.UnsafePointer())
	}
	p.dec = func(d *Decoder, v unsafe.Pointer) error {
		name, err := d.Bytes()
		if err != nil {
			return err
		}
		x := reflect.NewAt(t, v).Elem()
		if len(name) == 0 {
			x.SetZero()
			return nil
		}
		sub, err := registeredName(string(name))
		if err != nil {
			return err
		}
		if !sub.typ.AssignableTo(t) {
			return fmt.Errorf("%w: %v is not a %v", ErrCorrupt, sub.typ, t)
		}
		if err := enter(&d.depth); err != nil {
			return err
		}
		defer leave(&d.depth)
		box := reflect.New(sub.typ)
		if err := sub.dec(d, box.UnsafePointer()); err != nil {
			return err
		}
		x.Set(box.Elem())
		return nil
	}
}

// Encode appends *v.
func (c Codec[T]) Encode(e *Encoder, v *T) error { return c.plan.enc(e, unsafe.Pointer(v)) }

// Decode reads a value into *v. After an error *v may be changed in part.
func (c Codec[T]) Decode(d *Decoder, v *T) error { return c.plan.dec(d, unsafe.Pointer(v)) }

// EncodeAll appends the elements of a slice, without its length.
func (c Codec[T]) EncodeAll(e *Encoder, vs []T) error {
	return c.plan.encAll(e, unsafe.Pointer(unsafe.SliceData(vs)), len(vs))
}

// DecodeAll reads as many elements as the slice has.
func (c Codec[T]) DecodeAll(d *Decoder, vs []T) error {
	return c.plan.decAll(d, unsafe.Pointer(unsafe.SliceData(vs)), len(vs))
}

// Least returns the least number of bytes that the encoding of a value has.
func (c Codec[T]) Least() int { return c.plan.least }
