package pools_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/bench/pools"
)

const items = 100_000

func numbers() []int {
	xs := make([]int, items)
	for i := range xs {
		xs[i] = i
	}
	return xs
}

func TestSquares(t *testing.T) {
	for _, w := range pools.Ways {
		got, err := w.Run(numbers())
		require.NoError(t, err, w.Name)
		require.Len(t, got, items, w.Name)
		for i, y := range got {
			require.Equal(t, i*i, y, w.Name)
		}
	}
}

func BenchmarkTinyFunctions(b *testing.B) {
	xs := numbers()
	for _, w := range pools.Ways {
		b.Run(w.Name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Run(xs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
		})
	}
}
