package gl

import (
	"fmt"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
)

// imageFunctions are the entry points that images need besides.
type imageFunctions struct {
	isTexture, isRenderbuffer, bindTexture, bindRenderbuffer, getTexLevelParameteriv, getRenderbufferParameteriv, getTexImage,
	texSubImage2D, texSubImage3D, pixelStorei, genFramebuffers, deleteFramebuffers, bindFramebuffer, checkFramebufferStatus,
	framebufferTextureLayer, framebufferTexture2D, framebufferRenderbuffer, readPixels, blitFramebuffer, genTextures,
	deleteTextures, texImage2D, isEnabled, enable, disable dl.Func
}

func (f *imageFunctions) load(find ProcAddress) error {
	for name, fn := range map[string]*dl.Func{
		"glIsTexture": &f.isTexture, "glIsRenderbuffer": &f.isRenderbuffer, "glBindTexture": &f.bindTexture,
		"glBindRenderbuffer": &f.bindRenderbuffer, "glGetTexLevelParameteriv": &f.getTexLevelParameteriv,
		"glGetRenderbufferParameteriv": &f.getRenderbufferParameteriv, "glGetTexImage": &f.getTexImage,
		"glTexSubImage2D": &f.texSubImage2D, "glTexSubImage3D": &f.texSubImage3D, "glPixelStorei": &f.pixelStorei,
		"glGenFramebuffers": &f.genFramebuffers, "glDeleteFramebuffers": &f.deleteFramebuffers,
		"glBindFramebuffer": &f.bindFramebuffer, "glCheckFramebufferStatus": &f.checkFramebufferStatus,
		"glFramebufferTextureLayer": &f.framebufferTextureLayer, "glFramebufferTexture2D": &f.framebufferTexture2D,
		"glFramebufferRenderbuffer": &f.framebufferRenderbuffer, "glReadPixels": &f.readPixels,
		"glBlitFramebuffer": &f.blitFramebuffer, "glGenTextures": &f.genTextures, "glDeleteTextures": &f.deleteTextures,
		"glTexImage2D": &f.texImage2D, "glIsEnabled": &f.isEnabled, "glEnable": &f.enable, "glDisable": &f.disable,
	} {
		if *fn == 0 {
			if *fn = function(find, name); *fn == 0 {
				return fmt.Errorf("%w: there is no %s", ErrContext, name)
			}
		}
	}
	return nil
}

// bindings are the queries for what is bound, by target.
var bindings = map[Target]uintptr{
	Texture2D: 0x8069, TextureRectangle: 0x84F6, TextureCubeMap: 0x8514, Texture3D: 0x806A, Texture2DArray: 0x8C1D, Renderbuffer: 0x8CA7,
}

const (
	texWidth, texHeight, texDepth, texFormat  = 0x1000, 0x1001, 0x8071, 0x1003
	rbWidth, rbHeight, rbFormat, rbSamples    = 0x8D42, 0x8D43, 0x8D44, 0x8CAB
	packBuffer, packBufferBinding             = 0x88EB, 0x88ED
	unpackBuffer, unpackBufferBinding         = 0x88EC, 0x88EF
	readFramebuffer, readFramebufferBinding   = 0x8CA8, 0x8CAA
	drawFramebuffer, drawFramebufferBinding   = 0x8CA9, 0x8CA6
	colorAttachment, framebufferComplete      = 0x8CE0, 0x8CD5
	scissorTest, colorBufferBit, nearestTexel = 0x0C11, 0x4000, 0x2600
)

// packing are the settings of how pixels lie in memory, and their values for texels without gaps. They are those of packing;
// those of unpacking follow.
var packing = []struct{ name, value uintptr }{
	{0x0D00, 0}, {0x0D01, 0}, {0x0D02, 0}, {0x0D03, 0}, {0x0D04, 0}, {0x0D05, 1}, {0x806B, 0}, {0x806C, 0},
	{0x0CF0, 0}, {0x0CF1, 0}, {0x0CF2, 0}, {0x0CF3, 0}, {0x0CF4, 0}, {0x0CF5, 1}, {0x806D, 0}, {0x806E, 0},
}

// integer is one integer of OpenGL's state.
func (x *Interop) integer(name uintptr) uintptr {
	v := []int32{0}
	dl.NewFrame().Int(name).Ints(v).Call(x.f.getIntegerv)
	return uintptr(uint32(v[0]))
}

// undo is what restores the state that was changed, last first.
type undo []func()

func (u *undo) add(f func()) { *u = append(*u, f) }

func (u *undo) run() {
	for i := len(*u) - 1; i >= 0; i-- {
		(*u)[i]()
	}
}

// bindImage binds an image.
func (x *Interop) bindImage(u *undo, o object) {
	bind := x.images.bindTexture
	if o.target == Renderbuffer {
		bind = x.images.bindRenderbuffer
	}
	before := x.integer(bindings[o.target])
	bind.Call(uintptr(o.target), uintptr(o.name))
	u.add(func() { bind.Call(uintptr(o.target), before) })
}

// plainPixels makes transfers go to and from memory, without gaps.
func (x *Interop) plainPixels(u *undo) {
	for _, b := range [][2]uintptr{{packBuffer, packBufferBinding}, {unpackBuffer, unpackBufferBinding}} {
		before := x.integer(b[1])
		x.f.bindBuffer.Call(b[0], 0)
		u.add(func() { x.f.bindBuffer.Call(b[0], before) })
	}
	for _, p := range packing {
		before := x.integer(p.name)
		x.images.pixelStorei.Call(p.name, p.value)
		u.add(func() { x.images.pixelStorei.Call(p.name, before) })
	}
}

// framebuffer makes a framebuffer and binds it; attach attaches an image to it.
func (x *Interop) framebuffer(u *undo, target, binding uintptr, attach func()) error {
	before, name := x.integer(binding), []int32{0}
	dl.NewFrame().Int(1).Ints(name).Call(x.images.genFramebuffers)
	x.images.bindFramebuffer.Call(target, uintptr(uint32(name[0])))
	u.add(func() {
		x.images.bindFramebuffer.Call(target, before)
		dl.NewFrame().Int(1).Ints(name).Call(x.images.deleteFramebuffers)
	})
	attach()
	if s := uint32(x.images.checkFramebufferStatus.Call(target)); s != framebufferComplete {
		return fmt.Errorf("OpenGL cannot read such an image: framebuffer status %#x", s)
	}
	return nil
}

// shape is the size of a part of an image.
type shape struct {
	width, height, depth int // depth is 0 but for Texture3D
	internal             int32
	samples              int // of a renderbuffer
	format               format
}

func (s *shape) bytes() int { return s.width * s.height * max(s.depth, 1) * s.format.bytes() }

// face is the target by which OpenGL knows one part of a texture.
func face(o object, index int) uintptr {
	if o.target == TextureCubeMap {
		return cubeFace + uintptr(index)
	}
	return uintptr(o.target)
}

// shape asks OpenGL for the size and format of a part.
func (x *Interop) shape(op string, o object, index, level int) (*shape, error) {
	exists := x.images.isTexture
	if o.target == Renderbuffer {
		exists = x.images.isRenderbuffer
	}
	if byte(exists.Call(uintptr(o.name))) == 0 {
		return nil, fmt.Errorf("%s: %w: there is no such image", op, ErrHandle)
	}
	if level > 0 && (o.target == Renderbuffer || o.target == TextureRectangle) {
		return nil, fmt.Errorf("%s: %w: it has no levels", op, cuda.ErrInvalidValue)
	}
	var u undo
	defer u.run()
	x.bindImage(&u, o)
	if err := x.failed(op, "binding it"); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrHandle) // a name of another kind of image
	}
	s, layers := x.measure(o, level)
	if err := x.failed(op, "asking for its size"); err != nil {
		return nil, err
	}
	switch {
	case s.width == 0 || s.height == 0 || layers == 0:
		return nil, fmt.Errorf("%s: %w: it has no memory at level %d", op, ErrHandle, level)
	case index >= layers:
		return nil, fmt.Errorf("%s: %w: it has %d of these", op, cuda.ErrInvalidValue, layers)
	case s.samples > 0:
		return nil, fmt.Errorf("%s: %w: it has %d samples a pixel", op, ErrFormat, s.samples)
	case s.format.channels == 0:
		return nil, fmt.Errorf("%s: %w: internal format %#x", op, ErrFormat, s.internal)
	}
	return s, nil
}

// measure asks for what the bound image is, and how many layers or faces it has.
func (x *Interop) measure(o object, level int) (s *shape, layers int) {
	ask := func(name uintptr) int {
		v, f := []int32{0}, dl.NewFrame()
		if o.target == Renderbuffer {
			f.Int(uintptr(o.target)).Int(name).Ints(v).Call(x.images.getRenderbufferParameteriv)
		} else {
			f.Int(face(o, 0)).Int(uintptr(level)).Int(name).Ints(v).Call(x.images.getTexLevelParameteriv)
		}
		return int(v[0])
	}
	if o.target == Renderbuffer {
		s = &shape{width: ask(rbWidth), height: ask(rbHeight), internal: int32(ask(rbFormat)), samples: ask(rbSamples)}
	} else {
		s = &shape{width: ask(texWidth), height: ask(texHeight), internal: int32(ask(texFormat))}
	}
	s.format = formats[s.internal]
	switch o.target {
	case Texture3D:
		s.depth = ask(texDepth)
	case Texture2DArray:
		return s, ask(texDepth)
	case TextureCubeMap:
		return s, 6
	}
	return s, 1
}

// download copies a part of an image to memory.
func (x *Interop) download(op string, o object, p part, s *shape, texels []byte) error {
	var u undo
	defer u.run()
	x.plainPixels(&u)
	x.bindImage(&u, o)
	if o.target != Renderbuffer && o.target != Texture2DArray {
		dl.NewFrame().Int(face(o, p.index)).Int(uintptr(p.level)).Int(uintptr(s.format.pixels)).Int(uintptr(s.format.of)).
			Bytes(texels).Call(x.images.getTexImage)
		return x.failed(op, "glGetTexImage")
	}
	err := x.framebuffer(&u, readFramebuffer, readFramebufferBinding, func() {
		if o.target == Renderbuffer {
			x.images.framebufferRenderbuffer.Call(readFramebuffer, colorAttachment, uintptr(o.target), uintptr(o.name))
		} else {
			x.images.framebufferTextureLayer.Call(readFramebuffer, colorAttachment, uintptr(o.name), uintptr(p.level), uintptr(p.index))
		}
	})
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	dl.NewFrame().Int(0).Int(0).Int(uintptr(s.width)).Int(uintptr(s.height)).Int(uintptr(s.format.pixels)).Int(uintptr(s.format.of)).
		Bytes(texels).Call(x.images.readPixels)
	return x.failed(op, "glReadPixels")
}

// upload copies memory to a part of an image.
func (x *Interop) upload(op string, o object, p part, s *shape, texels []byte) error {
	var u undo
	defer u.run()
	x.plainPixels(&u)
	x.bindImage(&u, o)
	width, height := uintptr(s.width), uintptr(s.height)
	pixels, of := uintptr(s.format.pixels), uintptr(s.format.of)
	switch o.target {
	case Renderbuffer:
		return x.paint(op, o, s, texels)
	case Texture2DArray, Texture3D:
		dl.NewFrame().Int(uintptr(o.target)).Int(uintptr(p.level)).Int(0).Int(0).Int(uintptr(p.index)).Int(width).Int(height).
			Int(uintptr(max(s.depth, 1))).Int(pixels).Int(of).Bytes(texels).Call(x.images.texSubImage3D)
		return x.failed(op, "glTexSubImage3D")
	}
	dl.NewFrame().Int(face(o, p.index)).Int(uintptr(p.level)).Int(0).Int(0).Int(width).Int(height).
		Int(pixels).Int(of).Bytes(texels).Call(x.images.texSubImage2D)
	return x.failed(op, "glTexSubImage2D")
}

// paint copies memory to a renderbuffer, by way of a texture of its size and format.
func (x *Interop) paint(op string, o object, s *shape, texels []byte) error {
	var u undo
	defer u.run()
	name := []int32{0}
	dl.NewFrame().Int(1).Ints(name).Call(x.images.genTextures)
	u.add(func() { dl.NewFrame().Int(1).Ints(name).Call(x.images.deleteTextures) })
	texture := object{Texture2D, uint32(name[0])}
	x.bindImage(&u, texture)
	width, height := uintptr(s.width), uintptr(s.height)
	dl.NewFrame().Int(uintptr(Texture2D)).Int(0).Int(uintptr(s.internal)).Int(width).Int(height).Int(0).
		Int(uintptr(s.format.pixels)).Int(uintptr(s.format.of)).Bytes(texels).Call(x.images.texImage2D)
	err := x.framebuffer(&u, readFramebuffer, readFramebufferBinding, func() {
		x.images.framebufferTexture2D.Call(readFramebuffer, colorAttachment, uintptr(Texture2D), uintptr(texture.name), 0)
	})
	if err == nil {
		err = x.framebuffer(&u, drawFramebuffer, drawFramebufferBinding, func() {
			x.images.framebufferRenderbuffer.Call(drawFramebuffer, colorAttachment, uintptr(o.target), uintptr(o.name))
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if byte(x.images.isEnabled.Call(scissorTest)) != 0 {
		x.images.disable.Call(scissorTest)
		u.add(func() { x.images.enable.Call(scissorTest) })
	}
	x.images.blitFramebuffer.Call(0, 0, width, height, 0, 0, width, height, colorBufferBit, nearestTexel)
	return x.failed(op, "glBlitFramebuffer")
}
