// Package window opens a window of GLFW with one picture in it, which examples change as time goes on.
//
// Everything happens on the main thread, as GLFW asks.
package window

import (
	"errors"
	"fmt"
	"runtime"

	opengl "github.com/go-gl/gl/v3.3-core/gl"
	"github.com/go-gl/glfw/v3.3/glfw"

	"github.com/tandem-go/tandem/interop/gl/examples/canvas"
)

// Config describes a window.
type Config struct {
	Title         string
	Width, Height int
	// Fragment is a fragment shader that makes `pixel` from the texture `picture` at `at`.
	Fragment string
	// Frames ends the program after that many pictures; 0 runs until the window is closed.
	Frames int
	// Screenshot is the file that the last picture is written to, if any.
	Screenshot string
}

// Show opens the window, calls setUp once its context is current, and then for each picture the function that setUp
// returned, which leaves the texture to be drawn bound to TEXTURE_2D. end undoes what setUp did. Escape closes the window. Call
// it from main, before any goroutine is started.
func Show(cfg Config, setUp func() (draw func(frame int) error, end func() error, err error)) (err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := glfw.Init(); err != nil {
		return fmt.Errorf("open a window: %w", err)
	}
	defer glfw.Terminate()
	for _, h := range []struct {
		hint  glfw.Hint
		value int
	}{
		{glfw.ContextVersionMajor, 3}, {glfw.ContextVersionMinor, 3}, {glfw.OpenGLProfile, glfw.OpenGLCoreProfile},
		{glfw.OpenGLForwardCompatible, glfw.True}, {glfw.Resizable, glfw.False},
	} {
		glfw.WindowHint(h.hint, h.value)
	}
	w, err := glfw.CreateWindow(cfg.Width, cfg.Height, cfg.Title, nil, nil)
	if err != nil {
		return fmt.Errorf("open a window: %w", err)
	}
	defer w.Destroy()
	w.MakeContextCurrent()
	glfw.SwapInterval(1)
	w.SetKeyCallback(func(w *glfw.Window, key glfw.Key, _ int, action glfw.Action, _ glfw.ModifierKey) {
		if key == glfw.KeyEscape && action == glfw.Press {
			w.SetShouldClose(true)
		}
	})
	if err := opengl.InitWithProcAddrFunc(glfw.GetProcAddress); err != nil {
		return err
	}
	if err := quad(cfg.Fragment); err != nil {
		return err
	}
	draw, end, err := setUp()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return loop(&cfg, w, draw)
}

func loop(cfg *Config, w *glfw.Window, draw func(int) error) error {
	for frame := 0; !w.ShouldClose() && (cfg.Frames == 0 || frame < cfg.Frames); frame++ {
		if err := draw(frame); err != nil {
			return err
		}
		width, height := w.GetFramebufferSize()
		opengl.Viewport(0, 0, int32(width), int32(height))
		opengl.DrawArrays(opengl.TRIANGLE_STRIP, 0, 4)
		if err := canvas.Err(); err != nil {
			return fmt.Errorf("picture %d: %w", frame, err)
		}
		if cfg.Screenshot != "" && frame == cfg.Frames-1 {
			if err := canvas.Screenshot(cfg.Screenshot, width, height); err != nil {
				return err
			}
		}
		w.SwapBuffers()
		glfw.PollEvents()
	}
	return nil
}

const vertexShader = `#version 330 core
out vec2 at;
void main() { at = vec2(gl_VertexID & 1, gl_VertexID >> 1); gl_Position = vec4(2 * at - 1, 0, 1); }
`

// Texture makes a texture of one level without interpolation beyond its edges, and leaves it bound.
func Texture(format int32, width, height int, pixels, of uint32) uint32 {
	var id uint32
	opengl.GenTextures(1, &id)
	opengl.BindTexture(opengl.TEXTURE_2D, id)
	for _, p := range [][2]int32{
		{opengl.TEXTURE_MIN_FILTER, opengl.LINEAR}, {opengl.TEXTURE_MAG_FILTER, opengl.LINEAR},
		{opengl.TEXTURE_WRAP_S, opengl.CLAMP_TO_EDGE}, {opengl.TEXTURE_WRAP_T, opengl.CLAMP_TO_EDGE},
	} {
		opengl.TexParameteri(opengl.TEXTURE_2D, uint32(p[0]), p[1])
	}
	opengl.TexImage2D(opengl.TEXTURE_2D, 0, format, int32(width), int32(height), 0, pixels, of, nil)
	return id
}

// quad sets up the drawing of a square that fills the window.
func quad(fragment string) error {
	var vertices uint32
	opengl.GenVertexArrays(1, &vertices)
	opengl.BindVertexArray(vertices)
	return canvas.UseProgram(vertexShader, "#version 330 core\nin vec2 at;\nout vec4 pixel;\nuniform sampler2D picture;\n"+fragment)
}
