// Command generated calls kernels as Go methods, which tandem gen made of kernels.cu: the compiler checks the arguments, and
// nothing needs NVRTC where the program runs.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tandem-go/tandem/cuda"
)

//go:generate go run github.com/tandem-go/tandem/cmd/tandem gen --name-expr axpy<float> --name-expr axpy<double> --target 7.5 --target 8.0 kernels.cu

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	dev, err := cuda.Default()
	if err != nil {
		return err
	}
	defer dev.Close()
	k, err := LoadKernels(ctx, dev)
	if err != nil {
		return err
	}
	const n = 1000
	x, y := make([]float32, n), make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	cfg := cuda.LaunchConfig{Grid: cuda.Blocks(n, 256), Block: cuda.D1(256)}

	// Slices are copied there and, unless the kernel's pointer is to const, back.
	if err := k.RunEvaluate(ctx, cfg, n, KernelsLine{Slope: 2, Intercept: 1}, x, y); err != nil {
		return err
	}
	fmt.Printf("2 x + 1 at %v: %v\n", x[10], y[10])

	// Buffers stay on the device.
	xs, err := cuda.Upload(ctx, dev, x)
	if err != nil {
		return err
	}
	ys, err := cuda.Upload(ctx, dev, y)
	if err != nil {
		return err
	}
	for range 3 {
		if err := k.AxpyFloat(cfg, n, -0.5, xs, ys); err != nil {
			return err
		}
	}
	if y, err = ys.Download(ctx); err != nil {
		return err
	}
	fmt.Printf("minus 1.5 x: %v\n", y[10])
	return nil
}
