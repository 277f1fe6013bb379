package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// rgba is img with pixels of four bytes, from the origin.
func rgba(img image.Image) *image.RGBA {
	b := img.Bounds()
	m := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(m, m.Bounds(), img, b.Min, draw.Src)
	return m
}

// scene is a dim picture of shaded balls on a chequered floor, with little contrast.
func scene(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	balls := [][3]float64{{0.28, 0.45, 0.2}, {0.55, 0.6, 0.26}, {0.8, 0.35, 0.14}}
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			r, g, b := 90+30*v, 95+20*v, 110-10*v
			if v > 0.6 && (int(math.Floor((u-0.5)/(v-0.5)*2.5))+int(math.Floor(1.2/(v-0.5))))%2 == 0 {
				r, g, b = r*0.8, g*0.8, b*0.85
			}
			for i, ball := range balls {
				dx, dy := (u-ball[0])*float64(width)/float64(height)/ball[2], (v-ball[1])/ball[2]
				if d := dx*dx + dy*dy; d < 1 {
					light := 0.35 + 0.65*max(0, (-0.5*dx-0.6*dy+0.62*math.Sqrt(1-d)))
					r, g, b = light*float64(150-20*i), light*float64(110+15*i), light*float64(90+25*i)
				}
			}
			m.SetRGBA(x, y, color.RGBA{uint8(r), uint8(g), uint8(b), 255})
		}
	}
	return m
}

// reference is the chain in Go.
func reference(img image.Image) (out [len(steps)]*image.Gray) {
	src := rgba(img)
	w, h := src.Rect.Dx(), src.Rect.Dy()
	for i := range out {
		out[i] = image.NewGray(image.Rect(0, 0, w, h))
	}
	luma := out[0].Pix
	for i := range luma {
		p := src.Pix[4*i:]
		luma[i] = uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)
	}
	between := make([]byte, w*h)
	blur(between, luma, w, h, 1, 0)
	blur(out[1].Pix, between, w, h, 0, 1)
	edges(out[2].Pix, out[1].Pix, w, h)
	equalize(out[3].Pix, luma)
	return out
}

func pixel(p []byte, w, h, x, y int) int { return int(p[min(max(y, 0), h-1)*w+min(max(x, 0), w-1)]) }

func blur(out, in []byte, w, h, dx, dy int) {
	for y := range h {
		for x := range w {
			sum := 8
			for i, weight := range [...]int{1, 4, 6, 4, 1} {
				sum += weight * pixel(in, w, h, x+(i-2)*dx, y+(i-2)*dy)
			}
			out[y*w+x] = uint8(sum / 16)
		}
	}
}

func edges(out, in []byte, w, h int) {
	for y := range h {
		for x := range w {
			var gx, gy int
			for i, weight := range [...]int{1, 2, 1} {
				gx += weight * (pixel(in, w, h, x+1, y+i-1) - pixel(in, w, h, x-1, y+i-1))
				gy += weight * (pixel(in, w, h, x+i-1, y+1) - pixel(in, w, h, x+i-1, y-1))
			}
			out[y*w+x] = uint8(min(max(gx, -gx)+max(gy, -gy), 255))
		}
	}
}

func equalize(out, in []byte) {
	var counts [256]int
	for _, v := range in {
		counts[v]++
	}
	var table [256]uint8
	below, least := 0, 0
	for v, n := range counts {
		if below == 0 {
			least = n
		}
		below += n
		if rest := len(in) - least; rest > 0 && below >= least {
			table[v] = uint8(((below-least)*255 + rest/2) / rest)
		} else {
			table[v] = uint8(v)
		}
	}
	for i, v := range in {
		out[i] = table[v]
	}
}

func differ(a, b []byte) (n int) {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
