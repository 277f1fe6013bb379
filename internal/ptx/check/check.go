package check

import (
	"strconv"

	"github.com/tandem-go/tandem/internal/ptx"
)

// Check looks for every reason to reject a module that Parse accepted. The error is a ptx.ErrorList in order of
// position; the result is nil unless there is none. Check takes time linear in the size of the module.
func Check(m *ptx.Module) (*Checked, error) {
	c := &checker{
		out: &Checked{
			Module: m, AddressBits: 32,
			vars: make(map[string]*Var), funcs: make(map[string]*Func),
		},
		opcodes: make(map[*ptx.Opcode]*opcode),
		used:    make(map[any]ptx.Pos),
	}
	c.header()
	c.declare()
	c.initialise()
	for _, f := range c.out.Funcs {
		if f.Defined {
			c.body(f)
		}
	}
	c.unresolved()
	if err := c.errs.Err(); err != nil {
		return nil, err
	}
	return c.out, nil
}

// checker is the state of one Check.
type checker struct {
	out     *Checked
	errs    ptx.ErrorList
	opcodes map[*ptx.Opcode]*opcode
	// used is where each *Var and *Func of module scope is first referred to.
	used map[any]ptx.Pos
	// inits are variables whose initialisers wait until all names are known.
	inits []*Var
	// ranged and data count against maxRanged and maxData.
	ranged, data int
}

// opcode is what forms says of a name.
type opcode struct {
	forms []*Form
	why   string
}

func (c *checker) errorf(pos ptx.Pos, format string, args ...any) {
	c.errs.Add(c.out.Module.Name, pos, format, args...)
}

// use notes that something of module scope is referred to.
func (c *checker) use(v any, pos ptx.Pos) {
	if _, seen := c.used[v]; !seen {
		c.used[v] = pos
	}
}

// archs are the architectures of .target; those from 90 on also come with suffix a or f.
var archs = map[int]bool{
	10: true, 11: true, 12: true, 13: true, 20: true, 21: true, 30: true, 32: true, 35: true, 37: true, 50: true, 52: true,
	53: true, 60: true, 61: true, 62: true, 70: true, 72: true, 75: true, 80: true, 86: true, 87: true, 88: true, 89: true,
	90: true, 100: true, 101: true, 103: true, 110: true, 120: true, 121: true,
}

func (c *checker) header() {
	m := c.out.Module
	start := ptx.Pos{Line: 1, Col: 1}
	switch v := m.Version; {
	case v == nil:
		c.errorf(start, "missing .version directive")
	case v.Major < 6:
		c.errorf(v.Pos, "PTX version %d.%d is older than 6.0, the first that is supported", v.Major, v.Minor)
	}
	if m.Target == nil {
		c.errorf(start, "missing .target directive")
	} else {
		c.target(m.Target)
	}
	if len(m.Decls) > 0 {
		first := m.Decls[0].At()
		if v := m.Version; v != nil && first.Before(v.Pos) {
			c.errorf(v.Pos, ".version has to be the first directive")
		}
		if t := m.Target; t != nil && first.Before(t.Pos) {
			c.errorf(t.Pos, ".target has to stand before all declarations")
		}
		if a := m.AddressSize; a != nil && first.Before(a.Pos) {
			c.errorf(a.Pos, ".address_size has to stand before all declarations")
		}
	}
	if a := m.AddressSize; a != nil {
		c.out.AddressBits = a.Bits
		if a.Bits != 32 && a.Bits != 64 {
			c.errorf(a.Pos, "address size %d is neither 32 nor 64", a.Bits)
			c.out.AddressBits = 64
		}
	}
}

func (c *checker) target(t *ptx.Target) {
	for _, name := range t.Names {
		switch name {
		case "debug":
			c.out.Debug = true
			continue
		case "texmode_unified", "texmode_independent", "map_f64_to_f32":
			continue
		}
		arch, ok := targetArch(name)
		switch {
		case !ok:
			c.errorf(t.Pos, "unknown target %s", name)
		case c.out.Arch != 0:
			c.errorf(t.Pos, "second architecture %s", name)
		}
		c.out.Arch = arch
	}
	if c.out.Arch == 0 && !c.errs.Full() {
		c.errorf(t.Pos, ".target names no architecture")
	}
}

// targetArch reads sm_75, sm_90a, sm_100f. The number is returned even of an unknown target, so that one message is
// enough.
func targetArch(name string) (arch int, ok bool) {
	if len(name) < 4 || name[:3] != "sm_" {
		return -1, false
	}
	digits := name[3:]
	suffix := digits[len(digits)-1]
	if suffix == 'a' || suffix == 'f' {
		digits = digits[:len(digits)-1]
	}
	arch, err := strconv.Atoi(digits)
	if err != nil || !archs[arch] || strconv.Itoa(arch) != digits {
		return -1, false
	}
	return arch, suffix != 'a' && suffix != 'f' || arch >= 90
}

// unresolved reports what is referred to and exists nowhere.
func (c *checker) unresolved() {
	for _, f := range c.out.Funcs {
		if f.Defined || f.Alias != nil {
			continue
		}
		at, used := c.used[f]
		switch {
		case f.Entry:
			c.errorf(f.Decl.NamePos, "kernel %s has no body", f.Name)
		case c.runtime(f):
			f.Runtime = true
		case used:
			c.errorf(f.Decl.NamePos, "unresolved function %s, used in line %d: it has no body, and it is none that the device provides",
				f.Name, at.Line)
		}
	}
	for _, v := range c.out.Vars {
		if v.Decl.Linkage != ptx.Extern || v.Unsized() && v.Space == ptx.SharedSpace {
			continue
		}
		if at, used := c.used[v]; used {
			c.errorf(v.Decl.NamePos, "unresolved variable %s, used in line %d: it is declared .extern and defined nowhere", v.Name, at.Line)
		}
	}
}

// runtimes are the functions that the device provides, with the sizes in bytes of result (0: none) and parameters.
var runtimes = map[string][]int{
	"vprintf":      {4, 8, 8},
	"malloc":       {8, 8},
	"free":         {0, 8},
	"__assertfail": {0, 8, 8, 4, 8, 8},
}

// runtime reports whether the device provides f, and reports an error if f is declared otherwise than it is.
func (c *checker) runtime(f *Func) bool {
	sizes, ok := runtimes[f.Name]
	if !ok {
		return false
	}
	rets := sizes[:1]
	if sizes[0] == 0 {
		rets = nil
	}
	if !sized(f.Rets, rets) || !sized(f.Params, sizes[1:]) {
		c.errorf(f.Decl.NamePos, "%s is declared otherwise than the device provides it", f.Name)
	}
	return true
}

func sized(vars []*Var, sizes []int) bool {
	if len(vars) != len(sizes) {
		return false
	}
	for i, v := range vars {
		if v.Size != int64(sizes[i]) {
			return false
		}
	}
	return true
}
