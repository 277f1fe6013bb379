// Package encodertest holds the bytes of an encoder, and the texts of its decoder, against GNU as: testdata/golden.txt of the
// package under test keeps what that gave, for machines without the assembler.
package encodertest

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const golden = "testdata/golden.txt"

// most bounds how many differences a test shows.
const most = 40

// Case is one instruction as an assembler reads it, and its bytes as the encoder gives them. Cases of the same text are the
// same instruction.
type Case struct {
	Text string
	Code []byte
}

// Assembler is how GNU as is called: Command with the arguments that make it print a listing, and the lines that come before
// the instructions.
type Assembler struct {
	Command  []string
	Prologue string
}

// listing is a line of the listing that has code.
var listing = regexp.MustCompile(`(?m)^ *\d+ (?:\?{4}|[0-9a-f]{4,8}) ((?:[0-9A-F]+ )*[0-9A-F]+) *\t`)

// Rewrite makes the golden file anew.
func (a Assembler) Rewrite(t *testing.T, cases []Case) {
	cases = slices.SortedFunc(slices.Values(cases), func(a, b Case) int { return strings.Compare(a.Text, b.Text) })
	cases = slices.CompactFunc(cases, func(a, b Case) bool { return a.Text == b.Text })
	var src, out strings.Builder
	src.WriteString(a.Prologue)
	for _, c := range cases {
		src.WriteString(c.Text + "\n")
	}
	file := filepath.Join(t.TempDir(), "a.s")
	must(t, os.WriteFile(file, []byte(src.String()), 0o600))
	text, err := exec.Command(a.Command[0], append(a.Command[1:], "-o", file+".o", file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	codes := listing.FindAllStringSubmatch(string(text), -1)
	if len(codes) != len(cases) {
		t.Fatalf("%d lines with code in the listing of %d instructions", len(codes), len(cases))
	}
	for i, c := range cases {
		fmt.Fprintf(&out, "%s | %s\n", strings.ToLower(strings.ReplaceAll(codes[i][1], " ", "")), c.Text)
	}
	must(t, os.MkdirAll(filepath.Dir(golden), 0o755))
	must(t, os.WriteFile(golden, []byte(out.String()), 0o644))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// line is one of the golden file.
type line struct {
	code []byte
	text string
}

func read(t *testing.T) (lines []line) {
	f, err := os.Open(golden)
	must(t, err)
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		code, text, ok := strings.Cut(sc.Text(), " | ")
		b, err := hex.DecodeString(code)
		if err != nil || !ok {
			t.Fatalf("%s: no line of code and text: %s", golden, sc.Text())
		}
		lines = append(lines, line{b, text})
	}
	return lines
}

// Encode compares the bytes of every case with those of the golden file, which has no others.
func Encode(t *testing.T, cases []Case) {
	want := map[string][]byte{}
	for _, l := range read(t) {
		want[l.text] = l.code
	}
	seen, bad := map[string]bool{}, 0
	for _, c := range cases {
		seen[c.Text] = true
		if !slices.Equal(c.Code, want[c.Text]) {
			if bad++; bad < most {
				t.Errorf("%s: have %x, want %x", c.Text, c.Code, want[c.Text])
			}
		}
	}
	if len(want) != len(seen) {
		t.Fatalf("golden bytes of %d instructions for %d cases: run with -rewrite", len(want), len(seen))
	}
}

// Decode compares what decode makes of the bytes of each line of the golden file, its text and size, with the line. Texts are
// compared as plain writes them. There are at least so many lines.
func Decode(t *testing.T, least int, decode func(code []byte) (text string, size int), plain func(text string) string) {
	lines, bad := read(t), 0
	for _, l := range lines {
		text, size := decode(l.code)
		if size != len(l.code) || plain(text) != plain(l.text) {
			if bad++; bad < most {
				t.Errorf("%x: want %q, have %q of %d bytes", l.code, l.text, text, size)
			}
		}
	}
	if len(lines) < least {
		t.Fatalf("%d lines, want %d", len(lines), least)
	}
}
