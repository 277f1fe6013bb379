package drivertest

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

var launchChecks = []check{
	{"Multiply", "Launch queues one launch.", func(t *T) {
		f := t.kernel("multiply_them")
		const n = 400
		a, b, want := make([]float32, n), make([]float32, n), make([]uint32, n)
		for i := range a {
			a[i], b[i] = float32(i)*0.37-50, 1/float32(i+1)
			want[i] = math.Float32bits(a[i] * b[i])
		}
		pa, pb, out := t.upload(params(a)), t.upload(params(b)), t.alloc(4*n)
		_, err := t.Launch(&driver.Launch{
			Function: f, Grid: one, Block: driver.Dim3{X: n, Y: 1, Z: 1}, Params: params(out, pa, pb),
		})
		t.ok(err)
		equal(t, want, t.read(out, n, 0))
	}},
	{"ParamsSnapshot", "Params is the parameter block. It is read before Launch returns.", func(t *T) {
		m := t.load()
		s := t.stream()
		acc := t.words(1)
		open := t.gate(t.function(m, "gate"), s)
		p := params(acc, uint32(7))
		_, err := t.Launch(&driver.Launch{Function: t.function(m, "fold"), Grid: one, Block: one, Stream: s, Params: p})
		t.ok(err)
		clear(p)
		open()
		equal(t, []uint32{folded(1, 7)}, t.read(acc, 1, s))
	}},
	{"ParamLayout", "Params is the parameter block, laid out as the kernel's signature says.", func(t *T) {
		f := t.kernel("mixed")
		out := t.alloc(24)
		t.start(f, 0, uint8(0xab), uint64(0x123456789abcdef0), uint16(0xcdef), out)
		b := make([]byte, 24)
		t.ok(t.Read(b, out, 0))
		var got [3]uint64
		_, err := binary.Decode(b, binary.LittleEndian, &got)
		t.ok(err)
		t.that(got == [3]uint64{0xab, 0x123456789abcdef0, 0xcdef}, "the kernel got %#x", got)
	}},
	{"SharedMemory", "SharedBytes is the dynamic shared memory of each block in bytes.", func(t *T) {
		f := t.kernel("shared")
		for _, n := range []uint32{1, 31, 64, 256} {
			out := t.alloc(uint64(8 * n))
			_, err := t.Launch(&driver.Launch{
				Function: f, Grid: one, Block: driver.Dim3{X: n, Y: 1, Z: 1}, SharedBytes: 4 * n, Params: params(out),
			})
			t.ok(err)
			for i, got := range t.read(out, int(2*n), 0) {
				want := (uint32(i)/2 + 1) % n
				t.that(got == want, "%d threads: word %d is %d, want %d", n, i, got, want)
			}
		}
	}},
	{"Extents", "An error is about the launch itself: InvalidValue for extents or ranges", func(t *T) {
		f := t.kernel("empty")
		for _, bad := range []driver.Launch{
			{Grid: driver.Dim3{X: 0, Y: 1, Z: 1}, Block: one},
			{Grid: driver.Dim3{X: 1, Y: 0, Z: 1}, Block: one},
			{Grid: driver.Dim3{X: 1, Y: 1, Z: 0}, Block: one},
			{Grid: one, Block: driver.Dim3{X: 0, Y: 1, Z: 1}},
			{Grid: one, Block: driver.Dim3{X: 1, Y: 0, Z: 1}},
			{Grid: one, Block: driver.Dim3{X: 1, Y: 1, Z: 0}},
			{Grid: driver.Dim3{X: math.MaxUint32, Y: 1, Z: 1}, Block: one},
			{Grid: driver.Dim3{X: 1, Y: 1 << 16, Z: 1}, Block: one},
			{Grid: driver.Dim3{X: 1, Y: 1, Z: math.MaxUint32}, Block: one},
			{Grid: one, Block: one, Params: []byte{1}},
		} {
			bad.Function = f
			_, err := t.Launch(&bad)
			t.is(err, driver.InvalidValue)
		}
		_, err := t.Launch(nil)
		t.is(err, driver.InvalidValue)
		_, err = t.Launch(&driver.Launch{})
		t.is(err, driver.InvalidHandle, driver.InvalidValue)
		t.ok(t.Synchronize(0))
	}},
	{"ParamSize", "An error is about the launch itself", func(t *T) {
		f := t.kernel("fold")
		p := t.words(1, 2, 3, 4)
		full := params(p, uint32(1))
		for _, n := range []int{0, 8, 11} {
			_, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Params: full[:n]})
			t.is(err, driver.InvalidValue)
		}
		_, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Params: append(slices.Clone(full), make([]byte, 100)...)})
		t.is(err, driver.InvalidValue)
		equal(t, []uint32{1, 2, 3, 4}, t.read(p, 4, 0))
	}},
	{"Resources", "LaunchOutOfResources for too many threads or too much shared memory", func(t *T) {
		m := t.load()
		for _, block := range []driver.Dim3{
			{X: 1025, Y: 1, Z: 1}, {X: 33, Y: 32, Z: 1}, {X: 2, Y: 2, Z: 1024}, {X: math.MaxUint32, Y: math.MaxUint32, Z: math.MaxUint32},
		} {
			_, err := t.Launch(&driver.Launch{Function: t.function(m, "empty"), Grid: one, Block: block})
			t.is(err, driver.LaunchOutOfResources)
		}
		_, err := t.Launch(&driver.Launch{Function: t.function(m, "small"), Grid: one, Block: driver.Dim3{X: 65, Y: 1, Z: 1}})
		t.is(err, driver.LaunchOutOfResources)
		_, err = t.Launch(&driver.Launch{Function: t.function(m, "small"), Grid: one, Block: driver.Dim3{X: 64, Y: 1, Z: 1}})
		t.ok(err)
		optin, err := t.Attribute(driver.MaxSharedBytesPerBlockOptin)
		t.ok(err)
		out := t.alloc(2048)
		for _, n := range []uint32{uint32(optin), uint32(optin) - 1023, math.MaxUint32} { // 1024 bytes are static
			_, err = t.Launch(&driver.Launch{Function: t.function(m, "shared"), Grid: one, Block: one, SharedBytes: n, Params: params(out)})
			t.is(err, driver.LaunchOutOfResources)
		}
		_, err = t.Launch(&driver.Launch{Function: t.function(m, "shared"), Grid: one, Block: one, SharedBytes: uint32(optin) - 1024, Params: params(out)})
		t.ok(err)
		t.ok(t.Synchronize(0))
	}},
	{"RequiredBlock", "An error is about the launch itself: InvalidValue for extents (.reqntid)", func(t *T) {
		f := t.kernel("exact")
		_, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: driver.Dim3{X: 8, Y: 2, Z: 1}})
		t.ok(err)
		for _, block := range []driver.Dim3{{X: 16, Y: 1, Z: 1}, {X: 4, Y: 2, Z: 1}} {
			_, err = t.Launch(&driver.Launch{Function: f, Grid: one, Block: block})
			t.is(err, driver.InvalidValue)
		}
		t.ok(t.Synchronize(0))
	}},
	{"BlockRange", "First and Count select the blocks to run, in the order of their linear index (x fastest). The kernel sees the whole grid's %nctaid and its true %ctaid.", blockRange},
	{"BlockRangeVariables", "The kernel [of a part of a grid] sees the whole (its module's variables included).", func(t *T) {
		if !t.Caps().BlockRanges {
			return // BlockRange checks that it says so
		}
		m := t.load()
		counter, _, err := t.Global(m, "counter")
		t.ok(err)
		primes, _, err := t.Global(m, "primes")
		t.ok(err)
		out := t.alloc(20)
		part := driver.Launch{
			Function: t.function(m, "globals"), Grid: driver.Dim3{X: 3, Y: 2, Z: 1}, First: 4, Count: 1, Block: one, Params: params(out),
		}
		_, err = t.Launch(&part)
		t.ok(err)
		equal(t, []uint32{7, 2, 3, 5, 7}, t.read(out, 5, 0))
		equal(t, []uint32{14}, t.read(counter, 1, 0))
		t.ok(t.Write(counter, encode(50), 0))
		t.ok(t.Write(primes+4, encode(11), 0))
		_, err = t.Launch(&part)
		t.ok(err)
		equal(t, []uint32{50, 2, 11, 5, 7}, t.read(out, 5, 0))
		t.start(part.Function, 0, out)
		equal(t, []uint32{100, 2, 11, 5, 7}, t.read(out, 5, 0))
	}},
	{"WholeGrid", "Count zero runs them all.", func(t *T) {
		m := t.load()
		for _, grid := range []driver.Dim3{one, {X: 5, Y: 3, Z: 2}, {X: 1, Y: 1, Z: 300}, {X: 1000, Y: 1, Z: 1}} {
			n := int(grid.Count())
			out := t.alloc(uint64(16 * n))
			t.ok(t.Fill(out, 0, 4, uint64(4*n), 0))
			_, err := t.Launch(&driver.Launch{
				Function: t.function(m, "blocks"), Grid: grid, Block: driver.Dim3{X: 32, Y: 1, Z: 1}, Params: params(out),
			})
			t.ok(err)
			for i, got := range slices.Collect(slices.Chunk(t.read(out, 4*n, 0), 4)) {
				equal(t, []uint32{1, grid.X, grid.Y, grid.Z}, got)
				_ = i
			}
			t.ok(t.Free(out))
		}
	}},
	{"CooperativeTooLarge", "Cooperative asks that all blocks be resident at once", func(t *T) {
		m := t.load()
		out := t.words(0, 0, 0, 0)
		_, err := t.Launch(&driver.Launch{Function: t.function(m, "blocks"), Grid: one, Block: one, Cooperative: true, Params: params(out)})
		t.ok(err)
		equal(t, []uint32{1, 1, 1, 1}, t.read(out, 4, 0))
		_, err = t.Launch(&driver.Launch{
			Function: t.function(m, "empty"), Grid: driver.Dim3{X: 1 << 30, Y: 1, Z: 1}, Block: one, Cooperative: true,
		})
		t.is(err, driver.CooperativeTooLarge)
	}},
	{"Printf", "SetOutput sets where device printf goes, nil to discard it. It is written to during waits only.", func(t *T) {
		f := t.kernel("hello")
		var out bytes.Buffer
		t.SetOutput(&out)
		hello := func(n uint32, threads uint32) {
			_, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: driver.Dim3{X: threads, Y: 1, Z: 1}, Params: params(n)})
			t.ok(err)
		}
		hello(42, 3)
		t.ok(t.Synchronize(0))
		if t.Caps().PrintsToStdout {
			t.that(out.Len() == 0, "printed %q", out.String())
			return
		}
		want := strings.Repeat("hello from 42\n", 3)
		t.that(out.String() == want, "printed %q, want %q", out.String(), want)
		t.SetOutput(nil)
		hello(1, 1)
		t.ok(t.Synchronize(0))
		t.SetOutput(&out)
		hello(2, 1)
		t.ok(t.Synchronize(0))
		want += "hello from 2\n"
		t.that(out.String() == want, "printed %q, want %q", out.String(), want)
		t.SetOutput(nil)
	}},
	{"Cancel", "Cancel stops a launch that has not ended: running blocks end within 50 ms. The stream goes on with what is queued behind, and waits report no error for it.", cancelRunning},
	{"CancelQueued", "queued work of it is dropped. Unknown tickets are ignored.", func(t *T) {
		m := t.load()
		acc, s := t.words(1), t.stream()
		if !t.Caps().StopsKernels {
			t.is(t.Cancel(t.start(t.function(m, "fold"), 0, acc, uint32(1))), driver.NotSupported)
			t.ok(t.Synchronize(0))
			return
		}
		open := t.gate(t.function(m, "gate"), s)
		dropped := t.start(t.function(m, "fold"), s, acc, uint32(2))
		kept := t.start(t.function(m, "fold"), s, acc, uint32(3))
		t.ok(t.Cancel(dropped))
		t.ok(t.Cancel(dropped))
		open()
		equal(t, []uint32{folded(1, 3)}, t.read(acc, 1, s))
		for _, unknown := range []driver.Ticket{0, kept, kept + 1000, math.MaxUint64} {
			t.ok(t.Cancel(unknown))
		}
		t.ok(t.Synchronize(s))
	}},
}

func blockRange(t *T) {
	m := t.load()
	f := t.function(m, "blocks")
	grid := driver.Dim3{X: 7, Y: 3, Z: 2}
	n := grid.Count()
	out := t.alloc(16 * n)
	launch := func(first, count uint64) error {
		_, err := t.Launch(&driver.Launch{
			Function: f, Grid: grid, First: first, Count: count, Block: driver.Dim3{X: 8, Y: 1, Z: 1}, Params: params(out),
		})
		return err
	}
	if !t.Caps().BlockRanges {
		t.is(launch(0, 1), driver.NotSupported)
		return
	}
	ranges := [][2]uint64{{0, 1}, {n - 1, 1}, {5, 10}, {0, n}, {20, n - 20}}
	for _, r := range ranges {
		t.ok(t.Fill(out, 0, 4, 4*n, 0))
		t.ok(launch(r[0], r[1]))
		for i, got := range slices.Collect(slices.Chunk(t.read(out, int(4*n), 0), 4)) {
			want := []uint32{0, 0, 0, 0}
			if uint64(i) >= r[0] && uint64(i) < r[0]+r[1] {
				want = []uint32{1, grid.X, grid.Y, grid.Z}
			}
			equal(t, want, got)
		}
	}
	t.ok(t.Fill(out, 0, 4, 4*n, 0)) // a grid that is split runs each block once
	for first := uint64(0); first < n; first += 4 {
		t.ok(launch(first, min(4, n-first)))
	}
	for _, got := range slices.Collect(slices.Chunk(t.read(out, int(4*n), 0), 4)) {
		equal(t, []uint32{1, grid.X, grid.Y, grid.Z}, got)
	}
	for _, r := range [][2]uint64{{0, n + 1}, {n, 1}, {n - 1, 2}, {1, 0}, {math.MaxUint64, 2}, {2, math.MaxUint64}} {
		t.is(launch(r[0], r[1]), driver.InvalidValue)
	}
}

func cancelRunning(t *T) {
	m := t.load()
	if !t.Caps().StopsKernels {
		return // CancelQueued checks that it says so
	}
	best := time.Duration(math.MaxInt64)
	for _, threads := range []uint32{1, 32, 256, 1024} {
		for range 3 {
			acc := t.words(1)
			ticket := t.forever(m, 0, driver.Dim3{X: 50, Y: 1, Z: 1}, driver.Dim3{X: threads, Y: 1, Z: 1})
			t.start(t.function(m, "fold"), 0, acc, uint32(2))
			t.is(t.Query(0), driver.NotReady)
			begin := time.Now()
			t.ok(t.Cancel(ticket))
			t.within("the wait for a cancelled kernel", func() { t.check(t.Synchronize(0)) })
			best = min(best, time.Since(begin))
			equal(t, []uint32{folded(1, 2)}, t.read(acc, 1, 0))
			t.ok(t.Err())
		}
	}
	// The least of several times, because the machine may have been busy with something else during the others.
	t.that(best < 50*time.Millisecond, "running blocks ended after %v", best)
}
