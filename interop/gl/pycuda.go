package gl

// BufferObject is a registered buffer under the name that PyCUDA had for it before RegisteredBuffer. New programs call
// RegisterBuffer.
type BufferObject struct{ *Buffer }

// NewBufferObject registers a buffer for any use, as PyCUDA's BufferObject does. PyCUDA's gl.init has no counterpart: CUDA has
// needed no such call since version 3.
func (x *Interop) NewBufferObject(handle uint32) (*BufferObject, error) {
	b, err := x.RegisterBuffer(handle, ReadWrite)
	if err != nil {
		return nil, err
	}
	return &BufferObject{b}, nil
}

// BufferObjectMapping is a mapping under its older name.
type BufferObjectMapping struct {
	*Mapping
	size int
}

// Map maps the buffer.
func (o *BufferObject) Map() (*BufferObjectMapping, error) {
	m, err := o.Buffer.Map()
	if err != nil {
		return nil, err
	}
	_, n, err := m.DevicePtrAndSize()
	return &BufferObjectMapping{m, n}, err
}

// DevicePtr is the address of the mapped memory on the device.
func (m *BufferObjectMapping) DevicePtr() (uint64, error) {
	p, _, err := m.DevicePtrAndSize()
	return p, err
}

// Size is the number of bytes that were mapped.
func (m *BufferObjectMapping) Size() int { return m.size }
