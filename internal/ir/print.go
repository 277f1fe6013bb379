package ir

import (
	"strconv"
	"strings"
)

// The text form, one instruction a line:
//
//	kernel @vadd ptx "vadd.ptx"            // what follows in braces-free lines describes the Kernel
//	params 28
//	shared 1024 align 16
//	maxthreads 256 1 1
//	reqthreads 256 1 1
//	gridbarrier
//	file "vadd.cu"
//	global @table const size 64 align 4
//	table @f @g
//	func @vadd(v0:b64) -> (b32) frame 16 align 8 {
//	b0:
//	  v1:b64 = const.b64 #0
//	  v2:b32, v3:pred = shfl.down.b32 v7, v8, v9, v10 if v3 ; 12 1:40
//	  v6:b32 = call @f, v4
//	  store.global.f32 [v4+16], v5
//	  condbr v3, b1(v2), b2
//	}
//
// An instruction is its results, the Op with all its modifiers, the type As and the type From; Imm after # (for memory in
// the address), Index as a name after @ or %, or as a number after @#; operands; targets; the guard after if; the
// position after a semicolon: the PTX line, and file:line of the source. What is zero is left out. // begins a comment.

// String returns the text form of k. Parse is its inverse for a kernel that passes Verify.
func (k *Kernel) String() string {
	p := printer{k: k}
	p.kernel()
	return p.b.String()
}

// String returns the text form of f alone, as it stands in that of its kernel; indices are written as numbers.
func (f *Func) String() string {
	p := printer{k: &Kernel{}}
	p.function(f)
	return p.b.String()
}

// String returns the text form of in alone; indices are written as numbers.
func (in *Instr) String() string {
	p := printer{k: &Kernel{}}
	p.instr(in)
	return p.b.String()
}

type printer struct {
	b strings.Builder
	k *Kernel
}

func (p *printer) put(parts ...string) {
	for _, s := range parts {
		p.b.WriteString(s)
	}
}

func (p *printer) int(n int) { p.b.WriteString(strconv.Itoa(n)) }

// name writes a symbol, in quotes unless it is plain.
func (p *printer) name(s string) {
	p.put("@")
	if isName(s) {
		p.put(s)
	} else {
		p.put(strconv.QuoteToASCII(s))
	}
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c == '%' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *printer) kernel() {
	k := p.k
	p.put("kernel ")
	p.name(k.Name)
	if k.PTXFile != "" {
		p.put(" ptx ", strconv.QuoteToASCII(k.PTXFile))
	}
	p.put("\n")
	if k.Params != 0 {
		p.put("params ")
		p.int(k.Params)
		p.put("\n")
	}
	if k.SharedBytes != 0 || k.SharedAlign != 0 {
		p.put("shared ")
		p.sized(k.SharedBytes, k.SharedAlign)
		p.put("\n")
	}
	p.threads("maxthreads", k.MaxThreads)
	p.threads("reqthreads", k.ReqThreads)
	if k.GridBarrier {
		p.put("gridbarrier\n")
	}
	for _, f := range k.Files {
		p.put("file ", strconv.QuoteToASCII(f), "\n")
	}
	for _, g := range k.Globals {
		p.put("global ")
		p.name(g.Name)
		p.put(" ", g.Space.String(), " size ")
		p.sized(g.Size, g.Align)
		p.put("\n")
	}
	if len(k.FuncTable) > 0 {
		p.put("table")
		for _, f := range k.FuncTable {
			p.put(" ")
			p.name(f.Name)
		}
		p.put("\n")
	}
	for _, f := range k.Funcs {
		p.put("\n")
		p.function(f)
	}
}

func (p *printer) sized(bytes, align int) {
	p.int(bytes)
	p.put(" align ")
	p.int(align)
}

func (p *printer) threads(word string, n [3]int) {
	if n == [3]int{} {
		return
	}
	p.put(word)
	for _, x := range n {
		p.put(" ")
		p.int(x)
	}
	p.put("\n")
}

func (p *printer) function(f *Func) {
	p.put("func ")
	p.name(f.Name)
	p.put("(")
	p.defs(f.Params)
	p.put(")")
	if len(f.Results) > 0 {
		p.put(" -> (")
		for i, t := range f.Results {
			if i > 0 {
				p.put(", ")
			}
			p.put(t.String())
		}
		p.put(")")
	}
	if f.LocalBytes != 0 || f.LocalAlign != 0 {
		p.put(" frame ")
		p.sized(f.LocalBytes, f.LocalAlign)
	}
	p.put(" {\n")
	for _, b := range f.Blocks {
		p.put("b")
		p.int(b.ID)
		if len(b.Params) > 0 {
			p.put("(")
			p.defs(b.Params)
			p.put(")")
		}
		p.put(":\n")
		for _, in := range b.Instrs {
			p.put("  ")
			p.instr(in)
			p.put("\n")
		}
	}
	p.put("}\n")
}

// defs writes definitions of values with their types.
func (p *printer) defs(vs []*Value) {
	for i, v := range vs {
		if i > 0 {
			p.put(", ")
		}
		p.value(v)
		p.put(":", v.Type.String())
	}
}

func (p *printer) value(v *Value) {
	if v == nil {
		p.put("v?")
		return
	}
	p.put("v")
	p.int(v.ID)
}

func (p *printer) instr(in *Instr) {
	if len(in.Results) > 0 {
		p.defs(in.Results)
		p.put(" = ")
	}
	p.put(in.Op.String())
	p.mods(in)
	sep := " "
	mem := isMemory(in.Op) && len(in.Args) > 0
	if in.Imm != 0 && !mem || in.Op == OpConst {
		p.put(sep, "#", immediate(in.Imm))
		sep = ", "
	}
	if indexed(in.Op, in.Space) || in.Index != 0 {
		p.put(sep)
		p.index(in)
		sep = ", "
	}
	for i, a := range in.Args {
		p.put(sep)
		sep = ", "
		if i > 0 || !mem {
			p.value(a)
			continue
		}
		p.put("[")
		p.value(a)
		if off := int64(in.Imm); off != 0 {
			if off > 0 {
				p.put("+")
			}
			p.put(strconv.FormatInt(off, 10))
		}
		p.put("]")
	}
	for _, e := range in.Targets {
		p.put(sep)
		sep = ", "
		p.edge(e)
	}
	if in.Guard != nil {
		p.put(" if ")
		p.value(in.Guard)
	}
	if in.Pos != (Pos{}) {
		p.put(" ; ", strconv.Itoa(int(in.Pos.PTXLine)))
		if in.Pos.File != 0 || in.Pos.Line != 0 {
			p.put(" ", strconv.Itoa(int(in.Pos.File)), ":", strconv.Itoa(int(in.Pos.Line)))
		}
	}
}

func (p *printer) edge(e Edge) {
	p.put("b")
	if e.To == nil {
		p.put("?")
	} else {
		p.int(e.To.ID)
	}
	if len(e.Args) == 0 {
		return
	}
	p.put("(")
	for i, a := range e.Args {
		if i > 0 {
			p.put(", ")
		}
		p.value(a)
	}
	p.put(")")
}

// mods writes the modifiers with a dot before each.
func (p *printer) mods(in *Instr) {
	if name := subName(in.Op, in.Sub); name != "" {
		p.put(".", name)
	}
	for _, m := range []struct {
		names []string
		value int
	}{{cmpNames, int(in.Cmp)}, {roundNames, int(in.Round)}} {
		if m.value != 0 {
			p.put(".", nameOf(m.names, m.value))
		}
	}
	for i, name := range flagNames {
		if in.Flags&(1<<i) != 0 {
			p.put(".", name)
		}
	}
	for _, m := range []struct {
		names []string
		value int
	}{{orderNames, int(in.Order)}, {scopeNames, int(in.Scope)}, {spaceNames, int(in.Space)}} {
		if m.value != 0 {
			p.put(".", nameOf(m.names, m.value))
		}
	}
	if in.As != Void || in.From != Void {
		p.put(".", in.As.String())
	}
	if in.From != Void {
		p.put(".", in.From.String())
	}
}

// subName is the name of a variant; one without a name is written as a number.
func subName(op Op, sub uint8) string {
	if op < numOps {
		if s := specs[op].subs; int(sub) < len(s) && s[sub] != "" {
			return s[sub]
		}
	}
	if sub == 0 {
		return ""
	}
	return "sub" + strconv.Itoa(int(sub))
}

// index writes Instr.Index, as a name where it has one.
func (p *printer) index(in *Instr) {
	i := in.Index
	switch {
	case i < 0:
	case in.Op == OpSpecial && i < int(NumSRegs):
		p.put("%", SReg(i).String())
		return
	case in.Op == OpSymbol && i < len(p.k.Globals):
		p.name(p.k.Globals[i].Name)
		return
	case in.Op == OpCall && i < len(p.k.Funcs):
		p.name(p.k.Funcs[i].Name)
		return
	case in.Op == OpFuncAddr && i < len(p.k.FuncTable):
		p.name(p.k.FuncTable[i].Name)
		return
	}
	p.put("@#")
	p.int(i)
}

// indexed reports whether Index has a meaning, so that 0 is written too.
func indexed(op Op, space Space) bool {
	switch op {
	case OpSpecial, OpCall, OpFuncAddr:
		return true
	case OpSymbol:
		return space == SpaceGlobal || space == SpaceConst
	}
	return false
}

// isMemory reports whether the first operand is an address that Imm is added to.
func isMemory(op Op) bool {
	return op == OpLoad || op == OpStore || op == OpAtom || op == OpRed
}

// immediate writes small numbers in decimal and others, which are bits, in hexadecimal.
func immediate(x uint64) string {
	if n := int64(x); n > -1<<20 && n < 1<<20 {
		return strconv.FormatInt(n, 10)
	}
	return "0x" + strconv.FormatUint(x, 16)
}
