package drivertest

import (
	"math"

	"github.com/tandem-go/tandem/internal/driver"
)

// array returns an array that holds the words, row by row.
func (t *T) array(d driver.ArrayDesc, words ...uint32) driver.Array {
	t.Helper()
	a, err := t.NewArray(d)
	t.ok(err)
	t.that(a != 0, "NewArray returned no array")
	row := uint64(d.Width * d.TexelBytes())
	rows, slices := uint64(max(d.Height, 1)), uint64(max(d.Depth, 1))
	p := t.words(words...)
	t.ok(t.CopyRegion(&driver.Region{
		Dst: driver.Place{Array: a}, Src: driver.Place{Ptr: p, Pitch: row, Height: rows}, Width: row, Height: rows, Depth: slices,
	}, 0))
	t.ok(t.Synchronize(0))
	t.ok(t.Free(p))
	return a
}

// threads launches n threads of f.
func (t *T) threads(f driver.Function, n int, args ...any) {
	t.Helper()
	_, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: driver.Dim3{X: uint32(n), Y: 1, Z: 1}, Params: params(args...)})
	t.ok(err)
}

func count(n int) []uint32 {
	v := make([]uint32, n)
	for i := range v {
		v[i] = uint32(100 + i)
	}
	return v
}

func floats(v ...float32) []uint32 {
	out := make([]uint32, len(v))
	for i, x := range v {
		out[i] = math.Float32bits(x)
	}
	return out
}

var words2D = driver.ArrayDesc{Width: 4, Height: 3, Format: driver.Unsigned32, Channels: 1, Surface: true}

var imageChecks = []check{
	{"CopyRegion", "CopyRegion queues a copy of a box.", func(t *T) {
		const w, h, d = 6, 5, 4
		src := count(w * h * d)
		p := t.words(src...)
		desc := driver.ArrayDesc{Width: w, Height: h, Depth: d, Format: driver.Unsigned32, Channels: 1}
		a, b := t.array(desc, src...), t.array(desc, make([]uint32, w*h*d)...)
		q := t.words(make([]uint32, w*h*d)...)
		mem := func(p driver.Ptr, x, y, z uint64) driver.Place {
			return driver.Place{Ptr: p, Pitch: 4 * w, Height: h, X: 4 * x, Y: y, Z: z}
		}
		arr := func(a driver.Array, x, y, z uint64) driver.Place {
			return driver.Place{Array: a, X: 4 * x, Y: y, Z: z}
		}
		want := make([]uint32, w*h*d)
		for z := range 3 {
			for y := range 2 {
				for x := range 4 {
					want[((z+1)*h+y+3)*w+x+2] = src[(z*h+y+1)*w+x+1]
				}
			}
		}
		for _, c := range []struct{ dst, src driver.Place }{
			{mem(q, 2, 3, 1), mem(p, 1, 1, 0)}, {arr(b, 2, 3, 1), mem(p, 1, 1, 0)},
			{mem(q, 2, 3, 1), arr(a, 1, 1, 0)}, {arr(b, 2, 3, 1), arr(a, 1, 1, 0)},
		} {
			t.ok(t.Fill(q, 0, 4, w*h*d, 0))
			whole := &driver.Region{Dst: arr(b, 0, 0, 0), Src: mem(q, 0, 0, 0), Width: 4 * w, Height: h, Depth: d}
			t.ok(t.CopyRegion(whole, 0))
			t.ok(t.CopyRegion(&driver.Region{Dst: c.dst, Src: c.src, Width: 16, Height: 2, Depth: 3}, 0))
			if c.dst.Array != 0 {
				whole.Dst, whole.Src = whole.Src, whole.Dst
				t.ok(t.CopyRegion(whole, 0))
			}
			equal(t, want, t.read(q, w*h*d, 0))
		}
	}},
	{"CopyRegionBounds", "InvalidValue if a part lies outside, or source and destination overlap.", func(t *T) {
		a := t.array(words2D, count(12)...)
		p := t.words(count(12)...)
		arr, mem := driver.Place{Array: a}, driver.Place{Ptr: p, Pitch: 16, Height: 3}
		at := func(p driver.Place, x, y uint64) driver.Place { p.X, p.Y = x, y; return p }
		for name, r := range map[string]*driver.Region{
			"nil":            nil,
			"empty":          {Dst: arr, Src: mem, Width: 16, Height: 0, Depth: 1},
			"wide":           {Dst: arr, Src: mem, Width: 20, Height: 1, Depth: 1},
			"right":          {Dst: at(arr, 4, 0), Src: mem, Width: 16, Height: 1, Depth: 1},
			"low":            {Dst: at(arr, 0, 1), Src: mem, Width: 16, Height: 3, Depth: 1},
			"deep":           {Dst: arr, Src: mem, Width: 16, Height: 3, Depth: 2},
			"part of texel":  {Dst: at(arr, 2, 0), Src: mem, Width: 8, Height: 1, Depth: 1},
			"beyond memory":  {Dst: arr, Src: at(mem, 0, 1), Width: 16, Height: 3, Depth: 1},
			"small pitch":    {Dst: arr, Src: driver.Place{Ptr: p, Pitch: 12, Height: 3}, Width: 16, Height: 2, Depth: 1},
			"huge":           {Dst: arr, Src: driver.Place{Ptr: p, Pitch: math.MaxUint64, Height: 3}, Width: 16, Height: 2, Depth: 1},
			"overlap":        {Dst: at(mem, 4, 0), Src: mem, Width: 8, Height: 2, Depth: 1},
			"overlap itself": {Dst: arr, Src: arr, Width: 8, Height: 2, Depth: 1},
			"no memory":      {Dst: arr, Src: driver.Place{}, Width: 8, Height: 1, Depth: 1},
		} {
			t.Log(name)
			t.is(t.CopyRegion(r, 0), driver.InvalidValue)
		}
		t.is(t.CopyRegion(&driver.Region{Dst: driver.Place{Array: 12345}, Src: mem, Width: 4, Height: 1, Depth: 1}, 0), driver.InvalidHandle)
		t.ok(t.CopyRegion(&driver.Region{Dst: at(mem, 8, 0), Src: mem, Width: 8, Height: 3, Depth: 1}, 0)) // columns beside each other
		equal(t, []uint32{100, 101, 100, 101, 104, 105, 104, 105, 108, 109, 108, 109}, t.read(p, 12, 0))
	}},
	{"CopyOverlap", "InvalidValue if the ranges overlap.", func(t *T) {
		p := t.words(1, 2, 3, 4)
		t.is(t.Copy(p+4, p, 8, 0), driver.InvalidValue)
		t.is(t.Copy(p, p, 4, 0), driver.InvalidValue)
		t.ok(t.Copy(p+8, p, 8, 0))
		equal(t, []uint32{1, 2, 1, 2}, t.read(p, 4, 0))
	}},
	{"FillRows", "FillRows queues a fill of rows of columns elements, pitch bytes apart", func(t *T) {
		for _, width := range []int{1, 2, 4} {
			want := noise(32*6, 11)
			p := t.upload(want)
			for y := 1; y < 4; y++ {
				for x := range 3 * width {
					want[32*y+4+x] = byte(uint32(0xa1b2c3d4) >> (8 * (x % width)))
				}
			}
			t.ok(t.FillRows(p+36, 32, 0xa1b2c3d4, width, 3, 3, 0))
			got := make([]byte, len(want))
			t.ok(t.Read(got, p, 0))
			equal(t, want, got)
		}
		p := t.words(1, 2, 3, 4)
		t.is(t.FillRows(p, 8, 0, 3, 1, 1, 0), driver.InvalidValue)
		t.is(t.FillRows(p+2, 8, 0, 4, 1, 1, 0), driver.InvalidValue)
		t.is(t.FillRows(p, 6, 0, 4, 1, 2, 0), driver.InvalidValue)
		t.is(t.FillRows(p, 8, 0, 4, 3, 2, 0), driver.InvalidValue)
		t.is(t.FillRows(p, 8, 0, 4, 2, 3, 0), driver.InvalidValue)
		t.is(t.FillRows(p, math.MaxUint64-3, 0, 4, 2, 3, 0), driver.InvalidValue)
		t.ok(t.FillRows(p, 8, 0, 4, 0, 3, 0))
		equal(t, []uint32{1, 2, 3, 4}, t.read(p, 4, 0))
	}},
	{"Texture", "NewTexture makes a texture object.", func(t *T) {
		f := t.kernel("sample")
		v := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		a := t.array(driver.ArrayDesc{Width: 4, Height: 3, Format: driver.Float, Channels: 1}, floats(v...)...)
		clamp := [3]driver.AddressMode{driver.Clamp, driver.Clamp, driver.Clamp}
		tex, err := t.NewTexture(&driver.TextureDesc{Array: a, Address: clamp})
		t.ok(err)
		out := t.words(make([]uint32, 20)...)
		t.threads(f, 12, uint64(tex), out, uint32(4))
		equal(t, floats(v...), t.read(out, 12, 0))
		t.threads(f, 20, uint64(tex), out, uint32(5)) // a column and a row too many: clamped
		equal(t, floats(1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 9, 10, 11, 12, 12), t.read(out, 20, 0))
		t.ok(t.DestroyTexture(tex))
		t.is(t.DestroyTexture(tex), driver.InvalidHandle)
		t.ok(t.DestroyArray(a))
		t.is(t.DestroyArray(a), driver.InvalidHandle)
		_, err = t.NewTexture(&driver.TextureDesc{Array: a})
		t.is(err, driver.InvalidHandle)
	}},
	{"TextureOfMemory", "Height 0 makes it a row of texels that kernels fetch by an index, else rows lie Pitch bytes apart", func(t *T) {
		m := t.load()
		p := t.words(count(96)...)
		row := &driver.TextureDesc{Ptr: p, Width: 10, Format: driver.Unsigned32, Channels: 1}
		tex, err := t.NewTexture(row)
		t.ok(err)
		out := t.words(make([]uint32, 12)...)
		t.threads(t.function(m, "fetch"), 12, uint64(tex), out)
		equal(t, append(count(10), 0, 0), t.read(out, 12, 0)) // zeros behind the end
		plane := &driver.TextureDesc{Ptr: p, Width: 4, Height: 3, Pitch: 128, Format: driver.Float, Channels: 1}
		t.ok(t.Write(p, encode(floats(1, 2, 3, 4)...), 0))
		t.ok(t.Write(p+128, encode(floats(5, 6, 7, 8)...), 0))
		t.ok(t.Write(p+256, encode(floats(9, 10, 11, 12)...), 0))
		flat, err := t.NewTexture(plane)
		t.ok(err)
		t.threads(t.function(m, "sample"), 12, uint64(flat), out, uint32(4))
		equal(t, floats(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), t.read(out, 12, 0))
		t.ok(t.DestroyTexture(tex))
		t.ok(t.DestroyTexture(flat))
		bad := func(change func(d *driver.TextureDesc)) {
			t.Helper()
			d := *plane
			change(&d)
			_, err := t.NewTexture(&d)
			t.is(err, driver.InvalidValue)
		}
		bad(func(d *driver.TextureDesc) { d.Ptr += 4 })
		bad(func(d *driver.TextureDesc) { d.Ptr = 0 })
		bad(func(d *driver.TextureDesc) { d.Pitch = 12 })
		bad(func(d *driver.TextureDesc) { d.Pitch = 130 })
		bad(func(d *driver.TextureDesc) { d.Height = 4 })
		bad(func(d *driver.TextureDesc) { d.Channels = 3 })
		bad(func(d *driver.TextureDesc) { d.Format = 99 })
		bad(func(d *driver.TextureDesc) { d.Address[0] = 7 })
		bad(func(d *driver.TextureDesc) { d.Format, d.Linear = driver.Unsigned32, true })
		_, err = t.NewTexture(nil)
		t.is(err, driver.InvalidValue)
	}},
	{"Surface", "NewSurface makes a surface object of an array that allows it.", func(t *T) {
		f := t.kernel("scatter")
		a := t.array(words2D, count(12)...)
		s, err := t.NewSurface(a)
		t.ok(err)
		t.threads(f, 12, uint64(s), uint32(4))
		p := t.alloc(48)
		t.ok(t.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: p, Pitch: 16}, Src: driver.Place{Array: a}, Width: 16, Height: 3, Depth: 1}, 0))
		want := count(12)
		for i := range want {
			want[i] += uint32(i)
		}
		equal(t, want, t.read(p, 12, 0))
		t.ok(t.DestroySurface(s))
		t.is(t.DestroySurface(s), driver.InvalidHandle)
		plain := words2D
		plain.Surface = false
		_, err = t.NewSurface(t.array(plain, count(12)...))
		t.is(err, driver.InvalidValue)
		_, err = t.NewSurface(0)
		t.is(err, driver.InvalidHandle)
	}},
	{"BadArrays", "InvalidValue for a description that is not Legal.", func(t *T) {
		for _, change := range []func(d *driver.ArrayDesc){
			func(d *driver.ArrayDesc) { d.Width = 0 },
			func(d *driver.ArrayDesc) { d.Width = -1 },
			func(d *driver.ArrayDesc) { d.Height = -1 },
			func(d *driver.ArrayDesc) { d.Channels = 3 },
			func(d *driver.ArrayDesc) { d.Format = 7 },
			func(d *driver.ArrayDesc) { d.Height, d.Depth = 0, 3 },
			func(d *driver.ArrayDesc) { d.Layered = true },
			func(d *driver.ArrayDesc) { d.Cube, d.Depth = true, 6 },
		} {
			d := words2D
			change(&d)
			_, err := t.NewArray(d)
			t.is(err, driver.InvalidValue)
		}
		huge := driver.ArrayDesc{Width: 1 << 27, Height: 1 << 27, Depth: 1 << 20, Format: driver.Float, Channels: 4}
		_, err := t.NewArray(huge)
		t.is(err, driver.OutOfMemory, driver.InvalidValue)
	}},
}
