package cuda

import (
	"context"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/ptx"
)

// Param describes a parameter of a kernel.
type Param struct {
	// Name is the name in the source, Type the type as C++ spells it; both are empty where only PTX is known.
	Name, Type string
	// Size is the size in bytes and Offset that in the parameter block, or in the structure.
	Size, Offset int
	// Kind is what the parameter is: "int", "uint", "float", "bool", "pointer", "struct", or "" if that is not known.
	Kind string
	// Elem is what a pointer points to, or an array is made of; nil if that is not known. Len is the number of elements of an
	// array.
	Elem *Param
	Len  int
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
	if sig := f.sig.Load(); sig != nil {
		return newParams(sig, nil), nil
	}
	return nil, nil
}

// newParams describes the parameters of a signature; sources, if not nil, is what debug information tells of them.
func newParams(sig *ksig.Signature, sources []ksig.Source) []Param {
	out := make([]Param, len(sig.Params))
	for i, p := range sig.Params {
		if len(sources) == len(sig.Params) {
			p.Source = &sources[i]
		}
		if p.Source != nil {
			out[i] = newParam(p.Source.Name, &p.Source.Type)
		} else {
			out[i].Kind = map[ksig.Class]string{ksig.Integer: "uint", ksig.Float: "float", ksig.Aggregate: "struct"}[p.Class]
		}
		out[i].Size, out[i].Offset = p.Size, p.Offset
	}
	return out
}

func newParam(name string, t *ksig.Type) Param {
	p := Param{Name: name, Type: t.Spelling, Size: t.Size, Kind: paramKinds[t.Kind]}
	if (t.Kind == ksig.KindPtr || t.Kind == ksig.KindArray) && t.Elem != nil {
		e := newParam("", t.Elem)
		p.Elem, p.Len = &e, t.Len
	}
	for _, f := range t.Fields {
		m := newParam(f.Name, &f.Type)
		m.Offset = f.Offset
		p.Fields = append(p.Fields, m)
	}
	return p
}

// Signature describes a kernel of source that no device has loaded.
type Signature struct {
	// Name is the name expression of a template instance, else the C++ name; Symbol is the PTX symbol.
	Name, Symbol string
	// Params are the parameters, as Function.Params describes them.
	Params []Param
}

// Signatures compiles CUDA C++ without a device and describes its kernels in the order in which the PTX has them, for tools that
// write code. It compiles twice, the second time for debug information; without that only what PTX tells is known. Errors are
// those of CompilePTX.
func Signatures(ctx context.Context, source string, cfg CompileConfig) ([]Signature, error) {
	op, comp, p, err := cfg.withoutDevice(source)
	if err != nil {
		return nil, err
	}
	res, err := comp.Compile(ctx, p)
	if err != nil {
		return nil, compileError(op, err, p)
	}
	entries, err := ptx.Headers(res.PTX)
	if err != nil {
		return nil, fmt.Errorf("%s: read the kernels of its PTX: %w", op, err)
	}
	var symbols []string
	for i := range entries {
		symbols = append(symbols, entries[i].Entry)
	}
	sources, err := comp.Parameters(ctx, p, symbols)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", op, context.Cause(ctx))
	}
	instances := map[string]string{}
	for expression, symbol := range res.LoweredNames {
		instances[symbol] = expression
	}
	out := make([]Signature, len(entries))
	for i := range entries {
		symbol := entries[i].Entry
		name := instances[symbol]
		if name == "" {
			name = plainName(symbol)
		}
		out[i] = Signature{Name: strings.TrimPrefix(name, "::"), Symbol: symbol, Params: newParams(&entries[i], sources[symbol])}
	}
	return out, nil
}
