package amd64_test

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
)

// With -rewrite the golden file is made anew: GNU as assembles the text of each case, and its bytes are what ours are
// compared with from then on, on machines without an assembler too.
var rewrite = flag.Bool("rewrite", false, "assemble testdata/golden.txt anew with GNU as")

const golden = "testdata/golden.txt"

// instruction is one case: what we emit, and the same for an assembler, in Intel syntax.
type instruction struct {
	text string
	emit func(a *Asm)
}

func encode(t *testing.T, in instruction) string {
	var a Asm
	in.emit(&a)
	code, err := a.Finish()
	require.NoError(t, err, in.text)
	return hex.EncodeToString(code)
}

// TestGolden compares the bytes of every case with those of GNU as.
func TestGolden(t *testing.T) {
	cases := slices.Concat(vectorCases(), maskCases(), scalarCases(), avx2Cases())
	if *rewrite {
		assemble(t, cases)
	}
	want := map[string]string{}
	f, err := os.Open(golden)
	require.NoError(t, err)
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		code, text, ok := strings.Cut(sc.Text(), " | ")
		require.True(t, ok, sc.Text())
		want[text] = code
	}
	require.Len(t, want, len(cases), "cases without golden bytes: run with -rewrite")
	bad := 0
	for _, in := range cases {
		if got := encode(t, in); got != want[in.text] {
			if bad++; bad < 40 {
				t.Errorf("%s: have %s, want %s", in.text, got, want[in.text])
			}
		}
	}
	require.Zero(t, bad)
}

var listing = regexp.MustCompile(`(?m)^ *\d+ (?:\?{4}|[0-9a-f]{4,8}) ((?:[0-9A-F]+ )*[0-9A-F]+) *\t`)

// assemble writes the golden file from the listing of GNU as.
func assemble(t *testing.T, cases []instruction) {
	var src, out strings.Builder
	cases = slices.SortedFunc(slices.Values(cases), func(a, b instruction) int { return strings.Compare(a.text, b.text) })
	src.WriteString(".intel_syntax noprefix\n")
	for _, in := range cases {
		src.WriteString(in.text + "\n")
	}
	file := filepath.Join(t.TempDir(), "a.s")
	require.NoError(t, os.WriteFile(file, []byte(src.String()), 0o600))
	object := file + ".o"
	text, err := exec.Command("as", "--listing-lhs-width=8", "-al", "-o", object, file).CombinedOutput()
	require.NoError(t, err, string(text))
	codes := listing.FindAllStringSubmatch(string(text), -1)
	require.Equal(t, len(cases), len(codes), "lines with code in the listing")
	for i, in := range cases {
		fmt.Fprintf(&out, "%s | %s\n", strings.ToLower(strings.ReplaceAll(codes[i][1], " ", "")), in.text)
	}
	require.NoError(t, os.MkdirAll("testdata", 0o755))
	require.NoError(t, os.WriteFile(golden, []byte(out.String()), 0o644))
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
