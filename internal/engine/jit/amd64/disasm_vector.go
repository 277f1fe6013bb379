package amd64

import (
	"fmt"
	"strings"
)

// form says how the operands of rows are written, one word for each in the order of the text: D is the vector register of
// the reg field, X that of vvvv, R the register or memory of rm; K, x and k are mask registers there; G and g are general
// registers of the reg and rm fields; M is memory with a vector of indices, I an immediate, 4 a register in the upper half
// of one. h, q and l behind a vector make it half or a quarter as long, or 128 bits.
type form struct {
	rows     string
	operands string
	// vexOnly and evexOnly are for rows that are written otherwise in the other encoding.
	vexOnly, evexOnly bool
	// digit: the reg field belongs to the opcode.
	digit bool
}

const compares = "VPCMPEQD VPCMPGTD VPCMPEQQ VPCMPGTQ"

var forms = [...]form{
	{rows: "VADDPS VADDPD VSUBPS VSUBPD VMULPS VMULPD VDIVPS VDIVPD VMINPS VMINPD VMAXPS VMAXPD " +
		"VFMADD132PS VFMADD132PD VFMADD213PS VFMADD213PD VFMADD231PS VFMADD231PD VFNMADD213PS VFNMADD213PD VFNMADD231PS VFNMADD231PD " +
		"VFMSUB213PS VFMSUB213PD VFMSUB231PS VFMSUB231PD VFNMSUB213PS VFNMSUB213PD VPANDD VPANDQ VPAND VPANDND VPANDNQ VPANDN VPORD " +
		"VPORQ VPOR VPXORD VPXORQ VPXOR VPADDD VPADDQ VPSUBD VPSUBQ VPADDW VPSUBW VPMULLD VPMULLQ VPMULUDQ VPMULDQ VPMADDWD VPMINSD " +
		"VPMINSQ VPMAXSD VPMAXSQ VPMINUD VPMINUQ VPMAXUD VPMAXUQ VPSLLVD VPSRLVD VPSRAVD VPSLLVQ VPSRLVQ VPSRAVQ VPROLVD VPRORVD " +
		"VPSHLDVD VPSHRDVD VBLENDMPS VPBLENDMD VPBLENDMQ VSCALEFPS VSCALEFPD VPERMD VPERMQ VPERMT2D VPERMI2D VPERMT2Q VPSHUFB " +
		"VPUNPCKLDQ VPUNPCKHDQ VPUNPCKLQDQ VPUNPCKHQDQ VPSADBW", operands: "D X R"},
	{rows: compares, operands: "D X R", vexOnly: true},
	{rows: compares, operands: "K X R", evexOnly: true},
	{rows: "VPTERNLOGD VPTERNLOGQ VFIXUPIMMPS VALIGND VSHUFPS VPBLENDD", operands: "D X R I"},
	{rows: "VSQRTPS VSQRTPD VPABSD VPABSQ VPOPCNTD VPOPCNTQ VPLZCNTD VPLZCNTQ VPCONFLICTD VRSQRT14PS VRCP14PS VGETEXPPS VGETEXPPD " +
		"VMOVUPS VMOVAPS VMOVDQU32 VMOVDQU64 VMOVDQA32 VMOVDQA64 VMOVDQU8 VMOVDQU16 VMOVDQU VCVTDQ2PS VCVTUDQ2PS VCVTPS2DQ VCVTTPS2DQ " +
		"VCVTPS2UDQ VCVTTPS2UDQ VCVTQQ2PD VCVTUQQ2PD VCVTPD2QQ VCVTTPD2QQ VCVTPD2UQQ VCVTTPD2UQQ VPEXPANDD", operands: "D R"},
	{rows: "VRNDSCALEPS VRNDSCALEPD VROUNDPS VROUNDPD VGETMANTPS VPSHUFD VPERMQI", operands: "D R I"},
	{rows: "VCVTPS2PD VCVTDQ2PD VCVTUDQ2PD VCVTPH2PS VCVTPS2QQ VCVTTPS2QQ VCVTPS2UQQ VCVTTPS2UQQ VPMOVZXWD VPMOVSXWD VPMOVZXDQ " +
		"VPMOVSXDQ VPMOVZXBW VPMOVSXBW", operands: "D Rh"},
	{rows: "VPMOVZXBD VPMOVSXBD VPMOVZXWQ VPMOVSXWQ", operands: "D Rq"},
	{rows: "VPMOVZXBQ VPMOVSXBQ VPBROADCASTD VPBROADCASTQ VBROADCASTSS VBROADCASTSD VPBROADCASTB VPBROADCASTW", operands: "D Rl"},
	{rows: "VCVTPD2PS VCVTTPD2DQ VCVTPD2DQ VCVTTPD2UDQ VCVTPD2UDQ VCVTQQ2PS VCVTUQQ2PS", operands: "Dh R"},
	{rows: "VPMOVDW VPMOVQD VPMOVWB", operands: "Rh D"},
	{rows: "VPMOVDB VPMOVQW", operands: "Rq D"},
	{rows: "VPMOVQB", operands: "Rl D"},
	{rows: "VMOVUPSStore VMOVAPSStore VMOVDQU32Store VMOVDQU64Store VMOVDQU8Store VMOVDQU16Store VMOVDQUStore VMOVNTPS VPCOMPRESSD", operands: "R D"},
	{rows: "VCMPPS VCMPPD VPCMPD VPCMPUD VPCMPQ VPCMPUQ", operands: "K X R I"},
	{rows: "VPTESTMD VPTESTNMD VPTESTMQ VPTESTNMQ", operands: "K X R"},
	{rows: "VFPCLASSPS VFPCLASSPD", operands: "K R I"},
	{rows: "VPSLLDI VPSRLDI VPSRADI VPSLLWI VPSRLWI VPSRAWI VPSLLQI VPSRLQI VPSRAQI VPROLDI", operands: "X R I", digit: true},
	{rows: "VBLENDVPS VBLENDVPD", operands: "D X R 4"},
	{rows: "VCVTPS2PH VEXTRACTI64X4", operands: "Rh D I"},
	{rows: "VEXTRACTI32X4", operands: "Rq D I"},
	{rows: "VEXTRACTI128", operands: "Rl D I"},
	{rows: "VINSERTI64X4", operands: "D X Rh I"},
	{rows: "VINSERTI128", operands: "D X Rl I"},
	{rows: "VMOVD VMOVQ VPBROADCASTDG VPBROADCASTQG", operands: "D g"},
	{rows: "VMOVDStore VMOVQStore", operands: "g D"},
	{rows: "VPGATHERDD VPGATHERDQ VPGATHERQD VPGATHERQQ", operands: "D M"},
	{rows: "VPSCATTERDD VPSCATTERDQ VPSCATTERQD VPSCATTERQQ", operands: "M D"},
	{rows: "VPGATHERDDVEX VPGATHERQDVEX VPGATHERQQVEX", operands: "D M X"},
	{rows: "VPMASKMOVDS VPMASKMOVQS", operands: "R X D"},
	{rows: "VPMOVM2D VPMOVM2Q VPBROADCASTMW2D", operands: "D k"},
	{rows: "VPMOVD2M", operands: "K R"},
	{rows: "VMOVMSKPS", operands: "G R"},
	{rows: "KANDW KANDD KANDB KANDNW KANDND KANDNB KORW KORD KORB KXNORW KXNORD KXNORB KXORW KXORD KXORB KADDW KADDD KADDB KUNPCKWD " +
		"KUNPCKBW", operands: "K x k"},
	{rows: "KNOTW KNOTD KNOTB KORTESTW KORTESTD KORTESTB KTESTW KTESTD KTESTB KMOVW KMOVD KMOVQ", operands: "K k"},
	{rows: "KMOVWStore KMOVDStore KMOVQStore", operands: "k K"},
	{rows: "KSHIFTRW KSHIFTLW KSHIFTRD KSHIFTLD KSHIFTRB KSHIFTLB", operands: "K k I"},
	{rows: "KMOVWG KMOVDG", operands: "K g"},
	{rows: "KMOVWToG KMOVDToG", operands: "G k"},
}

// vectorPrefix is what VEX and EVEX prefixes say.
type vectorPrefix struct {
	evex      bool
	table, pp uint8
	w, vvvv   uint8
	l         Len
	k         uint8
	z, b      bool
	high      uint8 // the fifth bit of the index
	x4        uint8 // the fifth bit of rm
}

func (d *decoder) vex(c uint8) string {
	var p vectorPrefix
	b := d.byte()
	d.r, p.table = ^b>>4&8, 1
	if c == 0xc4 {
		d.x, d.b, p.table = ^b>>3&8, ^b>>2&8, b&31
		b = d.byte()
		p.w = b >> 7
	}
	p.vvvv, p.l, p.pp = ^b>>3&15, Len(b>>2&1), b&3
	op := d.byte()
	if op == 0x77 {
		return "vzeroupper"
	}
	return d.vector(&p, op)
}

func (d *decoder) evex() string {
	b0, b1, b2 := d.byte(), d.byte(), d.byte()
	d.r, d.x, d.b = ^b0>>4&8|^b0&16, ^b0>>3&8, ^b0>>2&8
	p := vectorPrefix{
		evex: true, table: b0 & 7, pp: b1 & 3, w: b1 >> 7, vvvv: ^b1>>3&15 | ^b2<<1&16, l: Len(b2 >> 5 & 3), k: b2 & 7, z: b2>>7 != 0, b: b2>>4&1 != 0,
		high: ^b2 << 1 & 16, x4: ^b0 >> 2 & 16,
	}
	return d.vector(&p, d.byte())
}

// vector is an instruction behind its prefix and opcode.
func (d *decoder) vector(p *vectorPrefix, op uint8) string {
	d.modRM()
	if d.mod == 3 {
		d.rm |= p.x4
	}
	for _, f := range byOpcode()[opcodeKey{p.evex, p.table, p.pp, op}] {
		w := f.W
		if !p.evex {
			w = bit(f.Enc&VEXW1 != 0)
		}
		if w == p.w && (!f.digit || f.Digit == d.reg&7) {
			return d.written(p, f)
		}
	}
	return ""
}

var roundings = [...]string{"rn-sae", "rd-sae", "ru-sae", "rz-sae"}

// written is the text of an instruction of a row.
func (d *decoder) written(p *vectorPrefix, f formed) string {
	o := Opt{L: p.l, Bcast: p.b}
	rounding := ""
	if p.evex && p.b && d.mod == 3 {
		rounding = ", {" + roundings[p.l] + "}"
		p.l = L512
	}
	var texts []string
	for _, kind := range strings.Fields(f.operands) {
		texts = append(texts, d.part(p, f, o, kind))
	}
	if p.k != 0 {
		texts[0] += fmt.Sprintf("{k%d}", p.k)
	}
	if p.z {
		texts[0] += "{z}"
	}
	return f.Name + " " + strings.Join(texts, ", ") + rounding
}

// part is one operand.
func (d *decoder) part(p *vectorPrefix, f formed, o Opt, kind string) string {
	l := p.l
	switch kind[1:] {
	case "h":
		l = max(l, 1) - 1
	case "q":
		l = max(l, 2) - 2
	case "l":
		l = L128
	}
	gathers := strings.Contains(f.operands, "M")
	if gathers && strings.HasSuffix(f.Name, "qd") {
		l = max(l, 1) - 1
	}
	switch kind[0] {
	case 'D':
		return fmt.Sprintf("%cmm%d", "xyz"[l], d.reg)
	case 'X':
		return fmt.Sprintf("%cmm%d", "xyz"[l], p.vvvv)
	case 'R':
		if d.mod == 3 {
			return fmt.Sprintf("%cmm%d", "xyz"[l], d.rm)
		}
		return d.vectorMemory(p, f, o)
	case 'M':
		index := p.l
		if strings.HasSuffix(f.Name, "dq") {
			index = max(index, 1) - 1
		}
		return pointers[int(f.Elem)] + d.memory(d.factor(p, f, o), fmt.Sprintf("%cmm", "xyz"[index]), p.high&bit5(p.evex))
	case 'K':
		return fmt.Sprintf("k%d", d.reg&7)
	case 'x':
		return fmt.Sprintf("k%d", p.vvvv&7)
	case 'k':
		if d.mod == 3 {
			return fmt.Sprintf("k%d", d.rm&7)
		}
		return pointers[map[byte]int{'w': 2, 'd': 4, 'q': 8}[f.Name[len(f.Name)-1]]] + d.memory(1, "", 0)
	case 'G':
		return register(4, d.reg)
	case 'g':
		return register(max(4, int(f.Elem)), d.rm&15)
	case '4':
		return fmt.Sprintf("%cmm%d", "xyz"[l], d.byte()>>4)
	}
	return fmt.Sprint(d.byte())
}

func bit5(b bool) uint8 { return bit(b) << 4 }

func (d *decoder) factor(p *vectorPrefix, f formed, o Opt) int32 {
	if !p.evex {
		return 1
	}
	return f.factor(o)
}

// vectorMemory is the memory of rm, with the size of what it holds.
func (d *decoder) vectorMemory(p *vectorPrefix, f formed, o Opt) string {
	o.Bcast = false
	whole := int(f.Row.factor(o))
	if f.Row == VPEXPANDD || f.Row == VPCOMPRESSD {
		whole = 16 << p.l
	}
	if p.evex && p.b {
		o.Bcast = true
		return fmt.Sprintf("%s%s{1to%d}", pointers[int(f.Elem)], d.memory(f.factor(o), "", 0), whole/int(f.Elem))
	}
	return pointers[whole] + d.memory(d.factor(p, f, o), "", 0)
}
