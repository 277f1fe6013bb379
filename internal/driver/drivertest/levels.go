package drivertest

import (
	_ "embed"
	"math"

	"github.com/tandem-go/tandem/internal/driver"
)

// imageKernels are apart from the others, for a device may know no references.
//
//go:embed images.ptx
var imageKernels string

func (t *T) loadImageKernels() driver.Module {
	t.Helper()
	m, log, err := t.LoadModule([]byte(imageKernels), driver.ModuleOptions{Name: "images.ptx"})
	if err != nil {
		t.Fatalf("load the kernels: %v\n%s", err, log)
	}
	return m
}

var levelChecks = []check{
	{"Mipmap", "NewMipmap makes an array in so many levels of detail, the first of which is as described", func(t *T) {
		desc := driver.ArrayDesc{Width: 4, Height: 2, Format: driver.Float, Channels: 1, Surface: true}
		m, err := t.NewMipmap(desc, 3)
		t.ok(err)
		for n, texels := range [][]float32{{1, 1, 1, 1, 1, 1, 1, 1}, {9, 9}, {17}} {
			level, err := t.MipmapLevel(m, n)
			t.ok(err)
			p := t.words(floats(texels...)...)
			d := desc.Level(n)
			row := uint64(4 * d.Width)
			r := &driver.Region{Dst: driver.Place{Array: level}, Src: driver.Place{Ptr: p, Pitch: row, Height: uint64(d.Height)}, Width: row, Height: uint64(d.Height), Depth: 1}
			t.ok(t.CopyRegion(r, 0))
			r.Width += 4
			t.is(t.CopyRegion(r, 0), driver.InvalidValue)
			t.is(t.DestroyArray(level), driver.InvalidValue)
			s, err := t.NewSurface(level)
			t.ok(err)
			t.ok(t.DestroySurface(s))
		}
		f := t.function(t.loadImageKernels(), "levels")
		read := driver.TextureDesc{Mipmap: m, Normalized: true, MaxLevel: 9}
		for _, c := range []struct {
			change func(d *driver.TextureDesc)
			want   []float32
		}{
			{func(d *driver.TextureDesc) { d.LinearLevels = true }, []float32{1, 5, 9, 13, 17, 17}},
			{func(d *driver.TextureDesc) { d.LinearLevels, d.MinLevel, d.MaxLevel = true, 0.5, 1.5 }, []float32{5, 5, 9, 13, 13, 13}},
			{func(d *driver.TextureDesc) { d.LinearLevels, d.LevelBias = true, -0.5 }, []float32{1, 1, 5, 9, 13, 17}},
			{func(d *driver.TextureDesc) { d.LevelBias = 0.25 }, []float32{1, 9, 9, 17, 17, 17}},
		} {
			d := read
			c.change(&d)
			tex, err := t.NewTexture(&d)
			t.ok(err)
			out := t.words(make([]uint32, 6)...)
			t.threads(f, 6, uint64(tex), out)
			equal(t, floats(c.want...), t.read(out, 6, 0))
			t.ok(t.DestroyTexture(tex))
		}
		for _, change := range []func(d *driver.TextureDesc){
			func(d *driver.TextureDesc) { d.Normalized = false },
			func(d *driver.TextureDesc) { d.MinLevel, d.MaxLevel = 2, 1 },
			func(d *driver.TextureDesc) { d.MinLevel = -1 },
			func(d *driver.TextureDesc) { d.MaxLevel = float32(math.NaN()) },
			func(d *driver.TextureDesc) { d.LevelBias = float32(math.NaN()) },
		} {
			d := read
			change(&d)
			_, err := t.NewTexture(&d)
			t.is(err, driver.InvalidValue)
		}
	}},
	{"MipmapBounds", "InvalidValue for a description that is not Legal, or more levels than it has.", func(t *T) {
		desc := driver.ArrayDesc{Width: 6, Height: 9, Format: driver.Unsigned8, Channels: 4}
		for _, levels := range []int{0, -1, 5} {
			_, err := t.NewMipmap(desc, levels)
			t.is(err, driver.InvalidValue)
		}
		_, err := t.NewMipmap(driver.ArrayDesc{}, 1)
		t.is(err, driver.InvalidValue)
		m, err := t.NewMipmap(desc, 4)
		t.ok(err)
		for _, level := range []int{-1, 4} {
			_, err = t.MipmapLevel(m, level)
			t.is(err, driver.InvalidValue)
		}
		last, err := t.MipmapLevel(m, 3)
		t.ok(err)
		t.ok(t.DestroyMipmap(m))
		t.is(t.DestroyMipmap(m), driver.InvalidHandle)
		t.is(t.DestroyArray(last), driver.InvalidHandle)
		_, err = t.MipmapLevel(m, 0)
		t.is(err, driver.InvalidHandle)
		_, err = t.NewTexture(&driver.TextureDesc{Mipmap: m, Normalized: true})
		t.is(err, driver.InvalidHandle)
	}},
	{"References", "BindTexture makes the texture reference of that name in a module's code read what t reads, as t reads it, from the next launch", func(t *T) {
		m := t.loadImageKernels()
		f := t.function(m, "look")
		marks := t.array(words2D, count(12)...)
		surf, err := t.NewSurface(marks)
		t.ok(err)
		t.ok(t.BindSurface(m, "marks", surf))
		pixels := t.array(driver.ArrayDesc{Width: 4, Height: 1, Format: driver.Unsigned8, Channels: 1}, 0xff336600)
		p := t.alloc(1024)
		t.ok(t.Write(p, encode(floats(5, 6, 7, 8)...), 0))
		out := t.words(make([]uint32, 4)...)
		for _, c := range []struct {
			d    driver.TextureDesc
			want []uint32
		}{
			{driver.TextureDesc{Array: pixels}, floats(0, 0.4, 0.2, 1)},
			{driver.TextureDesc{Array: pixels, Integers: true}, []uint32{0, 0x66, 0x33, 0xff}},
			{driver.TextureDesc{Ptr: p, Width: 3, Height: 1, Pitch: 512, Format: driver.Float, Channels: 1,
				Address: [3]driver.AddressMode{driver.Border, driver.Border}, Border: [4]float32{2}}, floats(5, 6, 7, 2)},
		} {
			tex, err := t.NewTexture(&c.d)
			t.ok(err)
			t.ok(t.BindTexture(m, "picture", tex))
			t.threads(f, 4, out)
			equal(t, c.want, t.read(out, 4, 0))
			t.is(t.BindTexture(m, "marks", tex), driver.NotFound)
			t.is(t.BindTexture(m, "number", tex), driver.NotFound)
			t.is(t.BindTexture(m, "", tex), driver.NotFound)
			t.is(t.BindTexture(0, "picture", tex), driver.InvalidHandle)
			t.ok(t.DestroyTexture(tex))
			t.is(t.BindTexture(m, "picture", tex), driver.InvalidHandle)
		}
		t.ok(t.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: out}, Src: driver.Place{Array: marks}, Width: 16, Height: 1, Depth: 1}, 0))
		equal(t, []uint32{0, 1, 2, 3}, t.read(out, 4, 0))
		t.is(t.BindSurface(m, "nothing", surf), driver.NotFound)
		t.ok(t.DestroySurface(surf))
		t.is(t.BindSurface(m, "marks", surf), driver.InvalidHandle)
	}},
}
