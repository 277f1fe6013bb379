package drivertest

import (
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// Two texts that make one program: scaled(out) stores factor() * base.
const linkMain = `.version 6.4
.target sm_50
.address_size 64
.extern .func (.param .b32 r) factor();
.extern .global .align 4 .u32 base;
.visible .entry scaled(.param .u64 out)
{
	.reg .b32 %r<4>;
	.reg .b64 %rd<2>;
	{
	.param .b32 q;
	call.uni (q), factor, ();
	ld.param.b32 %r1, [q];
	}
	ld.global.u32 %r2, [base];
	mul.lo.u32 %r3, %r1, %r2;
	ld.param.u64 %rd1, [out];
	st.global.u32 [%rd1], %r3;
	ret;
}
`

const linkLibrary = `.version 6.4
.target sm_50
.address_size 64
.visible .global .align 4 .u32 base = 6;
.visible .func (.param .b32 r) factor()
{
	.reg .b32 %r<2>;
	mov.u32 %r1, 7;
	st.param.b32 [r], %r1;
	ret;
}
`

var controlChecks = []check{
	{"Limits", "SetLimit asks for a limit, which the device may round or clamp.", func(t *T) {
		for _, l := range []driver.Limit{driver.StackBytes, driver.PrintfBytes, driver.HeapBytes} {
			v, err := t.Limit(l)
			t.ok(err)
			t.that(v > 0, "limit %d is %d", l, v)
			t.ok(t.SetLimit(l, 2*v))
			w, err := t.Limit(l)
			t.ok(err)
			t.that(w >= 2*v, "limit %d is %d after it was set to %d", l, w, 2*v)
		}
		_, err := t.Limit(999)
		t.is(err, driver.InvalidValue, driver.UnsupportedLimit)
		t.is(t.SetLimit(999, 1), driver.InvalidValue, driver.UnsupportedLimit)
	}},
	{"CacheConfig", "CacheConfig returns the preference of the context, SetCacheConfig sets it.", func(t *T) {
		f := t.kernel("empty")
		for _, c := range []driver.CacheConfig{driver.CacheShared, driver.CacheL1, driver.CacheEqual, driver.CacheNone} {
			t.ok(t.SetCacheConfig(c))
			got, err := t.CacheConfig()
			t.ok(err)
			t.that(got == c || got == driver.CacheNone, "%d after %d was set", got, c)
			t.ok(t.SetFunctionCache(f, c))
		}
		t.is(t.SetCacheConfig(17), driver.InvalidValue)
		t.is(t.SetFunctionCache(f, 17), driver.InvalidValue)
		t.is(t.SetFunctionCache(12345, driver.CacheL1), driver.InvalidHandle)
	}},
	{"Priorities", "PriorityRange returns the numbers of the lowest and the highest priority of streams", func(t *T) {
		least, greatest, err := t.PriorityRange()
		t.ok(err)
		t.that(greatest <= least, "from %d to %d", least, greatest)
		for _, p := range []int{least, greatest, least + 100, greatest - 100} {
			s, err := t.NewStream(p)
			t.ok(err)
			t.ok(t.Synchronize(s))
		}
		t.ok(t.StartProfiler())
		t.ok(t.StopProfiler())
	}},
	{"FunctionAttributes", "SetFunctionAttribute sets a property of a kernel", func(t *T) {
		f := t.kernel("empty")
		t.ok(t.SetFunctionAttribute(f, driver.SharedCarveout, 50))
		t.ok(t.SetFunctionAttribute(f, driver.SharedCarveout, -1))
		t.ok(t.SetFunctionAttribute(f, driver.DynamicSharedBytes, 1<<10))
		t.is(t.SetFunctionAttribute(f, driver.DynamicSharedBytes, 1<<30), driver.InvalidValue)
		t.is(t.SetFunctionAttribute(f, driver.DynamicSharedBytes, -5), driver.InvalidValue)
		t.is(t.SetFunctionAttribute(f, driver.SharedCarveout, 101), driver.InvalidValue)
		t.is(t.SetFunctionAttribute(f, 77, 0), driver.InvalidValue)
		t.is(t.SetFunctionAttribute(12345, driver.SharedCarveout, 0), driver.InvalidHandle)
	}},
	{"Occupancy", "Occupancy returns how many blocks are resident on one multiprocessor; 0 if a block does not fit.", func(t *T) {
		f := t.kernel("empty")
		most, err := t.Attribute(driver.MaxThreadsPerSM)
		t.ok(err)
		block, err := t.Attribute(driver.MaxThreadsPerBlock)
		t.ok(err)
		last := 1 << 30
		for _, n := range []int{32, 64, 256, 1000, block} {
			v, err := t.Occupancy(f, n, 0)
			t.ok(err)
			t.that(v >= 1 && v <= last && v*n <= most, "%d blocks of %d threads, of at most %d threads", v, n, most)
			last = v
		}
		shared, err := t.Attribute(driver.MaxSharedBytesPerBlock)
		t.ok(err)
		few, err := t.Occupancy(f, 32, uint64(shared))
		t.ok(err)
		many, err := t.Occupancy(f, 32, 0)
		t.ok(err)
		t.that(few >= 1 && few < many, "%d blocks with all shared memory, %d with none", few, many)
		blocks, threads, err := t.SuggestBlock(f, 0, 0)
		t.ok(err)
		sms, err := t.Attribute(driver.MultiprocessorCount)
		t.ok(err)
		t.that(blocks >= sms && threads >= 32 && threads <= block, "%d blocks of %d threads", blocks, threads)
		_, threads, err = t.SuggestBlock(f, 0, 100)
		t.ok(err)
		t.that(threads <= 100 && threads >= 32, "%d threads of at most 100", threads)
		_, err = t.Occupancy(f, 0, 0)
		t.is(err, driver.InvalidValue)
		_, err = t.Occupancy(12345, 1, 0)
		t.is(err, driver.InvalidHandle)
		_, _, err = t.SuggestBlock(12345, 0, 0)
		t.is(err, driver.InvalidHandle)
		_, _, err = t.SuggestBlock(f, 0, -1)
		t.is(err, driver.InvalidValue)
	}},
	{"Link", "Link makes one image of several pieces, for LoadModule.", func(t *T) {
		in := []driver.LinkInput{{Name: "main.ptx", Data: []byte(linkMain)}, {Name: "library.ptx", Data: []byte(linkLibrary)}}
		image, log, err := t.Link(in, driver.ModuleOptions{})
		t.that(err == nil, "%v\n%s", err, log)
		m, log, err := t.LoadModule(image, driver.ModuleOptions{})
		t.that(err == nil, "%v\n%s", err, log)
		p := t.words(0)
		t.start(t.function(m, "scaled"), 0, p)
		equal(t, []uint32{42}, t.read(p, 1, 0))
		_, _, err = t.Link(nil, driver.ModuleOptions{})
		t.is(err, driver.InvalidValue)
		for _, bad := range [][]driver.LinkInput{
			in[:1],                 // factor is defined nowhere
			append(in[1:2], in...), // and here twice
			{in[0], {Name: "bad.ptx", Data: []byte(strings.Replace(linkLibrary, "mov.u32", "mov.u33", 1))}},
		} {
			image, log, err := t.Link(bad, driver.ModuleOptions{})
			t.is(err, driver.InvalidPTX, driver.InvalidImage)
			t.that(image == nil && log != "", "an image of %d bytes, log %q", len(image), log)
		}
	}},
}
