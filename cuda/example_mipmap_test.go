package cuda_test

import (
	"context"
	"fmt"
	"log"

	"github.com/tandem-go/tandem/cuda"
)

// A picture in levels of detail: each level is filled by itself, here with its number, and a kernel reads between two of them.
func ExampleDevice_NewMipmap() {
	const source = `
extern "C" __global__ void look(cudaTextureObject_t picture, float *out) {
    const int i = threadIdx.x;
    out[i] = tex2DLod<float>(picture, 0.5f, 0.5f, 0.25f * i);
}`
	ctx := context.Background()
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer dev.Close()
	mod, err := dev.Compile(ctx, source, cuda.CompileConfig{})
	if err != nil {
		log.Fatal(err)
	}
	look, err := mod.Function("look")
	if err != nil {
		log.Fatal(err)
	}

	picture, err := dev.NewMipmap(cuda.ArrayConfig{Width: 8, Height: 8, Format: cuda.FormatFloat32}, 0)
	if err != nil {
		log.Fatal(err)
	}
	for n := range picture.Levels() {
		level, err := picture.Level(n)
		if err != nil {
			log.Fatal(err)
		}
		texels := make([]float32, (8>>n)*(8>>n))
		for i := range texels {
			texels[i] = float32(n)
		}
		if err := cuda.FillArray(ctx, level, texels); err != nil {
			log.Fatal(err)
		}
	}
	texture, err := picture.NewTexture(cuda.TextureConfig{Normalized: true, Linear: true, LinearLevels: true})
	if err != nil {
		log.Fatal(err)
	}
	out := make([]float32, 5)
	if err := look.Run(ctx, cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(5)}, texture, cuda.Out(out)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(picture.Levels(), "levels:", out)
	// Output: 4 levels: [0 0.25 0.5 0.75 1]
}
