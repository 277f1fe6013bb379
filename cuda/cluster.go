package cuda

import "github.com/tandem-go/tandem/internal/driver"

// cluster checks the cluster of a launch.
func (f *Function) cluster(cfg *LaunchConfig, l *driver.Launch) error {
	c, g := cfg.Cluster, cfg.Grid
	switch {
	case c == Dim3{}:
		return nil
	case !f.mod.dev.c.caps.Clusters:
		return misused(f.op, ErrNotSupported, "%s launches no clusters of blocks", f.mod.dev.c.name)
	case c.X < 1 || c.Y < 1 || c.Z < 1 || g.X%c.X != 0 || g.Y%c.Y != 0 || g.Z%c.Z != 0:
		return misused(f.op, ErrInvalidValue, "cluster %v: every extent must be at least 1, and grid %v a multiple of it", c, g)
	}
	l.Cluster = driver.Dim3{X: uint32(c.X), Y: uint32(c.Y), Z: uint32(c.Z)}
	return nil
}

// ClusterOccupancy says how many clusters of a launch are Resident on the device at once, and how many blocks a cluster of the
// kernel may have at most.
type ClusterOccupancy struct{ Resident, MaxBlocks int }

// Clusters asks what fits of a launch: Grid, Block, SharedBytes and Cluster of cfg count, and without a Cluster clusters of one
// block. The error wraps ErrNotSupported where the device launches no clusters.
func (f *Function) Clusters(cfg LaunchConfig) (ClusterOccupancy, error) {
	op := "ask for the clusters of " + f.name
	if err := f.mod.res.acquire(op, "module"); err != nil {
		return ClusterOccupancy{}, err
	}
	defer f.mod.res.release()
	if cfg.Cluster == (Dim3{}) {
		cfg.Cluster = D1(1)
	}
	cfg.Part = BlockRange{}
	l := driver.Launch{Function: f.h}
	if err := f.extents(&cfg, &l); err != nil {
		return ClusterOccupancy{}, err
	}
	resident, largest, err := f.mod.dev.c.drv.Clusters(&l)
	return ClusterOccupancy{resident, largest}, f.mod.dev.c.wrap(op, err)
}
