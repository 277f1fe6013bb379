package listing_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/listing"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files of golden tests anew")

func read(t *testing.T, name string) []byte {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

func golden(t *testing.T, name string, have []byte) {
	if *rewrite {
		require.NoError(t, os.WriteFile(filepath.Join("testdata", name), have, 0o644))
	}
	require.Equal(t, string(read(t, name)), string(have))
}

// TestAssembly: pieces in line and out of line, with positions and without, as text.
func TestAssembly(t *testing.T) {
	text := read(t, "axpy.ptx")
	k := &ir.Kernel{Name: "axpy", Files: []string{"/src/axpy.cu"}, Globals: []*ir.Global{{Name: "table", Size: 300}, {Name: "n", Size: 4}}}
	load := &ir.Instr{Op: ir.OpLoad, Pos: ir.Pos{PTXLine: 15, File: 1, Line: 3}}
	add := &ir.Instr{Op: ir.OpAdd, Pos: ir.Pos{PTXLine: 17}}
	l := &jit.Listing{Engine: "jit/none", Size: 9, Pieces: []jit.Piece{
		{What: "where a warp begins", Code: []jit.Machine{{Offset: 0, Bytes: []byte{0x31, 0xc0}, Text: "xor eax, eax"}}},
		{What: "block b0"},
		{In: load, Code: []jit.Machine{{Offset: 2, Bytes: []byte{0xeb, 0x02}, Text: "jmp 0x6"}, {Offset: 4, Bytes: []byte{0x90}, Text: "nop"}}},
		{In: add, Code: []jit.Machine{{Offset: 5, Bytes: []byte{0xc3}, Text: "ret"}}},
		{In: &ir.Instr{Op: ir.OpExit}, Outside: true, Code: []jit.Machine{{Offset: 6, Bytes: []byte{0x0f, 0x0b, 0x90}, Text: "ud2"}}},
	}}
	var b bytes.Buffer
	require.NoError(t, listing.Assembly(&b, k, l, listing.Request{Text: text, Block: [3]uint32{64, 2, 1}}))
	golden(t, "assembly.txt", b.Bytes())
}

// TestStages: the intermediate form as it is lowered, and as engines get it.
func TestStages(t *testing.T) {
	for _, stage := range []string{"lower", "dead"} {
		var b bytes.Buffer
		require.NoError(t, listing.Write(&b, listing.Request{Name: "axpy.ptx", Text: read(t, "axpy.ptx"), Stage: stage}))
		golden(t, "axpy."+stage+".ir", b.Bytes())
	}
}

var machine = regexp.MustCompile(`(?m)^ *[0-9a-f]+  ((?:[0-9a-f]{2} )+) +\S`)

// TestWriteAssembly: each engine of this build gives machine code with the line of each PTX instruction that needs some.
func TestWriteAssembly(t *testing.T) {
	text := read(t, "axpy.ptx")
	for _, name := range jit.Names() {
		var b bytes.Buffer
		require.NoError(t, listing.Write(&b, listing.Request{Name: "axpy.ptx", Text: text, Stage: "asm", Engine: name, Block: [3]uint32{64, 1, 1}}))
		out := b.String()
		require.Contains(t, out, "kernel axpy, "+name+", blocks of 64,1,1: ")
		require.NotEmpty(t, machine.FindString(out), out)
		for _, want := range []string{"ld.global.f32 %f2, [%rd4];  // axpy.cu:3", "fma.rn.f32 %f3, %f1, %f2, %f2;  // axpy.cu:3", "st.global.f32 [%rd4], %f3;"} {
			require.Contains(t, out, want, name)
		}
		require.Contains(t, out, "out of line:")
		require.Contains(t, out, "between warps:")
	}
}

// TestBadRequests: a message says what there is.
func TestBadRequests(t *testing.T) {
	one := read(t, "axpy.ptx")
	two := append(append([]byte(nil), one...), strings.ReplaceAll(string(one[bytes.Index(one, []byte(".visible")):]), "axpy", "other")...)
	for _, c := range []struct {
		r    listing.Request
		want string
	}{
		{listing.Request{Text: one, Stage: "optimise"}, "no stage \"optimise\": there are lower, "},
		{listing.Request{Text: one, Stage: "asm", Engine: "jit/none"}, "no code for engine \"jit/none\""},
		{listing.Request{Text: one, Kernel: "b"}, "has no kernel b: it has axpy"},
		{listing.Request{Text: two}, "has 2 kernels; choose one: axpy, other"},
	} {
		c.r.Name = "axpy.ptx"
		err := listing.Write(&bytes.Buffer{}, c.r)
		require.ErrorIs(t, err, listing.ErrUsage)
		require.ErrorContains(t, err, c.want)
	}
	err := listing.Write(&bytes.Buffer{}, listing.Request{Name: "x.ptx", Text: []byte("hello")})
	require.ErrorContains(t, err, "x.ptx:1:1")
}
