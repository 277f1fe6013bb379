package ptx

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Part describes a launch of a part of a grid to a kernel that PartKernel made: the blocks whose linear index, x fastest,
// is at least First and below First+Count. The launch itself has the extent of a box of blocks that contains them, and
// Origin is the box's place in the grid.
type Part struct {
	Origin, Grid [3]uint32
	First, Count uint64
}

// partSize is the size of a Part in the parameter block, where it is aligned to 8 bytes.
const (
	partSize  = 40
	partParam = "tandem_part"
)

// Append appends the hidden parameter to the parameters of the unchanged kernel.
func (p *Part) Append(params []byte) []byte {
	for len(params)%8 != 0 {
		params = append(params, 0)
	}
	for _, v := range [...]uint32{p.Origin[0], p.Origin[1], p.Origin[2], p.Grid[0], p.Grid[1], p.Grid[2]} {
		params = binary.LittleEndian.AppendUint32(params, v)
	}
	params = binary.LittleEndian.AppendUint64(params, p.First)
	return binary.LittleEndian.AppendUint64(params, p.Count)
}

// PartKernel is a kernel changed for launches of parts of its grid.
type PartKernel struct {
	// Text is PTX with this kernel only, under its own name. Its last parameter is a Part.
	Text string
	// Constants are the .const variables that the kernel reads. The text has variables of its own of these names: they
	// must be given the contents of the module's before each launch.
	Constants []string
}

// NewPartKernel rewrites a kernel so that it can be launched for a part of its grid and sees the whole: its reads of %ctaid
// and %nctaid become registers that its first instructions compute from a hidden last parameter, and threads of blocks
// outside the part return. Variables of space .global stay those of the module that was loaded: address returns their
// addresses, false for a variable that has none. Line information is dropped.
//
// The error says what in the kernel forbids it: the place in a grid read in a function that is called, indirect calls,
// clusters, textures bound by name, static variables that the kernel could write and the driver does not know.
func NewPartKernel(name string, src []byte, entry string, address func(variable string) (uint64, bool)) (*PartKernel, error) {
	m, err := Parse(name, src)
	if err != nil {
		return nil, err
	}
	r := &partRewriter{
		address: address, funcs: map[string]*Func{}, vars: map[string]*Var{}, seen: map[string]bool{}, constants: map[string]bool{},
	}
	for _, d := range m.Decls {
		switch d := d.(type) {
		case *Func:
			if r.funcs[d.Name] == nil || d.Body != nil {
				r.funcs[d.Name] = d
			}
		case *Var:
			r.vars[d.Name] = d
		}
	}
	kernel := r.funcs[entry]
	if kernel == nil || !kernel.Entry || kernel.Body == nil {
		return nil, fmt.Errorf("%s has no kernel %s", name, entry)
	}
	for _, d := range []string{"explicitcluster", "reqnctapercluster", "maxclusterrank"} {
		if kernel.Directive(d) != nil {
			return nil, fmt.Errorf("kernel %s is made for clusters (.%s)", entry, d)
		}
	}
	if err := r.function(kernel); err != nil {
		return nil, err
	}
	kernel.Params = append(kernel.Params, &Var{Space: ParamSpace, Align: 8, Type: B8, Name: partParam, Dims: []int64{partSize}})
	kernel.Body.Stmts = append(r.prologue(), kernel.Body.Stmts...)
	m.Decls = slices.DeleteFunc(m.Decls, func(d Decl) bool { return !r.keeps(d) })
	if m.Target != nil {
		m.Target.Names = slices.DeleteFunc(m.Target.Names, func(s string) bool { return s == "debug" })
	}
	k := &PartKernel{Text: m.String()}
	for c := range r.constants {
		k.Constants = append(k.Constants, c)
	}
	slices.Sort(k.Constants)
	return k, nil
}

// partRewriter changes a kernel and the functions that it calls.
type partRewriter struct {
	address   func(string) (uint64, bool)
	funcs     map[string]*Func
	vars      map[string]*Var
	seen      map[string]bool // functions that were rewritten
	constants map[string]bool

	// Of the function at hand:
	fn     *Func
	scopes []map[string]bool // names that its blocks declare
	moved  []movedVar        // addresses that registers of it hold
}

// movedVar is an address of a variable in a register.
type movedVar struct {
	name   string
	offset uint64
	at     uint64
}

// Names of registers. A text that uses the prefix itself is refused.
const (
	partPrefix = "%tandem_"
	ctaidReg   = partPrefix + "c"
	nctaidReg  = partPrefix + "n"
	moveReg    = partPrefix + "v"
)

// keeps reports whether a declaration belongs to the rewritten text.
func (r *partRewriter) keeps(d Decl) bool {
	switch d := d.(type) {
	case *Func:
		return r.seen[d.Name]
	case *File, *Section:
		return false
	case *Alias:
		return r.seen[d.Target]
	case *Var:
		return d.Init == nil || !r.namesFunction(d.Init)
	}
	return true
}

// namesFunction reports whether an initialiser has the address of a function, which may be gone from the text. No code
// that stays uses such a variable: indirect calls are refused.
func (r *partRewriter) namesFunction(in *Init) bool {
	if in.Kind == InitSymbol && r.funcs[in.Name] != nil {
		return true
	}
	return slices.ContainsFunc(in.Elems, func(e Init) bool { return r.namesFunction(&e) })
}

// function rewrites a function and those that it calls.
func (r *partRewriter) function(f *Func) error {
	r.seen[f.Name] = true
	if f.Body == nil {
		return nil // of the system, such as vprintf
	}
	outer, scopes, moved := r.fn, r.scopes, r.moved
	r.fn, r.scopes, r.moved = f, nil, nil
	r.enter(f.Params, f.Rets)
	if err := r.block(f.Body); err != nil {
		return err
	}
	f.Body.Stmts = append(r.moves(), f.Body.Stmts...)
	r.fn, r.scopes, r.moved = outer, scopes, moved
	return nil
}

func (r *partRewriter) enter(lists ...[]*Var) {
	scope := map[string]bool{}
	for _, l := range lists {
		for _, v := range l {
			scope[v.Name] = true
		}
	}
	r.scopes = append(r.scopes, scope)
}

func (r *partRewriter) block(b *Block) error {
	r.enter()
	defer func() { r.scopes = r.scopes[:len(r.scopes)-1] }()
	b.Stmts = slices.DeleteFunc(b.Stmts, func(s Stmt) bool { _, loc := s.(*Loc); return loc })
	for _, s := range b.Stmts {
		var err error
		switch s := s.(type) {
		case *Var:
			if strings.HasPrefix(s.Name, partPrefix) {
				return fmt.Errorf("%s declares %s", r.fn.Name, s.Name)
			}
			r.scopes[len(r.scopes)-1][s.Name] = true
		case *Block:
			err = r.block(s)
		case *Instr:
			err = r.instr(s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *partRewriter) instr(s *Instr) error {
	if c := s.Call; c != nil {
		f := r.funcs[c.Target.Name]
		if f == nil {
			return fmt.Errorf("%v: %s calls through a pointer", s.Pos, r.fn.Name)
		}
		if !r.seen[f.Name] {
			if err := r.function(f); err != nil {
				return err
			}
		}
		if err := r.operands(c.Rets); err != nil {
			return err
		}
		return r.operands(c.Args)
	}
	return r.operands(s.Operands)
}

func (r *partRewriter) operands(list []Operand) error {
	for i := range list {
		if err := r.operand(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *partRewriter) operand(o *Operand) error {
	if err := r.operands(o.Elems); err != nil {
		return err
	}
	if o.Kind != KindName && o.Kind != KindAddress && o.Kind != KindIndex {
		return nil
	}
	switch o.Name {
	case "":
		return nil
	case "%ctaid", "%nctaid":
		return r.place(o)
	case "%clusterid", "%nclusterid":
		return fmt.Errorf("%v: %s reads %s", o.Pos, r.fn.Name, o.Name)
	}
	for _, scope := range r.scopes {
		if scope[o.Name] {
			return nil
		}
	}
	if f := r.funcs[o.Name]; f != nil {
		return fmt.Errorf("%v: %s takes the address of function %s", o.Pos, r.fn.Name, o.Name)
	}
	if v := r.vars[o.Name]; v != nil {
		return r.variable(o, v)
	}
	return nil
}

// place replaces a read of %ctaid or %nctaid.
func (r *partRewriter) place(o *Operand) error {
	axis := strings.Index("xyz", o.Sel)
	switch {
	case o.Sel == "" || axis < 0 || o.Kind != KindName:
		return fmt.Errorf("%v: %s reads %s in a way that is not known", o.Pos, r.fn.Name, o.String())
	case !r.fn.Entry:
		return fmt.Errorf("%v: %s, which is called, reads %s", o.Pos, r.fn.Name, o.String())
	}
	reg := ctaidReg
	if o.Name == "%nctaid" {
		reg = nctaidReg
	}
	o.Name, o.Sel = fmt.Sprintf("%s%d", reg, axis), ""
	return nil
}

// variable replaces a variable of the module by a register with its address. What cannot change needs no replacement, and
// each block has its own .shared.
func (r *partRewriter) variable(o *Operand, v *Var) error {
	switch {
	case v.Type.Class() == OpaqueType:
		return fmt.Errorf("%v: %s uses the texture or surface %s", o.Pos, r.fn.Name, v.Name)
	case v.Space == ConstSpace:
		if _, known := r.address(v.Name); known { // else nobody can write it
			r.constants[v.Name] = true
		}
		return nil
	case v.Space != GlobalSpace || strings.HasPrefix(v.Name, "$"): // compilers name string literals so
		return nil
	case o.Kind == KindIndex:
		return fmt.Errorf("%v: %s uses %s in a way that is not known", o.Pos, r.fn.Name, o.String())
	}
	at, known := r.address(v.Name)
	if !known {
		return fmt.Errorf("%v: %s uses the static variable %s", o.Pos, r.fn.Name, v.Name)
	}
	want := movedVar{name: v.Name, at: at}
	if o.Kind == KindName {
		want.offset, o.Val = o.Val, 0
	}
	i := slices.Index(r.moved, want)
	if i < 0 {
		i = len(r.moved)
		r.moved = append(r.moved, want)
	}
	o.Name = fmt.Sprintf("%s%d", moveReg, i)
	return nil
}

// moves are the instructions that put addresses into registers.
func (r *partRewriter) moves() []Stmt {
	if len(r.moved) == 0 {
		return nil
	}
	out := []Stmt{&Var{Space: RegSpace, Type: B64, Name: moveReg, Ranged: true, Count: len(r.moved)}}
	for i, v := range r.moved {
		out = append(out, op("mov.u64", named(fmt.Sprintf("%s%d", moveReg, i)), Operand{Kind: KindInt, Val: v.at + v.offset}))
	}
	return out
}

// prologue computes the registers and returns from blocks outside the part.
func (r *partRewriter) prologue() []Stmt {
	const linear, bound, outside, row = partPrefix + "l", partPrefix + "b", partPrefix + "p", partPrefix + "r"
	reg := func(t Type, name string, n int) Stmt {
		return &Var{Space: RegSpace, Type: t, Name: name, Ranged: n > 0, Count: n}
	}
	out := []Stmt{reg(B32, ctaidReg, 3), reg(B32, nctaidReg, 3), reg(B32, row, 0), reg(B64, linear, 0), reg(B64, bound, 0), reg(Pred, outside, 0)}
	for i := range 3 {
		c, n := fmt.Sprintf("%s%d", ctaidReg, i), fmt.Sprintf("%s%d", nctaidReg, i)
		out = append(out,
			op("ld.param.u32", named(row), Operand{Kind: KindAddress, Name: partParam, Val: uint64(4 * i)}),
			op("mov.u32", named(c), Operand{Kind: KindName, Name: "%ctaid", Sel: "xyz"[i : i+1]}),
			op("add.u32", named(c), named(c), named(row)),
			op("ld.param.u32", named(n), Operand{Kind: KindAddress, Name: partParam, Val: uint64(12 + 4*i)}))
	}
	end := op("ret")
	end.Guard = outside
	return append(out,
		op("mad.lo.u32", named(row), named(ctaidReg+"2"), named(nctaidReg+"1"), named(ctaidReg+"1")), // below 2^32: y and z are below 2^16
		op("mul.wide.u32", named(linear), named(row), named(nctaidReg+"0")),
		op("cvt.u64.u32", named(bound), named(ctaidReg+"0")),
		op("add.u64", named(linear), named(linear), named(bound)),
		op("ld.param.u64", named(bound), Operand{Kind: KindAddress, Name: partParam, Val: 24}),
		op("sub.u64", named(linear), named(linear), named(bound)), // wraps below the first
		op("ld.param.u64", named(bound), Operand{Kind: KindAddress, Name: partParam, Val: 32}),
		op("setp.ge.u64", named(outside), named(linear), named(bound)),
		end)
}

func op(name string, operands ...Operand) *Instr {
	return &Instr{Opcode: NewOpcode(name), Operands: operands}
}

func named(reg string) Operand { return Operand{Kind: KindName, Name: reg} }
