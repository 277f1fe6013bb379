package main

import (
	"math"

	"github.com/tandem-go/tandem/cuda"
)

func textureFiles(cs makeFile) []file {
	return []file{
		cs("simplePitchLinearTexture/simplePitchLinearTexture.cu", check{"shiftPitchLinear", shifted("shiftPitchLinear")}, check{"shiftArray", shifted("shiftArray")}),
		cs("simpleTexture/simpleTexture.cu", check{"transformKernel", turned}),
		cs("simpleLayeredTexture/simpleLayeredTexture.cu", check{"transformKernel", layers}),
		cs("simpleCubemapTexture/simpleCubemapTexture.cu", check{"transformKernel", cubeFaces}),
		cs("simpleSurfaceWrite/simpleSurfaceWrite.cu", check{"surfaceWriteKernel", surfaceWrite}),
	}
}

// picture is an array of float texels with a texture of it.
func picture(r *run, texels []float32, a cuda.ArrayConfig, t cuda.TextureConfig) (*cuda.Array, *cuda.Texture) {
	if r.err != nil {
		return nil, nil
	}
	a.Format = cuda.FormatFloat32
	array, err := r.dev.NewArray(a)
	if err != nil {
		r.fail(err)
		return nil, nil
	}
	r.closers = append(r.closers, array.Close)
	r.fail(cuda.FillArray(r.ctx, array, texels))
	if a.Surface {
		return array, nil
	}
	texture, err := array.NewTexture(t)
	if err != nil {
		r.fail(err)
		return array, nil
	}
	r.closers = append(r.closers, texture.Close)
	return array, texture
}

const texSide = 64 // a power of two: normalised coordinates are exact

// shifted reads nearest texels, wrapped.
func shifted(kernel string) func(*run) {
	return func(r *run) {
		const dx, dy = 7, 11
		in := between[float32](r, texSide*texSide, -1, 1)
		_, tex := picture(r, in, cuda.ArrayConfig{Width: texSide, Height: texSide},
			cuda.TextureConfig{Normalized: true, Address: [3]cuda.AddressMode{cuda.AddressWrap, cuda.AddressWrap}})
		d := room(r, "odata", len(in), float32(9))
		r.launch(kernel, cuda.D2(texSide/16, texSide/16), cuda.D2(16, 16), d, texSide, texSide, texSide, dx, dy, tex)
		d.exact(r, table(len(in), func(i int) float32 { return in[(i/texSide+dy)%texSide*texSide+(i+dx)%texSide] }))
	}
}

// turned by nothing: each place lies between four texels, whose mean is exact for whole numbers.
func turned(r *run) {
	in := smallInts[float32](r, texSide*texSide, 255)
	_, tex := picture(r, in, cuda.ArrayConfig{Width: texSide, Height: texSide},
		cuda.TextureConfig{Normalized: true, Linear: true, Address: [3]cuda.AddressMode{cuda.AddressWrap, cuda.AddressWrap}})
	d := room(r, "outputData", len(in), float32(1e6))
	r.launch("transformKernel", cuda.D2(texSide/8, texSide/8), cuda.D2(8, 8), d, texSide, texSide, float32(0), tex)
	at := func(x, y int) float32 { return in[(y+texSide)%texSide*texSide+(x+texSide)%texSide] }
	d.exact(r, table(len(in), func(i int) float32 {
		x, y := i%texSide, i/texSide
		return (at(x-1, y-1) + at(x, y-1) + at(x-1, y) + at(x, y)) / 4
	}))
}

func layers(r *run) {
	const n = 5
	in := smallInts[float32](r, n*texSide*texSide, 255)
	_, tex := picture(r, in, cuda.ArrayConfig{Width: texSide, Height: texSide, Depth: n, Layered: true},
		cuda.TextureConfig{Normalized: true, Linear: true, Address: [3]cuda.AddressMode{cuda.AddressWrap, cuda.AddressWrap}})
	d := room(r, "g_odata", len(in), float32(0.5))
	for layer := range n {
		r.launch("transformKernel", cuda.D2(texSide/8, texSide/8), cuda.D2(8, 8), d, texSide, texSide, layer, tex)
	}
	d.exact(r, table(len(in), func(i int) float32 { return float32(i/texSide/texSide) - in[i] })) // in the middle of texels
}

func cubeFaces(r *run) {
	in := smallInts[float32](r, 6*texSide*texSide, 255)
	_, tex := picture(r, in, cuda.ArrayConfig{Width: texSide, Height: texSide, Depth: 6, Cube: true},
		cuda.TextureConfig{Normalized: true, Linear: true, Address: [3]cuda.AddressMode{cuda.AddressWrap, cuda.AddressWrap}})
	d := room(r, "g_odata", len(in), float32(math.MaxFloat32))
	r.launch("transformKernel", cuda.D2(texSide/8, texSide/8), cuda.D2(8, 8), d, texSide, tex)
	d.exact(r, table(len(in), func(i int) float32 { return -in[i] }))
}

func surfaceWrite(r *run) {
	in := between[float32](r, texSide*texSide, -1, 1)
	array, _ := picture(r, make([]float32, len(in)), cuda.ArrayConfig{Width: texSide, Height: texSide, Surface: true}, cuda.TextureConfig{})
	if r.err != nil {
		return
	}
	surface, err := array.NewSurface()
	if err != nil {
		r.fail(err)
		return
	}
	r.closers = append(r.closers, surface.Close)
	r.launch("surfaceWriteKernel", cuda.D2(texSide/8, texSide/8), cuda.D2(8, 8), give(r, "gIData", in), texSide, texSide, surface)
	got := make([]float32, len(in))
	r.fail(cuda.ReadArray(r.ctx, got, array))
	same(r, "surface", got, in)
}
