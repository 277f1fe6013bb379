package ptx

import (
	"slices"
	"strings"
)

// block reads { statements }. Errors are recovered from within it; ok is false if its end is missing.
func (p *parser) block() (*Block, bool) {
	b := &Block{Pos: p.tok.pos}
	if p.depth == 0 {
		b.Stmts = make([]Stmt, 0, p.expected(24))
	}
	if !p.enter() {
		p.skipDeclaration(p.tok.off)
		return b, false
	}
	defer p.leave()
	p.next()
	for !p.tok.is('}') {
		if p.tok.kind == tokEOF {
			return b, p.fail("}")
		}
		if p.errs.Full() {
			return b, false
		}
		if !p.statement(b) {
			p.skipStatement()
		}
	}
	b.End = p.tok.pos
	p.next()
	return b, true
}

// expected is how many things the rest of the text may have that take so many bytes each, at most a chunk of them.
func (p *parser) expected(bytes int) int { return min(8+(len(p.src)-p.off)/bytes, 128) }

// skipStatement recovers from an error: it goes behind the next semicolon, or before the next brace.
func (p *parser) skipStatement() {
	for p.tok.kind != tokEOF && !p.tok.is('{') {
		switch {
		case p.accept(';'):
			return
		case p.tok.is('}'):
			if p.vectors == 0 {
				return
			}
			p.vectors--
		}
		p.next()
	}
}

func (p *parser) statement(b *Block) bool {
	p.vectors = 0
	p.open = p.open[:0]
	switch t := &p.tok; {
	case t.kind == tokIdent:
		return p.labelOrInstr(b)
	case t.kind == tokDot:
		return p.blockDirective(b)
	case t.is('@'):
		return p.guarded(b)
	case t.is('{'):
		inner, ok := p.block()
		b.Stmts = append(b.Stmts, inner)
		return ok
	case t.is(';'):
		p.next()
		return true
	}
	return p.fail("a statement")
}

func (p *parser) blockDirective(b *Block) bool {
	text, pos := p.tok.text, p.tok.pos
	switch text {
	case "loc":
		loc, ok := p.location()
		if ok {
			b.Stmts = append(b.Stmts, loc)
			p.loc = loc
		}
		return ok
	case "pragma":
		d, ok := p.directive()
		if ok {
			b.Stmts = append(b.Stmts, d)
		}
		return ok && p.expect(';')
	}
	linkage := linkageNamed(text)
	if linkage != Internal {
		p.next()
	}
	if _, ok := SpaceNamed(p.tok.text); !ok || p.tok.kind != tokDot {
		p.errorf(pos, "unknown directive .%s", text)
		return false
	}
	return p.variables(pos, linkage, func(v *Var) { b.Stmts = append(b.Stmts, v) })
}

// location reads a .loc directive.
func (p *parser) location() (*Loc, bool) {
	if len(p.locs) == 0 {
		p.locs = make([]Loc, p.expected(80))
	}
	loc := &p.locs[0]
	p.locs = p.locs[1:]
	*loc = Loc{Pos: p.tok.pos}
	p.next()
	if !p.place(loc) {
		return nil, false
	}
	for p.accept(',') {
		word, at, ok := p.name("function_name or inlined_at")
		if !ok {
			return nil, false
		}
		switch word {
		case "function_name":
			if loc.Func, _, ok = p.name("a label"); !ok {
				return nil, false
			}
			sum, ok := p.offset()
			if !ok {
				return nil, false
			}
			loc.FuncOffset = int64(sum)
		case "inlined_at":
			loc.InlinedAt = &Loc{Pos: p.tok.pos}
			if !p.place(loc.InlinedAt) {
				return nil, false
			}
		default:
			p.errorf(at, "found %q, want function_name or inlined_at", word)
			return nil, false
		}
	}
	return loc, true
}

func (p *parser) place(loc *Loc) bool {
	for _, to := range []*uint32{&loc.File, &loc.Line, &loc.Col} {
		n, ok := p.uint(1<<32 - 1)
		if !ok {
			return false
		}
		*to = uint32(n)
	}
	return true
}

func (p *parser) guarded(b *Block) bool {
	var guard Instr
	p.next()
	guard.GuardNeg = p.accept('!')
	var ok bool
	if guard.Guard, guard.GuardPos, ok = p.name("a predicate register"); !ok {
		return false
	}
	if p.tok.kind != tokIdent {
		return p.fail("an instruction")
	}
	return p.instruction(b, &guard)
}

func (p *parser) labelOrInstr(b *Block) bool {
	if p.off < len(p.src) && p.src[p.off] == '.' {
		return p.instruction(b, nil)
	}
	if after := p.ahead(); !after.is(':') {
		return p.instruction(b, nil)
	}
	name, pos := p.tok.text, p.tok.pos
	p.next()
	p.next()
	if p.tok.kind == tokDot {
		switch p.tok.text {
		case "callprototype":
			return p.prototype(b, name, pos)
		case "branchtargets", "calltargets":
			return p.targets(b, name, pos)
		}
	}
	b.Stmts = append(b.Stmts, &Label{Pos: pos, Name: name})
	return true
}

// prototype reads ".callprototype (rets) _ (params) directives;".
func (p *parser) prototype(b *Block, name string, pos Pos) (ok bool) {
	proto := &Prototype{Pos: pos, Name: name}
	p.next()
	if p.tok.is('(') {
		if proto.Rets, ok = p.params(); !ok {
			return false
		}
	}
	if _, _, ok = p.name("_"); !ok {
		return false
	}
	if p.tok.is('(') {
		if proto.Params, ok = p.params(); !ok {
			return false
		}
	}
	for p.tok.kind == tokDot {
		d, ok := p.directive()
		if !ok {
			return false
		}
		proto.Directives = append(proto.Directives, d)
	}
	b.Stmts = append(b.Stmts, proto)
	return p.expect(';')
}

func (p *parser) targets(b *Block, name string, pos Pos) bool {
	t := &Targets{Pos: pos, Name: name, Calls: p.tok.text == "calltargets"}
	p.next()
	for {
		target, at, ok := p.name("a label or function")
		if !ok {
			return false
		}
		t.Names = append(t.Names, target)
		t.Places = append(t.Places, at)
		if !p.accept(',') {
			break
		}
	}
	b.Stmts = append(b.Stmts, t)
	return p.expect(';')
}

// instruction reads an instruction; guard holds what stood before it, or is nil.
func (p *parser) instruction(b *Block, guard *Instr) bool {
	if len(p.instrs) == 0 {
		p.instrs = make([]Instr, p.expected(48))
	}
	in := &p.instrs[0]
	*in = Instr{}
	if guard != nil {
		*in = *guard
	}
	in.Pos, in.Loc = p.tok.pos, p.loc
	p.opcode(in)
	if in.Op == "call" {
		in.Call = &Call{}
		if !p.call(in.Call) {
			return false
		}
	} else if !p.operandList(in) {
		return false
	}
	p.instrs = p.instrs[1:]
	b.Stmts = append(b.Stmts, in)
	return p.expect(';')
}

// opcode reads a dotted name, usually without blanks between its parts.
func (p *parser) opcode(in *Instr) {
	from := p.tok.off
	for p.off+1 < len(p.src) && p.src[p.off] == '.' && p.at(1)&cIdent != 0 {
		p.off++
		p.modifier()
	}
	name := p.src[from:p.off]
	p.next()
	if p.tok.kind == tokDot {
		var spaced strings.Builder
		spaced.WriteString(name)
		for p.tok.kind == tokDot {
			spaced.WriteByte('.')
			spaced.WriteString(p.tok.text)
			p.next()
		}
		name = spaced.String()
	}
	code := p.opcodes[name]
	if code == nil {
		code = NewOpcode(name)
		p.opcodes[name] = code
	}
	in.Opcode = code
}

// operandList reads operands up to the semicolon.
func (p *parser) operandList(in *Instr) bool {
	if p.tok.is(';') {
		return true
	}
	from := len(p.open)
	for {
		if !p.push() {
			return false
		}
		if !p.accept(',') {
			break
		}
	}
	in.Operands = p.keep(from)
	return true
}

// push reads an operand of the innermost list that is open.
func (p *parser) push() bool {
	at := len(p.open)
	p.open = append(p.open, Operand{Pos: p.tok.pos})
	return p.operand(at)
}

// keep ends the list that was opened when so many operands were open: it returns its operands, in the current chunk if they
// are few.
func (p *parser) keep(from int) []Operand {
	list := p.open[from:]
	p.open = p.open[:from]
	n := len(list)
	if n > len(p.operands) {
		if n > 64 {
			return slices.Clone(list)
		}
		p.operands = make([]Operand, max(n, 2*p.expected(40)))
	}
	kept := p.operands[:n:n]
	copy(kept, list)
	p.operands = p.operands[n:]
	return kept
}

// call reads "(rets), target, (args), prototype" with every part but the target optional.
func (p *parser) call(c *Call) (ok bool) {
	if p.tok.is('(') {
		if c.Rets, ok = p.arguments(); !ok || !p.expect(',') {
			return false
		}
	}
	at := p.tok.pos
	var name string
	if name, _, ok = p.name("the function to call"); !ok {
		return false
	}
	c.Target = Operand{Pos: at, Kind: KindName, Name: name}
	if !p.accept(',') {
		return true
	}
	if p.tok.is('(') {
		c.HasArgs = true
		if c.Args, ok = p.arguments(); !ok {
			return false
		}
		if !p.accept(',') {
			return true
		}
	}
	c.Proto, c.ProtoPos, ok = p.name("a prototype or list of targets")
	return ok
}

func (p *parser) arguments() ([]Operand, bool) {
	p.next()
	var list []Operand
	from := len(p.open)
	for !p.tok.is(')') {
		if !p.push() {
			return nil, false
		}
		if !p.accept(',') {
			break
		}
	}
	if len(p.open) > from {
		list = p.keep(from)
	}
	return list, p.expect(')')
}

// operand reads what p.open[at], the last that is open and has its position, is. Operands within it are opened behind it, and
// p.open may move.
func (p *parser) operand(at int) bool {
	switch t := &p.tok; {
	case t.kind == tokIdent && t.text != warpSize:
		return p.named(at)
	case t.is('{'):
		return p.vector(at)
	case t.is('['):
		return p.address(at)
	case (t.is('!') || t.is('-')) && p.nameFollows():
		p.open[at].Not, p.open[at].Minus = t.is('!'), t.is('-')
		p.next()
		return p.named(at)
	}
	v, ok := p.constant()
	o := &p.open[at]
	o.Kind, o.Val, o.Unsigned = v.operand(), v.bits, v.kind == cUint
	return ok
}

// nameFollows reports whether the token after the current one is a name.
func (p *parser) nameFollows() bool {
	t := p.ahead()
	return t.kind == tokIdent && t.text != warpSize
}

// named reads what begins with a name: name, name.x, name+4, name[3], name|name.
func (p *parser) named(at int) (ok bool) {
	o := &p.open[at]
	o.Name = p.tok.text
	p.next()
	if p.tok.kind == tokDot {
		o.Sel = p.tok.text
		p.next()
	}
	switch {
	case p.tok.is('['):
		p.next()
		o.Kind = KindIndex
		n, ok := p.constInt()
		o.Val = uint64(n)
		return ok && p.expect(']')
	case p.tok.is('+'), p.tok.is('-'):
		o.Val, ok = p.offset()
		return ok
	case p.tok.is('|'):
		return p.pair(at)
	}
	return true
}

// pair reads the second part of first|name, where the operand is the first.
func (p *parser) pair(at int) bool {
	p.next()
	name, pos, ok := p.name("a name")
	if !ok {
		return false
	}
	first := p.open[at].Pos
	p.open = append(p.open, Operand{Pos: pos, Name: name})
	both := p.keep(at)
	p.open = append(p.open, Operand{Pos: first, Kind: KindPair, Elems: both})
	return true
}

func (p *parser) vector(at int) bool {
	p.open[at].Kind = KindVector
	if !p.enter() {
		return false
	}
	defer p.leave()
	p.next()
	p.vectors++
	for !p.tok.is('}') {
		if !p.push() {
			return false
		}
		if !p.accept(',') {
			break
		}
	}
	p.open[at].Elems = p.keep(at + 1)
	if !p.expect('}') {
		return false
	}
	p.vectors--
	if p.tok.is('|') {
		return p.pair(at)
	}
	return true
}

// address reads [base + offset] and [base, more, ...].
func (p *parser) address(at int) (ok bool) {
	o := &p.open[at]
	o.Kind = KindAddress
	if !p.enter() {
		return false
	}
	defer p.leave()
	p.next()
	if p.tok.kind == tokIdent && p.tok.text != warpSize {
		o.Name = p.tok.text
		p.next()
		if p.tok.kind == tokDot {
			o.Sel = p.tok.text
			p.next()
		}
		if o.Val, ok = p.offset(); !ok {
			return false
		}
	} else {
		n, ok := p.constInt()
		if !ok {
			return false
		}
		o.Val = uint64(n)
	}
	for p.accept(',') {
		if !p.push() {
			return false
		}
	}
	if len(p.open) > at+1 {
		p.open[at].Elems = p.keep(at + 1)
	}
	return p.expect(']')
}
