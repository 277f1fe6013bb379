package amd64_test

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
)

var gpr64 = []string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}
var gpr32 = []string{"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d"}
var gpr16 = []string{"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w"}
var gpr8 = []string{"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b"}

func g(w Width, r Reg) string {
	return map[Width][]string{W64: gpr64, W32: gpr32, W16: gpr16, W8: gpr8}[w][r]
}

func v(l Len, r VReg) string { return fmt.Sprintf("%cmm%d", "xyz"[l], r) }

func ptr(bytes int) string {
	return map[int]string{1: "byte", 2: "word", 4: "dword", 8: "qword", 16: "xmmword", 32: "ymmword", 64: "zmmword"}[bytes] + " ptr "
}

// operand is a memory operand with its text.
type operand struct {
	m    Mem
	text string
}

// memories are operands with every shape of ModRM and SIB, and displacements at the edges of compression.
var memories = []operand{
	{At(RAX, 0), "[rax]"}, {At(RBP, 0), "[rbp+0]"}, {At(R12, 0), "[r12]"}, {At(R13, 0), "[r13+0]"}, {At(RSP, 64), "[rsp+64]"},
	{At(R9, 127), "[r9+127]"}, {At(R15, -128), "[r15-128]"}, {At(RDI, 128), "[rdi+128]"}, {At(RDX, 8192), "[rdx+8192]"},
	{At(RSI, -8192), "[rsi-8192]"}, {At(RBX, 4), "[rbx+4]"}, {AtIndex(RAX, R15, 8, 0), "[rax+r15*8]"}, {AtIndex(R13, RCX, 4, 256), "[r13+rcx*4+256]"},
	{AtIndex(RBP, R12, 1, 0), "[rbp+r12*1+0]"}, {AtIndex(R8, RAX, 2, -512), "[r8+rax*2-512]"},
}

// memoriesOf are the memory operands to try with a row: all of them for one row of each tuple type and encoding, some for
// the others, which only differ in the opcode.
func memoriesOf(r *Row) []operand {
	if slices.Contains([]*Row{VADDPS, VADDPD, VPAND, VMOVUPS, VCVTPS2PD, VPMOVZXBD, VPMOVZXBQ, VPBROADCASTD, VPBROADCASTB}, r) {
		return memories
	}
	return []operand{memories[4], memories[7], memories[12]}
}

// vectorMemory is the size of what a row's memory operand holds.
func vectorMemory(r *Row, l Len) int {
	vl := 16 << l
	if r == VPEXPANDD { // as writes the most that it may read
		return vl
	}
	switch r.Tuple {
	case Scalar:
		return int(r.Elem)
	case Half:
		return vl / 2
	case Quarter:
		return vl / 4
	case Eighth:
		return vl / 8
	}
	return vl
}

// shape says how the operands of a row are written.
type shape struct {
	rows string
	// emit emits form number n and returns the text of its operands, "" when there are no more forms.
	each func(r *Row) []instruction
}

func names(s string) []string { return strings.Fields(s) }

func vectorCases() []instruction {
	var all []instruction
	for _, s := range slices.Concat(shapes(), specialShapes(), moveShapes()) {
		for _, name := range names(s.rows) {
			r := Rows[name]
			if r == nil {
				panic(name)
			}
			all = append(all, s.each(r)...)
		}
	}
	// The same text twice (a load and a store form of one mnemonic) is one case.
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(in instruction) bool {
		dup := seen[in.text]
		seen[in.text] = true
		return dup
	})
}

// lens are the lengths and encodings that a row has: 512 bits with EVEX, 256 with VEX.
func each(r *Row, f func(l Len, o Opt, hi VReg)) {
	if r.Enc&EVEX != 0 {
		f(L512, Opt{L: L512}, 16)
		f(L256, Opt{L: L256}, 16)
	}
	if r.Enc&VEX != 0 {
		f(L256, Opt{L: L256, VEX: true}, 0)
	}
}

func in(text string, emit func(a *Asm)) instruction { return instruction{text, emit} }

func mask(o *Opt, k KReg, z bool) string {
	o.K, o.Z = k, z
	if z {
		return fmt.Sprintf("{k%d}{z}", k)
	}
	return fmt.Sprintf("{k%d}", k)
}

// mnemonic asks the assembler for the encoding that we choose, where it has the choice.
func mnemonic(r *Row, o Opt) string {
	if r.Enc&(EVEX|VEX) == EVEX|VEX && !o.VEX {
		return "{evex} " + r.Name
	}
	return r.Name
}

// three is dst, x, y with register, memory, broadcast and masked forms.
func three(immediate string) func(r *Row) []instruction {
	return func(r *Row) (out []instruction) {
		imm := func(a *Asm) {
			if immediate != "" {
				a.Imm8(0x5a)
			}
		}
		each(r, func(l Len, o Opt, hi VReg) {
			for _, q := range [][3]VReg{{1, 2, 3}, {hi + 9, hi + 10, hi + 15}, {hi + 7, 8, 12}} {
				out = append(out, in(fmt.Sprintf("%s %s, %s, %s%s", mnemonic(r, o), v(l, q[0]), v(l, q[1]), v(l, q[2]), immediate),
					func(a *Asm) { a.RRR(r, q[0], q[1], q[2], o); imm(a) }))
			}
			for _, m := range memoriesOf(r) {
				out = append(out, in(fmt.Sprintf("%s %s, %s, %s%s%s", mnemonic(r, o), v(l, hi+9), v(l, hi+3), ptr(vectorMemory(r, l)), m.text, immediate),
					func(a *Asm) { a.RRM(r, hi+9, hi+3, m.m, o); imm(a) }))
			}
			if o.VEX || r.Enc&EVEX == 0 {
				return
			}
			if r.Tuple == Full {
				n := (16 << l) / int(r.Elem)
				b := o
				b.Bcast = true
				out = append(out, in(fmt.Sprintf("%s %s, %s, %s[rcx+%d]{1to%d}%s", mnemonic(r, o), v(l, 5), v(l, 6), ptr(int(r.Elem)), 4*r.Elem, n, immediate),
					func(a *Asm) { a.RRM(r, 5, 6, At(RCX, int32(4*r.Elem)), b); imm(a) }))
			}
			for _, z := range []bool{false, true} {
				mo := o
				text := fmt.Sprintf("%s %s%s, %s, %s%s", mnemonic(r, o), v(l, 20), mask(&mo, 3, z), v(l, 21), v(l, 4), immediate)
				out = append(out, in(text, func(a *Asm) { a.RRR(r, 20, 21, 4, mo); imm(a) }))
			}
		})
		return out
	}
}

// two is dst, src. The source or destination may be narrower; text tells by how much.
func two(dst, src func(Len) Len, immediate string) func(r *Row) []instruction {
	return func(r *Row) (out []instruction) {
		imm := func(a *Asm) {
			if immediate != "" {
				a.Imm8(0x5a)
			}
		}
		each(r, func(l Len, o Opt, hi VReg) {
			for _, q := range [][2]VReg{{1, 3}, {hi + 9, hi + 15}, {8, hi + 2}} {
				out = append(out, in(fmt.Sprintf("%s %s, %s%s", mnemonic(r, o), v(dst(l), q[0]), v(src(l), q[1]), immediate),
					func(a *Asm) { a.RRR(r, q[0], 0, q[1], o); imm(a) }))
			}
			for _, m := range memoriesOf(r) {
				if dst(l) != l || src(l) == L256 && l == L512 && r.W == 1 {
					continue // memory is on the other side, or as needs a size suffix
				}
				out = append(out, in(fmt.Sprintf("%s %s, %s%s%s", mnemonic(r, o), v(dst(l), hi+9), ptr(vectorMemory(r, l)), m.text, immediate),
					func(a *Asm) { a.RRM(r, hi+9, 0, m.m, o); imm(a) }))
			}
			if r.Enc&EVEX != 0 && !o.VEX {
				mo := o
				text := fmt.Sprintf("%s %s%s, %s%s", mnemonic(r, o), v(dst(l), 20), mask(&mo, 5, true), v(src(l), 4), immediate)
				out = append(out, in(text, func(a *Asm) { a.RRR(r, 20, 0, 4, mo); imm(a) }))
			}
		})
		return out
	}
}

func same(l Len) Len    { return l }
func half(l Len) Len    { return max(l, 1) - 1 }
func quarter(l Len) Len { return max(l, 2) - 2 }
func x128(Len) Len      { return L128 }

// narrowed is dst, src where the narrow operand is written first and is the ModRM.rm operand: truncating moves.
func narrowed(dst func(Len) Len) func(r *Row) []instruction {
	return func(r *Row) (out []instruction) {
		each(r, func(l Len, o Opt, hi VReg) {
			out = append(out,
				in(fmt.Sprintf("%s %s, %s", mnemonic(r, o), v(dst(l), 9), v(l, hi+3)), func(a *Asm) { a.RRR(r, hi+3, 0, 9, o) }),
				in(fmt.Sprintf("%s %s[r9+%d], %s", mnemonic(r, o), ptr(vectorMemory(r, l)), vectorMemory(r, l), v(l, hi+3)),
					func(a *Asm) { a.RRM(r, hi+3, 0, At(R9, int32(vectorMemory(r, l))), o) }))
		})
		return out
	}
}

// compare is k, x, y[, imm].
func compare(immediate string) func(r *Row) []instruction {
	return func(r *Row) (out []instruction) {
		for _, l := range []Len{L512, L256} {
			o := Opt{L: l}
			out = append(out,
				in(fmt.Sprintf("%s k5, %s, %s%s", r.Name, v(l, 20), v(l, 13), immediate), func(a *Asm) {
					a.KRR(r, 5, 20, 13, o)
					if immediate != "" {
						a.Imm8(2)
					}
				}),
				in(fmt.Sprintf("%s k2{k7}, %s, %s[rbx+64]%s", r.Name, v(l, 1), ptr(16<<l), immediate), func(a *Asm) {
					k := o
					k.K = 7
					a.RRM(r, 2, 1, At(RBX, 64), k)
					if immediate != "" {
						a.Imm8(2)
					}
				}))
		}
		return out
	}
}

func shapes() []shape {
	return []shape{
		{"VADDPS VADDPD VSUBPS VSUBPD VMULPS VMULPD VDIVPS VDIVPD VMINPS VMINPD VMAXPS VMAXPD " +
			"VFMADD132PS VFMADD132PD VFMADD213PS VFMADD213PD VFMADD231PS VFMADD231PD VFNMADD213PS VFNMADD213PD VFNMADD231PS VFNMADD231PD " +
			"VFMSUB213PS VFMSUB213PD VFMSUB231PS VFMSUB231PD VFNMSUB213PS VFNMSUB213PD VPANDD VPANDQ VPAND VPANDND VPANDNQ VPANDN VPORD VPORQ VPOR VPXORD VPXORQ VPXOR " +
			"VPADDD VPADDQ VPSUBD VPSUBQ VPADDW VPSUBW VPMULLD VPMULLQ VPMULUDQ VPMULDQ VPMADDWD VPMINSD VPMINSQ VPMAXSD VPMAXSQ VPMINUD VPMINUQ VPMAXUD VPMAXUQ " +
			"VPSLLVD VPSRLVD VPSRAVD VPSLLVQ VPSRLVQ VPSRAVQ VPROLVD VPRORVD VPSHLDVD VPSHRDVD VBLENDMPS VPBLENDMD VPBLENDMQ " +
			"VSCALEFPS VSCALEFPD VPERMD VPERMQ VPERMT2D VPERMI2D VPERMT2Q VPSHUFB VPUNPCKLDQ VPUNPCKHDQ VPUNPCKLQDQ VPUNPCKHQDQ", three("")},
		{"VPTERNLOGD VPTERNLOGQ VFIXUPIMMPS VALIGND VSHUFPS VPBLENDD", three(", 0x5a")},
		{"VSQRTPS VSQRTPD VPABSD VPABSQ VPOPCNTD VPOPCNTQ VPLZCNTD VPLZCNTQ VPCONFLICTD VRSQRT14PS VRCP14PS VGETEXPPS VGETEXPPD " +
			"VMOVUPS VMOVAPS VMOVDQU32 VMOVDQU64 VMOVDQA32 VMOVDQA64 VMOVDQU8 VMOVDQU16 VMOVDQU " +
			"VCVTDQ2PS VCVTUDQ2PS VCVTPS2DQ VCVTTPS2DQ VCVTPS2UDQ VCVTTPS2UDQ VCVTQQ2PD VCVTUQQ2PD VCVTPD2QQ VCVTTPD2QQ VCVTPD2UQQ VCVTTPD2UQQ VPEXPANDD", two(same, same, "")},
		{"VRNDSCALEPS VRNDSCALEPD VROUNDPS VROUNDPD VGETMANTPS VPSHUFD", two(same, same, ", 0x5a")},
		{"VCVTPS2PD VCVTDQ2PD VCVTUDQ2PD VCVTPH2PS VCVTPS2QQ VCVTTPS2QQ VCVTPS2UQQ VCVTTPS2UQQ VPMOVZXWD VPMOVSXWD VPMOVZXDQ VPMOVSXDQ VPMOVZXBW VPMOVSXBW", two(same, half, "")},
		{"VPMOVZXBD VPMOVSXBD VPMOVZXWQ VPMOVSXWQ", two(same, quarter, "")},
		{"VPMOVZXBQ VPMOVSXBQ VPBROADCASTD VPBROADCASTQ VBROADCASTSS VBROADCASTSD VPBROADCASTB VPBROADCASTW", two(same, x128, "")},
		{"VCVTPD2PS VCVTTPD2DQ VCVTPD2DQ VCVTTPD2UDQ VCVTPD2UDQ VCVTQQ2PS VCVTUQQ2PS", two(half, same, "")},
		{"VPMOVDW VPMOVQD VPMOVWB", narrowed(half)},
		{"VPMOVDB VPMOVQW", narrowed(quarter)},
		{"VPMOVQB", narrowed(x128)},
		{"VCMPPS VCMPPD VPCMPD VPCMPUD VPCMPQ VPCMPUQ", compare(", 2")},
		{"VPTESTMD VPTESTNMD VPTESTMQ VPTESTNMQ", compare("")},
	}
}

// specialShapes are those of few rows.
func specialShapes() []shape {
	return []shape{
		{"VPCMPEQD VPCMPGTD VPCMPEQQ VPCMPGTQ", func(r *Row) []instruction {
			return []instruction{
				in(r.Name+" ymm3, ymm9, ymm14", func(a *Asm) { a.RRR(r, 3, 9, 14, Opt{L: L256, VEX: true}) }),
				in(r.Name+" k3, zmm9, zmm30", func(a *Asm) { a.KRR(r, 3, 9, 30, Opt{L: L512}) }),
			}
		}},
		{"VPSADBW", func(r *Row) []instruction {
			return []instruction{in(r.Name+" zmm3, zmm9, zmm30", func(a *Asm) { a.RRR(r, 3, 9, 30, Opt{L: L512}) })}
		}},
		{"VFPCLASSPS VFPCLASSPD", func(r *Row) []instruction {
			return []instruction{in(r.Name+" k3, zmm9, 0x81", func(a *Asm) { a.KRRI(r, 3, 0, 9, 0x81, Opt{L: L512}) })}
		}},
		{"VPSLLDI VPSRLDI VPSRADI VPSLLWI VPSRLWI VPSRAWI VPSLLQI VPSRLQI VPSRAQI VPROLDI", func(r *Row) (out []instruction) {
			each(r, func(l Len, o Opt, hi VReg) {
				out = append(out, in(fmt.Sprintf("%s %s, %s, 13", mnemonic(r, o), v(l, hi+4), v(l, hi+11)), func(a *Asm) { a.RRI(r, hi+4, hi+11, 13, o) }))
			})
			return out
		}},
		{"VBLENDVPS VBLENDVPD", func(r *Row) []instruction {
			return []instruction{in(r.Name+" ymm1, ymm9, ymm12, ymm15", func(a *Asm) { a.RRRI(r, 1, 9, 12, 15<<4, Opt{L: L256}) })}
		}},
		{"VMOVUPSStore VMOVAPSStore VMOVDQU32Store VMOVDQU64Store VMOVDQU8Store VMOVDQU16Store VMOVDQUStore VMOVNTPS VPCOMPRESSD", func(r *Row) (out []instruction) {
			each(r, func(l Len, o Opt, hi VReg) {
				for _, m := range memoriesOf(r) {
					out = append(out, in(fmt.Sprintf("%s %s%s, %s", mnemonic(r, o), ptr(16<<l), m.text, v(l, hi+9)), func(a *Asm) { a.RRM(r, hi+9, 0, m.m, o) }))
				}
				if r.Enc&EVEX != 0 && !o.VEX && r != VMOVNTPS {
					k := o
					k.K = 1
					out = append(out, in(fmt.Sprintf("%s %s[rdx+128]{k1}, %s", mnemonic(r, o), ptr(16<<l), v(l, 9)), func(a *Asm) { a.RRM(r, 9, 0, At(RDX, 128), k) }))
				}
			})
			return out
		}},
		{"VCVTPS2PH", func(r *Row) []instruction {
			return []instruction{
				in(r.Name+" ymm19, zmm3, 4", func(a *Asm) { a.RRRI(r, 3, 0, 19, 4, Opt{L: L512}) }),
				in(r.Name+" xmm9, ymm3, 4", func(a *Asm) { a.RRRI(r, 3, 0, 9, 4, Opt{L: L256, VEX: true}) }),
			}
		}},
	}
}

// moveShapes are moves between kinds of registers.
func moveShapes() []shape {
	return []shape{
		{"VMOVD VMOVQ", func(r *Row) []instruction {
			w := W32
			if r.Elem == 8 {
				w = W64
			}
			return []instruction{
				in(r.Name+" xmm19, "+g(w, R9), func(a *Asm) { a.RG(r, 19, R9, Opt{}) }),
				in(r.Name+" xmm9, "+g(w, R15), func(a *Asm) { a.RG(r, 9, R15, Opt{VEX: true}) }),
			}
		}},
		{"VMOVDStore VMOVQStore", func(r *Row) []instruction {
			w := W32
			if r.Elem == 8 {
				w = W64
			}
			return []instruction{
				in(r.Name+" "+g(w, R9)+", xmm19", func(a *Asm) { a.GR(r, 19, R9, Opt{}) }),
				in(r.Name+" "+g(w, RBX)+", xmm9", func(a *Asm) { a.GR(r, 9, RBX, Opt{VEX: true}) }),
			}
		}},
		{"VPBROADCASTDG VPBROADCASTQG", func(r *Row) []instruction {
			w := W32
			if r.Elem == 8 {
				w = W64
			}
			return []instruction{in(r.Name+" zmm19, "+g(w, R9), func(a *Asm) { a.RG(r, 19, R9, Opt{L: L512}) })}
		}},
		{"VEXTRACTI64X4 VEXTRACTI32X4", func(r *Row) []instruction {
			d := map[Tuple]Len{Half: L256, Quarter: L128}[r.Tuple]
			return []instruction{
				in(fmt.Sprintf("%s %s, zmm9, 1", r.Name, v(d, 20)), func(a *Asm) { a.RRRI(r, 9, 0, 20, 1, Opt{L: L512}) }),
				in(fmt.Sprintf("%s %s[rax+64], zmm9, 1", r.Name, ptr(16<<d)), func(a *Asm) { a.RRMI(r, 9, 0, At(RAX, 64), 1, Opt{L: L512}) }),
			}
		}},
		{"VINSERTI64X4", func(r *Row) []instruction {
			return []instruction{in(r.Name+" zmm20, zmm9, ymm30, 1", func(a *Asm) { a.RRRI(r, 20, 9, 30, 1, Opt{L: L512}) })}
		}},
		{"VEXTRACTI128", func(r *Row) []instruction {
			return []instruction{in(r.Name+" xmm12, ymm9, 1", func(a *Asm) { a.RRRI(r, 9, 0, 12, 1, Opt{L: L256}) })}
		}},
		{"VINSERTI128", func(r *Row) []instruction {
			return []instruction{in(r.Name+" ymm12, ymm9, xmm13, 1", func(a *Asm) { a.RRRI(r, 12, 9, 13, 1, Opt{L: L256}) })}
		}},
		{"VPGATHERDD VPGATHERDQ VPGATHERQD VPGATHERQQ VPSCATTERDD VPSCATTERDQ VPSCATTERQD VPSCATTERQQ", gatherCases},
		{"VPMOVM2D VPMOVM2Q VPBROADCASTMW2D", func(r *Row) []instruction {
			return []instruction{in(r.Name+" zmm20, k3", func(a *Asm) { a.RK(r, 20, 3, Opt{L: L512}) })}
		}},
		{"VPMOVD2M", func(r *Row) []instruction {
			return []instruction{in(r.Name+" k3, zmm20", func(a *Asm) { a.KR(r, 3, 20, Opt{L: L512}) })}
		}},
		{"VMOVMSKPS", func(r *Row) []instruction {
			return []instruction{in(r.Name+" r9d, ymm12", func(a *Asm) { a.RRR(r, VReg(R9), 0, 12, Opt{L: L256}) })}
		}},
	}
}

func gatherCases(r *Row) []instruction {
	data, index := L512, L512
	switch r.Name[len(r.Name)-2:] {
	case "dq":
		index = L256
	case "qd":
		data = L256
	}
	var out []instruction
	for _, vi := range []VReg{2, 12, 31} {
		mem := fmt.Sprintf("[r9+%s*4+16]", v(index, vi))
		text := fmt.Sprintf("%s %s{k3}, %s%s", r.Name, v(data, 20), ptr(int(r.Elem)), mem)
		if strings.HasPrefix(r.Name, "vpscatter") {
			text = fmt.Sprintf("%s %s%s{k3}, %s", r.Name, ptr(int(r.Elem)), mem, v(data, 20))
		}
		out = append(out, in(text, func(a *Asm) { a.RRM(r, 20, 0, AtVector(R9, vi, 4, 16), Opt{L: L512, K: 3}) }))
	}
	return out
}
