//go:build linux && !tandem_nodl

package nvidia_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
)

// glBuffers are the OpenGL buffers that the fake knows, by the resource that they were registered as.
var glBuffers = struct {
	sync.Mutex
	all map[uintptr]*glBuffer
}{all: map[uintptr]*glBuffer{}}

type glBuffer struct {
	memory driver.Ptr
	mapped bool
}

// glBufferBytes is the size of each buffer. Only glBufferName is one.
const (
	glBufferBytes = 1024
	glBufferName  = 7
)

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
			if name != glBufferName || flags > 2 {
				return driver.InvalidValue
			}
			m, err := c.Alloc(glBufferBytes)
			if err != nil {
				return err
			}
			glBuffers.Lock()
			defer glBuffers.Unlock()
			*p = uintptr(len(glBuffers.all) + 100)
			glBuffers.all[*p] = &glBuffer{memory: m}
			return nil
		})
	},
	"cuGraphicsUnregisterResource": func(r uintptr) uintptr {
		return onGLBuffer("cuGraphicsUnregisterResource", r, func(c *fakeContext, b *glBuffer) error {
			delete(glBuffers.all, r)
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
			*p, *n = uintptr(b.memory), glBufferBytes
			return nil
		})
	},
}

// TestGraphics maps a buffer of OpenGL, works on its memory, and makes each mistake.
func TestGraphics(t *testing.T) {
	f := newFake(t)
	dev := f.open(t)
	defer func() { require.NoError(t, dev.Close()) }()
	d, ok := dev.(driver.Graphics)
	require.True(t, ok)
	_, err := d.RegisterGLBuffer(9, 0)
	require.ErrorIs(t, err, driver.InvalidValue)
	r, err := d.RegisterGLBuffer(glBufferName, 2)
	require.NoError(t, err)
	_, _, err = d.MappedPointer(r)
	require.ErrorIs(t, err, driver.Status(211))
	require.ErrorIs(t, d.UnmapResource(r, 0), driver.Status(211))
	for range 2 {
		require.NoError(t, d.MapResource(r, 0))
		require.ErrorIs(t, d.MapResource(r, 0), driver.Status(208))
		p, n, err := d.MappedPointer(r)
		require.NoError(t, err)
		require.EqualValues(t, glBufferBytes, n)
		_, _, err = d.MappedPointer(r)
		require.NoError(t, err, "asked twice")
		require.NoError(t, dev.Write(p+4, []byte("word"), 0))
		got := make([]byte, 4)
		require.NoError(t, dev.Read(got, p+4, 0))
		require.Equal(t, "word", string(got))
		require.ErrorIs(t, dev.Write(p+glBufferBytes-2, []byte("word"), 0), driver.InvalidValue, "beyond its end")
		require.NoError(t, d.UnmapResource(r, 0))
	}
	require.NoError(t, d.MapResource(r, 0))
	require.NoError(t, d.UnregisterResource(r), "ends the mapping, too")
	require.ErrorIs(t, d.UnregisterResource(r), driver.InvalidHandle)
	require.ErrorIs(t, d.MapResource(r, 0), driver.InvalidHandle)
	_, _, err = d.MappedPointer(r)
	require.ErrorIs(t, err, driver.InvalidHandle)
	require.Equal(t, 3, f.called("cuGraphicsUnmapResources"))
}

// TestEachGraphicsFunctionFails: the status of each function that fails is seen, and nothing is left.
func TestEachGraphicsFunctionFails(t *testing.T) {
	for name := range graphicsFunctions {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			dev := f.open(t)
			d := dev.(driver.Graphics)
			f.force(name, driver.OutOfMemory)
			r, err := d.RegisterGLBuffer(glBufferName, 0)
			if name != "cuGraphicsGLRegisterBuffer" {
				require.NoError(t, err)
				err = d.MapResource(r, 0)
				if err == nil {
					_, _, err = d.MappedPointer(r)
				}
				if err == nil {
					err = d.UnmapResource(r, 0)
				}
				if err == nil {
					err = d.UnregisterResource(r)
				}
			}
			require.ErrorIs(t, err, driver.OutOfMemory)
			f.force(name, 0)
			if name != "cuGraphicsGLRegisterBuffer" && name != "cuGraphicsUnregisterResource" {
				_ = d.UnregisterResource(r)
			}
			glBuffers.Lock()
			clear(glBuffers.all)
			glBuffers.Unlock()
			require.NoError(t, dev.Close())
		})
	}
}
