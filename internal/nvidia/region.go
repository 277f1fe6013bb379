package nvidia

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// regionKind says where a region comes from.
type regionKind uint8

const (
	deviceMemory     regionKind = iota + 1 // Alloc
	hostMemory                             // AllocHost
	moduleMemory                           // a variable of a module, which goes with it
	poolMemory                             // AllocAsync
	managedMemory                          // AllocManaged
	registeredMemory                       // RegisterHost
	graphicsMemory                         // a mapped buffer of OpenGL
)

// region is memory that this device knows.
type region struct {
	base driver.Ptr
	size uint64
	kind regionKind
	host cuapi.HostPtr // of host memory
	from driver.Module // of module memory
}

// regions are sorted by address and do not overlap. A slice is enough: even with ten thousand of them an insertion moves
// less memory than the driver's allocation costs.
type regions struct{ all []region }

func (t *regions) search(p driver.Ptr) (int, bool) {
	return slices.BinarySearchFunc(t.all, p, func(r region, p driver.Ptr) int { return cmp.Compare(r.base, p) })
}

// add inserts a region; one with that base that is there already stays.
func (t *regions) add(r region) {
	if i, there := t.search(r.base); !there {
		t.all = slices.Insert(t.all, i, r)
	}
}

// remove takes out the region that begins at p, if it is of one of the kinds.
func (t *regions) remove(p driver.Ptr, kinds ...regionKind) (region, bool) {
	i, there := t.search(p)
	if !there || !slices.Contains(kinds, t.all[i].kind) {
		return region{}, false
	}
	r := t.all[i]
	t.all = slices.Delete(t.all, i, i+1)
	return r, true
}

// drop removes the variables of a module.
func (t *regions) drop(m driver.Module) {
	t.all = slices.DeleteFunc(t.all, func(r region) bool { return r.kind == moduleMemory && r.from == m })
}

// find returns the region in which p lies.
func (t *regions) find(p driver.Ptr) (region, bool) {
	i, there := t.search(p)
	if !there {
		i--
	}
	if i < 0 || uint64(p-t.all[i].base) >= t.all[i].size {
		return region{}, false
	}
	return t.all[i], true
}

// check ends with an error unless n > 0 bytes at p lie in one piece of memory. The driver is asked about memory of
// others: it would refuse most bad addresses itself, but does not say that it checks every length.
func (d *device) check(p driver.Ptr, n uint64) error {
	d.mu.RLock()
	r, known := d.regions.find(p)
	d.mu.RUnlock()
	if !known {
		err := d.raw(func() error {
			base, size, err := d.api.MemGetAddressRange(cuapi.DevicePtr(p))
			r.base, r.size = driver.Ptr(base), size
			return err
		})
		switch {
		case isFault(err) || isStatus(err, driver.NotSupported):
			return err
		case err != nil || p < r.base:
			return fail(driver.InvalidValue, "%d bytes at %#x: no memory of this device", n, uint64(p))
		}
	}
	if off := uint64(p - r.base); off > r.size || n > r.size-off {
		return fail(driver.InvalidValue, "%d bytes at %#x: only %d are there", n, uint64(p), r.size-min(off, r.size))
	}
	return nil
}

// kinds are the kinds of memory that the table knows.
var kinds = map[regionKind]driver.MemoryKind{
	deviceMemory: driver.DeviceKind, poolMemory: driver.DeviceKind, hostMemory: driver.HostKind, moduleMemory: driver.ModuleKind,
	managedMemory: driver.ManagedKind, registeredMemory: driver.RegisteredKind, graphicsMemory: driver.ForeignKind,
}

// Locate looks into the table, and asks the driver about memory of others.
func (d *device) Locate(p driver.Ptr) (driver.Location, error) {
	if err := d.use(); err != nil {
		return driver.Location{}, err
	}
	defer d.users.leave()
	d.mu.RLock()
	r, known := d.regions.find(p)
	g := d.registered[r.base]
	d.mu.RUnlock()
	if !known {
		return d.locateForeign(p)
	}
	l := driver.Location{Kind: kinds[r.kind], Base: r.base, Bytes: r.size}
	switch r.kind {
	case hostMemory:
		l.Host = uintptr(r.host)
	case managedMemory:
		l.Host = uintptr(r.base)
	case registeredMemory:
		l.Host = uintptr(cuapi.HostPtrOf(g.bytes))
	}
	return l, nil
}

// locateForeign asks the driver. It knows no host address of memory that the host cannot reach.
func (d *device) locateForeign(p driver.Ptr) (driver.Location, error) {
	l := driver.Location{Kind: driver.ForeignKind}
	var base, size, host uint64
	err := d.call(func() (err error) {
		if base, err = d.api.PointerGetAttribute(cuapi.PointerRangeStart, cuapi.DevicePtr(p)); err != nil {
			return err
		}
		size, err = d.api.PointerGetAttribute(cuapi.PointerRangeSize, cuapi.DevicePtr(p))
		return err
	})
	switch {
	case isFault(err) || isStatus(err, driver.NotSupported):
		return driver.Location{}, err
	case err != nil:
		return driver.Location{}, fmt.Errorf("look for memory at %#x: %w: %w", uint64(p), driver.InvalidValue, err)
	}
	err = d.call(func() (err error) {
		host, err = d.api.PointerGetAttribute(cuapi.PointerHost, cuapi.DevicePtr(base))
		return err
	})
	if err == nil {
		l.Host = uintptr(host)
	}
	l.Base, l.Bytes = driver.Ptr(base), size
	return l, nil
}
