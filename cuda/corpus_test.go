package cuda_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus"
)

// TestCorpus compiles the textbook kernels with NVRTC and compares every buffer with the answers of plain Go, bit for bit,
// on the reference engine and on the fastest of this machine.
func TestCorpus(t *testing.T) {
	for _, engine := range []string{"interp", ""} {
		t.Run("engine="+engine, func(t *testing.T) {
			dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine})
			require.NoError(t, err)
			defer dev.Close()
			for _, c := range corpus.Cases(rand64(t)) {
				t.Run(c.Name, func(t *testing.T) { runCase(t, dev, c, engine) })
			}
		})
	}
}

// rand64 is a seed that differs from run to run and is in the log.
func rand64(t *testing.T) uint64 {
	seed := uint64(reflect.ValueOf(new(int)).Pointer())
	t.Logf("seed %d", seed)
	return seed
}

// runCase runs c and returns a function for each launch, valid until t ends. If engine is not empty, it must be what executed the
// kernels.
func runCase(t *testing.T, dev *cuda.Device, c corpus.Case, engine string) (ran []*cuda.Function) {
	ctx := context.Background()
	mod, err := dev.Compile(ctx, c.Source(), cuda.CompileConfig{Name: c.File, Options: corpus.Options})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, mod.Close()) })
	for name, data := range c.Globals {
		v, err := mod.Global(name)
		require.NoError(t, err)
		f, err := cuda.Reinterpret[float32](v)
		require.NoError(t, err)
		require.NoError(t, f.CopyFrom(ctx, data.([]float32)))
	}
	buffers := make([]memory, len(c.Buffers))
	for i, b := range c.Buffers {
		buffers[i] = upload(t, dev, b)
	}
	for _, l := range c.Launches {
		f, err := mod.Function(l.Kernel)
		require.NoError(t, err)
		args := slices.Clone(l.Args)
		for i, a := range args {
			if b, ok := a.(corpus.Buf); ok && b < 0 {
				args[i] = nil
			} else if ok {
				args[i] = buffers[b].arg
			}
		}
		dim := func(d [3]uint32) cuda.Dim3 { return cuda.D3(int(d[0]), int(d[1]), int(d[2])) }
		require.NoError(t, f.Run(ctx, cuda.LaunchConfig{Grid: dim(l.Grid), Block: dim(l.Block), SharedBytes: l.SharedBytes}, args...))
		t.Logf("%s ran on %s, %.2f %% of its operations in Go", l.Kernel, f.Engine(), 100*f.Escaped())
		if engine != "" {
			require.Equal(t, engine, f.Engine())
		}
		ran = append(ran, f)
	}
	for i, b := range buffers {
		want := c.Want[i]
		if want == nil {
			want = c.Buffers[i]
		}
		require.Equal(t, want, b.download(t), "buffer %d", i)
	}
	return ran
}

// memory is one buffer of a case, whatever its element type.
type memory struct {
	arg      any
	download func(t *testing.T) any
}

func upload(t *testing.T, dev *cuda.Device, data any) memory {
	switch x := data.(type) {
	case []float32:
		return uploadAs(t, dev, x)
	case []float64:
		return uploadAs(t, dev, x)
	case []uint8:
		return uploadAs(t, dev, x)
	case []uint16:
		return uploadAs(t, dev, x)
	case []int32:
		return uploadAs(t, dev, x)
	case []uint32:
		return uploadAs(t, dev, x)
	case []int64:
		return uploadAs(t, dev, x)
	case []uint64:
		return uploadAs(t, dev, x)
	}
	panic(fmt.Sprintf("no buffer of %T", data))
}

func uploadAs[T cuda.Element](t *testing.T, dev *cuda.Device, x []T) memory {
	b, err := cuda.Upload(t.Context(), dev, x)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return memory{b, func(t *testing.T) any {
		got, err := b.Download(t.Context())
		require.NoError(t, err)
		return got
	}}
}
