package cuda_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tandem-go/tandem/cuda"
)

// The first program: multiply two arrays, element by element. It compiles the kernel with NVRTC and runs it on a GPU,
// or on the CPU if there is none.
func Example() {
	const source = `
extern "C" __global__ void multiply_them(float *dest, const float *a, const float *b) {
    const int i = threadIdx.x;
    dest[i] = a[i] * b[i];
}`
	ctx := context.Background()
	dev, err := cuda.Default()
	if err != nil {
		log.Fatal(err)
	}
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{})
	if err != nil {
		log.Fatal(err)
	}
	multiply, err := mod.Function("multiply_them")
	if err != nil {
		log.Fatal(err)
	}

	a, b, dest := make([]float32, 400), make([]float32, 400), make([]float32, 400)
	for i := range a {
		a[i], b[i] = float32(i), 0.5
	}
	err = multiply.Run(ctx, cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(400)},
		cuda.Out(dest), cuda.In(a), cuda.In(b))
	if err != nil {
		log.Fatal(err)
	}

	var worst float32
	for i := range dest {
		worst = max(worst, dest[i]-a[i]*b[i], a[i]*b[i]-dest[i])
	}
	fmt.Println("maximum absolute error:", worst)
	// Output: maximum absolute error: 0
}
