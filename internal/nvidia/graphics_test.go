//go:build linux && !tandem_nodl

package nvidia_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
)

// TestGraphics maps a buffer of OpenGL, works on its memory, and makes each mistake.
func TestGraphics(t *testing.T) {
	f := nvidiatest.New(t)
	dev := f.Open(t)
	defer func() { require.NoError(t, dev.Close()) }()
	d, ok := dev.(driver.Graphics)
	require.True(t, ok)
	_, err := d.RegisterGLBuffer(9, 0)
	require.ErrorIs(t, err, driver.InvalidValue)
	r, err := d.RegisterGLBuffer(nvidiatest.GLBufferName, 2)
	require.NoError(t, err)
	_, _, err = d.MappedPointer(r)
	require.ErrorIs(t, err, driver.Status(211))
	require.ErrorIs(t, d.UnmapResource(r, 0), driver.Status(211))
	for range 2 {
		require.NoError(t, d.MapResource(r, 0))
		require.ErrorIs(t, d.MapResource(r, 0), driver.Status(208))
		p, n, err := d.MappedPointer(r)
		require.NoError(t, err)
		require.EqualValues(t, nvidiatest.GLBufferBytes, n)
		_, _, err = d.MappedPointer(r)
		require.NoError(t, err, "asked twice")
		require.NoError(t, dev.Write(p+4, []byte("word"), 0))
		got := make([]byte, 4)
		require.NoError(t, dev.Read(got, p+4, 0))
		require.Equal(t, "word", string(got))
		require.ErrorIs(t, dev.Write(p+nvidiatest.GLBufferBytes-2, []byte("word"), 0), driver.InvalidValue, "beyond its end")
		require.NoError(t, d.UnmapResource(r, 0))
	}
	require.NoError(t, d.MapResource(r, 0))
	require.NoError(t, d.UnregisterResource(r), "ends the mapping, too")
	require.ErrorIs(t, d.UnregisterResource(r), driver.InvalidHandle)
	require.ErrorIs(t, d.MapResource(r, 0), driver.InvalidHandle)
	_, _, err = d.MappedPointer(r)
	require.ErrorIs(t, err, driver.InvalidHandle)
	require.Equal(t, 3, f.Called("cuGraphicsUnmapResources"))
}

// TestGraphicsImage writes and reads the texels of an OpenGL image, through copies and a surface, and makes each mistake.
func TestGraphicsImage(t *testing.T) {
	f := nvidiatest.New(t)
	dev := f.Open(t)
	defer func() { require.NoError(t, dev.Close()) }()
	d := dev.(driver.Graphics)
	on, err := d.OnGLDevice()
	require.NoError(t, err)
	require.True(t, on)
	f.Force("cuGLGetDevices_v2", driver.Status(219))
	on, err = d.OnGLDevice()
	require.NoError(t, err)
	require.False(t, on)
	f.Force("cuGLGetDevices_v2", 0)

	_, err = d.RegisterGLImage(nvidiatest.GLImageName, 1, 0)
	require.ErrorIs(t, err, driver.InvalidValue)
	r, err := d.RegisterGLImage(nvidiatest.GLImageName, nvidiatest.GLTexture2D, 4)
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
		require.Equal(t, nvidiatest.GLTexels, desc)
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
	require.Zero(t, f.Called("cuArrayDestroy"), "it is OpenGL's")
	require.NoError(t, d.UnregisterResource(r))
	require.NoError(t, dev.Free(p))
}

// TestEachGraphicsFunctionFails: the status of each function that fails is seen, and nothing is left.
func TestEachGraphicsFunctionFails(t *testing.T) {
	for _, name := range nvidiatest.GLFunctions() {
		t.Run(name, func(t *testing.T) {
			f := nvidiatest.New(t)
			dev := f.Open(t)
			d := dev.(driver.Graphics)
			f.Force(name, driver.OutOfMemory)
			err := useBuffer(d)
			if err == nil {
				err = useImage(d)
			}
			require.ErrorIs(t, err, driver.OutOfMemory)
			f.Force(name, 0)
			require.NoError(t, dev.Close(), "what is registered goes with the device")
			nvidiatest.ForgetGL()
		})
	}
}

func useBuffer(d driver.Graphics) error {
	r, err := d.RegisterGLBuffer(nvidiatest.GLBufferName, 0)
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
		r, err = d.RegisterGLImage(nvidiatest.GLImageName, nvidiatest.GLTexture2D, 0)
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
		f := nvidiatest.New(t)
		dev := f.Open(t)
		d := dev.(driver.Graphics)
		_, err := d.RegisterGLBuffer(nvidiatest.GLBufferName, 0)
		require.NoError(t, err)
		r, err := d.RegisterGLImage(nvidiatest.GLImageName, nvidiatest.GLTexture2D, 0)
		require.NoError(t, err)
		require.NoError(t, d.MapResource(r, 0))
		f.Force("cuGraphicsUnregisterResource", status)
		require.NoError(t, dev.Close())
		require.Equal(t, 2, f.Called("cuGraphicsUnregisterResource"))
		require.Equal(t, 1, f.Called("cuGraphicsUnmapResources"))
		nvidiatest.ForgetGL()
	}
}
