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
