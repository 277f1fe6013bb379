package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads the text form. The error names the line. A parsed kernel has consistent ids and predecessors; whether it
// is well-formed otherwise is for Verify to say.
func Parse(text string) (*Kernel, error) {
	p := &parser{k: &Kernel{}}
	for n, line := range strings.Split(text, "\n") {
		p.toks.reset(line)
		if p.toks.done() {
			continue
		}
		if err := p.line(); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
	}
	if p.f != nil {
		return nil, fmt.Errorf("function %s has no end", p.f.Name)
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	return p.k, nil
}

type parser struct {
	toks tokens
	k    *Kernel
	f    *Func
	b    *Block
	// values and blocks are those of the function at hand, by id; a value that was used only has no type yet.
	values map[int]*Value
	blocks map[int]*Block
	// names are the symbols of instructions, resolved at the end.
	names []nameRef
	table []string
}

type nameRef struct {
	in   *Instr
	name string
}

func (p *parser) line() error {
	t := &p.toks
	switch {
	case p.f == nil:
		if err := p.header(); err != nil {
			return err
		}
	case t.accept("}"):
		if err := p.endFunc(); err != nil {
			return err
		}
	case t.isID('b'):
		if err := p.block(); err != nil {
			return err
		}
	default:
		if p.b == nil {
			return fmt.Errorf("an instruction outside a block")
		}
		if err := p.instr(); err != nil {
			return err
		}
	}
	if !t.done() {
		return fmt.Errorf("unexpected %q", t.rest())
	}
	return nil
}

// header reads a line outside functions.
func (p *parser) header() (err error) {
	t, k := &p.toks, p.k
	switch word := t.word(); word {
	case "kernel":
		if k.Name, err = t.symbol(); err == nil && t.accept("ptx") {
			k.PTXFile, err = t.quoted()
		}
	case "params":
		k.Params, err = t.int()
	case "shared":
		k.SharedBytes, k.SharedAlign, err = t.sized()
	case "maxthreads":
		k.MaxThreads, err = t.threads()
	case "reqthreads":
		k.ReqThreads, err = t.threads()
	case "gridbarrier":
		k.GridBarrier = true
	case "file":
		var name string
		name, err = t.quoted()
		k.Files = append(k.Files, name)
	case "global":
		err = p.global()
	case "table":
		for err == nil && !t.done() {
			var name string
			name, err = t.symbol()
			p.table = append(p.table, name)
		}
	case "func":
		err = p.function()
	default:
		err = fmt.Errorf("unknown directive %q", word)
	}
	return err
}

func (p *parser) global() error {
	t := &p.toks
	g := &Global{}
	var err error
	if g.Name, err = t.symbol(); err != nil {
		return err
	}
	word := t.word()
	space, ok := index(spaceNames, word)
	if !ok {
		return fmt.Errorf("unknown space %q", word)
	}
	g.Space = Space(space)
	if !t.accept("size") {
		return fmt.Errorf("want size")
	}
	g.Size, g.Align, err = t.sized()
	p.k.Globals = append(p.k.Globals, g)
	return err
}

func (p *parser) function() error {
	t := &p.toks
	name, err := t.symbol()
	if err != nil {
		return err
	}
	p.f = NewFunc(name)
	p.values, p.blocks, p.b = map[int]*Value{}, map[int]*Block{}, nil
	p.k.Funcs = append(p.k.Funcs, p.f)
	if p.f.Params, err = p.defs(true); err != nil {
		return err
	}
	if t.accept("->") {
		if !t.accept("(") {
			return fmt.Errorf("want (")
		}
		for {
			typ, err := t.typ()
			if err != nil {
				return err
			}
			p.f.Results = append(p.f.Results, typ)
			if !t.accept(",") {
				break
			}
		}
		if !t.accept(")") {
			return fmt.Errorf("want )")
		}
	}
	if t.accept("frame") {
		if p.f.LocalBytes, p.f.LocalAlign, err = t.sized(); err != nil {
			return err
		}
	}
	if !t.accept("{") {
		return fmt.Errorf("want {")
	}
	return nil
}

// defs reads definitions of values, in parentheses if so told, and then maybe none.
func (p *parser) defs(parens bool) (vs []*Value, err error) {
	t := &p.toks
	if parens && !t.accept("(") {
		return nil, fmt.Errorf("want (")
	}
	for !parens || !t.accept(")") {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		if v.Type != Void {
			return nil, fmt.Errorf("v%d is defined twice", v.ID)
		}
		if !t.accept(":") {
			return nil, fmt.Errorf("v%d has no type", v.ID)
		}
		if v.Type, err = t.typ(); err != nil {
			return nil, err
		}
		if v.Type == Void {
			return nil, fmt.Errorf("v%d is void", v.ID)
		}
		v.Block = p.b
		vs = append(vs, v)
		switch {
		case t.accept(","):
		case !parens:
			return vs, nil
		case !t.accept(")"):
			return nil, fmt.Errorf("want , or )")
		default:
			return vs, nil
		}
	}
	return vs, nil
}

// value reads a use of a value, which may stand before its definition.
func (p *parser) value() (*Value, error) {
	id, err := p.toks.id('v')
	if err != nil {
		return nil, err
	}
	v := p.values[id]
	if v == nil {
		v = &Value{ID: id}
		p.values[id] = v
		p.f.Values = max(p.f.Values, id+1)
	}
	return v, nil
}

// target reads the name of a block, which may stand before the block.
func (p *parser) target() (*Block, error) {
	id, err := p.toks.id('b')
	if err != nil {
		return nil, err
	}
	b := p.blocks[id]
	if b == nil {
		b = &Block{ID: id, Order: -1}
		p.blocks[id] = b
		p.f.BlockIDs = max(p.f.BlockIDs, id+1)
	}
	return b, nil
}

func (p *parser) block() error {
	b, err := p.target()
	if err != nil {
		return err
	}
	if b.Order >= 0 {
		return fmt.Errorf("two blocks b%d", b.ID)
	}
	b.Order = len(p.f.Blocks)
	p.f.Blocks = append(p.f.Blocks, b)
	p.b = b
	if p.toks.is("(") {
		if b.Params, err = p.defs(true); err != nil {
			return err
		}
	}
	if !p.toks.accept(":") {
		return fmt.Errorf("want : after b%d", b.ID)
	}
	return nil
}

func (p *parser) endFunc() error {
	for _, v := range p.values {
		if v.Type == Void {
			return fmt.Errorf("v%d is not defined in %s", v.ID, p.f.Name)
		}
	}
	for _, b := range p.blocks {
		if b.Order < 0 {
			return fmt.Errorf("b%d is not defined in %s", b.ID, p.f.Name)
		}
	}
	p.f.SetPreds()
	p.f, p.b = nil, nil
	return nil
}

// instr reads one instruction.
func (p *parser) instr() error {
	t := &p.toks
	in := &Instr{Block: p.b}
	var err error
	if t.isID('v') {
		if in.Results, err = p.defs(false); err != nil {
			return err
		}
		for _, v := range in.Results {
			v.Def = in
		}
		if !t.accept("=") {
			return fmt.Errorf("want =")
		}
	}
	if err := p.opcode(in, t.word()); err != nil {
		return err
	}
	for first := true; !t.done() && !t.is(";") && !t.is("if"); first = false {
		if !first && !t.accept(",") {
			return fmt.Errorf("want , before %q", t.rest())
		}
		if err := p.operand(in); err != nil {
			return err
		}
	}
	if t.accept("if") {
		if in.Guard, err = p.value(); err != nil {
			return err
		}
	}
	if t.accept(";") {
		if in.Pos, err = t.pos(); err != nil {
			return err
		}
	}
	p.b.Instrs = append(p.b.Instrs, in)
	return nil
}

// operand reads an immediate, an index, a value, an address or a target.
func (p *parser) operand(in *Instr) error {
	t := &p.toks
	switch {
	case t.accept("#"):
		bits, err := t.bits()
		in.Imm = bits
		return err
	case t.accept("%"):
		word := t.word()
		i, ok := index(sregNames, word)
		if !ok {
			return fmt.Errorf("unknown special register %q", word)
		}
		in.Index = i
	case t.accept("@#"):
		i, err := t.int()
		in.Index = i
		return err
	case t.is("@"):
		name, err := t.symbol()
		p.names = append(p.names, nameRef{in, name})
		return err
	case t.accept("["):
		v, err := p.value()
		if err != nil {
			return err
		}
		in.Args = append(in.Args, v)
		if !t.is("]") {
			n, err := t.bits()
			if err != nil {
				return err
			}
			in.Imm = n
		}
		if !t.accept("]") {
			return fmt.Errorf("want ]")
		}
	case t.isID('b'):
		return p.edge(in)
	default:
		v, err := p.value()
		in.Args = append(in.Args, v)
		return err
	}
	return nil
}

func (p *parser) edge(in *Instr) error {
	t := &p.toks
	b, err := p.target()
	if err != nil {
		return err
	}
	e := Edge{To: b}
	if t.accept("(") {
		for {
			v, err := p.value()
			if err != nil {
				return err
			}
			e.Args = append(e.Args, v)
			if !t.accept(",") {
				break
			}
		}
		if !t.accept(")") {
			return fmt.Errorf("want )")
		}
	}
	in.Targets = append(in.Targets, e)
	return nil
}

// opcode reads the operation with its modifiers and types.
func (p *parser) opcode(in *Instr, word string) error {
	parts := strings.Split(word, ".")
	op, ok := opByName[parts[0]]
	if !ok {
		return fmt.Errorf("unknown operation %q", parts[0])
	}
	in.Op = op
	types := 0
	for _, m := range parts[1:] {
		if typ, ok := ParseType(m); ok {
			switch types {
			case 0:
				in.As = typ
			case 1:
				in.From = typ
			default:
				return fmt.Errorf("%s has more than two types", word)
			}
			types++
			continue
		}
		if !in.modifier(m) {
			return fmt.Errorf("unknown modifier .%s of %s", m, in.Op)
		}
	}
	return nil
}

// modifier sets what one word says.
func (in *Instr) modifier(m string) bool {
	if i, ok := index(specs[in.Op].subs, m); ok {
		in.Sub = uint8(i)
		return true
	}
	if i, ok := index(cmpNames, m); ok {
		in.Cmp = Cmp(i)
		return true
	}
	if i, ok := index(roundNames, m); ok {
		in.Round = Round(i)
		return true
	}
	if i, ok := index(flagNames, m); ok {
		in.Flags |= 1 << i
		return true
	}
	if i, ok := index(spaceNames, m); ok {
		in.Space = Space(i)
		return true
	}
	if i, ok := index(orderNames, m); ok {
		in.Order = Order(i)
		return true
	}
	if i, ok := index(scopeNames, m); ok {
		in.Scope = Scope(i)
		return true
	}
	if n, ok := strings.CutPrefix(m, "sub"); ok {
		i, err := strconv.ParseUint(n, 10, 8)
		in.Sub = uint8(i)
		return err == nil
	}
	return false
}

// index finds a name that is not empty.
func index(names []string, name string) (int, bool) {
	for i, n := range names {
		if n == name && n != "" {
			return i, true
		}
	}
	return 0, false
}

var opByName = func() map[string]Op {
	m := make(map[string]Op, numOps)
	for op := OpBad + 1; op < numOps; op++ {
		m[opInfo[op].name] = op
	}
	return m
}()

// resolve turns names of functions and globals into indices.
func (p *parser) resolve() error {
	funcs, globals, table := map[string]int{}, map[string]int{}, map[string]int{}
	for i, f := range p.k.Funcs {
		funcs[f.Name] = i
	}
	for i, g := range p.k.Globals {
		globals[g.Name] = i
	}
	for i, name := range p.table {
		f, ok := funcs[name]
		if !ok {
			return fmt.Errorf("table: no function %s", name)
		}
		p.k.FuncTable = append(p.k.FuncTable, p.k.Funcs[f])
		table[name] = i
	}
	for _, r := range p.names {
		m := map[Op]map[string]int{OpSymbol: globals, OpCall: funcs, OpFuncAddr: table}[r.in.Op]
		i, ok := m[r.name]
		if !ok {
			return fmt.Errorf("%s: no symbol %s", r.in.Op, r.name)
		}
		r.in.Index = i
	}
	return nil
}
