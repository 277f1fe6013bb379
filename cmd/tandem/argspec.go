package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/npy"
)

// spec is one --arg of run, parsed but without device memory.
type spec struct {
	text string
	// value is a scalar or array by value; nil if the argument is memory.
	value any
	null  bool
	// load is the file read before the launch, save the one written after it.
	load, save string
	dtype      string // of out
	n          int    // elements of out
}

// parseSpec reads one argument in the form that the help text shows.
func parseSpec(text string) (spec, error) {
	s := spec{text: text}
	if text == "null" {
		s.null = true
		return s, nil
	}
	kind, rest, ok := strings.Cut(text, ":")
	if !ok || rest == "" {
		return s, usage("argument %q: want in:F.npy, out:f32[400]:F.npy, inout:F.npy[:OUT.npy], f32:2.5, bytes:HEX or null", text)
	}
	switch kind {
	case "in":
		s.load = rest
	case "inout":
		var again bool
		if s.load, s.save, again = strings.Cut(rest, ":"); !again {
			s.save = s.load
		}
	case "out":
		shape, file, ok := strings.Cut(rest, ":")
		if !ok || file == "" {
			return s, usage("argument %q: want out:TYPE[N]:FILE", text)
		}
		s.save = file
		return s, s.parseShape(shape)
	case "bytes":
		b, err := hex.DecodeString(rest)
		if err != nil || len(b) == 0 {
			return s, usage("argument %q: want an even number of hexadecimal digits", text)
		}
		array := reflect.New(reflect.ArrayOf(len(b), reflect.TypeFor[byte]())).Elem()
		reflect.Copy(array, reflect.ValueOf(b))
		s.value = array.Interface()
	default:
		var err error
		if s.value, err = scalar(kind, rest); err != nil {
			return s, usage("argument %q: %v", text, err)
		}
	}
	return s, nil
}

// parseShape reads f32[400].
func (s *spec) parseShape(shape string) error {
	name, count, ok := strings.Cut(strings.TrimSuffix(shape, "]"), "[")
	n, err := strconv.Atoi(count)
	if _, known := elementTypes[name]; !ok || !known || err != nil || n < 1 || !strings.HasSuffix(shape, "]") {
		return usage("argument %q: %q is not of the form f32[400]", s.text, shape)
	}
	s.dtype, s.n = elementTypes[name].npy, n
	return nil
}

// elementTypes are the types of memory by the name that specs use.
var elementTypes = map[string]struct{ npy string }{
	"i8": {"i1"}, "u8": {"u1"}, "i16": {"i2"}, "u16": {"u2"}, "i32": {"i4"}, "u32": {"u4"}, "i64": {"i8"}, "u64": {"u8"},
	"f16": {"f2"}, "f32": {"f4"}, "f64": {"f8"}, "c64": {"c8"}, "c128": {"c16"},
}

// scalar reads a number of a named type. Integers may be decimal, 0x, 0o or 0b.
func scalar(kind, text string) (any, error) {
	bits, err := strconv.Atoi(strings.TrimLeft(kind, "iuf"))
	if err != nil {
		return nil, fmt.Errorf("%q is no type; want i8 to i64, u8 to u64, f32 or f64", kind)
	}
	switch {
	case kind == "f32" || kind == "f64":
		f, err := strconv.ParseFloat(text, bits)
		if err != nil {
			return nil, err
		}
		if bits == 32 {
			return float32(f), nil
		}
		return f, nil
	case kind[0] == 'i' && powerOfTwo(bits):
		v, err := strconv.ParseInt(text, 0, bits)
		if err != nil {
			return nil, err
		}
		return map[int]any{8: int8(v), 16: int16(v), 32: int32(v), 64: v}[bits], nil
	case kind[0] == 'u' && powerOfTwo(bits):
		v, err := strconv.ParseUint(text, 0, bits)
		if err != nil {
			return nil, err
		}
		return map[int]any{8: uint8(v), 16: uint16(v), 32: uint32(v), 64: v}[bits], nil
	}
	return nil, fmt.Errorf("%q is no type; want i8 to i64, u8 to u64, f32 or f64", kind)
}

func powerOfTwo(bits int) bool { return bits == 8 || bits == 16 || bits == 32 || bits == 64 }

// memory is device memory of one argument or global.
type memory struct {
	bytes *cuda.Buffer[byte]
	typed any // the same memory with its element type
	form  *npy.Array
	save  string
}

// argument makes what Function.Run takes. Memory is allocated here; m is nil for values.
func (s *spec) argument(ctx context.Context, dev *cuda.Device) (arg any, m *memory, err error) {
	switch {
	case s.null:
		return nil, nil, nil
	case s.value != nil:
		return s.value, nil, nil
	}
	form := &npy.Array{Header: npy.Header{DType: s.dtype, Shape: []int{s.n}}}
	if s.load != "" {
		if form, err = npy.ReadFile(s.load); err != nil {
			return nil, nil, fmt.Errorf("argument %q: %w", s.text, err)
		}
	}
	m = &memory{form: form, save: s.save}
	size := form.Len() * form.ElementBytes()
	if size == 0 {
		return nil, nil, usage("argument %q: the array has no elements", s.text)
	}
	if s.load != "" {
		m.bytes, err = cuda.Upload(ctx, dev, form.Data)
	} else {
		m.bytes, err = cuda.Alloc[byte](dev, size)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("argument %q: %w", s.text, err)
	}
	if m.typed, err = typed(m.bytes, form.DType); err != nil {
		return nil, nil, fmt.Errorf("argument %q: %w", s.text, err)
	}
	return m.typed, m, nil
}

// typed gives memory its element type, so that the launch can compare it with the kernel's.
func typed(b *cuda.Buffer[byte], dtype string) (any, error) {
	switch dtype {
	case "i1":
		return cuda.Reinterpret[int8](b)
	case "i2":
		return cuda.Reinterpret[int16](b)
	case "u2":
		return cuda.Reinterpret[uint16](b)
	case "i4":
		return cuda.Reinterpret[int32](b)
	case "u4":
		return cuda.Reinterpret[uint32](b)
	case "i8":
		return cuda.Reinterpret[int64](b)
	case "u8":
		return cuda.Reinterpret[uint64](b)
	case "f4":
		return cuda.Reinterpret[float32](b)
	case "f8":
		return cuda.Reinterpret[float64](b)
	case "c8":
		return cuda.Reinterpret[complex64](b)
	case "c16":
		return cuda.Reinterpret[complex128](b)
	}
	return b, nil // b1, u1, and f2, for which Go has no type
}

// store downloads the memory into its file.
func (m *memory) store(ctx context.Context) error {
	data, err := m.bytes.Download(ctx)
	if err != nil {
		return err
	}
	m.form.Data = data
	return npy.WriteFile(m.save, m.form)
}

// parseDim reads X[,Y[,Z]].
func parseDim(flag, text string) (cuda.Dim3, error) {
	part := strings.Split(text, ",")
	d := [3]int{1, 1, 1}
	if len(part) > 3 {
		return cuda.Dim3{}, usage("%s %q: want X, X,Y or X,Y,Z", flag, text)
	}
	for i, p := range part {
		n, err := strconv.Atoi(strings.TrimSpace(p))
		if err != nil || n < 0 || n > math.MaxInt32 {
			return cuda.Dim3{}, usage("%s %q: want X, X,Y or X,Y,Z", flag, text)
		}
		d[i] = n
	}
	return cuda.Dim3{X: d[0], Y: d[1], Z: d[2]}, nil
}
