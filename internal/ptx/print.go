package ptx

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Print writes the module as PTX text. The header stands first, each declared name has a declaration of its own,
// comments are gone and constants are numbers; otherwise the text has the order of the tree.
func Print(w io.Writer, m *Module) error {
	_, err := w.Write(m.appendText(nil))
	if err != nil {
		return fmt.Errorf("print %s: %w", m.Name, err)
	}
	return nil
}

// String returns what Print writes.
func (m *Module) String() string { return string(m.appendText(nil)) }

// String returns the instruction as Print writes it, guard and semicolon included.
func (s *Instr) String() string {
	var p printer
	p.instr(s)
	return string(p.buf)
}

// String returns the operand as Print writes it.
func (o Operand) String() string {
	var p printer
	p.operand(&o)
	return string(p.buf)
}

// String returns the directive as Print writes it.
func (v *Var) String() string {
	var p printer
	p.variable(v)
	return string(p.buf)
}

// printer appends text to buf.
type printer struct {
	buf   []byte
	depth int
}

func (m *Module) appendText(buf []byte) []byte {
	p := printer{buf: buf}
	if v := m.Version; v != nil {
		p.f(".version %d.%d\n", v.Major, v.Minor)
	}
	if t := m.Target; t != nil {
		p.f(".target %s\n", strings.Join(t.Names, ", "))
	}
	if a := m.AddressSize; a != nil {
		p.f(".address_size %d\n", a.Bits)
	}
	for _, d := range m.Decls {
		p.decl(d)
	}
	return p.buf
}

func (p *printer) f(format string, args ...any) { p.buf = fmt.Appendf(p.buf, format, args...) }
func (p *printer) s(parts ...string) {
	for _, s := range parts {
		p.buf = append(p.buf, s...)
	}
}

// line begins a line.
func (p *printer) line() {
	for range p.depth {
		p.buf = append(p.buf, '\t')
	}
}

func (p *printer) decl(d Decl) {
	switch d := d.(type) {
	case *Var:
		p.variable(d)
		p.s(";\n")
	case *Func:
		p.function(d)
	case *Alias:
		p.s(".alias ", d.Name, ", ", d.Target, ";\n")
	case *File:
		p.f(".file %d \"%s\"", d.Index, d.Path)
		if d.Stamp {
			p.f(", %d, %d", d.Time, d.Size)
		}
		p.s("\n")
	case *Section:
		p.s(".section ", d.Name, "\n{", d.Raw, "}\n")
	case *Directive:
		p.directive(d)
		p.s(";\n")
	}
}

func (p *printer) directive(d *Directive) {
	p.s(".", d.Name)
	sep := " "
	for _, n := range d.Ints {
		p.f("%s%d", sep, uint64(n))
		sep = ", "
	}
	for _, s := range d.Strings {
		p.s(sep, "\"", s, "\"")
		sep = ", "
	}
}

func (p *printer) function(f *Func) {
	if f.Linkage != Internal {
		p.s(".", f.Linkage.String(), " ")
	}
	if f.Entry {
		p.s(".entry ")
	} else {
		p.s(".func ")
	}
	p.attributes(f.Attrs)
	if f.Rets != nil {
		p.params(f.Rets)
		p.s(" ")
	}
	p.s(f.Name)
	if f.Params != nil {
		p.params(f.Params)
	}
	for _, d := range f.Directives {
		p.s("\n")
		p.directive(d)
		if d.Name == "pragma" {
			p.s(";")
		}
	}
	if f.Body == nil {
		p.s(";\n")
		return
	}
	p.s("\n")
	p.block(f.Body)
}

func (p *printer) params(list []*Var) {
	p.s("(")
	for i, v := range list {
		if i > 0 {
			p.s(", ")
		}
		p.variable(v)
	}
	p.s(")")
}

func (p *printer) attributes(list []Attr) {
	if len(list) == 0 {
		return
	}
	p.s(".attribute(")
	for i, a := range list {
		if i > 0 {
			p.s(", ")
		}
		p.s(".", a.Name)
		for j, n := range a.Args {
			if j == 0 {
				p.s("(")
			} else {
				p.s(", ")
			}
			p.f("%d", n)
		}
		if len(a.Args) > 0 {
			p.s(")")
		}
	}
	p.s(") ")
}

func (p *printer) variable(v *Var) {
	if v.Linkage != Internal {
		p.s(".", v.Linkage.String(), " ")
	}
	p.s(".", v.Space.String(), " ")
	p.attributes(v.Attrs)
	if v.Align != 0 {
		p.f(".align %d ", v.Align)
	}
	if v.Vec != 0 {
		p.f(".v%d ", v.Vec)
	}
	p.s(".", v.Type.String(), " ")
	if v.Ptr != nil {
		p.s(".ptr ")
		if v.Ptr.Space != Generic {
			p.s(".", v.Ptr.Space.String(), " ")
		}
		if v.Ptr.Align != 0 {
			p.f(".align %d ", v.Ptr.Align)
		}
	}
	p.s(v.Name)
	if v.Ranged {
		p.f("<%d>", v.Count)
	}
	for _, d := range v.Dims {
		if d == Unsized {
			p.s("[]")
		} else {
			p.f("[%d]", d)
		}
	}
	if v.Init != nil {
		p.s(" = ")
		p.init(v.Init)
	}
}

func (p *printer) init(in *Init) {
	switch in.Kind {
	case InitInt:
		p.integer(in.Val, in.Unsigned)
	case InitFloat32:
		p.f("0f%08X", in.Val)
	case InitFloat64:
		p.f("0d%016X", in.Val)
	case InitList:
		p.s("{")
		for i := range in.Elems {
			if i > 0 {
				p.s(", ")
			}
			p.init(&in.Elems[i])
		}
		p.s("}")
	case InitField:
		p.s(in.Name, " = ")
		p.init(&in.Elems[0])
	case InitSymbol:
		if in.Mask != 0 {
			p.f("0x%X(", in.Mask)
		}
		if in.Generic {
			p.s("generic(", in.Name, ")")
		} else {
			p.s(in.Name)
		}
		p.offset(in.Val)
		if in.Mask != 0 {
			p.s(")")
		}
	}
}

// integer prints a constant so that its type survives.
func (p *printer) integer(v uint64, unsigned bool) {
	switch {
	case unsigned:
		p.buf = append(strconv.AppendUint(p.buf, v, 10), 'U')
	case v == 1<<63: // has no literal of type .s64
		p.s("(.s64) 9223372036854775808U")
	default:
		p.buf = strconv.AppendInt(p.buf, int64(v), 10)
	}
}

func (p *printer) offset(v uint64) {
	if v != 0 {
		p.s("+")
		p.buf = strconv.AppendInt(p.buf, int64(v), 10)
	}
}

func (p *printer) block(b *Block) {
	p.line()
	p.s("{\n")
	p.depth++
	for _, s := range b.Stmts {
		p.stmt(s)
	}
	p.depth--
	p.line()
	p.s("}\n")
}

func (p *printer) stmt(s Stmt) {
	if b, ok := s.(*Block); ok {
		p.block(b)
		return
	}
	if l, ok := s.(*Label); ok {
		p.s(l.Name, ":\n")
		return
	}
	p.line()
	switch s := s.(type) {
	case *Instr:
		p.instr(s)
	case *Var:
		p.variable(s)
		p.s(";")
	case *Loc:
		p.location(s)
	case *Prototype:
		p.prototype(s)
	case *Targets:
		kind := "branchtargets"
		if s.Calls {
			kind = "calltargets"
		}
		p.s(s.Name, ": .", kind, " ", strings.Join(s.Names, ", "), ";")
	case *Directive:
		p.directive(s)
		p.s(";")
	}
	p.s("\n")
}

func (p *printer) location(l *Loc) {
	p.f(".loc %d %d %d", l.File, l.Line, l.Col)
	if l.Func != "" {
		p.s(", function_name ", l.Func)
		p.offset(uint64(l.FuncOffset))
	}
	if at := l.InlinedAt; at != nil {
		p.f(", inlined_at %d %d %d", at.File, at.Line, at.Col)
	}
}

func (p *printer) prototype(s *Prototype) {
	p.s(s.Name, ": .callprototype ")
	if s.Rets != nil {
		p.params(s.Rets)
		p.s(" ")
	}
	p.s("_")
	if s.Params != nil {
		p.s(" ")
		p.params(s.Params)
	}
	for _, d := range s.Directives {
		p.s(" ")
		p.directive(d)
	}
	p.s(";")
}

func (p *printer) instr(s *Instr) {
	if s.Guard != "" {
		p.s("@")
		if s.GuardNeg {
			p.s("!")
		}
		p.s(s.Guard, " ")
	}
	p.s(s.Name)
	if s.Call != nil {
		p.call(s.Call)
	}
	for i := range s.Operands {
		if i > 0 {
			p.s(",")
		}
		p.s(" ")
		p.operand(&s.Operands[i])
	}
	p.s(";")
}

func (p *printer) call(c *Call) {
	p.s(" ")
	if c.Rets != nil {
		p.list('(', c.Rets, ')')
		p.s(", ")
	}
	p.s(c.Target.Name)
	if c.HasArgs {
		p.s(", ")
		p.list('(', c.Args, ')')
	}
	if c.Proto != "" {
		p.s(", ", c.Proto)
	}
}

func (p *printer) list(open byte, list []Operand, end byte) {
	p.buf = append(p.buf, open)
	for i := range list {
		if i > 0 {
			p.s(", ")
		}
		p.operand(&list[i])
	}
	p.buf = append(p.buf, end)
}

func (p *printer) operand(o *Operand) {
	switch o.Kind {
	case KindInt:
		p.integer(o.Val, o.Unsigned)
	case KindFloat32:
		p.f("0f%08X", o.Val)
	case KindFloat64:
		p.f("0d%016X", o.Val)
	case KindVector:
		p.list('{', o.Elems, '}')
	case KindPair:
		p.operand(&o.Elems[0])
		p.s("|")
		p.operand(&o.Elems[1])
	case KindAddress:
		p.address(o)
	default:
		p.named(o)
	}
}

func (p *printer) named(o *Operand) {
	if o.Not {
		p.s("!")
	}
	if o.Minus {
		p.s("-")
	}
	p.s(o.Name)
	if o.Sel != "" {
		p.s(".", o.Sel)
	}
	if o.Kind == KindIndex {
		p.s("[")
		p.buf = strconv.AppendInt(p.buf, int64(o.Val), 10)
		p.s("]")
		return
	}
	p.offset(o.Val)
}

func (p *printer) address(o *Operand) {
	p.s("[")
	if o.Name == "" {
		p.buf = strconv.AppendInt(p.buf, int64(o.Val), 10)
	} else {
		p.s(o.Name)
		if o.Sel != "" {
			p.s(".", o.Sel)
		}
		p.offset(o.Val)
	}
	for i := range o.Elems {
		p.s(", ")
		p.operand(&o.Elems[i])
	}
	p.s("]")
}
