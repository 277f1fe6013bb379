package amd64_test

import (
	"encoding/hex"
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/engine/jit/encodertest"
)

// With -rewrite the golden file is made anew: GNU as assembles the text of each case, and its bytes are what ours are
// compared with from then on, on machines without an assembler too.
var rewrite = flag.Bool("rewrite", false, "assemble testdata/golden.txt anew with GNU as")

// instruction is one case: what we emit, and the same for an assembler, in Intel syntax.
type instruction struct {
	text string
	emit func(a *Asm)
}

// TestGolden compares the bytes of every case with those of GNU as.
func TestGolden(t *testing.T) {
	var cases []encodertest.Case
	for _, in := range slices.Concat(vectorCases(), maskCases(), scalarCases(), avx2Cases()) {
		var a Asm
		in.emit(&a)
		code, err := a.Finish()
		require.NoError(t, err, in.text)
		cases = append(cases, encodertest.Case{Text: in.text, Code: code})
	}
	if *rewrite {
		as := encodertest.Assembler{Command: []string{"as", "--listing-lhs-width=8", "-al"}, Prologue: ".intel_syntax noprefix\n"}
		as.Rewrite(t, cases)
	}
	encodertest.Encode(t, cases)
}

// TestRowsAreCovered: an instruction without a case is one that nothing compares with an assembler.
func TestRowsAreCovered(t *testing.T) {
	text := ""
	for _, in := range slices.Concat(vectorCases(), maskCases()) {
		text += in.text + "\n"
	}
	for _, in := range avx2Cases() {
		text += in.text + "\n"
	}
	all := maps.Clone(Rows)
	maps.Copy(all, AVX2Rows)
	for name, r := range all {
		if !strings.Contains(text, r.Name+" ") {
			t.Errorf("%s (%s) has no case", name, r.Name)
		}
	}
}

func TestMisuse(t *testing.T) {
	for want, emit := range map[string]func(a *Asm){
		"needs EVEX":      func(a *Asm) { a.RRR(VADDPS, 16, 0, 0, Opt{VEX: true}) },
		"with VEX":        func(a *Asm) { a.RRR(VADDPS, 1, 0, 0, Opt{VEX: true, L: L512}) },
		"scale 3":         func(a *Asm) { a.Lea(W64, RAX, AtIndex(RAX, RCX, 3, 0)) },
		"rsp":             func(a *Asm) { a.Lea(W64, RAX, AtIndex(RAX, RSP, 1, 0)) },
		"has no place":    func(a *Asm) { a.Jmp(a.NewLabel()) },
		"is bound twice":  func(a *Asm) { l := a.NewLabel(); a.Bind(l); a.Bind(l) },
		"mov of an immed": func(a *Asm) { a.MovMI(W8, At(RAX, 0), 1) },
	} {
		var a Asm
		emit(&a)
		_, err := a.Finish()
		require.ErrorContains(t, err, want)
	}
}

func TestLabels(t *testing.T) {
	var a Asm
	back, ahead := a.NewLabel(), a.NewLabel()
	a.Bind(back)
	a.Jcc(NE, ahead)
	a.Jmp(back)
	a.Bind(ahead)
	a.LeaLabel(R9, back)
	code, err := a.Finish()
	require.NoError(t, err)
	require.Equal(t, "0f8505000000"+"e9f5ffffff"+"4c8d0dee"+"ffffff", hex.EncodeToString(code))
	require.Equal(t, 11, a.Offset(ahead))
}

// TestBindNext: a jump to what follows is left out, unless something else comes to stand where it stood.
func TestBindNext(t *testing.T) {
	var a Asm
	next, other, end := a.NewLabel(), a.NewLabel(), a.NewLabel()
	a.Ret()
	a.Jmp(next)
	a.BindNext(next)
	a.Jmp(end)
	a.Bind(other)
	a.BindNext(end)
	a.Jmp(other)
	code, err := a.Finish()
	require.NoError(t, err)
	require.Equal(t, "c3"+"e900000000"+"e9fbffffff", hex.EncodeToString(code))
}
