package npy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/npy"
)

func TestRoundTrip(t *testing.T) {
	for _, a := range []npy.Array{
		{Header: npy.Header{DType: "f4", Shape: []int{3}}, Data: bytes.Repeat([]byte{1, 2, 3, 4}, 3)},
		{Header: npy.Header{DType: "u1", Shape: []int{2, 3}, Fortran: true}, Data: []byte("abcdef")},
		{Header: npy.Header{DType: "c16", Shape: []int{}}, Data: bytes.Repeat([]byte{7}, 16)},
		{Header: npy.Header{DType: "i8", Shape: []int{4, 0, 2}}, Data: []byte{}},
		{Header: npy.Header{DType: "f8", Shape: append([]int{1}, bytesToInts(30_000)...)}, Data: make([]byte, 8)},
	} {
		var b bytes.Buffer
		require.NoError(t, npy.Write(&b, &a))
		require.Zero(t, (b.Len()-len(a.Data))%64, "data begin at a multiple of 64")
		b.WriteString("next")
		got, err := npy.Read(&b)
		require.NoError(t, err)
		require.Equal(t, &a, got)
		require.Equal(t, "next", b.String(), "nothing behind the array is read")
	}
}

// bytesToInts is a shape of n ones, whose header needs format 2.0.
func bytesToInts(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

// file makes a file of format 1.0 with a given header.
func file(header, data string) string {
	return "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data
}

func TestBigEndian(t *testing.T) {
	a, err := npy.Read(strings.NewReader(file("{'descr': '>c8', 'fortran_order': False, 'shape': (1,), }", "\x01\x02\x03\x04\x05\x06\x07\x08")))
	require.NoError(t, err)
	require.Equal(t, []byte{4, 3, 2, 1, 8, 7, 6, 5}, a.Data)
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "not an .npy file",
		"PK\x03\x04....":                     "not an .npy file",
		"\x93NUMPY\x09\x00xxxx":              "format 9.0",
		"\x93NUMPY\x02\x00\xff\xff\xff\xff{": "too long",
		file("{'descr': 'O', 'fortran_order': False, 'shape': ()}", ""):                         `type "O"`,
		file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", ""):              "structured",
		file("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,)}", "abcd"):        "ends before",
		file("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}", ""): "too large",
		file("{'descr': '<f4', 'fortran_order': False}", ""):                                    "want the keys",
		file("{'descr': '<f4', 'descr': '<f4', 'shape': ()}", ""):                               "twice",
		file("{'descr': '<f4", ""):                                          "without an end",
		file("{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}", ""):   "False",
		file("{'descr': '<f4', 'fortran_order': True, 'shape': (-1,)}", ""): "want a length",
		file("{'x': 1}", ""):                                                "unexpected key",
	} {
		_, err := npy.Read(strings.NewReader(text))
		require.ErrorContains(t, err, want, "%q", text)
	}
	require.ErrorContains(t, npy.Write(&bytes.Buffer{}, &npy.Array{Header: npy.Header{DType: "f4", Shape: []int{2}}, Data: make([]byte, 4)}), "4 bytes")
	require.ErrorContains(t, npy.Write(&bytes.Buffer{}, &npy.Array{Header: npy.Header{DType: "O"}}), `"O"`)
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "abcd")))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := npy.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		require.NoError(t, npy.Write(&b, a))
		again, err := npy.Read(&b)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

// TestWriteFile: a file that cannot be written whole is not there.
func TestWriteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.npy")
	require.Error(t, npy.WriteFile(name, &npy.Array{Header: npy.Header{DType: "f4", Shape: []int{1}}}))
	require.NoFileExists(t, name)
	left, err := os.ReadDir(filepath.Dir(name))
	require.NoError(t, err)
	require.Empty(t, left)
	want := &npy.Array{Header: npy.Header{DType: "f4", Shape: []int{1}}, Data: []byte{0, 0, 128, 63}}
	require.NoError(t, npy.WriteFile(name, want))
	got, err := npy.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// python runs code that knows NumPy as np, and returns what it printed. The error is nil only where NumPy is installed.
func python(code string) (string, error) {
	out, err := exec.Command("python3", "-c", "import numpy as np\n"+code).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestNumPy reads what NumPy wrote and lets it read ours, where NumPy is installed.
func TestNumPy(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.npy")
	if _, err := python("np.save(" + quote(name) + ", np.arange(6, dtype='>i4').reshape(2, 3).T)"); err != nil {
		t.Log("NumPy is not installed")
		return
	}
	a, err := npy.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, &npy.Array{Header: npy.Header{DType: "i4", Shape: []int{3, 2}, Fortran: true}, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0}}, a)
	require.NoError(t, npy.WriteFile(name, a))
	out, err := python("print(np.load(" + quote(name) + ").tolist())")
	require.NoError(t, err, out)
	require.Equal(t, "[[0, 3], [1, 4], [2, 5]]", out)
}

func quote(s string) string { return "'" + s + "'" }
