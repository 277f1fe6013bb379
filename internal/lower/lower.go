// Package lower turns checked PTX into the host device's intermediate form, one kernel at a time.
//
// A kernel is its entry and every function that it can reach. Blocks of the result are those of the PTX: no instruction
// is duplicated, moved or merged, so which lanes meet at a barrier, a shuffle or an atomic is what the PTX says. What
// lower does not decide: where globals lie and what is in them (Variables names them, FunctionAddress and Reloc of package
// check say what their initialisers hold).
package lower

import (
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Kernel lowers the entry called name and all that it reaches. The error is a ptx.ErrorList of every instruction that the
// host device cannot execute, each as "file:line:col: form is not supported by the host device". The kernel passes
// ir.Verify. Kernel may be called for one module by several goroutines at once.
func Kernel(c *check.Checked, name string) (*ir.Kernel, error) {
	f := c.Func(name)
	if f == nil || !f.Entry || !f.Defined {
		return nil, fmt.Errorf("lower %s: %s has no such kernel", name, c.Module.Name)
	}
	k := &kernel{
		c: c, out: &ir.Kernel{Name: name, PTXFile: c.Module.Name},
		funcs: map[*check.Func]int{}, globals: map[*check.Var]int{}, shared: map[*check.Var]int64{},
		files: map[uint32]int16{}, paramCopy: -1,
	}
	k.reach(f)
	k.layShared()
	k.header(f)
	for _, f := range k.order {
		k.out.Funcs = append(k.out.Funcs, ir.NewFunc(f.Name))
	}
	if k.indirect {
		for _, f := range addressTaken(c) {
			k.out.FuncTable = append(k.out.FuncTable, k.out.Funcs[k.funcs[f]])
		}
	}
	for i, f := range k.order {
		k.lower(f, k.out.Funcs[i])
	}
	if err := k.errs.Err(); err != nil {
		return nil, err
	}
	return k.out, nil
}

// kernel is the state of lowering one kernel.
type kernel struct {
	c   *check.Checked
	out *ir.Kernel
	// order are the functions to lower, the entry first; funcs is the index of each in it.
	order []*check.Func
	funcs map[*check.Func]int
	// indirect is whether a function's address is used, so that the function table is needed.
	indirect bool
	globals  map[*check.Var]int
	// shared are the offsets of shared variables, dynamic the arrays without size.
	shared  map[*check.Var]int64
	static  []*check.Var
	dynamic []*check.Var
	files   map[uint32]int16
	// paramCopy is where in the entry's frame a copy of the parameters lies, -1 if there is none.
	paramCopy int64
	errs      ptx.ErrorList
}

// real resolves aliases.
func real(f *check.Func) *check.Func {
	for f.Alias != nil {
		f = f.Alias
	}
	return f
}

// reach collects entry and what it calls, in order of first mention, and the shared variables that they name.
func (k *kernel) reach(entry *check.Func) {
	add := func(f *check.Func) {
		if f = real(f); !f.Defined {
			return
		}
		if _, seen := k.funcs[f]; !seen {
			k.funcs[f] = len(k.order)
			k.order = append(k.order, f)
		}
	}
	add(entry)
	for i := 0; i < len(k.order); i++ {
		for j := range k.order[i].Code {
			in := &k.order[i].Code[j]
			taken := false
			eachArg(in, func(a *check.Arg) {
				if a.Kind == check.ArgAddr && a.Func != nil {
					taken = true
				}
				if a.Var != nil && a.Var.Space == ptx.SharedSpace {
					k.useShared(a.Var)
				}
			})
			if in.Call != nil && in.Call.Func != nil {
				add(in.Call.Func)
			}
			if (taken || in.Call != nil && in.Call.Func == nil) && !k.indirect {
				k.indirect = true
				for _, f := range addressTaken(k.c) {
					add(f)
				}
			}
		}
	}
}

// eachArg calls f for every operand of in and the operands within it.
func eachArg(in *check.Instr, f func(*check.Arg)) {
	var walk func(args []check.Arg)
	walk = func(args []check.Arg) {
		for i := range args {
			f(&args[i])
			walk(args[i].Elems)
		}
	}
	walk(in.Args)
	if in.Call != nil {
		walk(in.Call.Rets)
		walk(in.Call.Args)
	}
}

func (k *kernel) useShared(v *check.Var) {
	if _, seen := k.shared[v]; seen {
		return
	}
	k.shared[v] = 0
	if v.Unsized() {
		k.dynamic = append(k.dynamic, v)
	} else {
		k.static = append(k.static, v)
	}
}

// minSharedAlign is the alignment of dynamic shared memory that CUDA guarantees.
const minSharedAlign = 16

// layShared places static variables one behind the other and all dynamic arrays behind them.
func (k *kernel) layShared() {
	var end int64
	for _, v := range k.static {
		k.shared[v] = alignUp(end, v.Align)
		end = k.shared[v] + v.Size
	}
	k.out.SharedBytes, k.out.SharedAlign = int(end), minSharedAlign
	for _, v := range k.dynamic {
		k.out.SharedAlign = max(k.out.SharedAlign, v.Align)
	}
	for _, v := range k.dynamic {
		k.shared[v] = alignUp(end, k.out.SharedAlign)
	}
}

func alignUp(n int64, align int) int64 {
	a := int64(max(align, 1))
	return (n + a - 1) / a * a
}

// header fills in what the entry's declaration says.
func (k *kernel) header(f *check.Func) {
	_, size := paramOffsets(f)
	k.out.Params = int(size)
	k.out.MaxThreads = dims(f.Decl.Directive("maxntid"))
	k.out.ReqThreads = dims(f.Decl.Directive("reqntid"))
}

// dims reads a directive of one to three numbers; missing ones are 1, and all are 0 without the directive.
func dims(d *ptx.Directive) (n [3]int) {
	if d == nil {
		return n
	}
	n = [3]int{1, 1, 1}
	for i := range min(len(d.Ints), len(n)) {
		n[i] = int(d.Ints[i])
	}
	return n
}

// paramOffsets lays out the parameters of an entry as CUDA does: in order, each at its alignment.
func paramOffsets(f *check.Func) (offsets map[*check.Var]int64, size int64) {
	offsets = make(map[*check.Var]int64, len(f.Params))
	for _, p := range f.Params {
		size = alignUp(size, p.Align)
		offsets[p] = size
		size += p.Size
	}
	return offsets, size
}

// file returns the index of a .file directive's path in ir.Kernel.Files.
func (k *kernel) file(n uint32) int16 {
	if i, ok := k.files[n]; ok {
		return i
	}
	for _, d := range k.c.Module.Decls {
		if f, ok := d.(*ptx.File); ok && f.Index == n && len(k.out.Files) < 1<<15-1 {
			k.out.Files = append(k.out.Files, f.Path)
			k.files[n] = int16(len(k.out.Files))
			return k.files[n]
		}
	}
	k.files[n] = 0
	return 0
}

// global returns the index of v in ir.Kernel.Globals.
func (k *kernel) global(v *check.Var) int {
	if i, ok := k.globals[v]; ok {
		return i
	}
	space := ir.SpaceGlobal
	if v.Space == ptx.ConstSpace {
		space = ir.SpaceConst
	}
	i := len(k.out.Globals)
	k.globals[v] = i
	k.out.Globals = append(k.out.Globals, &ir.Global{Name: VariableName(v), Space: space, Size: int(v.Size), Align: v.Align})
	return i
}

// VariableName is the name that a variable in global or constant memory has in ir.Kernel.Globals. It is unique in the
// module: one that is declared in a function has the function's name before its own, and a number if the function
// declares several of that name.
func VariableName(v *check.Var) string {
	if v.Func == nil {
		return v.Name
	}
	n := 0
	for _, w := range v.Func.Vars {
		if w == v {
			break
		}
		if w.Name == v.Name {
			n++
		}
	}
	name := v.Func.Name + "." + v.Name
	if n > 0 {
		name += fmt.Sprintf(".%d", n)
	}
	return name
}

// Variables are all variables of c in global or constant memory, those declared in functions included, in the order of
// the text. The host device places them when it loads the module.
func Variables(c *check.Checked) []*check.Var {
	placed := func(vars []*check.Var) (list []*check.Var) {
		for _, v := range vars {
			if v.Space == ptx.GlobalSpace || v.Space == ptx.ConstSpace {
				list = append(list, v)
			}
		}
		return list
	}
	list := placed(c.Vars)
	for _, f := range c.Funcs {
		list = append(list, placed(f.Vars)...)
	}
	return list
}

// FunctionAddress is the address of f in every kernel of c, as function pointers in initialisers hold it; ok is false if
// the address of f is never taken.
func FunctionAddress(c *check.Checked, f *check.Func) (addr uint64, ok bool) {
	i := slices.Index(addressTaken(c), real(f))
	return ir.FuncAddressBase + uint64(i)*16, i >= 0
}

// addressTaken returns the functions whose address code or initialisers of c take, in the order of the text.
func addressTaken(c *check.Checked) (list []*check.Func) {
	taken := map[*check.Func]bool{}
	for _, v := range Variables(c) {
		for i := range v.Relocs {
			if f := v.Relocs[i].Func; f != nil {
				taken[real(f)] = true
			}
		}
	}
	for _, f := range c.Funcs {
		for i := range f.Code {
			eachArg(&f.Code[i], func(a *check.Arg) {
				if a.Kind == check.ArgAddr && a.Func != nil {
					taken[real(a.Func)] = true
				}
			})
		}
	}
	for _, f := range c.Funcs {
		if taken[f] && f.Defined {
			list = append(list, f)
		}
	}
	return list
}
