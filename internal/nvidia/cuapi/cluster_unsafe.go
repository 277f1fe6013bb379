package cuapi

import (
	"runtime"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
)

// attributeWords is the size of a CUlaunchAttribute in words.
const attributeWords = 9

// LaunchAttributes are what a launch has beyond the arguments of cuLaunchKernel: the extent of clusters in blocks, zero for
// none; all blocks resident at once; a start before the work queued before has ended.
type LaunchAttributes struct {
	ClusterX, ClusterY, ClusterZ uint32
	Cooperative, Early           bool
}

// words are an array of CUlaunchAttribute.
func (a *LaunchAttributes) words() []uintptr {
	var w []uintptr
	add := func(id, low, high uintptr) {
		w = append(w, make([]uintptr, attributeWords)...)
		copy(w[len(w)-attributeWords:], []uintptr{id, low, high})
	}
	if a.ClusterX != 0 {
		add(launchCluster, pair(int(a.ClusterX), int(a.ClusterY)), uintptr(a.ClusterZ))
	}
	if a.Cooperative {
		add(launchCooperative, 1, 0)
	}
	if a.Early {
		add(launchEarly, 1, 0)
	}
	return w
}

// config is a CUlaunchConfig, which points to the attributes.
func (k *Launch) config(attributes []uintptr) []uintptr {
	return []uintptr{
		pair(int(k.GridX), int(k.GridY)), pair(int(k.GridZ), int(k.X)), pair(int(k.Y), int(k.Z)), uintptr(k.SharedBytes),
		uintptr(k.Stream), uintptr(unsafe.Pointer(unsafe.SliceData(attributes))), uintptr(len(attributes) / attributeWords),
	}
}

// LaunchKernelEx queues a kernel with attributes. Its parameters are passed as a whole.
func (l *Library) LaunchKernelEx(k *Launch, a LaunchAttributes) error {
	attributes := a.words()
	x := k.extra()
	f := dl.NewFrame().Words(k.config(attributes)).Int(uintptr(k.Function)).Int(0)
	if len(k.Params) > 0 {
		f = f.Words(x.words[:])
	} else {
		f = f.Int(0)
	}
	err := l.call(LaunchKernelEx, f)
	runtime.KeepAlive(attributes)
	x.done()
	return err
}

// OccupancyMaxActiveClusters returns how many clusters of a launch are resident on the device at once.
func (l *Library) OccupancyMaxActiveClusters(k *Launch, a LaunchAttributes) (int, error) {
	return l.clusters(OccupancyMaxActiveClusters, k, a)
}

// OccupancyMaxPotentialClusterSize returns the largest number of blocks of a cluster of a launch.
func (l *Library) OccupancyMaxPotentialClusterSize(k *Launch) (int, error) {
	return l.clusters(OccupancyMaxPotentialClusterSize, k, LaunchAttributes{})
}

func (l *Library) clusters(e Entry, k *Launch, a LaunchAttributes) (int, error) {
	attributes, n := a.words(), new(int32)
	err := l.call(e, dl.NewFrame().Int32(n).Int(uintptr(k.Function)).Words(k.config(attributes)))
	runtime.KeepAlive(attributes)
	return int(*n), err
}
