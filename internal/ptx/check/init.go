package check

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/internal/ptx"
)

// initialise lays out the initialisers of module scope, where all names are known by now.
func (c *checker) initialise() {
	list := c.inits
	c.inits = nil
	for _, v := range list {
		c.initVar(v)
	}
}

// initVar fills Data and Relocs of one variable.
func (c *checker) initVar(v *Var) {
	d := v.Decl
	if d.Type.Class() == ptx.OpaqueType {
		return // fields of a sampler: there is nothing in memory
	}
	l := layout{c: c, v: v, typ: d.Type, size: d.Type.Size()}
	for _, n := range d.Dims {
		l.dims = append(l.dims, n)
	}
	if d.Vec > 0 {
		l.dims = append(l.dims, int64(d.Vec))
	}
	switch {
	case len(l.dims) == 0 && d.Init.Kind == ptx.InitList:
		if len(d.Init.Elems) == 1 { // C's braces around a scalar
			l.scalar(&d.Init.Elems[0])
		} else {
			c.errorf(d.Init.Pos, "%s: list as initialiser of a scalar", v.Name)
		}
	case len(l.dims) == 0:
		l.scalar(d.Init)
	case d.Init.Kind != ptx.InitList:
		c.errorf(d.Init.Pos, "%s: an array needs a list as initialiser", v.Name)
	default:
		l.list(d.Init, l.dims, math.MaxInt64)
	}
	v.Data, v.Relocs = l.data, l.relocs
	if len(d.Dims) > 0 && d.Dims[0] == ptx.Unsized {
		row := int64(l.size) * product(l.dims[1:])
		v.Size = (int64(len(l.data)) + row - 1) / row * row
	}
}

func product(dims []int64) int64 {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	return n
}

// layout walks an initialiser. at counts scalars; lists nest as in C, where an inner list fills one row.
type layout struct {
	c      *checker
	v      *Var
	typ    ptx.Type
	size   int
	dims   []int64
	at     int64
	data   []byte
	relocs []Reloc
}

// list fills from l.at on what dims describe; end bounds it from outside.
func (l *layout) list(in *ptx.Init, dims []int64, end int64) {
	start := l.at
	row := product(dims[1:])
	if dims[0] != ptx.Unsized {
		end = min(end, start+dims[0]*row)
	}
	for i := range in.Elems {
		e := &in.Elems[i]
		if e.Kind == ptx.InitList {
			if len(dims) < 2 {
				l.c.errorf(e.Pos, "%s: lists nested deeper than the array has dimensions", l.v.Name)
				return
			}
			l.at = start + (l.at-start+row-1)/row*row
		}
		if l.at >= end {
			l.c.errorf(e.Pos, "%s: more initialisers than elements", l.v.Name)
			return
		}
		if e.Kind != ptx.InitList {
			l.scalar(e)
			continue
		}
		first := l.at
		l.list(e, dims[1:], min(end, first+row))
		l.at = first + row
	}
}

// scalar stores one value at l.at.
func (l *layout) scalar(in *ptx.Init) {
	off := int(l.at) * l.size
	l.at++
	if more := off + l.size - len(l.data); more > 0 {
		if more > maxData-l.c.data {
			l.c.errorf(in.Pos, "%s: more than %d bytes of initialised data", l.v.Name, maxData)
			return
		}
		l.c.data += more
		l.data = append(l.data, make([]byte, more)...)
	}
	var value uint64
	switch in.Kind {
	case ptx.InitSymbol:
		l.symbol(in, off)
		return
	case ptx.InitInt:
		value = in.Val
		switch l.typ {
		case ptx.F32:
			value = uint64(math.Float32bits(float32(signedOrNot(in.Val, in.Unsigned))))
		case ptx.F64:
			value = math.Float64bits(signedOrNot(in.Val, in.Unsigned))
		}
	case ptx.InitFloat32, ptx.InitFloat64:
		var ok bool
		if value, ok = floatBits(in.Val, in.Kind == ptx.InitFloat32, l.typ); !ok {
			l.c.errorf(in.Pos, "%s: floating-point constant for .%s", l.v.Name, l.typ)
			return
		}
	default:
		l.c.errorf(in.Pos, "%s: fields are for .samplerref and .texref", l.v.Name)
		return
	}
	var buf [16]byte
	binary.LittleEndian.PutUint64(buf[:], value)
	if l.typ == ptx.B128 && in.Kind == ptx.InitInt && !in.Unsigned && int64(value) < 0 {
		binary.LittleEndian.PutUint64(buf[8:], math.MaxUint64)
	}
	copy(l.data[off:off+l.size], buf[:])
}

func signedOrNot(v uint64, unsigned bool) float64 {
	if unsigned {
		return float64(v)
	}
	return float64(int64(v))
}

// floatBits converts a floating-point constant to the bits of a type: single is whether it was written as an IEEE
// single. Untyped bits take a constant of their own width only.
func floatBits(val uint64, single bool, t ptx.Type) (uint64, bool) {
	switch t {
	case ptx.F32:
		if !single {
			return uint64(math.Float32bits(float32(math.Float64frombits(val)))), true
		}
		return val, true
	case ptx.F64:
		if single {
			return math.Float64bits(float64(math.Float32frombits(uint32(val)))), true
		}
		return val, true
	case ptx.B32:
		return val, single
	case ptx.B64:
		return val, !single
	}
	return 0, false
}

// symbol stores the address of a variable or function.
func (l *layout) symbol(in *ptx.Init, off int) {
	r := Reloc{Offset: off, Size: l.size, Addend: int64(in.Val), Generic: in.Generic}
	c := l.c
	if f := c.out.funcs[in.Name]; f != nil {
		c.use(f, in.Pos)
		r.Func = f
		if f.Alias != nil {
			r.Func = f.Alias
		}
	} else if v := c.out.vars[in.Name]; v != nil {
		c.use(v, in.Pos)
		r.Var = v
	} else {
		c.errorf(in.Pos, "%s: %s is not declared", l.v.Name, in.Name)
		return
	}
	switch {
	case in.Mask != 0:
		r.Shift = bits.TrailingZeros64(in.Mask)
		if l.size != 1 || in.Mask>>r.Shift != 0xFF || r.Shift%8 != 0 {
			c.errorf(in.Pos, "%s: mask 0x%x has to pick one byte for an element of one byte", l.v.Name, in.Mask)
			return
		}
	case l.size != 4 && l.size != 8 || l.typ.Class() == ptx.Float:
		c.errorf(in.Pos, "%s: .%s cannot hold an address", l.v.Name, l.typ)
		return
	}
	l.relocs = append(l.relocs, r)
}
