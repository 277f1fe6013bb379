package check

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ptx"
)

// Bounds that text within reason stays below, so that sums of sizes cannot overflow and a short text cannot ask for much
// memory.
const (
	maxBytes  = 1 << 46   // of one variable
	maxData   = 256 << 20 // initialised bytes of a module, gaps included
	maxRanged = 1 << 16   // variables that ranges declare in a module
)

// declare enters everything of module scope.
func (c *checker) declare() {
	var names []string
	for _, d := range c.out.Module.Decls {
		switch d := d.(type) {
		case *ptx.Var:
			names = append(names, c.moduleVar(d)...)
		case *ptx.Func:
			c.function(d)
		}
	}
	for _, name := range names {
		c.out.Vars = append(c.out.Vars, c.out.vars[name])
	}
	for _, d := range c.out.Module.Decls {
		if a, ok := d.(*ptx.Alias); ok {
			c.alias(a)
		}
	}
}

// moduleVar enters a variable of module scope, and returns the names that are new.
func (c *checker) moduleVar(d *ptx.Var) (names []string) {
	switch d.Space {
	case ptx.GlobalSpace, ptx.ConstSpace, ptx.SharedSpace, ptx.TexSpace:
	default:
		c.errorf(d.Pos, ".%s variable %s at module scope", d.Space, d.Name)
		return nil
	}
	for _, v := range c.variables(d, nil) {
		if c.out.funcs[v.Name] != nil {
			c.errorf(v.Decl.NamePos, "%s is already declared as a function", v.Name)
			continue
		}
		old := c.out.vars[v.Name]
		if old == nil {
			c.out.vars[v.Name] = v
			names = append(names, v.Name)
			continue
		}
		c.redeclared(old, v)
	}
	return names
}

// redeclared joins a second declaration of a variable with the first.
func (c *checker) redeclared(old, v *Var) {
	was, is := old.Decl, v.Decl
	switch {
	case was.Linkage != ptx.Extern && is.Linkage != ptx.Extern && !(was.Linkage == ptx.Common && is.Linkage == ptx.Common):
		c.errorf(is.NamePos, "%s is already declared in line %d", v.Name, was.NamePos.Line)
	case old.Space != v.Space || was.Type != is.Type || was.Vec != is.Vec ||
		old.Size != v.Size && old.Size != 0 && v.Size != 0:
		c.errorf(is.NamePos, "%s is declared otherwise in line %d", v.Name, was.NamePos.Line)
	case was.Linkage == ptx.Extern:
		c.out.vars[v.Name] = v
	}
}

// variables makes one Var of a declaration, or many if it declares a range of names.
func (c *checker) variables(d *ptx.Var, f *Func) []*Var {
	v := c.variable(d, f)
	if v == nil {
		return nil
	}
	if d.Init != nil {
		c.inits = append(c.inits, v)
	}
	if !d.Ranged {
		return []*Var{v}
	}
	if d.Dims != nil || d.Init != nil {
		c.errorf(d.NamePos, "%s: a range of names takes neither array dimensions nor an initialiser", d.Name)
		return nil
	}
	if c.ranged += d.Count; c.ranged > maxRanged {
		c.errorf(d.NamePos, "%s: more than %d variables outside .reg declared by ranges", d.Name, maxRanged)
		c.ranged -= d.Count
		return nil
	}
	list := make([]*Var, d.Count)
	for i := range list {
		one := *v
		one.Name = rangeName(d.Name, i)
		list[i] = &one
	}
	return list
}

// variable checks one declaration outside .reg and lays it out; nil if it cannot be.
func (c *checker) variable(d *ptx.Var, f *Func) *Var {
	v := &Var{Decl: d, Name: d.Name, Func: f, Space: d.Space, Reg: NoReg}
	if !c.alignment(d) || !c.memoryType(d) {
		return nil
	}
	n, ok := c.length(d)
	if !ok {
		return nil
	}
	v.Align = max(d.Alignment(), 1)
	if d.Type.Class() == ptx.OpaqueType {
		v.Align = max(v.Align, 8)
	}
	elem := int64(d.ElemSize())
	if n > maxBytes/elem {
		c.errorf(d.NamePos, "%s is too large", d.Name)
		return nil
	}
	v.Size = n * elem
	if d.Init != nil {
		c.mayInit(d)
	}
	return v
}

func (c *checker) alignment(d *ptx.Var) bool {
	if d.Align != 0 && d.Align&(d.Align-1) != 0 {
		c.errorf(d.Pos, "%s: alignment %d is not a power of two", d.Name, d.Align)
		return false
	}
	if p := d.Ptr; p != nil && p.Align != 0 && p.Align&(p.Align-1) != 0 {
		c.errorf(d.Pos, "%s: alignment %d of .ptr is not a power of two", d.Name, p.Align)
		return false
	}
	return true
}

// memoryType checks that variables of that type can be in memory.
func (c *checker) memoryType(d *ptx.Var) bool {
	switch {
	case d.Type == ptx.Pred:
		c.errorf(d.Pos, "%s: .pred is a type of registers only", d.Name)
		return false
	case d.Type.Class() == ptx.OpaqueType:
		if d.Space != ptx.GlobalSpace && d.Space != ptx.ParamSpace && d.Space != ptx.TexSpace {
			c.errorf(d.Pos, "%s: .%s variable in the .%s space", d.Name, d.Type, d.Space)
			return false
		}
	case !declarable(d.Type):
		c.errorf(d.Pos, "%s: .%s is a type of instructions only", d.Name, d.Type)
		return false
	}
	if d.Vec*d.Type.Bits() > 128 {
		c.errorf(d.Pos, "%s: a vector of %d .%s is wider than 128 bits", d.Name, d.Vec, d.Type)
		return false
	}
	return true
}

// declarable reports whether a variable or register can have that type.
func declarable(t ptx.Type) bool {
	switch t {
	case ptx.B8, ptx.B16, ptx.B32, ptx.B64, ptx.B128, ptx.U8, ptx.U16, ptx.U32, ptx.U64, ptx.S8, ptx.S16, ptx.S32, ptx.S64,
		ptx.F16, ptx.F32, ptx.F64, ptx.F16x2, ptx.BF16, ptx.BF16x2, ptx.TexRef, ptx.SamplerRef, ptx.SurfRef:
		return true
	}
	return false
}

// length is the number of elements; 0 for an array whose size comes from elsewhere.
func (c *checker) length(d *ptx.Var) (int64, bool) {
	for i, n := range d.Dims {
		switch {
		case n == ptx.Unsized && i > 0:
			c.errorf(d.NamePos, "%s: only the first dimension may be empty", d.Name)
			return 0, false
		case n == 0:
			c.errorf(d.NamePos, "%s: array of size 0", d.Name)
			return 0, false
		case n == ptx.Unsized && d.Init == nil && d.Linkage != ptx.Extern && d.Space != ptx.ParamSpace:
			c.errorf(d.NamePos, "%s: array without size or initialiser", d.Name)
			return 0, false
		}
	}
	n, ok := d.Len()
	if rows := int64(d.ElemSize()); ok && n == 0 { // the rows of an array of unknown length
		for _, dim := range d.Dims[1:] {
			if ok = rows <= maxBytes/dim; !ok {
				break
			}
			rows *= dim
		}
	}
	if !ok {
		c.errorf(d.NamePos, "%s is too large", d.Name)
	}
	return n, ok
}

func (c *checker) mayInit(d *ptx.Var) {
	switch {
	case d.Space != ptx.GlobalSpace && d.Space != ptx.ConstSpace:
		c.errorf(d.Init.Pos, "%s: a .%s variable cannot be initialised", d.Name, d.Space)
	case d.Linkage == ptx.Extern || d.Linkage == ptx.Common:
		c.errorf(d.Init.Pos, "%s: a .%s variable cannot be initialised", d.Name, d.Linkage)
	}
}

// function enters a .func or .entry; the second mention of a name has to agree with the first.
func (c *checker) function(d *ptx.Func) {
	if c.out.vars[d.Name] != nil {
		c.errorf(d.NamePos, "%s is already declared as a variable", d.Name)
		return
	}
	f := &Func{Decl: d, Name: d.Name, Entry: d.Entry, Defined: d.Body != nil}
	f.Rets = c.parameters(d.Rets, f)
	f.Params = c.parameters(d.Params, f)
	c.directives(d)
	if d.Entry && len(d.Rets) > 0 {
		c.errorf(d.NamePos, "kernel %s returns something", d.Name)
	}
	if f.Defined && d.Linkage == ptx.Extern {
		c.errorf(d.NamePos, "%s is declared .extern and has a body", d.Name)
	}
	old := c.out.funcs[d.Name]
	if old == nil {
		c.out.funcs[d.Name] = f
		c.out.Funcs = append(c.out.Funcs, f)
		return
	}
	switch {
	case old.Defined && f.Defined:
		c.errorf(d.NamePos, "%s already has a body in line %d", d.Name, old.Decl.NamePos.Line)
		c.body(f) // its mistakes are reported too
	case old.Entry != f.Entry || !sameShape(old.Rets, f.Rets) || !sameShape(old.Params, f.Params):
		c.errorf(d.NamePos, "%s is declared otherwise in line %d", d.Name, old.Decl.NamePos.Line)
	case f.Defined:
		for _, p := range slices.Concat(f.Rets, f.Params) {
			p.Func = old
		}
		*old = *f
	}
}

// sameShape reports whether two lists of parameters can stand for each other in a call.
func sameShape(a, b []*Var) bool {
	return slices.EqualFunc(a, b, func(v, w *Var) bool {
		return v.Space == w.Space && v.Size == w.Size && (v.Decl.Dims == nil) == (w.Decl.Dims == nil)
	})
}

// parameters lays out a list of parameters or return values.
func (c *checker) parameters(list []*ptx.Var, f *Func) []*Var {
	vars := make([]*Var, 0, len(list))
	for i, d := range list {
		switch {
		case d.Space == ptx.RegSpace:
			if f != nil && f.Entry {
				c.errorf(d.Pos, "%s: parameters of kernels are in the .param space", d.Name)
			}
			if c.registerType(d) {
				vars = append(vars, &Var{Decl: d, Name: d.Name, Func: f, Space: d.Space, Reg: NoReg, Size: int64(d.ElemSize())})
			}
			continue
		case d.Space != ptx.ParamSpace:
			c.errorf(d.Pos, "%s: parameter in the .%s space", d.Name, d.Space)
			continue
		case d.Ranged:
			c.errorf(d.NamePos, "%s: parameters have no ranges", d.Name)
			continue
		case len(d.Dims) > 0 && d.Dims[0] == ptx.Unsized && (i != len(list)-1 || f != nil && f.Entry):
			c.errorf(d.NamePos, "%s: only the last parameter of a function may be of unknown size", d.Name)
			continue
		}
		if v := c.variable(d, f); v != nil {
			vars = append(vars, v)
		}
	}
	return vars
}

// performance are the directives of functions, with the largest number of arguments.
var performance = map[string]int{
	"maxntid": 3, "reqntid": 3, "minnctapersm": 1, "maxnctapersm": 1, "maxnreg": 1, "noreturn": 0, "pragma": -1,
	"reqnctapercluster": 3, "explicitcluster": 0, "maxclusterrank": 1, "blocksareclusters": 0, "abi_preserve": 1,
	"abi_preserve_control": 1, "local_maxnreg": 1,
}

func (c *checker) directives(d *ptx.Func) {
	for _, dir := range d.Directives {
		most, ok := performance[dir.Name]
		switch {
		case !ok:
			c.errorf(dir.Pos, "unknown directive .%s", dir.Name)
		case most < 0 && len(dir.Strings) == 0:
			c.errorf(dir.Pos, ".%s needs a string", dir.Name)
		case most < 0:
		case len(dir.Strings) > 0 || len(dir.Ints) > most || len(dir.Ints) == 0 && most > 0:
			c.errorf(dir.Pos, ".%s takes up to %d numbers", dir.Name, most)
		case dir.Name == "maxntid" || dir.Name == "reqntid":
			for _, n := range dir.Ints {
				if n < 1 || n > 1<<31-1 {
					c.errorf(dir.Pos, ".%s: %d threads", dir.Name, n)
				}
			}
		}
	}
}

func (c *checker) alias(a *ptx.Alias) {
	f, target := c.out.funcs[a.Name], c.out.funcs[a.Target]
	switch {
	case f == nil || f.Defined || f.Entry:
		c.errorf(a.Pos, "alias %s has to be a function that is declared without a body", a.Name)
	case target == nil || !target.Defined || target.Entry:
		c.errorf(a.Pos, "alias %s: %s is no function with a body", a.Name, a.Target)
	case !sameShape(f.Rets, target.Rets) || !sameShape(f.Params, target.Params):
		c.errorf(a.Pos, "alias %s and %s have different parameters", a.Name, a.Target)
	default:
		f.Alias = target
	}
}
