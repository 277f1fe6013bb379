package cuda

import (
	"github.com/tandem-go/tandem/internal/driver"
)

// BlockRange is a part of a grid: Count blocks from block First on, in the order of their linear index, where x runs
// fastest. The zero value is the whole grid.
type BlockRange struct{ First, Count int }

// LaunchesParts reports whether the device can launch a part of a grid (LaunchConfig.Part).
func (d *Device) LaunchesParts() bool { return d.c.caps.BlockRanges }

// part checks a part of the grid and puts it into the launch.
func (f *Function) part(r BlockRange, l *driver.Launch) error {
	if r == (BlockRange{}) {
		return nil
	}
	c := f.mod.dev.c
	if !c.caps.BlockRanges {
		return misused(f.op, ErrNotSupported, "%s launches whole grids only, not blocks %d to %d", c.name, r.First, r.First+r.Count-1)
	}
	if n := l.Grid.Count(); r.First < 0 || r.Count < 1 || uint64(r.First) >= n || uint64(r.Count) > n-uint64(r.First) {
		return misused(f.op, ErrInvalidValue, "%d blocks from block %d of a grid of %d", r.Count, r.First, n)
	}
	l.First, l.Count = uint64(r.First), uint64(r.Count)
	return nil
}
