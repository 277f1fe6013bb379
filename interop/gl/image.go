package gl

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/cuda"
)

// Target is a kind of image, by OpenGL's number.
type Target uint32

// The images that CUDA shares.
const (
	Texture2D        Target = 0x0DE1
	TextureRectangle Target = 0x84F5
	TextureCubeMap   Target = 0x8513
	Texture3D        Target = 0x806F
	Texture2DArray   Target = 0x8C1A
	Renderbuffer     Target = 0x8D41
)

// cubeFace is OpenGL's target of a cube's first face.
const cubeFace = 0x8515

// Image is a registered texture or renderbuffer of OpenGL.
type Image struct {
	x       *Interop
	object  object
	flags   Flags
	gpu     *cuda.GLImage // nil on the host device
	gone    bool
	mapping *ImageMapping
}

// RegisterImage registers the texture or renderbuffer of that name and kind, which must have memory, in a format of one, two
// or four channels of 8, 16 or 32 bits (R8 to RGBA32F, no depth, no compression, no sRGB); the error wraps ErrFormat
// otherwise. It may be registered once at a time.
func (x *Interop) RegisterImage(name uint32, target Target, flags Flags) (*Image, error) {
	i := &Image{x: x, object: object{target, name}, flags: flags}
	op := "register " + i.name()
	if flags&access == access || flags > 15 {
		return nil, fmt.Errorf("%s: %w: flags %#x", op, cuda.ErrInvalidValue, uint32(flags))
	}
	if _, ok := bindings[target]; !ok {
		return nil, fmt.Errorf("%s: %w: target %#x", op, ErrFormat, uint32(target))
	}
	if err := x.current(op); err != nil {
		return nil, err
	}
	if err := x.images.load(x.find); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if _, err := x.shape(op, i.object, 0, 0); err != nil {
		return nil, err
	}
	if err := x.register(op, i.object); err != nil {
		return nil, err
	}
	if x.dev.Info().Kind != cuda.Host {
		var err error
		if i.gpu, err = x.dev.RegisterGLImage(name, uint32(target), uint32(flags)); err != nil {
			x.unregister(i.object)
			return nil, err
		}
	}
	return i, nil
}

func (i *Image) name() string {
	return fmt.Sprintf("OpenGL image %d of target %#x", i.object.name, uint32(i.object.target))
}

// Handle is OpenGL's name of the image.
func (i *Image) Handle() uint32 { return i.object.name }

// Map lets kernels use the image until Unmap. OpenGL must not use it meanwhile.
func (i *Image) Map() (*ImageMapping, error) {
	op := "map " + i.name()
	if i.gone {
		return nil, fmt.Errorf("%s: %w: it was unregistered", op, ErrHandle)
	}
	if i.mapping != nil {
		return nil, fmt.Errorf("%s: %w", op, ErrMapped)
	}
	if err := i.x.current(op); err != nil {
		return nil, err
	}
	if _, err := i.x.shape(op, i.object, 0, 0); err != nil {
		return nil, err
	}
	if i.gpu != nil {
		if err := i.gpu.Map(); err != nil {
			return nil, err
		}
	}
	i.mapping = &ImageMapping{i: i, parts: map[part]*cuda.Array{}}
	return i.mapping, nil
}

// Unregister ends the registration, and a mapping that is left.
func (i *Image) Unregister() error {
	if i.gone {
		return fmt.Errorf("unregister %s: %w: it was unregistered", i.name(), ErrHandle)
	}
	var err error
	if i.mapping != nil {
		err = i.mapping.Unmap()
	}
	if i.mapping == nil {
		if i.gpu != nil {
			err = errors.Join(err, i.gpu.Unregister())
		}
		i.gone = true
		i.x.unregister(i.object)
	}
	return err
}

// part is a layer or a face, at a mipmap level.
type part struct{ index, level int }

// ImageMapping is an image while kernels may use it.
type ImageMapping struct {
	i     *Image
	ended bool
	parts map[part]*cuda.Array
}

// Array is a part of the image at a mipmap level: of Texture2DArray the layer, of TextureCubeMap the face of that index
// (+X, -X, +Y, -Y, +Z, -Z); of others index is 0, and of Texture3D the array has depth. Row 0 is OpenGL's first, the bottom
// one. Kernels read it through a texture, and through a surface if it was registered with SurfaceLoadStore. Unmap closes it.
// On the host device the part is copied from OpenGL when it is first asked for, unless the flags say WriteDiscard.
func (m *ImageMapping) Array(index, level int) (*cuda.Array, error) {
	op := fmt.Sprintf("array %d of level %d of %s", index, level, m.i.name())
	if m.ended {
		return nil, fmt.Errorf("%s: %w", op, ErrNotMapped)
	}
	p := part{index, level}
	if a := m.parts[p]; a != nil {
		return a, nil
	}
	if index < 0 || level < 0 || index > 1<<20 || level > 32 {
		return nil, fmt.Errorf("%s: %w", op, cuda.ErrInvalidValue)
	}
	x := m.i.x
	if err := x.current(op); err != nil {
		return nil, err
	}
	s, err := x.shape(op, m.i.object, index, level)
	if err != nil {
		return nil, err
	}
	var a *cuda.Array
	if m.i.gpu != nil {
		a, err = m.i.gpu.Array(uint32(index), uint32(level))
	} else {
		a, err = m.copyIn(op, p, s)
	}
	if err != nil {
		return nil, err
	}
	m.parts[p] = a
	return a, nil
}

// copyIn makes an array of a part and fills it.
func (m *ImageMapping) copyIn(op string, p part, s *shape) (*cuda.Array, error) {
	x := m.i.x
	a, err := x.dev.NewArray(cuda.ArrayConfig{
		Width: s.width, Height: s.height, Depth: s.depth, Format: s.format.texel, Channels: s.format.channels,
		Surface: m.i.flags&SurfaceLoadStore != 0, Gather: m.i.flags&TextureGather != 0,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if m.i.flags&access == WriteDiscard {
		return a, nil
	}
	texels := make([]byte, s.bytes())
	if err = x.download(op, m.i.object, p, s, texels); err == nil {
		err = cuda.FillArray(context.Background(), a, texels)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", op, err), a.Close())
	}
	return a, nil
}

// copyOut gives OpenGL what kernels left in a part.
func (m *ImageMapping) copyOut(op string, p part, a *cuda.Array) error {
	x := m.i.x
	s, err := x.shape(op, m.i.object, p.index, p.level)
	if err != nil {
		return err
	}
	c := a.Config()
	if c.Width != s.width || c.Height != s.height || c.Depth != s.depth || c.Format != s.format.texel || c.Channels != s.format.channels {
		return fmt.Errorf("%s: %w: it got another size or format while it was mapped", op, ErrHandle)
	}
	texels := make([]byte, s.bytes())
	if err := cuda.ReadArray(context.Background(), texels, a); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return x.upload(op, m.i.object, p, s, texels)
}

// Unmap waits for the work that was queued on the device and gives the image back to OpenGL. It succeeds only on the
// context's thread. After an error other than ErrContext the mapping has ended and the contents of the image are undefined.
func (m *ImageMapping) Unmap() error {
	i := m.i
	op := "unmap " + i.name()
	if m.ended {
		return fmt.Errorf("%s: %w", op, ErrNotMapped)
	}
	if err := i.x.current(op); err != nil {
		return err
	}
	var err error
	if i.gpu == nil && i.flags&access != ReadOnly {
		err = i.x.dev.Synchronize(context.Background())
		for p, a := range m.parts {
			if err == nil {
				err = m.copyOut(op, p, a)
			}
		}
	}
	for _, a := range m.parts {
		err = errors.Join(err, a.Close())
	}
	m.ended, i.mapping = true, nil
	if i.gpu != nil {
		err = errors.Join(err, i.gpu.Unmap())
	}
	return err
}
