package codec_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"reflect"
	"testing"
	"testing/quick"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

type flat struct {
	A int32
	b float64
	C [3]complex64
}

type node struct {
	Name  string
	Next  *node
	Kids  []node
	Index map[string]*node
}

type record struct {
	ID     int
	ok     bool
	Name   string
	Values []float64
	Flat   []flat
	Any    any
	Err    error
	Time   time.Time
	Big    *big.Int
	M      map[flat][]string
	None   []struct{}
	Arr    [2]string
	U      [0]string
}

// trip encodes, decodes and checks that all bytes were used.
func trip[T any](t *testing.T, v T) T {
	t.Helper()
	c, err := codec.Of[T]()
	require.NoError(t, err)
	var e codec.Encoder
	require.NoError(t, c.Encode(&e, &v))
	d := codec.NewDecoder(e.Buf, nil)
	var out T
	require.NoError(t, c.Decode(d, &out))
	require.Zero(t, d.Len())
	return out
}

func TestValues(t *testing.T) {
	require.Equal(t, 42, trip(t, 42))
	require.Equal(t, []any{42, nil, "hello"}, trip(t, []any{42, nil, "hello"}))
	require.True(t, math.IsNaN(trip(t, math.NaN())))
	require.Nil(t, trip(t, []int(nil)))
	require.Equal(t, []int{}, trip(t, []int{}))
	require.Nil(t, trip(t, map[string]int(nil)))
	require.Nil(t, trip[error](t, nil))
	deep := node{Name: "a", Next: &node{Name: "b"}, Kids: []node{{}, {Name: "c"}}, Index: map[string]*node{"x": {Name: "d"}, "": nil}}
	require.Equal(t, deep, trip(t, deep))
	now := time.Now().UTC().Round(0)
	r := record{1, true, "n", []float64{1, math.Inf(-1)}, []flat{{1, 2, [3]complex64{3}}}, map[string]any{"k": []any{uint8(3)}}, nil,
		now, big.NewInt(-1 << 62), map[flat][]string{{A: 7}: {"x", ""}}, make([]struct{}, 5), [2]string{"p", "q"}, [0]string{}}
	require.Equal(t, r, trip(t, r))
}

// Any value that the standard library makes up comes back equal.
func TestQuick(t *testing.T) {
	type leaf struct {
		A int8
		B []string
		C map[int16]bool
		D *float32
		E [3]uint16
		F [2]bool
		G complex128
	}
	type tree struct {
		L []leaf
		M map[string]leaf
		P **leaf
		S [][]byte
	}
	same := func(v tree) bool { return reflect.DeepEqual(v, trip(t, v)) }
	require.NoError(t, quick.Check(same, &quick.Config{MaxCount: 200}))
}

func TestFlatIsCopied(t *testing.T) {
	c, err := codec.Of[flat]()
	require.NoError(t, err)
	require.True(t, c.Flat())
	var e codec.Encoder
	vs := make([]flat, 100)
	vs[99].b = 3
	require.NoError(t, c.EncodeAll(&e, vs))
	require.Len(t, e.Buf, 100*int(reflect.TypeFor[flat]().Size()))
	out := make([]flat, 100)
	require.NoError(t, c.DecodeAll(codec.NewDecoder(e.Buf, nil), out))
	require.Equal(t, vs, out)
	b, err := codec.Of[struct{ B bool }]()
	require.NoError(t, err)
	require.False(t, b.Flat(), "a byte of 2 would become a bool")
}

func TestRefused(t *testing.T) {
	_, err := codec.Of[chan int]()
	require.ErrorIs(t, err, codec.ErrType)
	_, err = codec.Of[struct {
		In []map[string]struct{ F func() }
	}]()
	require.ErrorIs(t, err, codec.ErrType)
	require.ErrorContains(t, err, "field In")
	require.ErrorContains(t, err, "field F")
	_, err = codec.Of[struct {
		In []map[string]struct{ F func() }
	}]() // not from a cache that holds half a plan
	require.ErrorIs(t, err, codec.ErrType)

	var e codec.Encoder
	c, err := codec.Of[any]()
	require.NoError(t, err)
	var v any = node{}
	require.ErrorIs(t, c.Encode(&e, &v), codec.ErrType)
	require.NoError(t, codec.RegisterType(reflect.TypeFor[node]()))
	require.NoError(t, codec.RegisterType(reflect.TypeFor[node]()))
	require.Equal(t, v, trip(t, v))
	require.ErrorIs(t, codec.RegisterType(reflect.TypeFor[func()]()), codec.ErrType)

	ring := &node{}
	ring.Next = ring
	n, err := codec.Of[*node]()
	require.NoError(t, err)
	require.ErrorIs(t, n.Encode(&e, &ring), codec.ErrDepth)
}

// Bytes from anywhere end in a value or an error, and never take much more memory than they are long.
func TestForeignBytes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	c, err := codec.Of[record]()
	require.NoError(t, err)
	good := record{Name: "n", Values: []float64{1}, Any: []any{1, "x"}, Flat: make([]flat, 3), M: map[flat][]string{{}: {"y"}}}
	var e codec.Encoder
	require.NoError(t, c.Encode(&e, &good))
	for range 20_000 {
		bytes := append([]byte(nil), e.Buf...)
		for range 1 + rng.IntN(4) {
			bytes[rng.IntN(len(bytes))] = byte(rng.Uint32())
		}
		bytes = bytes[:rng.IntN(len(bytes)+1)]
		var out record
		_ = c.Decode(codec.NewDecoder(bytes, nil), &out) // that it returns is what is tested
	}
	var out record
	for n := range e.Buf {
		require.Error(t, c.Decode(codec.NewDecoder(e.Buf[:n], nil), &out), "%d of %d bytes", n, len(e.Buf))
	}
}

type pipeEnd struct{ f *os.File }

func (p *pipeEnd) EncodeHandle(e *codec.Encoder) error {
	if p.f == nil {
		return errors.New("closed")
	}
	e.File(p.f)
	return nil
}

func (p *pipeEnd) DecodeHandle(d *codec.Decoder) (err error) {
	p.f, err = d.File()
	return err
}

func TestHandles(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	type message struct {
		Ends []*pipeEnd
		N    int
	}
	c, err := codec.Of[message]()
	require.NoError(t, err)
	m := message{[]*pipeEnd{{r}, nil, {w}, {r}}, 7}
	var e codec.Encoder
	require.NoError(t, c.Encode(&e, &m))
	require.Equal(t, []*os.File{r, w}, e.Files)
	require.Error(t, c.Encode(&codec.Encoder{}, &message{Ends: []*pipeEnd{{}}}))

	d := codec.NewDecoder(e.Buf, e.Files)
	var out message
	require.NoError(t, c.Decode(d, &out))
	d.Close()
	require.ErrorIs(t, r.Close(), os.ErrClosed)
	require.Nil(t, out.Ends[1])
	_, err = out.Ends[2].f.WriteString("abcd") // nothing is closed that somebody has
	require.NoError(t, err)
	for _, end := range []struct {
		i    int
		want string
	}{{0, "ab"}, {3, "cd"}} {
		i, want := end.i, end.want
		got := make([]byte, 2)
		_, err := out.Ends[i].f.Read(got)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
		require.NoError(t, out.Ends[i].f.Close())
	}
	require.NoError(t, out.Ends[2].f.Close())

	d = codec.NewDecoder([]byte{5}, nil)
	_, err = d.File()
	require.ErrorIs(t, err, codec.ErrCorrupt)
}

func TestSignature(t *testing.T) {
	type a struct{ X, Y int32 }
	type b struct{ X, Z int32 }
	require.Equal(t, codec.Signature(reflect.TypeFor[node]()), codec.Signature(reflect.TypeFor[node]()))
	require.NotEqual(t, codec.Signature(reflect.TypeFor[a]()), codec.Signature(reflect.TypeFor[b]()))
}

func BenchmarkRecord(b *testing.B) {
	type rec struct {
		ID   int
		Name string
		V    []float64
	}
	c, err := codec.Of[rec]()
	require.NoError(b, err)
	v := rec{7, "hello", make([]float64, 4)}
	var e codec.Encoder
	for b.Loop() {
		e.Reset()
		_ = c.Encode(&e, &v) // checked by the tests
		var out rec
		_ = c.Decode(codec.NewDecoder(e.Buf, nil), &out)
	}
}
