package arm64_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tandem-go/tandem/internal/engine/jit/arm64"
	"github.com/tandem-go/tandem/internal/engine/jit/encodertest"
)

// With -rewrite the golden file is made anew: GNU as for aarch64 assembles the text of each case, and its bytes are what
// ours are compared with from then on, on machines without that assembler too.
var rewrite = flag.Bool("rewrite", false, "assemble testdata/golden.txt anew with aarch64-linux-gnu-as")

// instruction is one case: what we emit, and the same for an assembler.
type instruction struct {
	text string
	emit func(a *Asm)
	rows []*Row
}

func x(wide bool, r Reg) string {
	switch {
	case r == XZR && wide:
		return "xzr"
	case r == XZR:
		return "wzr"
	case wide:
		return fmt.Sprintf("x%d", r)
	}
	return fmt.Sprintf("w%d", r)
}

func v(r VReg, arrangement string) string {
	if len(arrangement) == 1 { // a scalar
		return fmt.Sprintf("%s%d", arrangement, r)
	}
	return fmt.Sprintf("v%d.%s", r, arrangement)
}

var widths = []bool{false, true}

func generalCases() (out []instruction) {
	for _, w := range widths {
		for _, r := range []*Row{ADD, SUB, SUBS, AND, ANDS, ORR, ORN, EOR, UDIV, SDIV, LSLV, LSRV, ASRV} {
			out = append(out, instruction{fmt.Sprintf("%s %s, %s, %s", r.Name, x(w, 3), x(w, 17), x(w, 12)), func(a *Asm) { a.RRR(r, w, 3, 17, 12) }, []*Row{r}})
		}
		for _, r := range []*Row{MADD, MSUB} {
			out = append(out, instruction{fmt.Sprintf("%s %s, %s, %s, %s", r.Name, x(w, 3), x(w, 17), x(w, 12), x(w, 9)), func(a *Asm) { a.RRRR(r, w, 3, 17, 12, 9) }, []*Row{r}})
		}
		for _, r := range []*Row{ADDI, SUBI, SUBSI} {
			for _, imm := range []uint32{0, 1, 4095} {
				out = append(out, instruction{fmt.Sprintf("%s %s, %s, #%d", r.Name, x(w, 3), x(w, 17), imm), func(a *Asm) { a.RRI(r, w, 3, 17, imm) }, []*Row{r}})
			}
		}
		for _, r := range []*Row{CSEL, CSINC, CSINV} {
			for c, name := range []string{"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"} {
				out = append(out, instruction{fmt.Sprintf("%s %s, %s, %s, %s", r.Name, x(w, 3), x(w, 17), x(w, 12), name), func(a *Asm) { a.RRC(r, w, 3, 17, 12, Cond(c)) }, []*Row{r}})
			}
		}
		for _, r := range []*Row{UBFM, SBFM} {
			out = append(out, instruction{fmt.Sprintf("%s %s, %s, #5, #17", r.Name, x(w, 3), x(w, 17)), func(a *Asm) { a.Field(r, w, 3, 17, 5, 17) }, []*Row{r}})
		}
		out = append(out,
			instruction{fmt.Sprintf("clz %s, %s", x(w, 3), x(w, 17)), func(a *Asm) { a.RR(CLZ, w, 3, 17) }, []*Row{CLZ}},
			instruction{fmt.Sprintf("mov %s, %s", x(w, 3), x(w, 17)), func(a *Asm) { a.Mov(w, 3, 17) }, nil},
			instruction{fmt.Sprintf("ldaxr %s, [x4]", x(w, 3)), func(a *Asm) { a.Ldaxr(w, 3, 4) }, nil},
			instruction{fmt.Sprintf("stlxr w16, %s, [x4]", x(w, 3)), func(a *Asm) { a.Stlxr(w, 16, 3, 4) }, nil})
	}
	for _, r := range []*Row{SMADDL, UMADDL} {
		out = append(out, instruction{r.Name + " x3, w17, w12, x9", func(a *Asm) { a.RRRR(r, true, 3, 17, 12, 9) }, []*Row{r}})
	}
	for _, r := range []*Row{SMULH, UMULH} {
		out = append(out, instruction{r.Name + " x3, x17, x12", func(a *Asm) { a.RRR(r, true, 3, 17, 12) }, []*Row{r}})
	}
	for _, c := range []struct {
		text string
		emit func(a *Asm)
	}{
		{"br x16", func(a *Asm) { a.Br(16) }}, {"ret", func(a *Asm) { a.Ret() }}, {"dmb ish", func(a *Asm) { a.DmbIsh() }},
		{"clrex", func(a *Asm) { a.Clrex() }}, {"msr fpcr, x9", func(a *Asm) { a.MsrFPCR(9) }}, {"movi v7.2d, #0", func(a *Asm) { a.Zero(7) }},
		{"movz x9, #0", func(a *Asm) { a.Set(9, 0) }}, {"movz x9, #65535", func(a *Asm) { a.Set(9, 65535) }},
		{"movz x9, #4660, lsl #48", func(a *Asm) { a.Set(9, 0x1234<<48) }},
	} {
		out = append(out, instruction{c.text, c.emit, nil})
	}
	return out
}

func memoryCases() (out []instruction) {
	for _, r := range []*Row{LDRB, LDRH, LDRW, LDRX, STRB, STRH, STRW, STRX, LDRSB, LDRSH, LDRSBX, LDRSHX, LDRSWX, LDRQ, STRQ, LDRD, LDRS} {
		t := map[*Row]string{LDRX: "x5", STRX: "x5", LDRSBX: "x5", LDRSHX: "x5", LDRSWX: "x5", LDRQ: "q5", STRQ: "q5", LDRD: "d5", LDRS: "s5"}[r]
		if t == "" {
			t = "w5"
		}
		for _, off := range []int32{0, int32(r.Size), 4095 * int32(r.Size), -1, -256, 255} {
			name := r.Name
			if off < 0 || off%int32(r.Size) != 0 {
				name = strings.Replace(strings.Replace(name, "ldr", "ldur", 1), "str", "stur", 1)
			}
			out = append(out, instruction{fmt.Sprintf("%s %s, [x17, #%d]", name, t, off), func(a *Asm) { a.Mem(r, 5, 17, off) }, []*Row{r}})
		}
		out = append(out, instruction{fmt.Sprintf("%s %s, [x17, x16]", r.Name, t), func(a *Asm) { a.MemReg(r, 5, 17, 16) }, []*Row{r}})
	}
	return out
}

func vectorCases() (out []instruction) {
	for _, r := range Rows {
		switch {
		case r.M != "":
			out = append(out, instruction{fmt.Sprintf("%s %s, %s, %s", r.Name, v(3, r.D), v(17, r.N), v(30, r.M)), func(a *Asm) { a.VVV(r, 3, 17, 30) }, []*Row{r}})
		case r.D != "" && r.N != "" && r.Size == 0:
			out = append(out, instruction{fmt.Sprintf("%s %s, %s", r.Name, v(3, r.D), v(17, r.N)), func(a *Asm) { a.VV(r, 3, 17) }, []*Row{r}})
		case r.Name == "dup" && r.N != "":
			out = append(out, instruction{fmt.Sprintf("dup %s, v17.%s[0]", v(3, r.D), r.N), func(a *Asm) { a.DupLane(r, 3, 17) }, []*Row{r}})
		case r.Name == "dup":
			out = append(out, instruction{fmt.Sprintf("dup %s, %s", v(3, r.D), x(r.Size == 8, 17)), func(a *Asm) { a.Dup(r, 3, 17) }, []*Row{r}})
		case r.D != "" && r.N != "":
			for _, imm := range []uint8{0, 1, 7} {
				if r.Right && imm == 0 {
					imm = r.Size * 8
				}
				out = append(out, instruction{fmt.Sprintf("%s %s, %s, #%d", r.Name, v(3, r.D), v(17, r.N), imm), func(a *Asm) { a.Shift(r, 3, 17, imm) }, []*Row{r}})
			}
		case r.N != "":
			for i := range 16 / int(r.Size) {
				out = append(out, instruction{fmt.Sprintf("%s %s, v17.%s[%d]", r.Name, x(r.Size == 8 || r == SMOVS, 3), r.N, i), func(a *Asm) { a.FromLane(r, 3, 17, i) }, []*Row{r}})
			}
		case r.D != "":
			for i := range 16 / int(r.Size) {
				out = append(out, instruction{fmt.Sprintf("%s v3.%s[%d], %s", r.Name, r.D, i, x(r.Size == 8, 17)), func(a *Asm) { a.ToLane(r, 3, i, 17) }, []*Row{r}})
			}
		}
	}
	return out
}

func allCases() []instruction { return slices.Concat(generalCases(), memoryCases(), vectorCases()) }

// TestGolden compares the bytes of every case with those of GNU as.
func TestGolden(t *testing.T) {
	var cases []encodertest.Case
	for _, in := range allCases() {
		var a Asm
		in.emit(&a)
		code, err := a.Finish()
		require.NoError(t, err, in.text)
		cases = append(cases, encodertest.Case{Text: in.text, Code: code})
	}
	if *rewrite {
		encodertest.Assembler{Command: []string{"aarch64-linux-gnu-as", "-al"}}.Rewrite(t, cases)
	}
	encodertest.Encode(t, cases)
}

// TestRowsAreCovered: an instruction without a case is one that nothing compares with an assembler.
func TestRowsAreCovered(t *testing.T) {
	covered := map[*Row]bool{}
	for _, in := range allCases() {
		for _, r := range in.rows {
			covered[r] = true
		}
	}
	for name, r := range Rows {
		require.True(t, covered[r], name)
	}
}

func TestLabels(t *testing.T) {
	var a Asm
	back, ahead := a.NewLabel(), a.NewLabel()
	a.Bind(back)
	a.Bcond(NE, ahead)
	a.B(back)
	a.Cbz(true, 3, ahead)
	a.Bind(ahead)
	a.Adr(9, back)
	a.Cbnz(false, 4, back)
	code, err := a.Finish()
	require.NoError(t, err)
	// b.ne .+12; b .-4; cbz x3, .+4; adr x9, .-12; cbnz w4, .-16
	require.Equal(t, "61000054"+"ffffff17"+"230000b4"+"a9ffff10"+"84ffff35", hex.EncodeToString(code))
	require.Equal(t, 12, a.Offset(ahead))
}

func TestSet(t *testing.T) {
	var a Asm
	a.Set(9, 0x1234_0000_5678_0001)
	code, err := a.Finish()
	require.NoError(t, err)
	// movz x9, #1; movk x9, #0x5678, lsl #16; movk x9, #0x1234, lsl #48
	require.Equal(t, "290080d2"+"09cfaaf2"+"8946e2f2", hex.EncodeToString(code))
}

func TestMisuse(t *testing.T) {
	for want, emit := range map[string]func(a *Asm){
		"has no place":   func(a *Asm) { a.B(a.NewLabel()) },
		"is bound twice": func(a *Asm) { l := a.NewLabel(); a.Bind(l); a.Bind(l) },
		"immediate 4096": func(a *Asm) { a.RRI(ADDI, true, 1, 2, 4096) },
		"is too far": func(a *Asm) {
			l := a.NewLabel()
			a.Bcond(EQ, l)
			for range 1 << 18 {
				a.Ret()
			}
			a.Bind(l)
		},
	} {
		var a Asm
		emit(&a)
		_, err := a.Finish()
		require.ErrorContains(t, err, want)
	}
}
