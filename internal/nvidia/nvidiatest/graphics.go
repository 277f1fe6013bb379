//go:build linux && !tandem_nodl

package nvidiatest

import (
	"maps"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// glBuffers are the OpenGL buffers that the fake knows, by the resource that they were registered as.
var glBuffers = struct {
	sync.Mutex
	all map[uintptr]*glBuffer
}{all: map[uintptr]*glBuffer{}}

type glBuffer struct {
	memory driver.Ptr
	array  driver.Array // of an image
	mapped bool
}

// What OpenGL has: GLBufferName is its one buffer, of GLBufferBytes, and GLImageName its one image, of GLTexels, with the target
// GLTexture2D.
const (
	GLBufferBytes = 1024
	GLBufferName  = 7
	GLImageName   = 8
	GLTexture2D   = 0x0DE1
)

// GLTexels describes the image.
var GLTexels = driver.ArrayDesc{Width: 8, Height: 4, Format: driver.Unsigned8, Channels: 4, Surface: true}

// addGLBuffer is registered as the resource that it returns.
func addGLBuffer(b *glBuffer) uintptr {
	glBuffers.Lock()
	defer glBuffers.Unlock()
	r := uintptr(len(glBuffers.all) + 100)
	glBuffers.all[r] = b
	return r
}

// onGLBuffer calls do with a registered buffer.
func onGLBuffer(name string, r uintptr, do func(c *fakeContext, b *glBuffer) error) uintptr {
	return in(name, func(c *fakeContext) error {
		glBuffers.Lock()
		defer glBuffers.Unlock()
		b := glBuffers.all[r]
		if b == nil {
			return driver.InvalidHandle
		}
		return do(c, b)
	})
}

var graphicsFunctions = map[string]any{
	"cuGraphicsGLRegisterBuffer": func(p *uintptr, name, flags uint32) uintptr {
		return in("cuGraphicsGLRegisterBuffer", func(c *fakeContext) error {
			if name != GLBufferName || flags > 2 {
				return driver.InvalidValue
			}
			m, err := c.Alloc(GLBufferBytes)
			if err != nil {
				return err
			}
			*p = addGLBuffer(&glBuffer{memory: m})
			return nil
		})
	},
	"cuGraphicsGLRegisterImage": func(p *uintptr, name, target, flags uint32) uintptr {
		return in("cuGraphicsGLRegisterImage", func(c *fakeContext) error {
			if name != GLImageName || target != GLTexture2D || flags&^0xf != 0 {
				return driver.InvalidValue
			}
			a, err := c.NewArray(GLTexels)
			if err != nil {
				return err
			}
			*p = addGLBuffer(&glBuffer{array: a})
			return nil
		})
	},
	"cuGLGetDevices_v2": func(n *uint32, devices *int32, most, list uint32) uintptr {
		return in("cuGLGetDevices", func(*fakeContext) error {
			*n, *devices = 1, 100
			return nil
		})
	},
	"cuGraphicsSubResourceGetMappedArray": func(a *uintptr, r uintptr, index, level uint32) uintptr {
		return onGLBuffer("cuGraphicsSubResourceGetMappedArray", r, func(_ *fakeContext, b *glBuffer) error {
			switch {
			case !b.mapped:
				return driver.Status(211)
			case b.array == 0:
				return driver.Status(212)
			case index != 0 || level != 0:
				return driver.InvalidValue
			}
			*a = uintptr(b.array)
			return nil
		})
	},
	"cuArray3DGetDescriptor_v2": func(desc, a uintptr) uintptr {
		return in("cuArray3DGetDescriptor", func(*fakeContext) error {
			d, w := GLTexels, words(desc, 5)
			w[0], w[1], w[2] = uint64(d.Width), uint64(d.Height), 0
			w[3], w[4] = uint64(d.Format)|uint64(d.Channels)<<32, cuapi.ArraySurface
			return nil
		})
	},
	"cuGraphicsUnregisterResource": func(r uintptr) uintptr {
		return onGLBuffer("cuGraphicsUnregisterResource", r, func(c *fakeContext, b *glBuffer) error {
			delete(glBuffers.all, r)
			if b.array != 0 {
				return c.DestroyArray(b.array)
			}
			return c.Free(b.memory)
		})
	},
	"cuGraphicsMapResources": func(n uint32, r *uintptr, s uintptr) uintptr {
		return onGLBuffer("cuGraphicsMapResources", *r, func(_ *fakeContext, b *glBuffer) error {
			if n != 1 || b.mapped {
				return driver.Status(208)
			}
			b.mapped = true
			return nil
		})
	},
	"cuGraphicsUnmapResources": func(n uint32, r *uintptr, s uintptr) uintptr {
		return onGLBuffer("cuGraphicsUnmapResources", *r, func(c *fakeContext, b *glBuffer) error {
			if n != 1 || !b.mapped {
				return driver.Status(211)
			}
			b.mapped = false
			return nil
		})
	},
	"cuGraphicsResourceGetMappedPointer_v2": func(p, n *uintptr, r uintptr) uintptr {
		return onGLBuffer("cuGraphicsResourceGetMappedPointer", r, func(_ *fakeContext, b *glBuffer) error {
			if !b.mapped {
				return driver.Status(211)
			}
			if b.array != 0 {
				return driver.Status(213)
			}
			*p, *n = uintptr(b.memory), GLBufferBytes
			return nil
		})
	},
}

// ForgetGL ends OpenGL's context: what is still registered is forgotten.
func ForgetGL() {
	glBuffers.Lock()
	defer glBuffers.Unlock()
	clear(glBuffers.all)
}

// GLFunctions are the names of the functions for OpenGL.
func GLFunctions() []string { return slices.Sorted(maps.Keys(graphicsFunctions)) }
