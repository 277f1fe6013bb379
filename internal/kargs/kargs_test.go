package kargs_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/kargs"
	"github.com/tandem-go/tandem/internal/ksig"
)

// param is a parameter without a source.
func param(class ksig.Class, size int) ksig.Param {
	return ksig.Param{Class: class, Size: size, Align: size}
}

func sourced(p ksig.Param, name string, t ksig.Type) ksig.Param {
	p.Source = &ksig.Source{Name: name, Type: t}
	return p
}

func signature(params ...ksig.Param) *ksig.Signature {
	s := &ksig.Signature{Entry: "k", Params: params}
	s.Lay()
	return s
}

func scalar(kind ksig.Kind, size int, spelling string) ksig.Type {
	return ksig.Type{Kind: kind, Size: size, Spelling: spelling}
}

func field(name string, offset int, t ksig.Type) ksig.Field {
	return ksig.Field{Name: name, Offset: offset, Type: t}
}

func pointer(to *ksig.Type) ksig.Type {
	t := ksig.Type{Kind: ksig.KindPtr, Size: 8, Spelling: "void *", Elem: to}
	if to != nil {
		t.Spelling = to.Spelling + " *"
	}
	return t
}

var (
	i8     = param(ksig.Integer, 1)
	i16    = param(ksig.Integer, 2)
	i32    = param(ksig.Integer, 4)
	i64    = param(ksig.Integer, 8)
	f16    = param(ksig.Float, 2)
	f32    = param(ksig.Float, 4)
	f64    = param(ksig.Float, 8)
	cInt   = scalar(ksig.KindInt, 4, "int")
	cUint  = scalar(ksig.KindUint, 4, "unsigned int")
	cFloat = scalar(ksig.KindFloat, 4, "float")
	cBool  = scalar(ksig.KindBool, 1, "bool")
	float4 = ksig.Type{Kind: ksig.KindStruct, Size: 16, Spelling: "float4", Fields: []ksig.Field{
		field("x", 0, cFloat), field("y", 4, cFloat), field("z", 8, cFloat), field("w", 12, cFloat)}}
)

type (
	myInt   int
	myFloat float32
	myBool  bool
	address uint64
	nothing func()
)

// TestScalars: for each value and parameter the bytes, or the message.
func TestScalars(t *testing.T) {
	for _, c := range []struct {
		p    ksig.Param
		v    any
		want any // []byte or the message
	}{
		{i32, int32(-2), []byte{0xfe, 0xff, 0xff, 0xff}},
		{i32, uint32(1 << 31), []byte{0, 0, 0, 0x80}},
		{i32, -2, []byte{0xfe, 0xff, 0xff, 0xff}},
		{i32, uint(math.MaxUint32), []byte{0xff, 0xff, 0xff, 0xff}},
		{i32, myInt(7), []byte{7, 0, 0, 0}},
		{i8, int8(-1), []byte{0xff}},
		{i8, true, []byte{1}},
		{i8, myBool(true), []byte{1}},
		{i16, uint16(0x1234), []byte{0x34, 0x12}},
		{i64, int64(-1), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{i64, -1, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{i64, uint(math.MaxUint64), []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{i64, address(5), []byte{5, 0, 0, 0, 0, 0, 0, 0}},
		{i64, nil, []byte{0, 0, 0, 0, 0, 0, 0, 0}},
		{f32, float32(1), []byte{0, 0, 0x80, 0x3f}},
		{f32, myFloat(1), []byte{0, 0, 0x80, 0x3f}},
		{f64, 1.0, []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
		{f16, uint16(0x3c00), []byte{0, 0x3c}},
		{param(ksig.Unknown, 4), float32(1), []byte{0, 0, 0x80, 0x3f}},
		{sourced(i8, "b", cBool), 1, []byte{1}},
		{sourced(i32, "u", cUint), uint32(math.MaxUint32), []byte{0xff, 0xff, 0xff, 0xff}},

		{i32, int64(1), "parameter 0: want int32 or uint32, have int64; use int32(x)"},
		{i32, uint64(1), "parameter 0: want int32 or uint32, have uint64; use uint32(x)"},
		{i32, float32(1), "parameter 0: want int32 or uint32, have float32; use int32(x)"},
		{i32, 1 << 32, "parameter 0: 4294967296 does not fit into int32 or uint32"},
		{i32, math.MinInt32 - 1, "parameter 0: -2147483649 does not fit into int32 or uint32"},
		{i8, 256, "parameter 0: 256 does not fit into int8 or uint8"},
		{i8, -129, "parameter 0: -129 does not fit into int8 or uint8"},
		{i64, int32(1), "parameter 0: want int64, uint64 or a pointer, have int32; use int64(x)"},
		{i64, 1.0, "parameter 0: want int64, uint64 or a pointer, have float64; use int64(x)"},
		{i32, nil, "parameter 0: want int32 or uint32, have nil, which is the null pointer"},
		{i32, true, "parameter 0: want int32 or uint32, have bool"},
		{f32, 1.0, "parameter 0: want float32, have float64; use float32(x)"},
		{f32, 1, "parameter 0: want float32, have int; use float32(x)"},
		{f32, int32(1), "parameter 0: want float32, have int32; use float32(x)"},
		{f64, float32(1), "parameter 0: want float64, have float32; use float64(x)"},
		{f16, float32(1), "parameter 0: want float16, have float32; pass the bits of the half as uint16"},
		{f32, "s", "parameter 0: want float32, have string; use cuda.In([]byte(s))"},
		{i64, []int32{1}, "parameter 0: want int64, uint64 or a pointer, have []int32; wrap it in cuda.In, cuda.Out or cuda.InOut"},
		{i64, new(int32), "parameter 0: want int64, uint64 or a pointer, have *int32; kernels never see Go memory, use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut"},
		{i64, nothing(nil), "parameter 0: want int64, uint64 or a pointer, have kargs_test.nothing, which cannot be passed to a kernel"},
		{sourced(i32, "n", cInt), 1 << 31, "parameter 0 (n): 2147483648 does not fit into int32"},
		{sourced(i32, "u", cUint), -1, "parameter 0 (u): -1 does not fit into uint32"},
		{sourced(i32, "u", cUint), int64(1), "parameter 0 (u): want uint32, have int64; use uint32(x)"},
		{sourced(i8, "b", cBool), 2, "parameter 0 (b): 2 does not fit into bool"},
		{sourced(i64, "p", pointer(&cFloat)), int64(1), "parameter 0 (p): want float *, have int64; use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut"},
		{sourced(i64, "n", scalar(ksig.KindInt, 8, "long")), nil, "parameter 0 (n): want int64, have nil, which is the null pointer"},
	} {
		var e kargs.Encoder
		e.Reset(signature(c.p))
		err := e.Value(0, c.v)
		if want, ok := c.want.([]byte); ok {
			require.NoError(t, err, "%T(%v)", c.v, c.v)
			require.Equal(t, want, e.Block, "%T(%v)", c.v, c.v)
			continue
		}
		require.EqualError(t, err, c.want.(string), "%T(%v)", c.v, c.v)
		require.Equal(t, make([]byte, c.p.Size), e.Block, "a refused value writes nothing")
	}
}

func memory[T any](t *testing.T, form string) kargs.Memory {
	e, ok := kargs.ElemOf(reflect.TypeFor[T]())
	require.True(t, ok)
	return kargs.Memory{Addr: 0x1122334455667788, Elem: e, Form: form}
}

func TestMemory(t *testing.T) {
	particle := ksig.Type{Kind: ksig.KindStruct, Size: 8, Spelling: "particle", Fields: []ksig.Field{field("id", 0, cInt), field("m", 4, cFloat)}}
	incomplete := ksig.Type{Kind: ksig.KindStruct, Spelling: "hidden"}
	char := scalar(ksig.KindInt, 1, "char")
	double := scalar(ksig.KindFloat, 8, "double")
	floatPtr := pointer(&cFloat)
	f32s := memory[float32](t, "cuda.In([]%s)")
	for _, c := range []struct {
		p    ksig.Param
		m    kargs.Memory
		want string
	}{
		{i64, f32s, ""},
		{sourced(i64, "x", floatPtr), f32s, ""},
		{sourced(i64, "x", pointer(nil)), f32s, ""},
		{sourced(i64, "x", pointer(&incomplete)), f32s, ""},
		{sourced(i64, "x", pointer(&float4)), f32s, ""},
		{sourced(i64, "x", pointer(&float4)), memory[complex64](t, ""), ""},
		{sourced(i64, "x", pointer(&cUint)), memory[int32](t, ""), ""},
		{sourced(i64, "x", pointer(&particle)), memory[uint8](t, ""), ""},
		{sourced(i64, "x", pointer(&floatPtr)), memory[uint64](t, ""), ""},
		{sourced(i64, "x", floatPtr), kargs.Memory{}, ""},
		{sourced(i64, "x", floatPtr), memory[float64](t, "cuda.In([]%s)"), "parameter 0 (x): want float *, have cuda.In([]float64); use []float32"},
		{sourced(i64, "x", pointer(&cInt)), f32s, "parameter 0 (x): want int *, have cuda.In([]float32); use []int32"},
		{sourced(i64, "x", pointer(&cUint)), f32s, "parameter 0 (x): want unsigned int *, have cuda.In([]float32); use []uint32"},
		{sourced(i64, "x", pointer(&double)), memory[complex64](t, "*cuda.Buffer[%s]"), "parameter 0 (x): want double *, have *cuda.Buffer[complex64]; use []float64"},
		{sourced(i64, "x", pointer(&char)), f32s, "parameter 0 (x): want char *, have cuda.In([]float32); use []int8"},
		{sourced(i64, "x", pointer(&particle)), f32s, "parameter 0 (x): want particle *, have cuda.In([]float32)"},
		{sourced(i64, "n", scalar(ksig.KindInt, 8, "long")), f32s, "parameter 0 (n): want int64, have cuda.In([]float32), which is a pointer"},
		{i32, f32s, "parameter 0: want int32 or uint32, have cuda.In([]float32), which is a pointer"},
		{f64, f32s, "parameter 0: want float64, have cuda.In([]float32), which is a pointer"},
	} {
		var e kargs.Encoder
		e.Reset(signature(c.p))
		err := e.Memory(0, c.m)
		if c.want == "" {
			require.NoError(t, err)
			require.Len(t, e.Block, 8)
			continue
		}
		require.EqualError(t, err, c.want)
	}
}

func TestAggregates(t *testing.T) {
	particle := ksig.Type{Kind: ksig.KindStruct, Size: 32, Spelling: "particle", Fields: []ksig.Field{field("id", 0, cInt), field("pos", 16, float4)}}
	union := ksig.Type{Kind: ksig.KindStruct, Size: 4, Spelling: "u", Fields: []ksig.Field{field("i", 0, cInt), field("f", 0, cFloat)}}
	aggregate := func(size, align int) ksig.Param { return ksig.Param{Class: ksig.Aggregate, Size: size, Align: align} }
	type good struct {
		ID  int32
		_   [12]byte
		Pos [4]float32
	}
	type raw struct {
		ID  int32
		Pad [28]byte
	}
	type shifted struct {
		ID  int32
		Pos [4]float32
		_   [12]byte
	}
	type wrongType struct {
		ID  float32
		_   [12]byte
		Pos [4]float32
	}
	type more struct {
		ID    int32
		Extra int32
		_     [8]byte
		Pos   [4]float32
	}
	type missing struct {
		ID int32
		_  [28]byte
	}
	p := sourced(aggregate(32, 16), "p", particle)
	for _, c := range []struct {
		p    ksig.Param
		v    any
		want string
	}{
		{aggregate(32, 16), good{ID: 1}, ""},
		{p, good{ID: 1}, ""},
		{p, raw{ID: 1}, ""},
		{sourced(aggregate(16, 16), "v", float4), [4]float32{1}, ""},
		{aggregate(8, 8), complex64(1), ""},
		{sourced(aggregate(4, 4), "u", union), struct{ X uint32 }{1}, ""},
		{p, shifted{}, "parameter 0 (p): kargs_test.shifted does not lie in memory as particle: field Pos[0] at offset 4 has no counterpart before pos.x at offset 16"},
		{p, wrongType{}, "parameter 0 (p): kargs_test.wrongType does not lie in memory as particle: field ID is float32, id is int32"},
		{p, more{}, "parameter 0 (p): kargs_test.more does not lie in memory as particle: field Extra at offset 4 has no counterpart before pos.x at offset 16"},
		{p, missing{}, "parameter 0 (p): kargs_test.missing does not lie in memory as particle: pos.x at offset 16 has no counterpart"},
		{aggregate(32, 16), struct{ ID int32 }{}, "parameter 0: want a structure of 32 bytes aligned to 16, have struct { ID int32 } of 4 bytes aligned to 4; " +
			"C++ pads members and the end to their alignment, Go aligns to 4 at most: add blank fields such as _ [28]byte where C++ pads"},
		{p, struct {
			ID  int32
			Pos [4]float32
		}{}, "parameter 0 (p): want particle of 32 bytes aligned to 16, have struct { ID int32; Pos [4]float32 } of 20 bytes aligned to 4; " +
			"field Pos[0] at offset 4 has no counterpart before pos.x at offset 16"},
		{i32, struct{ X int32 }{}, "parameter 0: want int32 or uint32, have struct { X int32 }"},
		{aggregate(8, 8), struct{ N int }{}, "parameter 0: struct { N int } cannot be passed by value: field N is int, which has no fixed size; use int32 or int64"},
		{aggregate(8, 8), struct{ P *float32 }{}, "parameter 0: struct { P *float32 } cannot be passed by value: field P is *float32, which kernels cannot use; " +
			"a device pointer in a structure is a uint64 (Buffer.Ptr)"},
		{aggregate(4, 4), int32(1), "parameter 0: want a structure of 4 bytes aligned to 4, have int32; use a Go struct with the same fields"},
	} {
		var e kargs.Encoder
		e.Reset(signature(c.p))
		err := e.Value(0, c.v)
		if c.want == "" {
			require.NoError(t, err, "%T", c.v)
			require.NotEqual(t, make([]byte, c.p.Size), e.Block)
			continue
		}
		require.EqualError(t, err, c.want)
	}
}

func TestAggregateBytes(t *testing.T) {
	type mixed struct {
		A bool
		B int16
		c uint32 // unexported fields are values too
		D [2]float64
		E complex64
	}
	var e kargs.Encoder
	e.Reset(signature(ksig.Param{Class: ksig.Aggregate, Size: 32, Align: 8}))
	require.NoError(t, e.Value(0, mixed{true, -2, 0x01020304, [2]float64{1, -1}, 1 - 1i}))
	require.Equal(t, []byte{1, 0, 0xfe, 0xff, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf0, 0xbf,
		0, 0, 0x80, 0x3f, 0, 0, 0x80, 0xbf}, e.Block)
}

// TestLayout: parameters begin at multiples of their alignment.
func TestLayout(t *testing.T) {
	var e kargs.Encoder
	e.Reset(signature(i8, i32, i8, i64))
	for i, v := range []any{int8(1), int32(2), int8(3), uint64(4)} {
		require.NoError(t, e.Value(i, v))
	}
	want := []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0}
	require.Equal(t, want, e.Block)

	e.Reset(nil) // nothing is known: the same layout by the values
	for i, v := range []any{int8(1), int32(2), int8(3), uint64(4)} {
		require.NoError(t, e.Value(i, v))
	}
	require.Equal(t, want, e.Block)
	require.NoError(t, e.Count(17))
	require.NoError(t, e.Value(4, struct{ X, Y int16 }{5, 6}))
	require.Equal(t, append(want, 5, 0, 6, 0), e.Block)
	require.EqualError(t, e.Value(5, 1), "parameter 5: have int, which has no fixed size, and the kernel's parameters are not known; use int32(x) or int64(x)")
}

func TestCount(t *testing.T) {
	var e kargs.Encoder
	e.Reset(signature(sourced(i32, "n", cInt), f32))
	require.NoError(t, e.Count(2))
	require.EqualError(t, e.Count(3), "want 2 arguments (int32 n, float32), have 3")
	e.Reset(signature())
	require.EqualError(t, e.Count(1), "want 0 arguments, have 1")
	e.Reset(signature(i64))
	require.EqualError(t, e.Count(0), "want 1 argument (int64, uint64 or a pointer), have 0")
}

// TestNoAllocations: values of common types are written without memory of their own.
func TestNoAllocations(t *testing.T) {
	sig := signature(i32, f32, i64)
	args := []any{int32(1), float32(2), uint64(3)}
	var e kargs.Encoder
	e.Reset(sig)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		e.Reset(sig)
		for i, a := range args {
			if e.Value(i, a) != nil {
				t.Fail()
			}
		}
	}))
}

func BenchmarkSaxpy(b *testing.B) {
	sig := signature(i32, f32, i64, i64)
	args := []any{1000, float32(2)}
	var e kargs.Encoder
	for b.Loop() {
		e.Reset(sig)
		_ = e.Value(0, args[0])
		_ = e.Value(1, args[1])
		_ = e.Memory(2, kargs.Memory{Addr: 1})
		_ = e.Memory(3, kargs.Memory{Addr: 2})
	}
}
