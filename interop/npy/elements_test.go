package npy_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/interop/npy"
)

type celsius float32

func roundTrip[T npy.Number](t *testing.T, dtype string, xs ...T) {
	a, err := npy.Of(xs, 1, len(xs))
	require.NoError(t, err)
	require.Equal(t, dtype, a.DType)
	var b bytes.Buffer
	require.NoError(t, npy.Write(&b, a))
	whole := b.Bytes()
	var got []T
	h, err := npy.Into(bytes.NewReader(whole), func(n int) ([]T, error) {
		got = make([]T, n)
		return got, nil
	})
	require.NoError(t, err)
	require.Equal(t, a.Header, h)
	require.Equal(t, xs, got)

	name := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, os.WriteFile(name, whole, 0o600))
	m, err := npy.Map(name)
	require.NoError(t, err)
	mapped, err := npy.Elements[T](&m.Array)
	require.NoError(t, err)
	require.Equal(t, xs, append([]T(nil), mapped...))
	require.NoError(t, m.Close())
	require.NoError(t, m.Close())
	require.Nil(t, m.Data)
}

func TestElements(t *testing.T) {
	roundTrip[int8](t, "i1", -128, 5)
	roundTrip[uint8](t, "u1", 255, 5)
	roundTrip[int16](t, "i2", -32768, 5)
	roundTrip[uint16](t, "u2", 65535, 5)
	roundTrip[int32](t, "i4", math.MinInt32, 5)
	roundTrip[uint32](t, "u4", math.MaxUint32, 5)
	roundTrip[int64](t, "i8", math.MinInt64, 5)
	roundTrip[uint64](t, "u8", math.MaxUint64, 5)
	roundTrip[celsius](t, "f4", -273.15, 5)
	roundTrip(t, "f8", math.Inf(-1), 5e-324)
	roundTrip[complex64](t, "c8", 1+2i, 5)
	roundTrip(t, "c16", 1+2i, 5)
}

func TestElementsRefused(t *testing.T) {
	f4 := &npy.Array{Header: npy.Header{DType: "f4", Shape: []int{1}}, Data: make([]byte, 4)}
	_, err := npy.Elements[int32](f4)
	require.ErrorContains(t, err, "elements of type f4 are not int32")
	_, err = npy.Elements[float64](f4)
	require.ErrorContains(t, err, "f4")
	_, err = npy.Of([]float32{1, 2, 3}, 2, 2)
	require.ErrorContains(t, err, "3 elements do not make shape [2 2]")
	_, err = npy.Of([]float32{1}, -1, -1)
	require.ErrorContains(t, err, "shape [-1 -1]")

	never := func(int) ([]float32, error) { panic("asked for memory") }
	for text, want := range map[string]string{
		file("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,)}", "abcd"): "ends before 99999999999 elements",
		file("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", "abcdefgh"):         "type f8 are not float32",
		"": "not an .npy file",
	} {
		_, err := npy.Into(strings.NewReader(text), never)
		require.ErrorContains(t, err, want)
	}
	full := errors.New("no room")
	one := file("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "abcd")
	_, err = npy.Into(strings.NewReader(one), func(int) ([]float32, error) { return nil, full })
	require.ErrorIs(t, err, full)
	_, err = npy.Into(strings.NewReader(one), func(int) ([]float32, error) { return nil, nil })
	require.ErrorContains(t, err, "memory for 0 elements, the file has 1")
	_, err = npy.Into(io.MultiReader(strings.NewReader(one[:len(one)-1])), func(n int) ([]float32, error) { return make([]float32, n), nil })
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestSpecialTypes(t *testing.T) {
	var got []float32
	_, err := npy.Into(strings.NewReader(file("{'descr': '>f4', 'fortran_order': True, 'shape': (1,)}", "\x3f\x80\x00\x00")), func(n int) ([]float32, error) {
		got = make([]float32, n)
		return got, nil
	})
	require.NoError(t, err)
	require.Equal(t, []float32{1}, got)
	a, err := npy.Read(strings.NewReader(file("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\x00\x01")))
	require.NoError(t, err)
	truth, err := npy.Elements[uint8](a)
	require.NoError(t, err)
	require.Equal(t, []uint8{0, 1}, truth)
	a, err = npy.Read(strings.NewReader(file("{'descr': '<f2', 'fortran_order': False, 'shape': ()}", "\x00\x3c")))
	require.NoError(t, err)
	half, err := npy.Elements[uint16](a)
	require.NoError(t, err)
	require.Equal(t, []uint16{0x3c00}, half)
	odd := npy.Array{Header: a.Header, Data: make([]byte, 3)[1:]}
	odd.Data[1] = 0x3c
	half, err = npy.Elements[uint16](&odd)
	require.NoError(t, err)
	require.Equal(t, []uint16{0x3c00}, half)
}

func TestMapRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := npy.Map(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	for text, want := range map[string]string{
		"": "not an .npy file",
		file("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", "abcd"):   "big-endian",
		file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "abcdef"): "6 bytes of 8",
	} {
		name := filepath.Join(dir, "x")
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		_, err := npy.Map(name)
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, name)
	}
	_, err = npy.Map(dir)
	require.Error(t, err)
}

func TestZip(t *testing.T) {
	a, err := npy.Of([]float32{1, 2, 3, 4}, 2, 2)
	require.NoError(t, err)
	b, err := npy.Of([]int64{7})
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "x.npz")
	require.NoError(t, npy.WriteZip(name, []string{"weights", "n"}, map[string]*npy.Array{"weights": a, "n": b}))
	z, err := npy.OpenZip(name)
	require.NoError(t, err)
	require.Equal(t, []string{"weights", "n"}, z.Names())
	for n, want := range map[string]*npy.Array{"weights": a, "n": b} {
		got, err := z.Read(n)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err = z.Read("bias")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, `"bias"`)
	require.NoError(t, z.Close())
	require.NoError(t, z.Close())

	var packed bytes.Buffer
	w := npy.NewZipWriter(&packed, true)
	zeros, err := npy.Of(make([]float32, 1<<16))
	require.NoError(t, err)
	require.NoError(t, w.Write("zeros", zeros))
	require.ErrorContains(t, w.Write("zeros", zeros), "one of each name")
	require.ErrorContains(t, w.Write("", zeros), "one of each name")
	require.NoError(t, w.Close())
	require.Less(t, packed.Len(), 1<<12)
	z, err = npy.NewZip(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	require.NoError(t, err)
	got, err := z.Read("zeros")
	require.NoError(t, err)
	require.Equal(t, zeros, got)

	require.ErrorIs(t, npy.WriteZip(name+"2", []string{"gone"}, nil), fs.ErrNotExist)
	require.NoFileExists(t, name+"2")
}

// TestHostileZip: members that lie about themselves.
func TestHostileZip(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"bomb.npy":   file("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}", "12345678"),
		"object.npy": file("{'descr': '|O', 'fortran_order': False, 'shape': ()}", "cos\nsystem\n"),
		"tail.npy":   file("{'descr': '<i1', 'fortran_order': False, 'shape': ()}", "ab"),
		"readme.txt": "not an array",
	} {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write([]byte(text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	z, err := npy.NewZip(bytes.NewReader(b.Bytes()), int64(b.Len()))
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"bomb", "object", "tail"}, z.Names())
	for name, want := range map[string]string{"bomb": "ends before", "object": `"|O" is not supported`, "tail": "1 bytes follow", "readme": "does not exist"} {
		_, err := z.Read(name)
		require.ErrorContains(t, err, want)
	}
	_, err = npy.NewZip(strings.NewReader("no zip"), 6)
	require.ErrorIs(t, err, zip.ErrFormat)
}

// TestNumPyZip exchanges archives with NumPy, where it is installed.
func TestNumPyZip(t *testing.T) {
	dir := t.TempDir()
	theirs, ours := filepath.Join(dir, "theirs.npz"), filepath.Join(dir, "ours.npz")
	if _, err := python("np.savez_compressed(" + quote(theirs) + ", a=np.arange(4, dtype='f4'), b=np.array(3, dtype='>u2'))"); err != nil {
		t.Log("NumPy is not installed")
		return
	}
	z, err := npy.OpenZip(theirs)
	require.NoError(t, err)
	defer z.Close()
	a, err := z.Read("a")
	require.NoError(t, err)
	xs, err := npy.Elements[float32](a)
	require.NoError(t, err)
	require.Equal(t, []float32{0, 1, 2, 3}, xs)
	b, err := z.Read("b")
	require.NoError(t, err)
	require.Equal(t, &npy.Array{Header: npy.Header{DType: "u2", Shape: []int{}}, Data: []byte{3, 0}}, b)
	require.NoError(t, npy.WriteZip(ours, []string{"a", "b"}, map[string]*npy.Array{"a": a, "b": b}))
	out, err := python("z = np.load(" + quote(ours) + "); print(z.files, z['a'].tolist(), z['b'])")
	require.NoError(t, err, out)
	require.Equal(t, "['a', 'b'] [0.0, 1.0, 2.0, 3.0] 3", out)
}

func FuzzZip(f *testing.F) {
	var b bytes.Buffer
	w := npy.NewZipWriter(&b, true)
	a, err := npy.Of([]float32{1, 2})
	require.NoError(f, err)
	require.NoError(f, w.Write("x", a))
	require.NoError(f, w.Close())
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := npy.NewZip(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for _, name := range z.Names() {
			_, _ = z.Read(name)
		}
	})
}

// BenchmarkInto reads 64 MiB of float32 to memory that is there, beside a plain read of the same file.
func BenchmarkInto(b *testing.B) {
	const n = 16 << 20
	name := filepath.Join(b.TempDir(), "x.npy")
	a, err := npy.Of(make([]float32, n))
	require.NoError(b, err)
	require.NoError(b, npy.WriteFile(name, a))
	xs := make([]float32, n)
	raw := make([]byte, 4*n)
	for what, read := range map[string]func(f *os.File) error{
		"into": func(f *os.File) error {
			_, err := npy.Into(f, func(int) ([]float32, error) { return xs, nil })
			return err
		},
		"plain": func(f *os.File) error { _, err := io.ReadFull(f, raw); return err },
	} {
		b.Run(what, func(b *testing.B) {
			b.SetBytes(4 * n)
			for b.Loop() {
				f, err := os.Open(name)
				require.NoError(b, err)
				require.NoError(b, read(f))
				require.NoError(b, f.Close())
			}
		})
	}
}
