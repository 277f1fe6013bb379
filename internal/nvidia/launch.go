package nvidia

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// Launch checks a launch and queues it. It allocates nothing, unless the launch is cooperative or of a part.
func (d *device) Launch(l *driver.Launch) (driver.Ticket, error) {
	if l == nil {
		return 0, fail(driver.InvalidValue, "launch: no description")
	}
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	f, s, err := d.forLaunch(l)
	if err != nil {
		return 0, err
	}
	if err = d.admit(f, l); err == nil {
		if l.Count != 0 && l.Count != l.Grid.Count() {
			err = d.launchPart(f, s, l)
		} else if err = d.allow(f, l.SharedBytes); err == nil {
			err = d.launch(f, s, l)
		}
	}
	d.leased(s, f, err)
	d.lose(s.release())
	d.lose(f.module.release())
	if err != nil {
		return 0, d.saw(fmt.Errorf("launch %s: %w", f.name, err))
	}
	return 0, nil
}

// leased makes a captured launch keep its module.
func (d *device) leased(s *stream, f *function, err error) {
	c := d.captureOf(s)
	if c == nil || err != nil {
		return
	}
	f.module.acquire()
	d.mu.Lock()
	defer d.mu.Unlock()
	c.lease.modules = append(c.lease.modules, f.module)
}

// forLaunch finds kernel and stream and counts the caller as a user of both.
func (d *device) forLaunch(l *driver.Launch) (*function, *stream, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, ok := d.kernels[l.Function]
	if !ok {
		return nil, nil, badFunction(l.Function)
	}
	s, ok := d.streams[l.Stream]
	if !ok {
		return nil, nil, fail(driver.InvalidHandle, "launch on stream %#x: no such stream on this device", uint64(l.Stream))
	}
	f.module.acquire()
	s.acquire()
	return f, s, nil
}

// admit holds a launch against the limits of device and kernel. The driver has one status for most of these reasons.
func (d *device) admit(f *function, l *driver.Launch) error {
	g, b, m := l.Grid, l.Block, &d.limits
	shared := uint64(f.info.SharedBytes) + uint64(l.SharedBytes)
	switch {
	case g.X == 0 || g.Y == 0 || g.Z == 0 || uint64(g.X) > uint64(m.gridX) || uint64(g.Y) > uint64(m.gridY) || uint64(g.Z) > uint64(m.gridZ):
		return fail(driver.InvalidValue, "grid (%d,%d,%d): at most (%d,%d,%d)", g.X, g.Y, g.Z, m.gridX, m.gridY, m.gridZ)
	case b.X == 0 || b.Y == 0 || b.Z == 0:
		return fail(driver.InvalidValue, "block (%d,%d,%d)", b.X, b.Y, b.Z)
	case uint64(b.X) > uint64(m.blockX) || uint64(b.Y) > uint64(m.blockY) || uint64(b.Z) > uint64(m.blockZ) || b.Count() > uint64(f.info.MaxThreads):
		return fail(driver.LaunchOutOfResources, "block (%d,%d,%d): at most %d threads, (%d,%d,%d)",
			b.X, b.Y, b.Z, f.info.MaxThreads, m.blockX, m.blockY, m.blockZ)
	case shared > uint64(m.sharedOptin):
		return fail(driver.LaunchOutOfResources, "%d bytes of static and %d of dynamic shared memory: at most %d together",
			f.info.SharedBytes, l.SharedBytes, m.sharedOptin)
	case l.First >= g.Count() || l.Count > g.Count()-l.First || l.Count == 0 && l.First != 0:
		return fail(driver.InvalidValue, "blocks %d to %d of a grid of %d", l.First, l.First+l.Count, g.Count())
	}
	if err := d.admitCluster(l); err != nil {
		return err
	}
	sig := f.info.Signature
	if sig == nil {
		return nil
	}
	if len(l.Params) != sig.Size {
		return fail(driver.InvalidValue, "%d bytes of parameters: the kernel takes %d", len(l.Params), sig.Size)
	}
	if r := sig.ReqThreads; r != [3]int{} {
		if want := (driver.Dim3{X: uint32(max(r[0], 1)), Y: uint32(max(r[1], 1)), Z: uint32(max(r[2], 1))}); b != want {
			return fail(driver.InvalidValue, "block (%d,%d,%d): the kernel requires (%d,%d,%d)", b.X, b.Y, b.Z, want.X, want.Y, want.Z)
		}
	}
	return nil
}

// admitCluster checks the cluster of a launch.
func (d *device) admitCluster(l *driver.Launch) error {
	c, g := l.Cluster, l.Grid
	switch {
	case c == driver.Dim3{}:
		return nil
	case !d.grouping:
		return fail(driver.NotSupported, "a launch in clusters: %s or its driver has none", d.info.Name)
	case c.X == 0 || c.Y == 0 || c.Z == 0 || g.X%c.X != 0 || g.Y%c.Y != 0 || g.Z%c.Z != 0:
		return fail(driver.InvalidValue, "cluster (%d,%d,%d): grid (%d,%d,%d) is no multiple of it", c.X, c.Y, c.Z, g.X, g.Y, g.Z)
	case l.Count != 0 && l.Count != g.Count():
		return fail(driver.NotSupported, "a part of a grid in clusters")
	}
	return nil
}

// allow tells the driver that the kernel may have that much dynamic shared memory. Without it 48 KiB are the limit on
// every device (CUDA C++ Programming Guide, Shared Memory per compute capability).
func (d *device) allow(f *function, bytes uint32) error {
	if uint64(f.info.SharedBytes)+uint64(bytes) <= uint64(d.limits.shared) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if bytes <= f.dynamic {
		return nil
	}
	if err := d.raw(func() error {
		return d.api.FuncSetAttribute(f.native, cuapi.FuncMaxDynamicSharedBytes, int(bytes))
	}); err != nil {
		return fmt.Errorf("allow %d bytes of dynamic shared memory: %w", bytes, err)
	}
	f.dynamic = bytes
	return nil
}

// nativeLaunch describes a launch to the driver, all but the stream.
func nativeLaunch(f *function, l *driver.Launch) cuapi.Launch {
	return cuapi.Launch{
		Function: f.native, SharedBytes: l.SharedBytes, Params: l.Params,
		GridX: l.Grid.X, GridY: l.Grid.Y, GridZ: l.Grid.Z, X: l.Block.X, Y: l.Block.Y, Z: l.Block.Z, Layout: f.layout,
	}
}

// launch calls the driver.
func (d *device) launch(f *function, s *stream, l *driver.Launch) error {
	k := nativeLaunch(f, l)
	k.Stream = s.native
	if c := l.Cluster; c != (driver.Dim3{}) || l.Early && d.grouping {
		return d.launchWith(f, &k, l)
	}
	if !l.Cooperative {
		return d.judge(d.api.LaunchKernel(d.ctx, k))
	}
	if f.info.Signature == nil {
		return fail(driver.NotSupported, "a cooperative launch of a kernel whose parameters this driver does not tell")
	}
	return d.raw(func() error { return d.api.LaunchCooperativeKernel(&k) })
}

// portableCluster is the number of blocks of a cluster that every device with clusters takes; more has to be allowed.
const portableCluster = 8

// attributes are what a launch has beyond the arguments of cuLaunchKernel.
func attributes(l *driver.Launch) cuapi.LaunchAttributes {
	return cuapi.LaunchAttributes{
		ClusterX: l.Cluster.X, ClusterY: l.Cluster.Y, ClusterZ: l.Cluster.Z, Cooperative: l.Cooperative, Early: l.Early,
	}
}

// launchWith queues a launch with attributes.
func (d *device) launchWith(f *function, k *cuapi.Launch, l *driver.Launch) error {
	return d.raw(func() error {
		if err := d.allowCluster(f, l); err != nil {
			return err
		}
		return d.api.LaunchKernelEx(k, attributes(l))
	})
}

// allowCluster tells the driver that the kernel may run in clusters that not every device takes.
func (d *device) allowCluster(f *function, l *driver.Launch) error {
	if l.Cluster.Count() <= portableCluster {
		return nil
	}
	return d.api.FuncSetAttribute(f.native, cuapi.FuncWideClusters, 1)
}

// Clusters asks the driver.
func (d *device) Clusters(l *driver.Launch) (resident, largest int, err error) {
	if l == nil {
		return 0, 0, fail(driver.InvalidValue, "ask for the occupancy of clusters: no launch")
	}
	err = d.onFunction(l.Function, func(f *function) error {
		all := *l
		if all.Cluster == (driver.Dim3{}) {
			all.Cluster = driver.Dim3{X: 1, Y: 1, Z: 1}
		}
		all.First, all.Count = 0, 0
		if sig := f.info.Signature; sig != nil {
			all.Params = make([]byte, sig.Size)
		}
		if err := d.admit(f, &all); err != nil {
			return err
		}
		if err := d.allowCluster(f, &all); err != nil {
			return err
		}
		k := nativeLaunch(f, &all)
		if largest, err = d.api.OccupancyMaxPotentialClusterSize(&k); err != nil {
			return err
		}
		resident, err = d.api.OccupancyMaxActiveClusters(&k, attributes(&all))
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("ask for the occupancy of clusters: %w", err)
	}
	return resident, largest, nil
}
