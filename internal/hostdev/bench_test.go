package hostdev_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/ir"
)

// null is an engine whose blocks do nothing and cost nothing, so that what is measured is the device.
type null struct{}

func (null) Name() string                                               { return "null" }
func (null) Compile(*ir.Kernel, engine.Options) (engine.Program, error) { return null{}, nil }
func (null) LocalBytes() int                                            { return 0 }
func (null) Block(*engine.Launch, uint64, engine.Windows) engine.Block  { return null{} }
func (null) Run(int) (engine.State, *engine.Fault)                      { return engine.Done, nil }
func (null) Close()                                                     {}

func nullLaunch(tb testing.TB, blocks uint32) (driver.Device, *driver.Launch) {
	d := open(tb, hostdev.Config{Engine: null{}, NoFallback: true, MemoryLimit: 1 << 30})
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	return d, &driver.Launch{
		Function: lookUp(tb, d, kernel, "k"), Params: make([]byte, 8),
		Grid: driver.Dim3{X: blocks, Y: 1, Z: 1}, Block: driver.Dim3{X: 32, Y: 1, Z: 1},
	}
}

// A launch and the wait for it, with blocks that cost nothing. The bound is a call of workers.Do (package workers).
func BenchmarkLaunchAndWait(b *testing.B) {
	for _, blocks := range []uint32{1, 2, 32, 1024} {
		b.Run(fmt.Sprintf("blocks=%d", blocks), func(b *testing.B) {
			d, l := nullLaunch(b, blocks)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Launch(l); err != nil {
					b.Fatal(err)
				}
				if err := d.Synchronize(0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Launches that queue up; one wait for each 1,000.
func BenchmarkLaunchThroughput(b *testing.B) {
	d, l := nullLaunch(b, 1)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := d.Launch(l); err != nil {
			b.Fatal(err)
		}
		if n++; n%1000 == 0 {
			if err := d.Synchronize(0); err != nil {
				b.Fatal(err)
			}
		}
	}
	require.NoError(b, d.Synchronize(0))
}

// An empty kernel on the reference engine, launched and waited for.
func BenchmarkEmptyKernel(b *testing.B) {
	d := open(b, hostdev.Config{})
	defer d.Close()
	l := &driver.Launch{
		Function: lookUp(b, d, kernel, "k"), Params: make([]byte, 8),
		Grid: driver.Dim3{X: 1, Y: 1, Z: 1}, Block: driver.Dim3{X: 32, Y: 1, Z: 1},
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Launch(l); err != nil {
			b.Fatal(err)
		}
		if err := d.Synchronize(0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteRead(b *testing.B) {
	for _, n := range []int{4, 4 << 10, 4 << 20} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			d := open(b, hostdev.Config{})
			defer d.Close()
			p, err := d.Alloc(uint64(n))
			require.NoError(b, err)
			buf := make([]byte, n)
			b.SetBytes(2 * int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Write(p, buf, 0); err != nil {
					b.Fatal(err)
				}
				if err := d.Read(buf, p, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// In steady state nothing is allocated for a launch and its wait.
func TestLaunchDoesNotAllocate(t *testing.T) {
	d, l := nullLaunch(t, 4)
	n := testing.AllocsPerRun(500, func() {
		if _, err := d.Launch(l); err != nil {
			panic(err)
		}
		if err := d.Synchronize(0); err != nil {
			panic(err)
		}
	})
	require.Less(t, n, 1.0)
}
