// Command multiply_them multiplies two vectors of 400 numbers on the GPU, or on the CPU if there is none.
//
// It prints the 400 differences to the product computed in Go, which are zero, and where and how it ran.
package main

import (
	"context"
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/tandem-go/tandem/cuda"
)

const source = `
extern "C" __global__ void multiply_them(float *dest, const float *a, const float *b) {
    const int i = threadIdx.x;
    dest[i] = a[i] * b[i];
}`

// embedded is PTX made from source by `go generate`: it runs where NVIDIA's compiler is not installed.
//
//go:generate go test -run TestEmbedded -args -rewrite
//go:embed multiply_them.ptx
var embedded []byte

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "multiply_them:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	const n = 400
	a, b, dest := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i] = float32(rand.NormFloat64()), float32(rand.NormFloat64())
	}

	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{Name: "multiply_them.cu", Embedded: embedded})
	if err != nil {
		return err
	}
	multiply, err := mod.Function("multiply_them")
	if err != nil {
		return err
	}
	err = multiply.Run(ctx, cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(n)}, cuda.Out(dest), cuda.In(a), cuda.In(b))
	if err != nil {
		return err
	}
	report(dest, a, b)
	fmt.Println("device:", dev.Info().Name, "("+dev.Info().ID+")")
	fmt.Println("compiler:", mod.Compiler())
	return nil
}

// report prints dest - a*b and the largest of its absolute values.
func report(dest, a, b []float32) {
	var worst float32
	for i := range dest {
		d := dest[i] - a[i]*b[i]
		worst = max(worst, d, -d)
		fmt.Print(d, " ")
	}
	fmt.Println()
	fmt.Println("maximum absolute error:", worst)
}
