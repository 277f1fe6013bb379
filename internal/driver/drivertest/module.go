package drivertest

import (
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// bad returns the kernels with a piece of text replaced.
func bad(t *T, old, new string) []byte {
	t.Helper()
	t.that(strings.Contains(kernels, old), "the kernels do not contain %q", old)
	return []byte(strings.Replace(kernels, old, new, 1))
}

var moduleChecks = []check{
	{"BadPTX", "Bad PTX is InvalidPTX; log is the JIT's or checker's messages", func(t *T) {
		for name, image := range map[string][]byte{
			"truncated":           []byte(kernels[:strings.Index(kernels, "mul.f32")]),
			"unknown instruction": bad(t, "mul.f32", "mull.f32"),
			"unknown register":    bad(t, "%f3, %f1, %f2", "%f3, %f1, %g2"),
			"wrong type":          bad(t, "mul.f32 %f3, %f1, %f2", "mul.f32 %f3, %f1, %rd2"),
			"unknown label":       bad(t, "bra AGAIN", "bra NOWHERE"),
			"two kernels":         bad(t, ".entry small()", ".entry empty()"),
		} {
			m, log, err := t.LoadModule(image, driver.ModuleOptions{Name: "bad.ptx"})
			t.Logf("%s: %v\n%s", name, err, log)
			t.is(err, driver.InvalidPTX)
			t.that(m == 0, "%s: a module beside an error", name)
			t.that(log != "", "%s: no log", name)
		}
	}},
	{"BadImage", "an image without code for this device NoBinaryForGPU", func(t *T) {
		for name, image := range map[string][]byte{
			"nil":             nil,
			"one byte":        {0x7f},
			"a broken ELF":    append([]byte("\x7fELF\x02\x01\x01"), noise(1000, 7)...),
			"a broken fatbin": append([]byte{0x50, 0xed, 0x55, 0xba, 1, 0, 16, 0}, noise(1000, 8)...),
			"noise":           noise(1000, 9),
		} {
			m, _, err := t.LoadModule(image, driver.ModuleOptions{})
			t.Logf("%s: %v", name, err)
			t.is(err, driver.InvalidImage, driver.NoBinaryForGPU, driver.InvalidPTX, driver.InvalidValue)
			t.that(m == 0, "%s: a module beside an error", name)
		}
	}},
	{"TrailingNUL", "LoadModule loads PTX text (as the driver, which takes a C string)", func(t *T) {
		m, log, err := t.LoadModule(append([]byte(kernels), 0), driver.ModuleOptions{})
		t.that(err == nil, "%v\n%s", err, log)
		t.function(m, "empty")
	}},
	{"Lookup", "Function finds a kernel by its PTX symbol; NotFound. Global finds a module-scope variable by its PTX symbol", func(t *T) {
		m := t.load()
		for _, name := range []string{"", "Empty", "counter", "primes", "vprintf", "no\x00such"} {
			_, err := t.Function(m, name)
			t.is(err, driver.NotFound)
		}
		for _, name := range []string{"", "empty", "Counter", "dynamic"} {
			_, _, err := t.Global(m, name)
			t.is(err, driver.NotFound)
		}
		p, n, err := t.Global(m, "counter")
		t.ok(err)
		t.that(n == 4, "counter has %d bytes", n)
		equal(t, []uint32{7}, t.read(p, 1, 0))
		_, n, err = t.Global(m, "primes")
		t.ok(err)
		t.that(n == 16, "primes has %d bytes", n)
	}},
	{"Globals", "Global finds a module-scope variable: address and size in bytes", func(t *T) {
		m, other := t.load(), t.load()
		counter, _, err := t.Global(m, "counter")
		t.ok(err)
		primes, _, err := t.Global(m, "primes")
		t.ok(err)
		out := t.alloc(20)
		f := t.function(m, "globals")
		t.start(f, 0, out)
		equal(t, []uint32{7, 2, 3, 5, 7}, t.read(out, 5, 0))
		equal(t, []uint32{14}, t.read(counter, 1, 0))
		t.ok(t.Write(counter, encode(50), 0))
		t.ok(t.Write(primes+4, encode(11), 0))
		t.start(f, 0, out)
		equal(t, []uint32{50, 2, 11, 5, 7}, t.read(out, 5, 0))
		t.start(t.function(other, "globals"), 0, out) // each module has its own
		equal(t, []uint32{7, 2, 3, 5, 7}, t.read(out, 5, 0))
	}},
	{"FunctionInfo", "FunctionInfo describes a kernel.", func(t *T) {
		m := t.load()
		for _, c := range []struct {
			name    string
			threads int
			shared  int
			params  []int
		}{
			{"empty", 0, 0, nil},
			{"shared", 0, 1024, []int{8}},
			{"small", 64, 0, nil},
			{"mixed", 0, 0, []int{1, 8, 2, 8}},
		} {
			i, err := t.FunctionInfo(t.function(m, c.name))
			t.ok(err)
			most, err := t.Attribute(driver.MaxThreadsPerBlock)
			t.ok(err)
			want := c.threads
			if want == 0 {
				want = most
			}
			t.that(i.MaxThreads == want, "%s: at most %d threads, want %d", c.name, i.MaxThreads, want)
			t.that(i.SharedBytes == c.shared, "%s: %d bytes of shared memory, want %d", c.name, i.SharedBytes, c.shared)
			if i.Signature == nil { // what the device itself knows of the parameters; nil if it knows nothing
				continue
			}
			t.that(len(i.Signature.Params) == len(c.params), "%s: %d parameters", c.name, len(i.Signature.Params))
			for j, size := range c.params {
				t.that(i.Signature.Params[j].Size == size, "%s: parameter %d has %d bytes", c.name, j, i.Signature.Params[j].Size)
			}
		}
	}},
	{"Unload", "UnloadModule frees the module after the work queued before the call. [A function] is valid until the module is unloaded.", func(t *T) {
		m, s := t.load(), t.stream()
		fold := t.function(m, "fold")
		acc := t.words(1)
		open := t.gate(t.function(m, "gate"), s)
		t.start(fold, s, acc, uint32(2))
		unloaded := t.background(func() { t.check(t.UnloadModule(m)) })
		open()
		<-unloaded
		equal(t, []uint32{folded(1, 2)}, t.read(acc, 1, s))
		t.is(t.UnloadModule(m), driver.InvalidHandle)
		_, err := t.Function(m, "empty")
		t.is(err, driver.InvalidHandle)
		_, err = t.FunctionInfo(fold)
		t.is(err, driver.InvalidHandle)
		_, err = t.Launch(&driver.Launch{Function: fold, Grid: one, Block: one, Params: params(acc, uint32(0))})
		t.is(err, driver.InvalidHandle)
	}},
}
