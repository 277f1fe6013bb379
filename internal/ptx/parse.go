package ptx

import "strings"

// Nesting deeper than this is refused: scopes, vectors, lists and constant expressions together.
const maxDepth = 200

// Parse reads a PTX module. name stands in messages and in Module.Name. The error is an ErrorList with every syntax
// error; the module is then what could be read, and is of use only for further messages. A trailing NUL, as NVRTC
// counts it into the size of its output, is ignored.
func Parse(name string, src []byte) (*Module, error) {
	p := newParser(name, src)
	p.module()
	return p.mod, p.errs.Err()
}

type parser struct {
	scanner
	tok     token
	mod     *Module
	errs    ErrorList
	depth   int
	vectors int // braces of vectors that are open in the current statement
	opcodes map[string]*Opcode
	loc     *Loc // the .loc in force

	// Instructions, operands and locations are cut from chunks: a few allocations for hundreds of them.
	instrs   []Instr
	operands []Operand
	locs     []Loc
	// open are the operands of the lists that are being read, the innermost last.
	open []Operand
}

func newParser(name string, src []byte) *parser {
	text := strings.TrimRight(string(src), "\x00")
	p := &parser{
		scanner: scanner{src: text, line: 1},
		mod:     &Module{Name: name},
		opcodes: make(map[string]*Opcode),
	}
	p.next()
	return p
}

func (p *parser) next() { p.scan(&p.tok) }

// errorf adds an error, unless the one before is of the same place and so its cause.
func (p *parser) errorf(pos Pos, format string, args ...any) {
	if n := len(p.errs); n > 0 && p.errs[n-1].Pos == pos {
		return
	}
	p.errs.Add(p.mod.Name, pos, format, args...)
}

// fail reports that something else was expected at the current token.
func (p *parser) fail(want string) bool {
	if p.tok.kind == tokBad {
		p.errorf(p.tok.pos, "%s", p.bad())
	} else {
		p.errorf(p.tok.pos, "found %q, want %s", p.tok.describe(), want)
	}
	return false
}

func (p *parser) bad() string {
	switch {
	case strings.HasSuffix(p.tok.text, "without end"):
		return p.tok.text
	case p.tok.text != "" && charClass[p.tok.text[0]]&cDigit != 0:
		return "malformed number " + p.tok.describe()
	}
	return "character " + quoteByte(p.tok.text) + " does not belong to PTX"
}

// accept takes a one-character mark if it is next.
func (p *parser) accept(c byte) bool {
	if p.tok.is(c) {
		p.next()
		return true
	}
	return false
}

// expect takes a one-character mark or reports that it is missing.
func (p *parser) expect(c byte) bool {
	return p.accept(c) || p.fail(string(rune(c)))
}

// name takes a name or reports that what is missing.
func (p *parser) name(what string) (string, Pos, bool) {
	text, pos := p.tok.text, p.tok.pos
	if p.tok.kind != tokIdent {
		return "", pos, p.fail(what)
	}
	p.next()
	return text, pos, true
}

// enter and leave bound recursion.
func (p *parser) enter() bool {
	if p.depth >= maxDepth {
		p.errorf(p.tok.pos, "nested deeper than %d", maxDepth)
		return false
	}
	p.depth++
	return true
}

func (p *parser) leave() { p.depth-- }

// module reads declarations until the end of the text.
func (p *parser) module() {
	for p.tok.kind != tokEOF && !p.errs.Full() {
		start := p.tok.off
		if !p.declaration() {
			p.skipDeclaration(start)
		}
	}
}

// skipDeclaration recovers from an error at module scope: it goes behind the next semicolon or block, or to the next
// linking or header directive, but always at least one token ahead of start.
func (p *parser) skipDeclaration(start int) {
	depth := 0
	for p.tok.kind != tokEOF {
		switch {
		case p.tok.is('{'):
			depth++
		case p.tok.is('}'):
			if depth--; depth <= 0 {
				p.next()
				return
			}
		case depth > 0:
		case p.tok.is(';'):
			p.next()
			return
		case p.tok.kind == tokDot && p.tok.off > start && startsDeclaration(p.tok.text):
			return
		}
		p.next()
	}
}

func startsDeclaration(dir string) bool {
	switch dir {
	case "version", "target", "address_size", "visible", "extern", "weak", "common", "entry", "func", "file", "section",
		"alias":
		return true
	}
	return false
}

// declaration reads one declaration of module scope. It reports false where the caller has to recover.
func (p *parser) declaration() bool {
	t := p.tok
	if t.is(';') {
		p.next()
		return true
	}
	if t.kind != tokDot {
		return p.fail("a directive")
	}
	switch t.text {
	case "version":
		return p.version()
	case "target":
		return p.target()
	case "address_size":
		return p.addressSize()
	case "file":
		return p.file()
	case "section":
		return p.section()
	case "alias":
		return p.alias()
	case "pragma":
		d, ok := p.directive()
		if ok {
			p.mod.Decls = append(p.mod.Decls, d)
		}
		return ok && p.expect(';')
	}
	linkage := Internal
	for p.tok.kind == tokDot {
		l := linkageNamed(p.tok.text)
		if l == Internal {
			break
		}
		if linkage != Internal {
			p.errorf(p.tok.pos, "second linking directive .%s after .%s", l, linkage)
		}
		linkage = l
		p.next()
	}
	if p.tok.kind == tokDot {
		switch p.tok.text {
		case "entry", "func":
			return p.function(t.pos, linkage)
		}
		if _, ok := SpaceNamed(p.tok.text); ok {
			return p.variables(t.pos, linkage, func(v *Var) { p.mod.Decls = append(p.mod.Decls, v) })
		}
	}
	return p.fail("a directive of module scope")
}

func (p *parser) version() bool {
	v := &Version{Pos: p.tok.pos}
	p.next()
	major, minor, found := strings.Cut(p.tok.text, ".")
	a, ok1 := smallInt(major)
	b, ok2 := smallInt(minor)
	if p.tok.kind != tokFloat || !found || !ok1 || !ok2 {
		return p.fail("a version such as 7.8")
	}
	p.next()
	v.Major, v.Minor = a, b
	if p.mod.Version != nil {
		p.errorf(v.Pos, "second .version directive")
		return true
	}
	p.mod.Version = v
	return true
}

// smallInt reads up to three decimal digits.
func smallInt(s string) (n int, ok bool) {
	if s == "" || len(s) > 3 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if charClass[c]&cDigit == 0 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

func (p *parser) target() bool {
	t := &Target{Pos: p.tok.pos}
	p.next()
	for {
		name, _, ok := p.name("a target")
		if !ok {
			return false
		}
		t.Names = append(t.Names, name)
		if !p.accept(',') {
			break
		}
	}
	if p.mod.Target != nil {
		p.errorf(t.Pos, "second .target directive")
		return true
	}
	p.mod.Target = t
	return true
}

func (p *parser) addressSize() bool {
	a := &AddressSize{Pos: p.tok.pos}
	p.next()
	n, ok := p.uint(64)
	if !ok {
		return false
	}
	a.Bits = int(n)
	if p.mod.AddressSize != nil {
		p.errorf(a.Pos, "second .address_size directive")
		return true
	}
	p.mod.AddressSize = a
	return true
}

func (p *parser) file() bool {
	f := &File{Pos: p.tok.pos}
	p.next()
	index, ok := p.uint(1<<32 - 1)
	if !ok {
		return false
	}
	f.Index = uint32(index)
	if p.tok.kind != tokString {
		return p.fail("a file name")
	}
	f.Path = p.tok.text
	p.next()
	if p.accept(',') {
		f.Stamp = true
		if f.Time, ok = p.uint(1<<64 - 1); !ok || !p.expect(',') {
			return false
		}
		if f.Size, ok = p.uint(1<<64 - 1); !ok {
			return false
		}
	}
	p.mod.Decls = append(p.mod.Decls, f)
	return true
}

// section reads a .section block as text. Braces in its comments and strings do not count.
func (p *parser) section() bool {
	s := &Section{Pos: p.tok.pos}
	p.next()
	switch p.tok.kind {
	case tokDot:
		s.Name = "." + p.tok.text
	case tokIdent:
		s.Name = p.tok.text
	default:
		return p.fail("the name of a section")
	}
	p.next()
	if !p.tok.is('{') {
		return p.fail("{")
	}
	from := p.off
	for depth := 1; depth > 0; {
		switch p.next(); {
		case p.tok.kind == tokEOF:
			return p.fail("}")
		case p.tok.is('{'):
			depth++
		case p.tok.is('}'):
			depth--
		}
	}
	s.Raw = p.src[from:p.tok.off]
	p.next()
	p.mod.Decls = append(p.mod.Decls, s)
	return true
}

func (p *parser) alias() bool {
	a := &Alias{Pos: p.tok.pos}
	p.next()
	var ok bool
	if a.Name, _, ok = p.name("the name of an alias"); !ok || !p.expect(',') {
		return false
	}
	if a.Target, _, ok = p.name("the name of a function"); !ok {
		return false
	}
	p.mod.Decls = append(p.mod.Decls, a)
	return p.expect(';')
}

// directive reads ".name" and its arguments: integers or strings, with commas between them.
func (p *parser) directive() (*Directive, bool) {
	d := &Directive{Pos: p.tok.pos, Name: p.tok.text}
	p.next()
	for {
		switch p.tok.kind {
		case tokString:
			d.Strings = append(d.Strings, p.tok.text)
			p.next()
		case tokInt:
			v, ok := p.constInt()
			if !ok {
				return d, false
			}
			d.Ints = append(d.Ints, v)
		default:
			if len(d.Ints)+len(d.Strings) > 0 { // after a comma
				return d, p.fail("an argument of ." + d.Name)
			}
			return d, true
		}
		if len(d.Ints) > 0 && len(d.Strings) > 0 {
			p.errorf(d.Pos, ".%s mixes numbers and strings", d.Name)
			d.Strings = nil
		}
		if !p.accept(',') {
			return d, true
		}
	}
}

// function reads a .func or .entry.
func (p *parser) function(pos Pos, linkage Linkage) bool {
	f := &Func{Pos: pos, Linkage: linkage, Entry: p.tok.text == "entry"}
	p.next()
	p.loc = nil
	// Directives such as .noreturn or .attribute may also stand before the name.
	var ok bool
	if !p.functionDirectives(f) {
		return false
	}
	if p.tok.is('(') {
		if f.Rets, ok = p.params(); !ok {
			return false
		}
	}
	if f.Name, f.NamePos, ok = p.name("the name of a function"); !ok {
		return false
	}
	if p.tok.is('(') {
		if f.Params, ok = p.params(); !ok {
			return false
		}
	}
	if !p.functionDirectives(f) {
		return false
	}
	p.mod.Decls = append(p.mod.Decls, f)
	if p.accept(';') {
		return true
	}
	if !p.tok.is('{') {
		return p.fail("{ or ;")
	}
	f.Body, _ = p.block()
	p.loc = nil
	return true
}

func (p *parser) functionDirectives(f *Func) bool {
	for p.tok.kind == tokDot {
		if p.tok.text == "attribute" {
			if !p.attributes(&f.Attrs) {
				return false
			}
			continue
		}
		d, ok := p.directive()
		if !ok {
			return false
		}
		f.Directives = append(f.Directives, d)
		if d.Name == "pragma" { // the only one that ends with a semicolon, which the body's declaration also may
			p.accept(';')
		}
	}
	return true
}

// params reads a parenthesised list of parameters.
func (p *parser) params() ([]*Var, bool) {
	p.next()
	list := []*Var{}
	for !p.tok.is(')') {
		v, ok := p.param()
		if !ok {
			return nil, false
		}
		list = append(list, v)
		if !p.accept(',') {
			break
		}
	}
	return list, p.expect(')')
}

func (p *parser) param() (*Var, bool) {
	if p.tok.kind != tokDot {
		return nil, p.fail(".param or .reg")
	}
	v := &Var{Pos: p.tok.pos}
	if !p.varType(v) {
		return nil, false
	}
	return v, p.declarator(v)
}
