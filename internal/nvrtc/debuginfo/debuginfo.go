// Package debuginfo reads the names and types of kernel parameters from PTX that was compiled with -G.
//
// PTX itself has only f_param_0 and .u64. With -G, NVRTC adds DWARF as text in .section blocks; this package turns
// the blocks into bytes, and package debug/dwarf reads those. Nothing else of the PTX is looked at. Input that is damaged
// or hostile gives an error.
package debuginfo

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tandem-go/tandem/internal/ksig"
)

var (
	// ErrNoDebugInfo is returned by Parse for PTX without debug information.
	ErrNoDebugInfo = errors.New("PTX has no debug information: compile with -G")
	// ErrNoFunction is wrapped by Parameters when the debug information does not have the function.
	ErrNoFunction = errors.New("function not found in the debug information")
)

// Info is the debug information of one module. It is immutable.
type Info struct {
	dies      map[dwarf.Offset]*die
	functions map[string]*die // by PTX symbol
}

// die is a debugging information entry (DWARF 2, section 2.1) with its children.
type die struct {
	*dwarf.Entry
	children []*die
}

// attrMIPSLinkage is the attribute in which NVRTC gives a function's symbol; DWARF 4 has AttrLinkageName for that.
const attrMIPSLinkage dwarf.Attr = 0x2007

// Parse reads the debug sections of PTX text.
func Parse(ptx []byte) (*Info, error) {
	s, err := assemble(ptx)
	if err != nil {
		return nil, fmt.Errorf("read debug information: %w", err)
	}
	if len(s[".debug_info"]) == 0 {
		return nil, ErrNoDebugInfo
	}
	data, err := dwarf.New(s[".debug_abbrev"], nil, nil, s[".debug_info"], nil, nil, nil, s[".debug_str"])
	if err != nil {
		return nil, fmt.Errorf("read debug information: %w", err)
	}
	for _, name := range []string{".debug_str_offsets", ".debug_line_str", ".debug_addr", ".debug_rnglists"} { // DWARF 5
		if err := data.AddSection(name, s[name]); err != nil {
			return nil, fmt.Errorf("read debug information: %w", err)
		}
	}
	info := &Info{dies: map[dwarf.Offset]*die{}, functions: map[string]*die{}}
	if err := info.read(data.Reader()); err != nil {
		return nil, fmt.Errorf("read debug information: %w", err)
	}
	return info, nil
}

// read collects all entries as a tree, and the functions among them.
func (in *Info) read(r *dwarf.Reader) error {
	var parents []*die
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		if e.Tag == 0 { // the end of a list of children
			if n := len(parents); n > 0 {
				parents = parents[:n-1]
			}
			continue
		}
		d := &die{Entry: e}
		in.dies[e.Offset] = d
		if n := len(parents); n > 0 {
			parents[n-1].children = append(parents[n-1].children, d)
		}
		if e.Children {
			parents = append(parents, d)
		}
		if e.Tag == dwarf.TagSubprogram {
			if symbol := in.symbol(d); symbol != "" {
				in.functions[symbol] = d
			}
		}
	}
}

// symbol returns the PTX symbol of a function; an extern "C" one may have only its name.
func (in *Info) symbol(d *die) string {
	for _, attr := range []dwarf.Attr{attrMIPSLinkage, dwarf.AttrLinkageName, dwarf.AttrName} {
		if s := in.text(d, attr); s != "" {
			return s
		}
	}
	return ""
}

// maxOrigins bounds how many references from an instance of a function or parameter to its declaration are followed.
const maxOrigins = 4

// find returns an attribute of d or, if it has none, of the declaration that it is an instance of.
func (in *Info) find(d *die, attr dwarf.Attr) any {
	for range maxOrigins {
		if v := d.Val(attr); v != nil {
			return v
		}
		next := in.ref(d, dwarf.AttrAbstractOrigin)
		if next == nil {
			next = in.ref(d, dwarf.AttrSpecification)
		}
		if next == nil {
			return nil
		}
		d = next
	}
	return nil
}

func (in *Info) text(d *die, attr dwarf.Attr) string {
	s, _ := in.find(d, attr).(string)
	return s
}

// integer returns an attribute as a number that is not negative and not larger than max, else 0.
func (in *Info) integer(d *die, attr dwarf.Attr, max int64) int {
	n, _ := in.find(d, attr).(int64)
	if n < 0 || n > max {
		return 0
	}
	return int(n)
}

// ref returns the entry that an attribute of d itself refers to, or nil.
func (in *Info) ref(d *die, attr dwarf.Attr) *die {
	off, ok := d.Val(attr).(dwarf.Offset)
	if !ok {
		return nil
	}
	return in.dies[off]
}

// typeOf returns the type entry of d, or nil if it is void.
func (in *Info) typeOf(d *die) *die {
	off, ok := in.find(d, dwarf.AttrType).(dwarf.Offset)
	if !ok {
		return nil
	}
	return in.dies[off]
}

// Functions lists the PTX symbols of the functions, sorted; kernels are among them.
func (in *Info) Functions() []string { return slices.Sorted(maps.Keys(in.functions)) }

// Parameters returns the parameters of the function with this PTX symbol, in order. The error wraps ErrNoFunction if it
// is not there.
func (in *Info) Parameters(symbol string) ([]ksig.Source, error) {
	fn := in.functions[symbol]
	if fn == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoFunction, symbol)
	}
	var out []ksig.Source
	t := typer{info: in}
	for _, c := range fn.children {
		if c.Tag != dwarf.TagFormalParameter {
			continue
		}
		typ, err := t.convert(in.typeOf(c), place{})
		if err != nil {
			return nil, fmt.Errorf("parameter %d of %s: %w", len(out), symbol, err)
		}
		out = append(out, ksig.Source{Name: in.text(c, dwarf.AttrName), Type: typ})
	}
	return out, nil
}
