package cuapi

import "github.com/tandem-go/tandem/internal/dl"

// MemPool is a CUmemoryPool.
type MemPool uintptr

// MemPoolCreate makes a pool on the device of an ordinal. most bounds it in bytes, which drivers since 12.2 know; 0 is no
// bound.
func (l *Library) MemPoolCreate(ordinal int, most uint64) (MemPool, error) {
	h := new(uintptr)
	props := make([]uintptr, 11)
	props[0] = allocationPinned
	props[1] = pair(LocationDevice, ordinal)
	props[3] = uintptr(most)
	err := l.call(MemPoolCreate, dl.NewFrame().Word(h).Words(props))
	return MemPool(*h), err
}

// MemPoolDestroy destroys a pool; memory in use lives on.
func (l *Library) MemPoolDestroy(p MemPool) error {
	return l.call(MemPoolDestroy, dl.NewFrame().Int(uintptr(p)))
}

// MemPoolAttribute returns one of the Pool values, in bytes.
func (l *Library) MemPoolAttribute(p MemPool, a int) (uint64, error) {
	v := new(uintptr)
	err := l.call(MemPoolGetAttribute, dl.NewFrame().Int(uintptr(p)).Int(uintptr(a)).Word(v))
	return uint64(*v), err
}

// MemPoolSetAttribute sets one of the Pool values, in bytes; a peak can only be set to 0, which resets it.
func (l *Library) MemPoolSetAttribute(p MemPool, a int, v uint64) error {
	w := new(uintptr)
	*w = uintptr(v)
	return l.call(MemPoolSetAttribute, dl.NewFrame().Int(uintptr(p)).Int(uintptr(a)).Word(w))
}

// MemPoolTrimTo gives back freed memory until keep bytes are reserved.
func (l *Library) MemPoolTrimTo(p MemPool, keep uint64) error {
	return l.call(MemPoolTrimTo, dl.NewFrame().Int(uintptr(p)).Int(uintptr(keep)))
}

// MemAllocFromPoolAsync allocates n bytes in the order of a stream.
func (l *Library) MemAllocFromPoolAsync(n uint64, p MemPool, s Stream) (DevicePtr, error) {
	v := new(uintptr)
	err := l.call(MemAllocFromPoolAsync, dl.NewFrame().Word(v).Int(uintptr(n)).Int(uintptr(p)).Int(uintptr(s)))
	return DevicePtr(*v), err
}

// MemFreeAsync frees memory of a pool in the order of a stream.
func (l *Library) MemFreeAsync(p DevicePtr, s Stream) error {
	return l.call(MemFreeAsync, dl.NewFrame().Int(uintptr(p)).Int(uintptr(s)))
}

// MemAllocManaged allocates n bytes that host and device access, attached to all streams.
func (l *Library) MemAllocManaged(n uint64) (DevicePtr, error) {
	v := new(uintptr)
	err := l.call(MemAllocManaged, dl.NewFrame().Word(v).Int(uintptr(n)).Int(attachGlobal))
	return DevicePtr(*v), err
}

// MemPrefetch queues moving managed memory to the host or to a device: its ordinal is what CUDA 12.2 takes, the handle what
// older drivers do.
func (l *Library) MemPrefetch(p DevicePtr, n uint64, toHost bool, ordinal int, d Device, s Stream) error {
	f := dl.NewFrame().Int(uintptr(p)).Int(uintptr(n))
	if l.Has(MemPrefetchLocation) {
		return l.call(MemPrefetchLocation, f.Int(location(toHost, ordinal)).Int(0).Int(uintptr(s)))
	}
	return l.call(MemPrefetch, f.Int(where(toHost, d)).Int(uintptr(s)))
}

// MemAdvise gives a CUmem_advise about managed memory, as used by the host or by a device.
func (l *Library) MemAdvise(p DevicePtr, n uint64, advice int, host bool, ordinal int, d Device) error {
	f := dl.NewFrame().Int(uintptr(p)).Int(uintptr(n)).Int(uintptr(advice))
	if l.Has(MemAdviseLocation) {
		return l.call(MemAdviseLocation, f.Int(location(host, ordinal)))
	}
	return l.call(MemAdvise, f.Int(where(host, d)))
}

// location is a CUmemLocation, which is passed by value: its eight bytes fill one integer register on all platforms.
func location(host bool, ordinal int) uintptr {
	if host {
		return pair(LocationHost, 0)
	}
	return pair(LocationDevice, ordinal)
}

func where(host bool, d Device) uintptr {
	if host {
		d = deviceCPU
	}
	return uintptr(uint32(d))
}

// StreamAttachMemAsync queues a change of who uses managed memory (CUmemAttach_flags), all of the allocation.
func (l *Library) StreamAttachMemAsync(s Stream, p DevicePtr, flags int) error {
	return l.call(StreamAttachMemAsync, dl.NewFrame().Int(uintptr(s)).Int(uintptr(p)).Int(0).Int(uintptr(flags)))
}

// MemHostRegister page-locks memory of the caller's, which stays in place until MemHostUnregister.
func (l *Library) MemHostRegister(b []byte, flags int) error {
	return l.call(MemHostRegister, dl.NewFrame().Bytes(b).Int(uintptr(len(b))).Int(uintptr(flags)))
}

// MemHostUnregister undoes MemHostRegister.
func (l *Library) MemHostUnregister(b []byte) error {
	return l.call(MemHostUnregister, dl.NewFrame().Bytes(b))
}

// MemRegisteredDevicePointer is MemHostGetDevicePointer for registered memory.
func (l *Library) MemRegisteredDevicePointer(b []byte) (DevicePtr, error) {
	p := new(uintptr)
	err := l.call(MemHostGetDevicePointer, dl.NewFrame().Word(p).Bytes(b).Int(0))
	return DevicePtr(*p), err
}
