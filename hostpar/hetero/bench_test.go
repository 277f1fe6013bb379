package hetero_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

// BenchmarkChunks is the whole path of a chunk with an empty body: take, run, commit, observe.
func BenchmarkChunks(b *testing.B) {
	for _, n := range []int{1, 2} {
		b.Run(fmt.Sprintf("%d devices", n), func(b *testing.B) {
			var devices []hetero.Device
			for range n {
				devices = append(devices, hetero.OnCPU(1))
			}
			p := open(b, devices...)
			k := noop(b)
			b.ReportAllocs()
			_, err := p.Run(background, k, hetero.Grid1(b.N, 1), nil, hetero.RunConfig{Policy: policy.Dynamic(1)})
			require.NoError(b, err)
		})
	}
}

const mandelbrot = `
extern "C" __global__ void mandelbrot(int w, int h, int most, int *out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= w || y >= h) return;
    float cr = 3.0f * x / w - 2.0f, ci = 2.0f * y / h - 1.0f, zr = 0, zi = 0;
    int n = 0;
    for (; n < most && zr * zr + zi * zi < 4; n++) {
        float t = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = t;
    }
    out[y * w + x] = n;
}`

// mandelbrotGo is the same in Go, each row done slow times.
func mandelbrotGo(w, h, most, slow int, out []int32) hetero.Impl {
	return hetero.Go(func(_ context.Context, lo, hi int) error {
		for y := lo; y < hi; y++ {
			for range slow {
				for x := range w {
					cr, ci, zr, zi := 3*float32(x)/float32(w)-2, 2*float32(y)/float32(h)-1, float32(0), float32(0)
					n := 0
					for ; n < most && zr*zr+zi*zi < 4; n++ {
						zr, zi = zr*zr-zi*zi+cr, 2*zr*zi+ci
					}
					out[y*w+x] = int32(n)
				}
			}
		}
		return nil
	})
}

// BenchmarkAgainstTheBest runs one job on A, on B and on both, in turn, and prints the median of the time of both over
// that of the better one in the same round: 0.5 is perfect for two equal devices that have a processor each, and above
// 1.03 the slower device was in the way.
func BenchmarkAgainstTheBest(b *testing.B) {
	const w, h, most = 256, 512, 200
	out := make([]int32, w*h)
	a, other := hosts(b, 1)[0], hosts(b, 1)[0]
	cpu := func(slow int) (hetero.Device, *hetero.Kernel) {
		k, err := hetero.NewKernel("mandelbrot", hetero.CUDA(mandelbrot, "mandelbrot", cuda.CompileConfig{}), mandelbrotGo(w, h, most, slow, out))
		require.NoError(b, err)
		return hetero.OnCPU(1), k
	}
	for _, c := range []struct {
		name string
		slow int // 0: B is a host device too
	}{{"two host devices", 0}, {"host and Go", 1}, {"host and Go, 4 x slower", 4}, {"host and Go, 37 x slower", 37}} {
		b.Run(c.name, func(b *testing.B) {
			second, k := cpu(max(c.slow, 1))
			if c.slow == 0 {
				second = other
			}
			pools := []*hetero.Pool{open(b, a), open(b, second), open(b, a, second)}
			args := []hetero.Arg{hetero.Val(int32(w)), hetero.Val(int32(h)), hetero.Val(int32(most)), hetero.Out(out, hetero.Rows(w))}
			grid := hetero.Grid{N: cuda.D2(w, h), Block: cuda.D2(32, 1)}
			var ratios, shares, both []float64
			for b.Loop() {
				var took [3]time.Duration
				for i, p := range pools {
					rep, err := p.Run(background, k, grid, args, hetero.RunConfig{})
					require.NoError(b, err)
					took[i] = rep.Wall
					if i == 2 {
						shares = append(shares, min(rep.Devices[0].Share, rep.Devices[1].Share))
						both = append(both, rep.Efficiency)
					}
				}
				ratios = append(ratios, took[2].Seconds()/min(took[0], took[1]).Seconds())
			}
			median := func(x []float64) float64 { slices.Sort(x); return x[len(x)/2] }
			b.ReportMetric(median(ratios), "both/best")
			b.ReportMetric(median(shares), "smaller-share")
			b.ReportMetric(median(both), "efficiency")
		})
	}
}
