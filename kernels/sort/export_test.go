package sort

// LikeGPU makes the host device sort with the kernels and shapes of GPUs.
func (l *Library) LikeGPU() *Library { return &Library{lib: l.lib, scan: l.scan, likeGPU: true} }
