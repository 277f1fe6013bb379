package driver

// Resource is an object of a graphics library that was registered with a device.
type Resource uint64

// Graphics is what a Device has besides if OpenGL's objects can be registered with it: a GPU's. All calls need OpenGL's
// context on the calling thread. The host device needs none of it: OpenGL's memory is its own.
type Graphics interface {
	// RegisterGLBuffer registers OpenGL's buffer of that name. Flags are CUDA's (CU_GRAPHICS_REGISTER_FLAGS). The errors are
	// CUDA's own: InvalidValue, InvalidHandle, InvalidGraphicsContext (219).
	RegisterGLBuffer(name, flags uint32) (Resource, error)
	// RegisterGLImage registers OpenGL's texture or renderbuffer of that name; target is OpenGL's. InvalidValue for a format
	// or target that CUDA does not share.
	RegisterGLImage(name, target, flags uint32) (Resource, error)
	// OnGLDevice reports whether OpenGL's current context is on this device.
	OnGLDevice() (bool, error)
	// UnregisterResource ends a registration; a mapping ends with it.
	UnregisterResource(r Resource) error
	// MapResource makes the resource the device's, after what OpenGL was asked to do; UnmapResource gives it back after the
	// work that is queued on s. Mapping twice is AlreadyMapped (208), unmapping what is not mapped NotMapped (211).
	MapResource(r Resource, s Stream) error
	UnmapResource(r Resource, s Stream) error
	// MappedPointer is the memory of a mapped buffer. It ends with the mapping.
	MappedPointer(r Resource) (p Ptr, n uint64, err error)
	// MappedArray is one part of a mapped image: the layer, or the face of a cube, of that index at a mipmap level. The array
	// ends with the mapping, or by DestroyArray. A buffer has none: NotMappedAsArray (212).
	MappedArray(r Resource, index, level uint32) (Array, ArrayDesc, error)
}
