// Package canvas is what the examples draw with, in whatever OpenGL context is current: a program of two shaders, and pictures of
// what was drawn.
package canvas

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"strings"

	opengl "github.com/go-gl/gl/v3.3-core/gl"
)

// UseProgram makes the program of a vertex and a fragment shader current. The error holds the linker's log.
func UseProgram(vertex, fragment string) error {
	program := opengl.CreateProgram()
	for kind, text := range map[uint32]string{opengl.VERTEX_SHADER: vertex, opengl.FRAGMENT_SHADER: fragment} {
		shader := opengl.CreateShader(kind)
		list, free := opengl.Strs(text + "\x00")
		opengl.ShaderSource(shader, 1, list, nil)
		free()
		opengl.CompileShader(shader)
		opengl.AttachShader(program, shader)
	}
	opengl.LinkProgram(program)
	var ok int32
	if opengl.GetProgramiv(program, opengl.LINK_STATUS, &ok); ok != opengl.TRUE {
		log := strings.Repeat("\x00", 1024)
		opengl.GetProgramInfoLog(program, 1024, nil, opengl.Str(log))
		return fmt.Errorf("link the shaders: %s", strings.TrimRight(log, "\x00\n"))
	}
	opengl.UseProgram(program)
	return nil
}

// Screenshot writes what was drawn, from the lower left corner of the current framebuffer, as an opaque PNG. The error is OpenGL's
// for anything since it was last asked, or the file's.
func Screenshot(name string, width, height int) error {
	below := make([]byte, 4*width*height)
	opengl.PixelStorei(opengl.PACK_ALIGNMENT, 1)
	opengl.ReadPixels(0, 0, int32(width), int32(height), opengl.RGBA, opengl.UNSIGNED_BYTE, opengl.Ptr(below))
	if err := Err(); err != nil {
		return err
	}
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height { // OpenGL's first row is the lowest
		row := img.Pix[4*width*y : 4*width*(y+1)]
		copy(row, below[4*width*(height-1-y):])
		for x := range width {
			row[4*x+3] = 255
		}
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}

// Err is OpenGL's error since it was last asked.
func Err() error {
	if code := opengl.GetError(); code != opengl.NO_ERROR {
		return fmt.Errorf("draw: OpenGL error %#x", code)
	}
	return nil
}
