//go:build linux && !tandem_nodl

package nvidia_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

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

// glBufferBytes is the size of each buffer. Only glBufferName is one, and glImageName is an image of glImageTexels.
const (
	glBufferBytes = 1024
	glBufferName  = 7
	glImageName   = 8
	glTexture2D   = 0x0DE1
)

var glImageTexels = driver.ArrayDesc{Width: 8, Height: 4, Format: driver.Unsigned8, Channels: 4, Surface: true}

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
			if name != glBufferName || flags > 2 {
				return driver.InvalidValue
			}
			m, err := c.Alloc(glBufferBytes)
			if err != nil {
				return err
			}
			*p = addGLBuffer(&glBuffer{memory: m})
			return nil
		})
	},
	"cuGraphicsGLRegisterImage": func(p *uintptr, name, target, flags uint32) uintptr {
		return in("cuGraphicsGLRegisterImage", func(c *fakeContext) error {
			if name != glImageName || target != glTexture2D || flags&^0xf != 0 {
				return driver.InvalidValue
			}
			a, err := c.NewArray(glImageTexels)
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
			d, w := glImageTexels, words(desc, 5)
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

// TestGraphicsImage writes and reads the texels of an OpenGL image, through copies and a surface, and makes each mistake.
func TestGraphicsImage(t *testing.T) {
	f := newFake(t)
	dev := f.open(t)
	defer func() { require.NoError(t, dev.Close()) }()
	d := dev.(driver.Graphics)
	on, err := d.OnGLDevice()
	require.NoError(t, err)
	require.True(t, on)
	f.force("cuGLGetDevices_v2", driver.Status(219))
	on, err = d.OnGLDevice()
	require.NoError(t, err)
	require.False(t, on)
	f.force("cuGLGetDevices_v2", 0)

	_, err = d.RegisterGLImage(glImageName, 1, 0)
	require.ErrorIs(t, err, driver.InvalidValue)
	r, err := d.RegisterGLImage(glImageName, glTexture2D, 4)
	require.NoError(t, err)
	_, _, err = d.MappedArray(r, 0, 0)
	require.ErrorIs(t, err, driver.Status(211))
	p, err := dev.Alloc(128)
	require.NoError(t, err)
	var last driver.Array
	for round := range 2 {
		require.NoError(t, d.MapResource(r, 0))
		_, _, err = d.MappedPointer(r)
		require.ErrorIs(t, err, driver.Status(213))
		_, _, err = d.MappedArray(r, 1, 0)
		require.ErrorIs(t, err, driver.InvalidValue)
		a, desc, err := d.MappedArray(r, 0, 0)
		require.NoError(t, err)
		require.Equal(t, glImageTexels, desc)
		again, _, err := d.MappedArray(r, 0, 0)
		require.NoError(t, err)
		require.Equal(t, a, again)
		require.NotEqual(t, last, a, "of another mapping")
		want := bytes.Repeat([]byte{byte(round + 1), 2, 3, 4}, 32)
		require.NoError(t, dev.Write(p, want, 0))
		box := driver.Region{Src: driver.Place{Ptr: p, Pitch: 32}, Dst: driver.Place{Array: a}, Width: 32, Height: 4, Depth: 1}
		require.NoError(t, dev.CopyRegion(&box, 0))
		require.NoError(t, dev.Fill(p, 0, 1, 128, 0))
		box.Src, box.Dst = box.Dst, box.Src
		require.NoError(t, dev.CopyRegion(&box, 0))
		got := make([]byte, 128)
		require.NoError(t, dev.Read(got, p, 0))
		require.Equal(t, want, got)
		s, err := dev.NewSurface(a)
		require.NoError(t, err)
		require.NoError(t, dev.DestroySurface(s))
		require.NoError(t, d.UnmapResource(r, 0))
		require.ErrorIs(t, dev.CopyRegion(&box, 0), driver.InvalidHandle, "the mapping has ended")
		last = a
	}
	require.NoError(t, d.MapResource(r, 0))
	a, _, err := d.MappedArray(r, 0, 0)
	require.NoError(t, err)
	require.NoError(t, dev.DestroyArray(a))
	require.Zero(t, f.called("cuArrayDestroy"), "it is OpenGL's")
	require.NoError(t, d.UnregisterResource(r))
	require.NoError(t, dev.Free(p))
}

// TestEachGraphicsFunctionFails: the status of each function that fails is seen, and nothing is left.
func TestEachGraphicsFunctionFails(t *testing.T) {
	for name := range graphicsFunctions {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			dev := f.open(t)
			d := dev.(driver.Graphics)
			f.force(name, driver.OutOfMemory)
			err := useBuffer(d)
			if err == nil {
				err = useImage(d)
			}
			require.ErrorIs(t, err, driver.OutOfMemory)
			f.force(name, 0)
			require.NoError(t, dev.Close(), "what is registered goes with the device")
			forgetGLBuffers()
		})
	}
}

func useBuffer(d driver.Graphics) error {
	r, err := d.RegisterGLBuffer(glBufferName, 0)
	if err == nil {
		err = d.MapResource(r, 0)
	}
	if err == nil {
		_, _, err = d.MappedPointer(r)
	}
	if err == nil {
		err = d.UnmapResource(r, 0)
	}
	if err == nil {
		err = d.UnregisterResource(r)
	}
	return err
}

func useImage(d driver.Graphics) error {
	_, err := d.OnGLDevice()
	var r driver.Resource
	if err == nil {
		r, err = d.RegisterGLImage(glImageName, glTexture2D, 0)
	}
	if err == nil {
		err = d.MapResource(r, 0)
	}
	if err == nil {
		_, _, err = d.MappedArray(r, 0, 0)
	}
	return err
}

// TestCloseEndsGraphics: what is registered when the device is closed is unmapped and unregistered; a driver that refuses that for
// lack of OpenGL's context loses nothing.
func TestCloseEndsGraphics(t *testing.T) {
	for _, status := range []driver.Status{0, 219} {
		f := newFake(t)
		dev := f.open(t)
		d := dev.(driver.Graphics)
		_, err := d.RegisterGLBuffer(glBufferName, 0)
		require.NoError(t, err)
		r, err := d.RegisterGLImage(glImageName, glTexture2D, 0)
		require.NoError(t, err)
		require.NoError(t, d.MapResource(r, 0))
		f.force("cuGraphicsUnregisterResource", status)
		require.NoError(t, dev.Close())
		require.Equal(t, 2, f.called("cuGraphicsUnregisterResource"))
		require.Equal(t, 1, f.called("cuGraphicsUnmapResources"))
		forgetGLBuffers()
	}
}

// forgetGLBuffers ends OpenGL's context.
func forgetGLBuffers() {
	glBuffers.Lock()
	defer glBuffers.Unlock()
	clear(glBuffers.all)
}
