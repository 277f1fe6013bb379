package cuapi

import "github.com/tandem-go/tandem/internal/dl"

// CtxCreate makes a context of its own and leaves it current on the thread.
func (l *Library) CtxCreate(flags int, d Device) (Context, error) {
	c := new(uintptr)
	err := l.call(CtxCreate, dl.NewFrame().Word(c).Int(uintptr(flags)).Int(uintptr(d)))
	return Context(*c), err
}

// CtxDestroy destroys a context that CtxCreate made.
func (l *Library) CtxDestroy(c Context) error {
	return l.call(CtxDestroy, dl.NewFrame().Int(uintptr(c)))
}

// DeviceCanAccessPeer reports whether a context of one device can reach memory of another.
func (l *Library) DeviceCanAccessPeer(d, other Device) (bool, error) {
	v := new(int32)
	err := l.call(DeviceCanAccessPeer, dl.NewFrame().Int32(v).Int(uintptr(d)).Int(uintptr(other)))
	return *v != 0, err
}

// CtxEnablePeerAccess lets the current context reach memory of another.
func (l *Library) CtxEnablePeerAccess(other Context) error {
	return l.call(CtxEnablePeerAccess, dl.NewFrame().Int(uintptr(other)).Int(0))
}

// CtxDisablePeerAccess ends that.
func (l *Library) CtxDisablePeerAccess(other Context) error {
	return l.call(CtxDisablePeerAccess, dl.NewFrame().Int(uintptr(other)))
}

// CtxGetLimit returns a CUlimit.
func (l *Library) CtxGetLimit(limit int) (uint64, error) {
	v := new(uintptr)
	err := l.call(CtxGetLimit, dl.NewFrame().Word(v).Int(uintptr(limit)))
	return uint64(*v), err
}

// CtxSetLimit sets a CUlimit.
func (l *Library) CtxSetLimit(limit int, v uint64) error {
	return l.call(CtxSetLimit, dl.NewFrame().Int(uintptr(limit)).Int(uintptr(v)))
}

// CtxGetCacheConfig returns a CUfunc_cache.
func (l *Library) CtxGetCacheConfig() (int, error) {
	v := new(int32)
	err := l.call(CtxGetCacheConfig, dl.NewFrame().Int32(v))
	return int(*v), err
}

// CtxSetCacheConfig sets a CUfunc_cache.
func (l *Library) CtxSetCacheConfig(c int) error {
	return l.call(CtxSetCacheConfig, dl.NewFrame().Int(uintptr(c)))
}

// CtxGetStreamPriorityRange returns the lowest and the highest priority of streams.
func (l *Library) CtxGetStreamPriorityRange() (least, greatest int, err error) {
	v := make([]int32, 2)
	err = l.call(CtxGetStreamPriorityRange, dl.NewFrame().Int32(&v[0]).Int32(&v[1]))
	return int(v[0]), int(v[1]), err
}

// ProfilerStart begins what an attached profiler collects.
func (l *Library) ProfilerStart() error { return l.call(ProfilerStart, dl.NewFrame()) }

// ProfilerStop ends it.
func (l *Library) ProfilerStop() error { return l.call(ProfilerStop, dl.NewFrame()) }

// FuncSetCacheConfig sets a CUfunc_cache for a kernel.
func (l *Library) FuncSetCacheConfig(f Function, c int) error {
	return l.call(FuncSetCacheConfig, dl.NewFrame().Int(uintptr(f)).Int(uintptr(c)))
}

// OccupancyMaxActiveBlocks returns how many blocks are resident on a multiprocessor.
func (l *Library) OccupancyMaxActiveBlocks(f Function, threads int, shared uint64) (int, error) {
	v := new(int32)
	err := l.call(OccupancyMaxActiveBlocks, dl.NewFrame().Int32(v).Int(uintptr(f)).Int(uintptr(threads)).Int(uintptr(shared)))
	return int(*v), err
}

// OccupancyMaxPotentialBlockSize returns the best number of threads of a block, and the blocks that fill the device.
func (l *Library) OccupancyMaxPotentialBlockSize(f Function, shared uint64, limit int) (blocks, threads int, err error) {
	v := make([]int32, 2)
	err = l.call(OccupancyMaxPotentialBlockSize,
		dl.NewFrame().Int32(&v[0]).Int32(&v[1]).Int(uintptr(f)).Int(0).Int(uintptr(shared)).Int(uintptr(limit)))
	return int(v[0]), int(v[1]), err
}
