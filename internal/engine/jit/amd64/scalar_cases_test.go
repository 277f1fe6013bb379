package amd64_test

import (
	"fmt"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
)

func maskCases() (out []instruction) {
	add := func(text string, emit func(a *Asm)) { out = append(out, in(text, emit)) }
	for _, name := range names("KANDW KANDD KANDB KANDNW KANDND KANDNB KORW KORD KORB KXNORW KXNORD KXNORB KXORW KXORD KXORB KADDW KADDD KADDB KUNPCKWD KUNPCKBW") {
		r := Rows[name]
		add(r.Name+" k1, k5, k7", func(a *Asm) { a.KKK(r, 1, 5, 7) })
	}
	for _, name := range names("KNOTW KNOTD KNOTB KORTESTW KORTESTD KORTESTB KTESTW KTESTD KTESTB KMOVW KMOVD KMOVQ") {
		r := Rows[name]
		add(r.Name+" k6, k3", func(a *Asm) { a.KKK(r, 6, 0, 3) })
	}
	for _, name := range names("KSHIFTRW KSHIFTLW KSHIFTRD KSHIFTLD KSHIFTRB KSHIFTLB") {
		r := Rows[name]
		add(r.Name+" k6, k3, 9", func(a *Asm) { a.KKI(r, 6, 3, 9) })
	}
	for _, name := range names("KMOVWG KMOVDG") {
		r := Rows[name]
		add(r.Name+" k6, r9d", func(a *Asm) { a.KG(r, 6, R9) })
		add(r.Name+" k6, ecx", func(a *Asm) { a.KG(r, 6, RCX) })
	}
	for _, name := range names("KMOVWToG KMOVDToG") {
		r := Rows[name]
		add(r.Name+" r9d, k6", func(a *Asm) { a.GK(r, R9, 6) })
		add(r.Name+" ecx, k6", func(a *Asm) { a.GK(r, RCX, 6) })
	}
	for n, name := range names("KMOVW KMOVD KMOVQ") {
		r, s := Rows[name], Rows[name+"Store"]
		p := ptr(2 << n)
		for _, m := range memories {
			add(fmt.Sprintf("%s k4, %s%s", r.Name, p, m.text), func(a *Asm) { a.KM(r, 4, m.m) })
			add(fmt.Sprintf("%s %s%s, k4", r.Name, p, m.text), func(a *Asm) { a.KM(s, 4, m.m) })
		}
	}
	add("vzeroupper", func(a *Asm) { a.VZeroUpper() })
	return out
}

var (
	aluNames   = []string{"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"}
	condNames  = []string{"o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"}
	shiftNames = map[Shift]string{ROL: "rol", ROR: "ror", SHL: "shl", SHR: "shr", SAR: "sar"}
	pairs      = [][2]Reg{{RAX, RCX}, {R9, RDI}, {RBX, R15}, {R12, R8}, {RSI, RSP}}
)

func scalarCases() (out []instruction) {
	add := func(text string, emit func(a *Asm)) { out = append(out, in(text, emit)) }
	for _, w := range []Width{W32, W64} {
		for _, p := range pairs {
			x, y := p[0], p[1]
			gx, gy := g(w, x), g(w, y)
			add(fmt.Sprintf("mov %s, %s", gx, gy), func(a *Asm) { a.MovRR(w, x, y) })
			add(fmt.Sprintf("test %s, %s", gx, gy), func(a *Asm) { a.TestRR(w, x, y) })
			add(fmt.Sprintf("imul %s, %s", gx, gy), func(a *Asm) { a.ImulRR(w, x, y) })
			add(fmt.Sprintf("imul %s, %s, 100", gx, gy), func(a *Asm) { a.ImulRI(w, x, y, 100) })
			add(fmt.Sprintf("imul %s, %s, 100000", gx, gy), func(a *Asm) { a.ImulRI(w, x, y, 100000) })
			add(fmt.Sprintf("popcnt %s, %s", gx, gy), func(a *Asm) { a.Popcnt(w, x, y) })
			add(fmt.Sprintf("tzcnt %s, %s", gx, gy), func(a *Asm) { a.Tzcnt(w, x, y) })
			add(fmt.Sprintf("lzcnt %s, %s", gx, gy), func(a *Asm) { a.Lzcnt(w, x, y) })
			for c, name := range condNames {
				add(fmt.Sprintf("cmov%s %s, %s", name, gx, gy), func(a *Asm) { a.Cmov(w, Cond(c), x, y) })
			}
			for op, name := range aluNames {
				add(fmt.Sprintf("%s %s, %s", name, gx, gy), func(a *Asm) { a.AluRR(w, Alu(op), x, y) })
				for _, imm := range []int32{1, -128, 127, 128, -100000} {
					add(fmt.Sprintf("%s %s, %d", name, gx, imm), func(a *Asm) { a.AluRI(w, Alu(op), x, imm) })
				}
			}
			out = append(out, unaryCases(w, x)...)
		}
		out = append(out, memoryCases(w)...)
	}
	return append(out, otherCases()...)
}

func unaryCases(w Width, x Reg) (out []instruction) {
	gx := g(w, x)
	for name, emit := range map[string]func(a *Asm){
		"mul " + gx: func(a *Asm) { a.MulR(w, x) }, "imul " + gx: func(a *Asm) { a.ImulR(w, x) },
		"div " + gx: func(a *Asm) { a.DivR(w, x) }, "idiv " + gx: func(a *Asm) { a.IdivR(w, x) },
		"neg " + gx: func(a *Asm) { a.NegR(w, x) }, "not " + gx: func(a *Asm) { a.NotR(w, x) }, "bswap " + gx: func(a *Asm) { a.Bswap(w, x) },
	} {
		if name == "bswap esp" || name == "bswap rsp" {
			continue
		}
		out = append(out, in(name, emit))
	}
	for op, name := range shiftNames {
		out = append(out,
			in(fmt.Sprintf("%s %s, 1", name, gx), func(a *Asm) { a.ShiftRI(w, op, x, 1) }),
			in(fmt.Sprintf("%s %s, 17", name, gx), func(a *Asm) { a.ShiftRI(w, op, x, 17) }),
			in(fmt.Sprintf("%s %s, cl", name, gx), func(a *Asm) { a.ShiftRC(w, op, x) }))
	}
	return out
}

func memoryCases(w Width) (out []instruction) {
	add := func(text string, emit func(a *Asm)) { out = append(out, in(text, emit)) }
	p := ptr(int(w))
	for _, m := range memories {
		mm := m.m
		add(fmt.Sprintf("mov %s, %s%s", g(w, R9), p, m.text), func(a *Asm) { a.MovRM(w, R9, mm) })
		add(fmt.Sprintf("mov %s%s, %s", p, m.text, g(w, RDI)), func(a *Asm) { a.MovMR(w, mm, RDI) })
		add(fmt.Sprintf("mov %s%s, 70000", p, m.text), func(a *Asm) { a.MovMI(w, mm, 70000) })
		add(fmt.Sprintf("lea %s, %s", g(w, R10), m.text), func(a *Asm) { a.Lea(w, R10, mm) })
		for op, name := range aluNames {
			add(fmt.Sprintf("%s %s, %s%s", name, g(w, RBX), p, m.text), func(a *Asm) { a.AluRM(w, Alu(op), RBX, mm) })
			add(fmt.Sprintf("%s %s%s, %s", name, p, m.text, g(w, R11)), func(a *Asm) { a.AluMR(w, Alu(op), mm, R11) })
			add(fmt.Sprintf("%s %s%s, 5", name, p, m.text), func(a *Asm) { a.AluMI(w, Alu(op), mm, 5) })
			add(fmt.Sprintf("%s %s%s, 500", name, p, m.text), func(a *Asm) { a.AluMI(w, Alu(op), mm, 500) })
		}
		add(fmt.Sprintf("lock xadd %s%s, %s", p, m.text, g(w, R8)), func(a *Asm) { a.LockXadd(w, mm, R8) })
		add(fmt.Sprintf("lock cmpxchg %s%s, %s", p, m.text, g(w, RCX)), func(a *Asm) { a.LockCmpxchg(w, mm, RCX) })
		add(fmt.Sprintf("lock or %s%s, %s", p, m.text, g(w, RCX)), func(a *Asm) { a.LockAlu(w, OR, mm, RCX) })
		add(fmt.Sprintf("xchg %s%s, %s", p, m.text, g(w, RDX)), func(a *Asm) { a.Xchg(w, mm, RDX) })
		add(fmt.Sprintf("div %s%s", p, m.text), func(a *Asm) { a.DivM(w, mm) })
		add(fmt.Sprintf("idiv %s%s", p, m.text), func(a *Asm) { a.IdivM(w, mm) })
	}
	return out
}

func otherCases() (out []instruction) {
	add := func(text string, emit func(a *Asm)) { out = append(out, in(text, emit)) }
	for c, name := range condNames {
		for _, r := range []Reg{RAX, RSI, R12} {
			add(fmt.Sprintf("set%s %s", name, g(W8, r)), func(a *Asm) { a.Setcc(Cond(c), r) })
		}
	}
	for _, m := range memories {
		mm := m.m
		add("movzx r9d, byte ptr "+m.text, func(a *Asm) { a.MovZXM(W8, R9, mm) })
		add("movzx ecx, word ptr "+m.text, func(a *Asm) { a.MovZXM(W16, RCX, mm) })
		add("movsx rdx, byte ptr "+m.text, func(a *Asm) { a.MovSXM(W64, W8, RDX, mm) })
		add("movsx esi, word ptr "+m.text, func(a *Asm) { a.MovSXM(W32, W16, RSI, mm) })
		add("movsxd rax, dword ptr "+m.text, func(a *Asm) { a.MovSXM(W64, W32, RAX, mm) })
		add("mov byte ptr "+m.text+", sil", func(a *Asm) { a.MovMR(W8, mm, RSI) })
		add("mov byte ptr "+m.text+", bl", func(a *Asm) { a.MovMR(W8, mm, RBX) })
		add("mov word ptr "+m.text+", r10w", func(a *Asm) { a.MovMR(W16, mm, R10) })
		add("jmp qword ptr "+m.text, func(a *Asm) { a.JmpM(mm) })
		add("ldmxcsr dword ptr "+m.text, func(a *Asm) { a.Ldmxcsr(mm) })
		add("stmxcsr dword ptr "+m.text, func(a *Asm) { a.Stmxcsr(mm) })
	}
	for _, p := range pairs {
		x, y := p[0], p[1]
		add(fmt.Sprintf("movzx %s, %s", g(W32, x), g(W8, y)), func(a *Asm) { a.MovZX(W8, x, y) })
		add(fmt.Sprintf("movzx %s, %s", g(W32, x), g(W16, y)), func(a *Asm) { a.MovZX(W16, x, y) })
		add(fmt.Sprintf("movsx %s, %s", g(W64, x), g(W8, y)), func(a *Asm) { a.MovSX(W64, W8, x, y) })
		add(fmt.Sprintf("movsx %s, %s", g(W32, x), g(W16, y)), func(a *Asm) { a.MovSX(W32, W16, x, y) })
		add(fmt.Sprintf("movsxd %s, %s", g(W64, x), g(W32, y)), func(a *Asm) { a.MovSX(W64, W32, x, y) })
		add(fmt.Sprintf("test %s, 7", g(W8, x)), func(a *Asm) { a.TestRI(W8, x, 7) })
		add(fmt.Sprintf("test %s, 70000", g(W32, x)), func(a *Asm) { a.TestRI(W32, x, 70000) })
		add(fmt.Sprintf("test %s, 70000", g(W64, x)), func(a *Asm) { a.TestRI(W64, x, 70000) })
		add("jmp "+g(W64, x), func(a *Asm) { a.JmpR(x) })
		add(fmt.Sprintf("mov %s, 0x7fffffff", g(W32, x)), func(a *Asm) { a.MovRI(x, 0x7fffffff) })
		add(fmt.Sprintf("mov %s, -5", g(W64, x)), func(a *Asm) { a.MovRI(x, ^uint64(4)) })
		add(fmt.Sprintf("movabs %s, 0x123456789abcdef0", g(W64, x)), func(a *Asm) { a.MovRI(x, 0x123456789abcdef0) })
	}
	add("cdq", func(a *Asm) { a.SignExtendA(W32) })
	add("cqo", func(a *Asm) { a.SignExtendA(W64) })
	for _, m := range memories {
		add("prefetcht0 "+m.text, func(a *Asm) { a.Prefetch(m.m, false) })
		add("prefetchw "+m.text, func(a *Asm) { a.Prefetch(m.m, true) })
	}
	add("mfence", func(a *Asm) { a.Mfence() })
	add("sfence", func(a *Asm) { a.Sfence() })
	add("ret", func(a *Asm) { a.Ret() })
	// Embedded rounding: the length bits say which.
	for n, mode := range []string{"rn-sae", "rd-sae", "ru-sae", "rz-sae"} {
		add("vaddps zmm20, zmm3, zmm30, {"+mode+"}", func(a *Asm) { a.RRR(VADDPS, 20, 3, 30, Opt{L: L512, ER: true, Round: uint8(n)}) })
		add("vfmadd213pd zmm1{k2}, zmm3, zmm4, {"+mode+"}", func(a *Asm) { a.RRR(VFMADD213PD, 1, 3, 4, Opt{L: L512, ER: true, Round: uint8(n), K: 2}) })
	}
	return out
}
