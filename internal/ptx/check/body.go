package check

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ptx"
)

// funcChecker checks one body.
type funcChecker struct {
	*checker
	f      *Func
	scopes []*scope
	// fixups are branches whose labels may stand further down.
	fixups []fixup
	// lists are the .branchtargets and .calltargets that have been read.
	lists map[*ptx.Targets]*targetList
	// args and targets are room for operands and for the targets of branches.
	args    []Arg
	targets []int
}

// fixup is a branch of instruction instr to a label or to a list of them.
type fixup struct {
	instr int
	label *label
	list  *ptx.Targets
}

// targetList is what the names in a list of targets mean. Instructions that use one list share its slices.
type targetList struct {
	labels  []*label
	indices []int
	funcs   []*Func
}

// body checks the definition of f.
func (c *checker) body(f *Func) {
	fc := &funcChecker{checker: c, f: f, lists: make(map[*ptx.Targets]*targetList)}
	outer := newScope()
	fc.scopes = append(fc.scopes, outer)
	for _, list := range [][]*Var{f.Rets, f.Params} {
		for _, v := range list {
			if sym, ok := outer.names[v.Name]; ok {
				c.errorf(v.Decl.NamePos, "%s is already declared in line %d", v.Name, sym.pos.Line)
				continue
			}
			sym := symbol{v: v, pos: v.Decl.NamePos}
			if v.Space == ptx.RegSpace {
				v.Reg = fc.register(v.Name, v.Decl)
				sym = symbol{reg: v.Reg, pos: v.Decl.NamePos}
			}
			outer.set(v.Name, sym)
		}
	}
	n := countInstrs(f.Decl.Body)
	f.Code, f.Regs = make([]Instr, 0, n), slices.Grow(f.Regs, n)
	fc.targets = make([]int, 0, n/8+1)
	fc.block(f.Decl.Body, outer)
	for _, list := range fc.lists {
		for _, l := range list.labels {
			list.indices = append(list.indices, f.Labels[l.id].Index)
		}
	}
	for _, fix := range fc.fixups {
		if in := &f.Code[fix.instr]; fix.list == nil {
			at := len(fc.targets)
			fc.targets = append(fc.targets, f.Labels[fix.label.id].Index)
			in.Targets = fc.targets[at : at+1 : at+1]
		} else if list := fc.lists[fix.list]; list != nil {
			in.Targets = list.indices
		}
	}
	c.initialise()
}

func countInstrs(b *ptx.Block) (n int) {
	for _, s := range b.Stmts {
		switch s := s.(type) {
		case *ptx.Instr:
			n++
		case *ptx.Block:
			n += countInstrs(s)
		}
	}
	return n
}

// register adds a register to the function.
func (c *funcChecker) register(name string, d *ptx.Var) RegID {
	c.f.Regs = append(c.f.Regs, Reg{Name: name, Type: d.Type, Vec: d.Vec, Decl: d})
	return RegID(len(c.f.Regs) - 1)
}

// lookup finds a name in the scopes of the function, innermost first.
func (c *funcChecker) lookup(name string) (sym symbol, ok bool) {
	for i := len(c.scopes) - 1; i >= 0; i-- {
		if c.scopes[i].lookup(name, c, &sym) {
			return sym, true
		}
	}
	return sym, false
}

// block checks a scope. Labels, prototypes and lists of targets are known in the whole of it, variables from their
// declaration on.
func (c *funcChecker) block(b *ptx.Block, s *scope) {
	for _, stmt := range b.Stmts {
		switch stmt := stmt.(type) {
		case *ptx.Label:
			l := &label{id: len(c.f.Labels)}
			c.f.Labels = append(c.f.Labels, Label{Name: stmt.Name, Pos: stmt.Pos})
			c.enter(s, stmt.Name, symbol{label: l, pos: stmt.Pos})
		case *ptx.Prototype:
			p := &prototype{rets: c.parameters(stmt.Rets, nil), params: c.parameters(stmt.Params, nil)}
			c.enter(s, stmt.Name, symbol{proto: p, pos: stmt.Pos})
		case *ptx.Targets:
			c.enter(s, stmt.Name, symbol{targets: stmt, pos: stmt.Pos})
		}
	}
	for _, stmt := range b.Stmts {
		if t, ok := stmt.(*ptx.Targets); ok {
			c.targetNames(t)
		}
	}
	for _, stmt := range b.Stmts {
		switch stmt := stmt.(type) {
		case *ptx.Instr:
			c.instr(stmt)
		case *ptx.Label:
			if sym := s.names[stmt.Name]; sym.pos == stmt.Pos && sym.label != nil {
				c.f.Labels[sym.label.id].Index = len(c.f.Code)
			}
		case *ptx.Var:
			c.local(s, stmt)
		case *ptx.Block:
			inner := newScope()
			c.scopes = append(c.scopes, inner)
			c.block(stmt, inner)
			c.scopes = c.scopes[:len(c.scopes)-1]
		case *ptx.Directive:
			if stmt.Name == "pragma" && len(stmt.Strings) == 0 {
				c.errorf(stmt.Pos, ".pragma needs a string")
			}
		}
	}
	c.overlap(s)
}

// enter declares a name that is no variable.
func (c *funcChecker) enter(s *scope, name string, sym symbol) {
	if old, ok := s.names[name]; ok {
		c.errorf(sym.pos, "%s is already declared in line %d", name, old.pos.Line)
		return
	}
	s.set(name, sym)
}

// local declares a variable or registers of a body.
func (c *funcChecker) local(s *scope, d *ptx.Var) {
	if pos, ok := s.declared(d); ok {
		c.errorf(d.NamePos, "%s is already declared in line %d", d.Name, pos.Line)
		return
	}
	if d.Space == ptx.RegSpace {
		switch {
		case !c.registerType(d):
		case d.Ranged:
			s.addRange(d)
		default:
			s.set(d.Name, symbol{reg: c.register(d.Name, d), pos: d.NamePos})
		}
		return
	}
	switch {
	case d.Space == ptx.TexSpace:
		c.errorf(d.Pos, ".tex variable %s in a function", d.Name)
		return
	case d.Linkage != ptx.Internal && !(d.Linkage == ptx.Extern && d.Space == ptx.SharedSpace):
		c.errorf(d.Pos, ".%s variable %s in a function", d.Linkage, d.Name)
		return
	case d.Space == ptx.ParamSpace && len(d.Dims) > 0 && d.Dims[0] == ptx.Unsized:
		c.errorf(d.NamePos, "%s: array without size", d.Name)
		return
	}
	for _, v := range c.variables(d, c.f) {
		c.f.Vars = append(c.f.Vars, v)
		s.set(v.Name, symbol{v: v, pos: d.NamePos})
	}
}

// targetNames resolves the names in a list of targets.
func (c *funcChecker) targetNames(t *ptx.Targets) {
	list := new(targetList)
	c.lists[t] = list
	for i, name := range t.Names {
		if !t.Calls {
			if sym, ok := c.lookup(name); ok && sym.label != nil {
				list.labels = append(list.labels, sym.label)
			} else {
				c.errorf(t.Places[i], "%s is not a label", name)
			}
			continue
		}
		f := c.out.funcs[name]
		if f == nil || f.Entry {
			c.errorf(t.Places[i], "%s is not a declared function", name)
			continue
		}
		c.use(f, t.Places[i])
		if f.Alias != nil {
			f = f.Alias
		}
		list.funcs = append(list.funcs, f)
		if first := list.funcs[0]; !sameShape(f.Rets, first.Rets) || !sameShape(f.Params, first.Params) {
			c.errorf(t.Places[i], "%s and %s have different parameters", first.Name, name)
		}
	}
}

// instr checks one instruction and appends it to the code, also after errors, so that labels keep their places.
func (c *funcChecker) instr(src *ptx.Instr) {
	c.f.Code = append(c.f.Code, Instr{Src: src, Guard: NoReg, GuardNeg: src.GuardNeg})
	in := &c.f.Code[len(c.f.Code)-1]
	if src.Guard != "" {
		c.guard(in)
	}
	op := c.opcodes[src.Opcode]
	if op == nil {
		op = new(opcode)
		op.forms, op.why = forms(src.Opcode)
		c.opcodes[src.Opcode] = op
	}
	switch {
	case op.forms == nil:
		c.errorf(src.Pos, "%s", op.why)
	case src.Call != nil:
		in.Form = op.forms[0]
		c.call(in)
	default:
		c.match(in, op.forms)
	}
}

func (c *funcChecker) guard(in *Instr) {
	sym, ok := c.lookup(in.Src.Guard)
	switch {
	case !ok:
		c.errorf(in.Src.GuardPos, "%s is not declared", in.Src.Guard)
	case !sym.isReg() || c.f.Regs[sym.reg].Type != ptx.Pred:
		c.errorf(in.Src.GuardPos, "guard %s is not a predicate register", in.Src.Guard)
	default:
		in.Guard = sym.reg
	}
}

func (s *symbol) isReg() bool {
	return s.v == nil && s.label == nil && s.proto == nil && s.targets == nil
}

// match chooses the form that the operands fit, or reports why the first one of fitting length does not fit.
func (c *funcChecker) match(in *Instr, list []*Form) {
	var room [4]*Form
	fitting := room[:0]
	for _, f := range list {
		if f.Loose || f.fits(len(in.Src.Operands)) {
			fitting = append(fitting, f)
		}
	}
	if len(fitting) == 0 {
		c.errorf(in.Src.Pos, "%s: %s, have %d", in.Src.Name, list[0].wants(), len(in.Src.Operands))
		return
	}
	if len(fitting) == 1 {
		c.operands(in, fitting[0])
		return
	}
	errs, fixups := len(c.errs), len(c.fixups)
	var first ptx.ErrorList
	for i, f := range fitting {
		c.operands(in, f)
		if len(c.errs) == errs {
			return
		}
		if i == 0 {
			first = append(first, c.errs[errs:]...)
		}
		c.errs, c.fixups = c.errs[:errs], c.fixups[:fixups]
	}
	in.Form = fitting[0]
	c.errs = append(c.errs, first...)
}

// fits reports whether the form takes n operands.
func (f *Form) fits(n int) bool {
	lo, hi := f.arity()
	return lo <= n && n <= hi
}

// hinted reports whether the form is of a kind whose last operand is a cache policy, present with the hint only.
func (s *spec) hinted() bool {
	for i := range s.slots {
		if s.slots[i].kind == plainSlot && s.slots[i].slot == Hint {
			return true
		}
	}
	return false
}

func (f *Form) arity() (lo, hi int) {
	lo, hi = f.spec.min, len(f.spec.args)
	if f.spec.hinted() {
		if f.Has(Hint) {
			lo++
		} else {
			hi--
		}
	}
	return lo, hi
}

func (f *Form) wants() string {
	lo, hi := f.arity()
	if lo == hi {
		return "want " + plural(lo, "operand")
	}
	return "want " + rangeName("", lo) + " to " + plural(hi, "operand")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return rangeName("", n) + " " + what + "s"
}

// room returns n arguments of the current chunk.
func (c *funcChecker) room(n int) []Arg {
	if n > len(c.args) {
		if n > 32 {
			return make([]Arg, n)
		}
		c.args = make([]Arg, min(128, max(32, 3*(cap(c.f.Code)-len(c.f.Code)))))
	}
	args := c.args[:n:n]
	c.args = c.args[n:]
	return args
}

// operands resolves and types the operands for one form.
func (c *funcChecker) operands(in *Instr, f *Form) {
	in.Form = f
	src := in.Src.Operands
	if in.Args == nil {
		in.Args = c.room(len(src))
	}
	errs := len(c.errs)
	for i := range src {
		o := &src[i]
		switch {
		case f.Loose:
			c.resolve(&in.Args[i], o)
		case f.Has(Hint) && i == len(src)-1: // the policy is last, whatever optional operand is not there
			c.operand(&in.Args[i], in, o, &f.spec.args[len(f.spec.args)-1])
		default:
			c.operand(&in.Args[i], in, o, &f.spec.args[i])
		}
	}
	if f.spec.hook != nil && len(c.errs) == errs {
		f.spec.hook(c, in)
	}
}
