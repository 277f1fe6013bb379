package nvidia

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// peer counts a call in on another device as well, which the caller leaves by d.leavePeer.
func (d *device) peer(op string, other driver.Device) (*device, error) {
	if err := d.use(); err != nil {
		return nil, err
	}
	p, ok := other.(*device)
	if !ok || p.api.Path() != d.api.Path() {
		d.users.leave()
		return nil, fail(driver.InvalidDevice, "%s: it is no GPU of this driver", op)
	}
	if err := p.use(); err != nil {
		d.users.leave()
		return nil, err
	}
	return p, nil
}

func (d *device) leavePeer(p *device) {
	p.users.leave()
	d.users.leave()
}

// CanAccess asks the driver. A context always reaches itself.
func (d *device) CanAccess(other driver.Device) (can bool, err error) {
	p, err := d.peer("ask for peer access", other)
	if err != nil {
		return false, err
	}
	defer d.leavePeer(p)
	return d.canAccess(p)
}

func (d *device) canAccess(p *device) (can bool, err error) {
	if d.ctx == p.ctx {
		return true, nil
	}
	can, err = d.api.DeviceCanAccessPeer(d.native, p.native)
	if err != nil {
		return false, fmt.Errorf("ask for peer access: %w", translate(err))
	}
	return can, nil
}

// EnableAccess lets this context reach the other's memory. Another library of the process may have done so.
func (d *device) EnableAccess(other driver.Device) error {
	p, err := d.peer("enable peer access", other)
	if err != nil {
		return err
	}
	defer d.leavePeer(p)
	can, err := d.canAccess(p)
	switch {
	case err != nil || d.ctx == p.ctx:
		return err
	case !can:
		return fail(driver.NotSupported, "enable peer access: %s does not reach the memory of %s", d.info.Name, p.info.Name)
	}
	err = d.call(func() error { return d.api.CtxEnablePeerAccess(p.ctx) })
	if err != nil && !isStatus(err, driver.PeerAccessEnabled) {
		return fmt.Errorf("enable peer access: %w", err)
	}
	return nil
}

// DisableAccess ends that.
func (d *device) DisableAccess(other driver.Device) error {
	p, err := d.peer("disable peer access", other)
	if err != nil {
		return err
	}
	defer d.leavePeer(p)
	if d.ctx == p.ctx {
		return nil
	}
	err = d.call(func() error { return d.api.CtxDisablePeerAccess(p.ctx) })
	if err != nil && !isStatus(err, driver.PeerAccessNotEnabled) {
		return fmt.Errorf("disable peer access: %w", err)
	}
	return nil
}

// onPeer calls f with a stream of this device and another device in use.
func (d *device) onPeer(op string, from driver.Device, on driver.Stream, f func(p *device, s *stream) error) error {
	p, err := d.peer(op, from)
	if err != nil {
		return err
	}
	defer d.leavePeer(p)
	s, err := d.transfer(on)
	if err != nil {
		return err
	}
	defer d.done(s)
	if err := f(p, s); err != nil {
		return d.saw(fmt.Errorf("%s: %w", op, err))
	}
	return nil
}

// CopyPeer queues a copy between two contexts.
func (d *device) CopyPeer(dst driver.Ptr, from driver.Device, src driver.Ptr, n uint64, on driver.Stream) error {
	return d.onPeer("copy from another GPU", from, on, func(p *device, s *stream) error {
		if n == 0 {
			return nil
		}
		if err := d.check(dst, n); err != nil {
			return err
		}
		if err := p.check(src, n); err != nil {
			return err
		}
		if d.ctx == p.ctx && dst < src+driver.Ptr(n) && src < dst+driver.Ptr(n) {
			return fail(driver.InvalidValue, "%d bytes from %#x to %#x overlap", n, uint64(src), uint64(dst))
		}
		return d.raw(func() error {
			return d.api.MemcpyPeerAsync(cuapi.DevicePtr(dst), d.ctx, cuapi.DevicePtr(src), p.ctx, n, s.native)
		})
	})
}

// CopyRegionPeer queues a copy of a box between two contexts.
func (d *device) CopyRegionPeer(r *driver.Region, from driver.Device, on driver.Stream) error {
	return d.onPeer("copy a region from another GPU", from, on, func(p *device, s *stream) error {
		b, release, err := d.box(r, p)
		if err != nil {
			return err
		}
		defer release()
		return d.raw(func() error { return d.api.Memcpy3DPeerAsync(b, d.ctx, p.ctx, s.native) })
	})
}

// WaitPeer makes a stream wait for an event of another device.
func (d *device) WaitPeer(on driver.Stream, from driver.Device, h driver.Event) error {
	return d.onPeer("wait for an event of another GPU", from, on, func(p *device, s *stream) error {
		e, err := p.event(h)
		if err != nil {
			return err
		}
		defer func() { p.lose(e.release()) }()
		if err := p.captured(e); err != nil {
			return err
		}
		return d.raw(func() error { return d.api.StreamWaitEvent(s.native, e.native) })
	})
}
