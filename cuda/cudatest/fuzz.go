package cudatest

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tandem-go/tandem/cuda"
)

// Target is a kernel to be fuzzed. Source and Kernel are required.
type Target struct {
	_ struct{}
	// Source is CUDA C++, Kernel the name of a kernel in it, Compile how it is compiled.
	Source, Kernel string
	Compile        cuda.CompileConfig
	// Elements is how many elements the buffer behind a pointer has, given the integer arguments by name. Without it, or
	// where it returns a negative number, a buffer has as many elements as the largest integer argument.
	Elements func(pointer string, ints map[string]int) int
	// Launch chooses the extents from the integer arguments; without it there is a thread for each element of the largest
	// integer argument, in blocks of 64, and a block more.
	Launch func(ints map[string]int) cuda.LaunchConfig
	// MaxInt bounds integer arguments, which are drawn from 0 to it; 0 means 200.
	MaxInt int
	// Checks are the oracle; none means all of them.
	Checks []cuda.Check
	// Timeout bounds a launch; 0 means 10 seconds.
	Timeout time.Duration
}

// Fuzz runs a kernel under the sanitizer with arguments made from its signature and from what the fuzzer chooses: integers,
// floats of all kinds, and buffers with random contents. A fault, a report of a check, memory of the device heap that is not
// freed, and a launch that does not end fail the test. Output buffers are initialised too, since a signature does not tell
// which they are.
func Fuzz(f *testing.F, target Target) {
	f.Helper()
	f.Add(uint64(0), []byte{})
	f.Add(uint64(1), []byte{1, 0, 0, 0, 33, 0, 0, 0})
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) { target.Try(t, seed, choices) })
}

// Try is one execution of Fuzz, for tests that choose the input themselves.
func (target Target) Try(t testing.TB, seed uint64, choices []byte) {
	t.Helper()
	checks := target.Checks
	if checks == nil {
		checks = cuda.AllChecks()
	}
	dev, err := cuda.OpenHost(cuda.HostConfig{Checks: checks})
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	timeout := target.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, stop := context.WithTimeout(context.Background(), timeout)
	defer stop()
	mod, err := dev.Compile(ctx, target.Source, target.Compile)
	if err != nil {
		t.Fatalf("%v\n%s", err, cuda.Diagnose(err))
	}
	fn, err := mod.Function(target.Kernel)
	if err != nil {
		t.Fatal(err)
	}
	a := NewArguments(dev, seed, choices)
	if target.MaxInt > 0 {
		a.MaxInt = target.MaxInt
	}
	a.Elements = target.Elements
	args, err := a.Make(ctx, fn)
	if err != nil {
		t.Fatal(err)
	}
	cfg := cuda.LaunchConfig{Grid: cuda.D1(cuda.Blocks(max(a.Largest(), 1), 64).X + 1), Block: cuda.D1(64)}
	if target.Launch != nil {
		cfg = target.Launch(a.Ints)
	}
	if err := fn.Run(ctx, cfg, args...); err != nil {
		t.Errorf("%s%v: %v", target.Kernel, a, err)
	}
	for _, r := range dev.Reports() {
		t.Errorf("%s%v: %v", target.Kernel, a, r)
	}
	if dev.Err() == nil {
		for _, l := range dev.Leaks() {
			t.Errorf("%s%v: %d bytes were not freed: %s", target.Kernel, a, l.Bytes, l.Site)
		}
	}
}

// Arguments makes arguments for kernels from their signatures. Scalars are taken from the choices as long as those last, and
// everything else from the seed.
type Arguments struct {
	// MaxInt bounds integers, which are drawn from 0 to it.
	MaxInt int
	// Elements is Target.Elements.
	Elements func(pointer string, ints map[string]int) int
	// Bytes, if not zero, is the size of every buffer.
	Bytes int
	// Ints are the integer arguments of the last Make by name, or by number where they have none.
	Ints map[string]int

	dev     *cuda.Device
	choices []byte
	random  *rand.Rand
	text    string
	buffers []*cuda.Buffer[byte] // kept, since kernels get addresses
}

// NewArguments makes a generator. The same seed and choices give the same arguments.
func NewArguments(dev *cuda.Device, seed uint64, choices []byte) *Arguments {
	h := fnv.New64a()
	h.Write(choices)
	return &Arguments{MaxInt: 200, dev: dev, choices: choices, random: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// String shows the integers and floats of the last Make.
func (a *Arguments) String() string { return "(" + a.text + ")" }

// Largest is the largest integer argument of the last Make.
func (a *Arguments) Largest() int {
	n := 0
	for _, v := range a.Ints {
		n = max(n, v)
	}
	return n
}

// Make returns arguments for a launch of fn. Buffers live until the device is closed.
func (a *Arguments) Make(ctx context.Context, fn *cuda.Function) ([]any, error) {
	params, err := fn.Params(ctx)
	if err != nil {
		return nil, err
	}
	a.Ints, a.text = map[string]int{}, ""
	args := make([]any, len(params))
	for i, p := range params { // integers first: they say how long buffers are
		if p.Name == "" {
			p.Name = fmt.Sprint(i)
		}
		if v := a.scalar(p); v != nil {
			args[i] = v
		}
	}
	for i, p := range params {
		if args[i] != nil {
			continue
		}
		b := make([]byte, p.Size)
		if err := a.fill(b, p); err != nil {
			return nil, err
		}
		if p.Kind == "pointer" {
			args[i] = binary.LittleEndian.Uint64(b)
			continue
		}
		v := reflect.New(reflect.ArrayOf(p.Size, reflect.TypeFor[byte]())).Elem()
		reflect.Copy(v, reflect.ValueOf(b))
		args[i] = v.Interface()
	}
	return args, nil
}

// scalar makes a number; nil for everything else.
func (a *Arguments) scalar(p cuda.Param) any {
	note := func(v any) any {
		if a.text != "" {
			a.text += ", "
		}
		a.text += fmt.Sprintf("%s=%v", p.Name, v)
		return v
	}
	switch {
	case p.Kind == "bool":
		return note(a.choose(2) == 1)
	case p.Kind == "float" && p.Size == 4:
		return note(float32(a.float()))
	case p.Kind == "float" && p.Size == 8:
		return note(a.float())
	case p.Kind != "int" && p.Kind != "uint":
		return nil
	}
	n := int(a.choose(uint32(a.MaxInt) + 1))
	a.Ints[p.Name] = n
	note(n)
	t, ok := map[string]any{
		"int1": int8(n), "int2": int16(n), "int4": int32(n), "int8": int64(n), "uint1": uint8(n), "uint2": uint16(n), "uint4": uint32(n), "uint8": uint64(n),
	}[fmt.Sprint(p.Kind, p.Size)]
	if !ok {
		return nil
	}
	return t
}

// choose draws a number below n from the choices, else from the seed.
func (a *Arguments) choose(n uint32) uint32 {
	if len(a.choices) < 4 {
		return a.random.Uint32N(n)
	}
	v := binary.LittleEndian.Uint32(a.choices)
	a.choices = a.choices[4:]
	return v % n
}

var oddFloats = []float64{0, 1, -1, 0.5, math.Inf(1), math.NaN(), math.SmallestNonzeroFloat32, math.MaxFloat32, -math.MaxFloat32, 1e-30}

func (a *Arguments) float() float64 {
	if c := a.choose(uint32(2 * len(oddFloats))); int(c) < len(oddFloats) {
		return oddFloats[c]
	}
	return a.random.NormFloat64()
}

// fill writes a value of type p.
func (a *Arguments) fill(b []byte, p cuda.Param) error {
	switch {
	case p.Kind == "pointer" && len(b) == 8:
		addr, err := a.buffer(p)
		binary.LittleEndian.PutUint64(b, addr)
		return err
	case p.Kind == "float" && len(b) == 4:
		binary.LittleEndian.PutUint32(b, math.Float32bits(float32(a.random.NormFloat64())))
	case p.Kind == "float" && len(b) == 8:
		binary.LittleEndian.PutUint64(b, math.Float64bits(a.random.NormFloat64()))
	case len(p.Fields) > 0:
		for _, f := range p.Fields {
			if f.Offset < 0 || f.Offset+f.Size > len(b) {
				continue
			}
			if err := a.fill(b[f.Offset:][:f.Size], f); err != nil {
				return err
			}
		}
	case len(b) > 0:
		clear(b)
		b[0] = byte(a.random.IntN(min(a.MaxInt, 255) + 1))
	}
	return nil
}

// buffer makes the memory behind a pointer.
func (a *Arguments) buffer(p cuda.Param) (uint64, error) {
	elem := cuda.Param{Kind: "float", Size: 4}
	if p.Elem != nil && p.Elem.Size > 0 {
		elem = *p.Elem
	}
	n := -1
	if a.Elements != nil {
		n = a.Elements(p.Name, a.Ints)
	}
	if n < 0 {
		n = a.Largest()
	}
	if a.Bytes > 0 {
		n = max(a.Bytes/elem.Size, 1)
	}
	if n == 0 {
		return 0, nil
	}
	data := make([]byte, n*elem.Size)
	if elem.Kind == "pointer" { // pointers to pointers: all to one buffer
		one := make([]byte, 8)
		if elem.Elem != nil && elem.Elem.Kind != "pointer" {
			if err := a.fill(one, elem); err != nil {
				return 0, err
			}
		}
		for i := range n {
			copy(data[8*i:], one)
		}
	} else if hasPointer(elem) { // one element, repeated: each pointer has a buffer
		if err := a.fill(data[:elem.Size], elem); err != nil {
			return 0, err
		}
		for i := 1; i < n; i++ {
			copy(data[i*elem.Size:], data[:elem.Size])
		}
	} else {
		for i := range n {
			if err := a.fill(data[i*elem.Size:][:elem.Size], elem); err != nil {
				return 0, err
			}
		}
	}
	buf, err := cuda.Upload(context.Background(), a.dev, data)
	if err != nil {
		return 0, err
	}
	a.buffers = append(a.buffers, buf)
	return buf.Ptr(), nil
}

// hasPointer reports whether there is a pointer among the members of p.
func hasPointer(p cuda.Param) bool {
	for _, f := range p.Fields {
		if f.Kind == "pointer" || hasPointer(f) {
			return true
		}
	}
	return false
}
