package hostdev

import (
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/mem"
)

// Locate asks the tables of the address space. Host and device share all of it.
func (d *device) Locate(p driver.Ptr) (driver.Location, error) {
	if err := d.use(); err != nil {
		return driver.Location{}, err
	}
	defer d.mu.Unlock()
	if _, err := d.bytes(p, 1); err != nil { // memory that was given to Free is gone
		return driver.Location{}, err
	}
	r, ok := d.mem.Find(uint64(p))
	if !ok {
		return driver.Location{}, fail(driver.InvalidValue, "%#x was freed meanwhile", uint64(p))
	}
	return driver.Location{Kind: d.kindOf(r), Base: driver.Ptr(r.Addr), Bytes: r.Size, Host: uintptr(r.Addr)}, nil
}

// kindOf says what memory is. Called with d.mu held.
func (d *device) kindOf(r mem.Region) driver.MemoryKind {
	p := driver.Ptr(r.Addr)
	_, allocated := d.device[p]
	_, pooled := d.pools.memory[p]
	_, managed := d.pools.managed[p]
	_, host := d.host[p]
	_, registered := d.pools.registered[p]
	switch {
	case managed:
		return driver.ManagedKind
	case allocated, pooled:
		return driver.DeviceKind
	case host:
		return driver.HostKind
	case registered:
		return driver.RegisteredKind
	case r.Kind == mem.Foreign:
		return driver.ForeignKind
	}
	return driver.ModuleKind
}
