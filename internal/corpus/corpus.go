// Package corpus holds the test kernels with their inputs and the answers of plain sequential Go.
//
// The kernels are CUDA C++ of the textbook kind, in testdata/kernels. A Case is one launch sequence on fresh seeded
// inputs; its answers are exact, since the kernels are compiled without contraction
// (--fmad=false) and the references do the same operations in the same order. Package cuda runs the cases on each device.
package corpus

import (
	"embed"
	"math/rand/v2"
)

//go:embed testdata/kernels/*.cu
var kernels embed.FS

// Options are the NVRTC options that every case is compiled with.
var Options = []string{"--fmad=false"}

// Case is one kernel file with a launch sequence and the expected contents of the buffers afterwards.
type Case struct {
	// Name is unique.
	Name string
	// File is the name of the source file.
	File string
	// Buffers are slices of Go's fixed-width types with their initial contents; a kernel gets each as a device pointer.
	Buffers []any
	// Want are the expected contents by buffer, nil for buffers that must not change.
	Want []any
	// Globals are the initial contents of module variables by name.
	Globals map[string]any
	// Launches are run in order.
	Launches []Launch
}

// Launch is one kernel launch of a case.
type Launch struct {
	Kernel      string
	Grid, Block [3]uint32
	// SharedBytes is the dynamic shared memory in bytes.
	SharedBytes int
	// Args are scalars of fixed-width types, and Buf for a buffer.
	Args []any
}

// Buf is an argument: the device pointer of Case.Buffers[Buf]; -1 is the null pointer.
type Buf int

// Source returns the CUDA C++ of a case.
func (c Case) Source() string {
	b, err := kernels.ReadFile("testdata/kernels/" + c.File)
	if err != nil {
		panic(err) // the file is embedded: a wrong name is an error in this package
	}
	return string(b)
}

// Cases returns every case with inputs drawn from seed.
func Cases(seed uint64) []Case {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	var all []Case
	for _, make := range []func(*rand.Rand) []Case{
		vectorAdd, fillIota, gridStride, matmul, transposes, reductions, shuffles, scans, histogram, atomics,
		locks, stencils, convolution, mandelbrot, bitonic, dynamicShared,
	} {
		all = append(all, make(r)...)
	}
	return all
}

func d1(x uint32) [3]uint32       { return [3]uint32{x, 1, 1} }
func d2(x, y uint32) [3]uint32    { return [3]uint32{x, y, 1} }
func d3(x, y, z uint32) [3]uint32 { return [3]uint32{x, y, z} }

// blocks is the number of blocks of size threads that cover n elements.
func blocks(n, threads int) uint32 { return uint32((n + threads - 1) / threads) }

func floats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// smallFloats are integers in floating point, whose sums are exact in any order.
func smallFloats(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.IntN(201) - 100)
	}
	return x
}

func ints(r *rand.Rand, n, limit int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(r.IntN(2*limit+1) - limit)
	}
	return x
}

func words(r *rand.Rand, n int) []uint32 {
	x := make([]uint32, n)
	for i := range x {
		x[i] = r.Uint32()
	}
	return x
}

// mapped returns f of each index.
func mapped[T any](n int, f func(i int) T) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = f(i)
	}
	return x
}

// poison is an output buffer with contents that no kernel writes.
func poison[T any](n int, bad T) []T { return mapped(n, func(int) T { return bad }) }
