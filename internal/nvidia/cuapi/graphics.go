package cuapi

import "github.com/tandem-go/tandem/internal/dl"

// GraphicsResource is a CUgraphicsResource.
type GraphicsResource uintptr

// GraphicsGLRegisterBuffer registers an OpenGL buffer. Like all calls about graphics it needs OpenGL's context on the
// calling thread.
func (l *Library) GraphicsGLRegisterBuffer(name, flags uint32) (GraphicsResource, error) {
	h := new(uintptr)
	err := l.call(GraphicsGLRegisterBuffer, dl.NewFrame().Word(h).Int(uintptr(name)).Int(uintptr(flags)))
	return GraphicsResource(*h), err
}

// GraphicsUnregisterResource ends a registration.
func (l *Library) GraphicsUnregisterResource(r GraphicsResource) error {
	return l.call(GraphicsUnregisterResource, dl.NewFrame().Int(uintptr(r)))
}

// GraphicsMapResource makes a resource CUDA's, after the work that OpenGL was asked for.
func (l *Library) GraphicsMapResource(r GraphicsResource, s Stream) error {
	return l.call(GraphicsMapResources, dl.NewFrame().Int(1).Words([]uintptr{uintptr(r)}).Int(uintptr(s)))
}

// GraphicsUnmapResource makes a resource OpenGL's again, after the work queued on s.
func (l *Library) GraphicsUnmapResource(r GraphicsResource, s Stream) error {
	return l.call(GraphicsUnmapResources, dl.NewFrame().Int(1).Words([]uintptr{uintptr(r)}).Int(uintptr(s)))
}

// GraphicsMappedPointer returns where a mapped buffer is, and its size in bytes.
func (l *Library) GraphicsMappedPointer(r GraphicsResource) (DevicePtr, uint64, error) {
	p, n := new(uintptr), new(uintptr)
	err := l.call(GraphicsMappedPointer, dl.NewFrame().Word(p).Word(n).Int(uintptr(r)))
	return DevicePtr(*p), uint64(*n), err
}

// GraphicsGLRegisterImage registers an OpenGL texture or renderbuffer; target is OpenGL's.
func (l *Library) GraphicsGLRegisterImage(name, target, flags uint32) (GraphicsResource, error) {
	h := new(uintptr)
	err := l.call(GraphicsGLRegisterImage, dl.NewFrame().Word(h).Int(uintptr(name)).Int(uintptr(target)).Int(uintptr(flags)))
	return GraphicsResource(*h), err
}

// GraphicsMappedArray returns a part of a mapped image: the layer or face of that index, at a mipmap level.
func (l *Library) GraphicsMappedArray(r GraphicsResource, index, level uint32) (Array, error) {
	h := new(uintptr)
	err := l.call(GraphicsMappedArray, dl.NewFrame().Word(h).Int(uintptr(r)).Int(uintptr(index)).Int(uintptr(level)))
	return Array(*h), err
}

// GLGetDevices returns the devices on which the current OpenGL context is, at most 16.
func (l *Library) GLGetDevices() ([]Device, error) {
	n, devices := []int32{0}, make([]int32, 16)
	err := l.call(GLGetDevices, dl.NewFrame().Ints(n).Ints(devices).Int(uintptr(len(devices))).Int(glDevicesAll))
	if err != nil {
		return nil, err
	}
	out := make([]Device, 0, len(devices))
	for _, d := range devices[:min(int(n[0]), len(devices))] {
		out = append(out, Device(d))
	}
	return out, nil
}

// glDevicesAll asks for all devices of a context, not those of a frame.
const glDevicesAll = 1
