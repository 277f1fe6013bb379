package gen

import (
	"fmt"
	"go/token"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// parameter is a parameter of a kernel in Go.
type parameter struct {
	name   string
	buffer string // its type where memory stays on the device
	slice  string // its type where slices are copied; as buffer for what is no memory
	plain  string // how slice is written in a signature: []T
}

// parameters gives Go names and types to the parameters of a kernel.
func (w *writer) parameters(k *cuda.Signature) ([]parameter, error) {
	taken := map[string]bool{"ctx": true, "cfg": true, "cuda": true, "context": true, "fmt": true, "k": true}
	out := make([]parameter, len(k.Params))
	for i := range k.Params {
		p := &k.Params[i]
		q := parameter{name: variable(p.Name, i, taken)}
		switch {
		case p.Kind == "pointer":
			e := element(p.Elem)
			q.buffer = "cuda.Memory[" + e + "]"
			q.plain = "[]" + e
			if q.slice = "cuda.Update[" + e + "]"; p.Elem != nil && strings.HasPrefix(p.Elem.Type, "const ") {
				q.slice = "cuda.Input[" + e + "]"
			}
		default:
			t, err := w.value(p)
			if err != nil {
				return nil, fmt.Errorf("%w a method for %s: parameter %d (%s): %w", ErrSpec, k.Name, i, p.Name, err)
			}
			q.buffer, q.slice, q.plain = t, t, t
		}
		out[i] = q
	}
	return out, nil
}

// variable makes a C++ parameter name a Go variable.
func variable(name string, i int, taken map[string]bool) string {
	name = strings.Map(identifierRune, name)
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = fmt.Sprintf("p%d", i)
	}
	for token.IsKeyword(name) || predeclared[name] || taken[name] {
		name += "_"
	}
	taken[name] = true
	return name
}

// predeclared are names that the generated types use.
var predeclared = func() map[string]bool {
	m := map[string]bool{"_": true}
	for _, n := range strings.Fields("int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 bool error nil any") {
		m[n] = true
	}
	return m
}()

// element is what Go memory of a pointee is made of: its scalar if it has only one kind of them, else bytes.
func element(p *cuda.Param) string {
	if p == nil {
		return "uint8"
	}
	kinds := map[string]bool{}
	if !scalars(p, kinds) || len(kinds) != 1 {
		return "uint8"
	}
	for k := range kinds {
		return k
	}
	return "uint8"
}

// scalars collects the Go names of the scalars of p; false if they are not known.
func scalars(p *cuda.Param, kinds map[string]bool) bool {
	switch p.Kind {
	case "struct":
		if p.Elem != nil {
			return scalars(p.Elem, kinds)
		}
		for i := range p.Fields {
			if !scalars(&p.Fields[i], kinds) {
				return false
			}
		}
		return len(p.Fields) > 0
	case "":
		return false
	case "bool":
		kinds["uint8"] = true
	case "pointer":
		kinds["uint64"] = true
	default:
		kinds[number(p)] = true
	}
	return true
}

// number is the Go type of an integer or floating point number. A half is its bits.
func number(p *cuda.Param) string {
	switch {
	case p.Kind == "float" && p.Size == 2:
		return "uint16"
	case p.Kind == "float":
		return fmt.Sprintf("float%d", p.Size*8)
	}
	return fmt.Sprintf("%s%d", p.Kind, p.Size*8)
}

// value is the Go type of what is passed by value, or stands in a structure.
func (w *writer) value(p *cuda.Param) (string, error) {
	switch p.Kind {
	case "int", "uint", "float":
		switch p.Size {
		case 1, 2, 4, 8:
			return number(p), nil
		}
		return fmt.Sprintf("[%d]uint8", p.Size), nil
	case "bool":
		return "bool", nil
	case "pointer":
		return "uint64", nil // in a structure: Buffer.Ptr
	}
	switch {
	case p.Elem != nil && p.Len > 0:
		e, err := w.value(p.Elem)
		return fmt.Sprintf("[%d]%s", p.Len, e), err
	case p.Size == 0:
		return "", fmt.Errorf("the size of %s is not known", p.Type)
	case len(p.Fields) == 0 || overlap(p):
		return fmt.Sprintf("[%d]uint8", p.Size), nil
	case vector(p):
		return fmt.Sprintf("[%d]%s", len(p.Fields), number(&p.Fields[0])), nil
	}
	return w.structure(p)
}

// overlap reports whether members share bytes, as in unions and bit fields.
func overlap(p *cuda.Param) bool {
	end := 0
	for i := range p.Fields {
		f := &p.Fields[i]
		if f.Offset < end || f.Size == 0 {
			return true
		}
		end = f.Offset + f.Size
	}
	return end > p.Size
}

// vector reports whether p is a built-in vector type of CUDA, such as float4, which becomes an array.
func vector(p *cuda.Param) bool {
	stem := strings.TrimRight(p.Type, "1234")
	switch stem {
	case "char", "uchar", "short", "ushort", "int", "uint", "long", "ulong", "longlong", "ulonglong", "float", "double":
	default:
		return false
	}
	kinds := map[string]bool{}
	return stem != p.Type && scalars(p, kinds) && len(kinds) == 1 && p.Size == len(p.Fields)*p.Fields[0].Size
}

// structure declares a Go structure that lies in memory as p, once, and returns its name.
func (w *writer) structure(p *cuda.Param) (string, error) {
	name := w.spec.Name + exported(p.Type)
	if name == w.spec.Name {
		name += "Struct"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "// %s is %s of %s.\ntype %s struct {\n", name, p.Type, w.spec.Source, name)
	off, taken := 0, map[string]bool{}
	pad := func(to int) {
		if to > off {
			fmt.Fprintf(&b, "\t_ [%d]byte\n", to-off)
			off = to
		}
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		t, err := w.value(f)
		if err != nil {
			return "", err
		}
		pad(f.Offset)
		field := exported(f.Name)
		for field == "" || taken[field] {
			field += fmt.Sprintf("F%d", i)
		}
		taken[field] = true
		fmt.Fprintf(&b, "\t%s %s\n", field, t)
		off += f.Size
	}
	pad(p.Size)
	b.WriteString("}\n")
	if have, ok := w.types[name]; ok && have != b.String() {
		return "", fmt.Errorf("two different types would be called %s", name)
	} else if !ok {
		w.types[name] = b.String()
		w.order = append(w.order, name)
	}
	return name, nil
}
