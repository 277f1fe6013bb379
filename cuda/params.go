package cuda

import (
	"context"

	"github.com/tandem-go/tandem/internal/ksig"
)

// Param describes a parameter of a kernel.
type Param struct {
	// Name is the name in the source, Type the type as C++ spells it; both are empty where only PTX is known.
	Name, Type string
	// Size is the size in bytes and Offset that in the parameter block, or in the structure.
	Size, Offset int
	// Kind is what the parameter is: "int", "uint", "float", "bool", "pointer", "struct", or "" if that is not known.
	Kind string
	// Elem is what a pointer points to, nil if that is not known.
	Elem *Param
	// Fields are the members of a structure, as far as they are known.
	Fields []Param
}

var paramKinds = map[ksig.Kind]string{
	ksig.KindInt: "int", ksig.KindUint: "uint", ksig.KindFloat: "float", ksig.KindBool: "bool", ksig.KindPtr: "pointer",
	ksig.KindStruct: "struct", ksig.KindArray: "struct", ksig.KindEnum: "int",
}

// Params returns the parameters of the kernel in order. What PTX does not tell comes from debug information, which is made
// when it is first needed and may be missing: then pointers are of kind "uint". The error is that of ctx.
func (f *Function) Params(ctx context.Context) ([]Param, error) {
	if !f.sourced.Load() {
		if err := f.source(ctx); err != nil {
			return nil, err
		}
	}
	sig := f.sig.Load()
	if sig == nil {
		return nil, nil
	}
	out := make([]Param, len(sig.Params))
	for i, p := range sig.Params {
		if p.Source != nil {
			out[i] = newParam(p.Source.Name, &p.Source.Type)
		} else {
			out[i].Kind = map[ksig.Class]string{ksig.Integer: "uint", ksig.Float: "float", ksig.Aggregate: "struct"}[p.Class]
		}
		out[i].Size, out[i].Offset = p.Size, p.Offset
	}
	return out, nil
}

func newParam(name string, t *ksig.Type) Param {
	p := Param{Name: name, Type: t.Spelling, Size: t.Size, Kind: paramKinds[t.Kind]}
	if t.Kind == ksig.KindPtr && t.Elem != nil {
		e := newParam("", t.Elem)
		p.Elem = &e
	}
	for _, f := range t.Fields {
		m := newParam(f.Name, &f.Type)
		m.Offset = f.Offset
		p.Fields = append(p.Fields, m)
	}
	return p
}
