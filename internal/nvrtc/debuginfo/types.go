package debuginfo

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/ksig"
)

const (
	// maxTypes bounds the number of types that one function's parameters are made of, and maxDepth their nesting. Real
	// ones stay far below; damaged information could describe endless ones.
	maxTypes = 20_000
	maxDepth = 64
	maxLen   = math.MaxInt32
)

var (
	errTooLarge = errors.New("the type has too many parts")
	errTooDeep  = errors.New("the type is nested too deeply or contains itself")
)

// The encodings of base types (DWARF 5, section 7.8).
const (
	encBoolean      = 0x02
	encFloat        = 0x04
	encSigned       = 0x05
	encSignedChar   = 0x06
	encUnsigned     = 0x07
	encUnsignedChar = 0x08
	encUTF          = 0x10
)

var encodings = map[int]ksig.Kind{
	encBoolean: ksig.KindBool, encFloat: ksig.KindFloat, encSigned: ksig.KindInt, encSignedChar: ksig.KindInt,
	encUnsigned: ksig.KindUint, encUnsignedChar: ksig.KindUint, encUTF: ksig.KindUint,
}

// pointerSize is the size of a pointer in bytes: PTX is always compiled for 64-bit addresses here.
const pointerSize = 8

// typer converts type entries of one function.
type typer struct {
	info  *Info
	count int
}

// place says where in a parameter's type a type stands.
type place struct{ depth, pointers int }

func (p place) inside() place { return place{p.depth + 1, p.pointers} }

// convert describes the type d; nil is void.
func (t *typer) convert(d *die, at place) (ksig.Type, error) {
	if t.count++; t.count > maxTypes {
		return ksig.Type{}, errTooLarge
	}
	if at.depth > maxDepth {
		return ksig.Type{}, errTooDeep
	}
	spelling, err := t.spell(d, "", 0)
	if err != nil {
		return ksig.Type{}, err
	}
	if d, err = t.strip(d); err != nil {
		return ksig.Type{}, err
	}
	out := ksig.Type{Spelling: spelling}
	if d == nil {
		return out, nil
	}
	out.Size = t.info.integer(d, dwarf.AttrByteSize, maxLen)
	switch d.Tag {
	case dwarf.TagBaseType:
		out.Kind = encodings[t.info.integer(d, dwarf.AttrEncoding, math.MaxUint8)]
	case dwarf.TagEnumerationType:
		out.Kind = ksig.KindEnum
	case dwarf.TagPointerType, dwarf.TagReferenceType, dwarf.TagRvalueReferenceType:
		err = t.pointer(d, at, &out)
	case dwarf.TagArrayType:
		err = t.array(d, at, &out)
	case dwarf.TagStructType, dwarf.TagClassType, dwarf.TagUnionType:
		out.Kind = ksig.KindStruct
		err = t.members(d, at, &out)
	}
	return out, err
}

// strip removes typedefs and cv-qualifiers; it returns nil for void.
func (t *typer) strip(d *die) (*die, error) {
	for range maxDepth {
		switch {
		case d == nil || d.Tag == dwarf.TagUnspecifiedType:
			return nil, nil
		case d.Tag == dwarf.TagTypedef || isQualifier(d):
			d = t.info.typeOf(d)
		default:
			return d, nil
		}
	}
	return nil, errTooDeep
}

func isQualifier(d *die) bool {
	return d.Tag == dwarf.TagConstType || d.Tag == dwarf.TagVolatileType || d.Tag == dwarf.TagRestrictType
}

// pointer describes the pointee too. Its Elem is nil for void and for functions.
func (t *typer) pointer(d *die, at place, out *ksig.Type) error {
	out.Kind, out.Size = ksig.KindPtr, pointerSize
	target := t.info.typeOf(d)
	if bare, err := t.strip(target); err != nil || bare == nil || bare.Tag == dwarf.TagSubroutineType {
		return err
	}
	elem, err := t.convert(target, place{at.depth + 1, at.pointers + 1})
	out.Elem = &elem
	return err
}

// array describes an array of any number of dimensions, the outermost first.
func (t *typer) array(d *die, at place, out *ksig.Type) error {
	elem, err := t.convert(t.info.typeOf(d), at.inside())
	if err != nil {
		return err
	}
	dims := t.dimensions(d)
	for i, n := range slices.Backward(dims) {
		inner := elem
		total := int64(inner.Size) * int64(n)
		if total > maxLen {
			return errTooLarge
		}
		elem = ksig.Type{Kind: ksig.KindArray, Elem: &inner, Len: n, Size: int(total)}
		if elem.Spelling, err = t.spell(t.info.typeOf(d), brackets(dims[i:]), 0); err != nil {
			return err
		}
	}
	if len(dims) > 0 {
		elem.Spelling = out.Spelling
		*out = elem
	}
	return nil
}

// dimensions returns the lengths of an array; 0 for one that is not known.
func (t *typer) dimensions(d *die) (dims []int) {
	for _, c := range d.children {
		if c.Tag != dwarf.TagSubrangeType {
			continue
		}
		n := t.info.integer(c, dwarf.AttrCount, maxLen)
		if upper, ok := c.Val(dwarf.AttrUpperBound).(int64); ok && upper >= 0 && upper < maxLen {
			n = int(upper) + 1
		}
		dims = append(dims, n)
	}
	return dims
}

func brackets(dims []int) string {
	var b strings.Builder
	for _, n := range dims {
		b.WriteByte('[')
		if n > 0 {
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(']')
	}
	return b.String()
}

// basePrefix begins the name that NVRTC before 13 gives to the member that holds a base class.
const basePrefix = "__b_"

// members describes the members of a structure, unless it was reached through more than one pointer.
func (t *typer) members(d *die, at place, out *ksig.Type) error {
	if at.pointers > 1 {
		return nil
	}
	for _, c := range d.children {
		if c.Tag != dwarf.TagMember && c.Tag != dwarf.TagInheritance || c.Val(dwarf.AttrExternal) != nil {
			continue // a static member, a nested type or a function
		}
		offset, err := t.offset(c)
		if err != nil {
			return err
		}
		typ, err := t.convert(t.info.typeOf(c), at.inside())
		if err != nil {
			return err
		}
		if bits, ok := c.Val(dwarf.AttrBitSize).(int64); ok {
			typ.Kind, typ.Spelling = ksig.KindOther, fmt.Sprintf("%s : %d", typ.Spelling, bits)
		}
		name := t.info.text(c, dwarf.AttrName)
		if c.Tag == dwarf.TagInheritance || strings.HasPrefix(name, basePrefix) {
			name = typ.Spelling
		}
		out.Fields = append(out.Fields, ksig.Field{Name: name, Offset: offset, Type: typ})
	}
	slices.SortStableFunc(out.Fields, func(a, b ksig.Field) int { return a.Offset - b.Offset })
	return nil
}

// offset returns the place of a member: a constant, or in DWARF 2 the expression DW_OP_plus_uconst N.
func (t *typer) offset(c *die) (int, error) {
	const opPlusUconst = 0x23
	switch v := c.Val(dwarf.AttrDataMemberLoc).(type) {
	case nil:
		return 0, nil // as in unions
	case int64:
		if v >= 0 && v <= maxLen {
			return int(v), nil
		}
	case []byte:
		if len(v) < 2 || v[0] != opPlusUconst {
			break
		}
		n, shift := uint64(0), 0
		for _, b := range v[1:] {
			if shift > 28 {
				return 0, errTooLarge
			}
			n |= uint64(b&0x7f) << shift
			shift += 7
		}
		if n <= maxLen {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("member %q: offset %v", t.info.text(c, dwarf.AttrName), c.Val(dwarf.AttrDataMemberLoc))
}
