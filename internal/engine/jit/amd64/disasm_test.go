package amd64_test

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/engine/jit/encodertest"
)

var number = regexp.MustCompile(`0x[0-9a-f]+|[+-]?\b\d+\b`)

// plainText writes numbers in one way, and leaves out what does not change the instruction.
func plainText(text string) string {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "{evex} "), "+0]", "]")
	return number.ReplaceAllStringFunc(text, func(n string) string {
		sign := ""
		if n[0] == '+' {
			sign, n = "+", n[1:]
		}
		v, err := strconv.ParseInt(n, 0, 64)
		if err != nil {
			return n
		}
		return sign + strconv.FormatInt(v, 10)
	})
}

// TestDecode: of the bytes that GNU as gave for a text, Decode makes that text.
func TestDecode(t *testing.T) {
	encodertest.Decode(t, 6000, func(code []byte) (string, int) {
		d := Decode(code)
		return d.Text, d.Size
	}, plainText)
}

// TestDecodeLabels: displacements count from the end of the instruction.
func TestDecodeLabels(t *testing.T) {
	var a Asm
	l := a.NewLabel()
	a.Bind(l)
	a.Jmp(l)
	a.Jcc(NE, l)
	a.LeaLabel(R9, l)
	code, err := a.Finish()
	require.NoError(t, err)
	var texts []string
	for len(code) > 0 {
		d := Decode(code)
		texts, code = append(texts, d.Text), code[d.Size:]
	}
	require.Equal(t, []string{"jmp $-5", "jne $-11", "lea r9, $-18"}, texts)
}

// TestDecodeStrangers: what this package does not emit has no text, and is one byte long.
func TestDecodeStrangers(t *testing.T) {
	for _, code := range []string{"", "62", "0f05", "c5f8", "f4", "62f1", "c4e279", "48"} {
		b, err := hex.DecodeString(code)
		require.NoError(t, err)
		require.Equal(t, Decoded{Size: 1}, Decode(b), code)
	}
}
