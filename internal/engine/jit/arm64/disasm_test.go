package arm64_test

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/tandem-go/tandem/internal/engine/jit/arm64"
	"github.com/tandem-go/tandem/internal/engine/jit/encodertest"
)

// TestDecode: of the bytes that GNU as gave for a text, Decode makes that text.
func TestDecode(t *testing.T) {
	encodertest.Decode(t, 300, func(code []byte) (string, int) { return Decode(binary.LittleEndian.Uint32(code)), 4 },
		func(text string) string { return text })
}

// TestDecodeLabels: displacements count from the instruction.
func TestDecodeLabels(t *testing.T) {
	var a Asm
	l, ahead := a.NewLabel(), a.NewLabel()
	a.Bind(l)
	a.B(l)
	a.Bcond(GT, l)
	a.Cbz(true, 3, ahead)
	a.Cbnz(false, 4, l)
	a.Bind(ahead)
	a.Adr(5, l)
	code, err := a.Finish()
	require.NoError(t, err)
	var texts []string
	for ; len(code) > 0; code = code[4:] {
		texts = append(texts, Decode(binary.LittleEndian.Uint32(code)))
	}
	require.Equal(t, []string{"b $+0", "b.gt $-4", "cbz x3, $+8", "cbnz w4, $-12", "adr x5, $-16"}, texts)
}

// TestDecodeStrangers: what this package does not emit has no text.
func TestDecodeStrangers(t *testing.T) {
	for _, w := range []uint32{0, 0xffffffff, 0xd4000001, 0x4e20f800} {
		require.Empty(t, Decode(w), "%#x", w)
	}
}
