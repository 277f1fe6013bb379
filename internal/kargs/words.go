package kargs

import (
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/internal/ksig"
)

// want says in words what a parameter takes: Go's name where there is one, C++'s where the source is known and Go has
// none, else class and size.
func want(p *ksig.Param) string {
	if p.Source != nil {
		switch t := &p.Source.Type; t.Kind {
		case ksig.KindInt:
			return fmt.Sprintf("int%d", t.Size*8)
		case ksig.KindUint:
			return fmt.Sprintf("uint%d", t.Size*8)
		case ksig.KindFloat:
			return fmt.Sprintf("float%d", t.Size*8)
		case ksig.KindBool:
			return "bool"
		default:
			if t.Spelling != "" {
				return t.Spelling
			}
		}
	}
	switch p.Class {
	case ksig.Float:
		return fmt.Sprintf("float%d", p.Size*8)
	case ksig.Integer:
		if p.Size == 8 {
			return "int64, uint64 or a pointer"
		}
		return fmt.Sprintf("int%d or uint%d", p.Size*8, p.Size*8)
	case ksig.Aggregate:
		return fmt.Sprintf("a structure of %d bytes aligned to %d", p.Size, p.Align)
	}
	return fmt.Sprintf("%d bytes", p.Size)
}

// scalarAdvice suggests a conversion for a scalar that does not fit p; it begins with "; " or is empty.
func scalarAdvice(p *ksig.Param, v any) string {
	switch p.Class {
	case ksig.Float:
		if p.Size == 2 {
			return "; pass the bits of the half as uint16"
		}
		if reflect.TypeOf(v).Kind() == reflect.Bool {
			return ""
		}
		return fmt.Sprintf("; use float%d(x)", p.Size*8)
	case ksig.Aggregate:
		return "; use a Go struct with the same fields"
	case ksig.Integer:
		return integerAdvice(p, v)
	}
	return ""
}

func integerAdvice(p *ksig.Param, v any) string {
	if p.Source != nil && p.Source.Type.Kind == ksig.KindPtr {
		return "; use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut"
	}
	unsigned := false
	switch reflect.TypeOf(v).Kind() {
	case reflect.Bool:
		return ""
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		unsigned = true
	}
	if p.Source != nil {
		unsigned = p.Source.Type.Kind == ksig.KindUint
	}
	if unsigned {
		return fmt.Sprintf("; use uint%d(x)", p.Size*8)
	}
	return fmt.Sprintf("; use int%d(x)", p.Size*8)
}

// String shows the argument as the caller wrote it.
func (m Memory) String() string {
	name := m.Elem.Name
	if name == "" {
		name = "any"
	}
	if m.Form == "" {
		return "[]" + name
	}
	return fmt.Sprintf(m.Form, name)
}

// advice suggests an element type for the pointee; it begins with "; " or is empty.
func (m Memory) advice(t *ksig.Type) string {
	if l, ok := uniform(t); ok {
		if name := l.goName(); name != "" {
			return "; use []" + name
		}
	}
	return ""
}
