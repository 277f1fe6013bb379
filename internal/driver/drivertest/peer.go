package drivertest

import (
	"math"

	"github.com/tandem-go/tandem/internal/driver"
)

// peers returns the device as one that reaches others, and another one; ok is false on devices that reach none.
func (t *T) peers() (p driver.Peer, other *T, ok bool) {
	t.Helper()
	p, ok = t.Device.(driver.Peer)
	t.that(ok == t.Caps().Peers, "Caps.Peers is %v, and the device is a Peer: %v", t.Caps().Peers, ok)
	if !ok {
		return nil, nil, false
	}
	return p, &T{T: t.T, Device: t.open(t.T), open: t.open}, true
}

var peerChecks = []check{
	{"PeerCopy", "CopyPeer queues a copy of n bytes from memory of another device. WaitPeer is WaitEvent for an event of another device.", func(t *T) {
		p, other, ok := t.peers()
		if !ok {
			return
		}
		m := other.load()
		far, near := other.stream(), t.stream()
		src, dst := other.words(1, 2, 3, 4), t.words(9, 9, 9, 9)
		open := other.gate(other.function(m, "gate"), far)
		other.start(other.function(m, "fold"), far, src, uint32(5))
		e := other.event(false)
		t.ok(other.Record(e, far))
		t.ok(p.WaitPeer(near, other.Device, e))
		t.ok(other.DestroyEvent(e))
		t.ok(p.CopyPeer(dst+4, other.Device, src, 8, near))
		t.ok(p.CopyPeer(dst, other.Device, src, 0, near))
		t.is(t.Query(near), driver.NotReady)
		open()
		equal(t, []uint32{9, folded(1, 5), 2, 9}, t.read(dst, 4, near))
		t.ok(p.CopyRegionPeer(&driver.Region{
			Dst: driver.Place{Ptr: dst, Pitch: 8}, Src: driver.Place{Ptr: src + 8, Pitch: 4}, Width: 4, Height: 2, Depth: 1,
		}, other.Device, near))
		equal(t, []uint32{3, folded(1, 5), 4, 9}, t.read(dst, 4, near))
		t.ok(other.Close())
	}},
	{"PeerAccess", "EnableAccess lets kernels of this device use addresses of other's memory. Once is enough. NotSupported where CanAccess is false.", func(t *T) {
		p, other, ok := t.peers()
		if !ok {
			return
		}
		can, err := p.CanAccess(other.Device)
		t.ok(err)
		for range 2 {
			if err := p.EnableAccess(other.Device); can {
				t.ok(err)
			} else {
				t.is(err, driver.NotSupported)
			}
		}
		t.ok(p.DisableAccess(other.Device))
		t.ok(p.DisableAccess(other.Device))
		t.ok(other.Close())
	}},
	{"PeerMistakes", "other and from are open devices of the same back end, InvalidDevice if not.", func(t *T) {
		p, other, ok := t.peers()
		if !ok {
			return
		}
		src, dst, e := other.words(1), t.words(2), other.event(false)
		t.is(second(p.CanAccess(nil)), driver.InvalidDevice)
		t.is(p.EnableAccess(nil), driver.InvalidDevice)
		t.is(p.DisableAccess(nil), driver.InvalidDevice)
		t.is(p.CopyPeer(dst, nil, src, 4, 0), driver.InvalidDevice)
		t.is(p.CopyPeer(dst, other.Device, src, math.MaxUint64, 0), driver.InvalidValue)
		t.is(p.CopyPeer(dst, other.Device, badAddress, 4, 0), driver.InvalidValue)
		t.is(p.CopyPeer(badAddress, other.Device, src, 4, 0), driver.InvalidValue)
		t.is(p.CopyPeer(dst, other.Device, src, 4, other.stream()), driver.InvalidHandle)
		t.is(p.CopyPeer(dst, t.Device, dst, 4, 0), driver.InvalidValue) // onto itself
		t.is(p.CopyRegionPeer(nil, other.Device, 0), driver.InvalidValue)
		t.is(p.WaitPeer(0, other.Device, 12345), driver.InvalidHandle)
		t.is(p.WaitPeer(12345, other.Device, e), driver.InvalidHandle)
		s := t.stream()
		t.ok(t.BeginCapture(s))
		t.is(p.CopyPeer(dst, other.Device, src, 4, s), driver.CaptureUnsupported)
		t.is(p.WaitPeer(s, other.Device, e), driver.CaptureUnsupported)
		t.ok(second(t.EndCapture(s)))
		t.ok(other.Close())
		t.is(p.CopyPeer(dst, other.Device, src, 4, 0), driver.Deinitialized)
		t.is(p.EnableAccess(other.Device), driver.Deinitialized)
		equal(t, []uint32{2}, t.read(dst, 1, 0))
	}},
	{"Clusters", "Grid is a multiple of [Cluster] (InvalidValue). NotSupported unless Caps.Clusters.", func(t *T) {
		l := &driver.Launch{
			Function: t.kernel("blocks"), Grid: driver.Dim3{X: 4, Y: 2, Z: 1}, Block: one, Cluster: driver.Dim3{X: 2, Y: 1, Z: 1},
			Params: params(t.words(make([]uint32, 32)...)),
		}
		launch := func(change func(l *driver.Launch)) error {
			changed := *l
			change(&changed)
			_, err := t.Launch(&changed)
			return err
		}
		resident, largest, err := t.Device.Clusters(l)
		if !t.Caps().Clusters {
			t.is(err, driver.NotSupported)
			t.is(launch(func(*driver.Launch) {}), driver.NotSupported)
			return
		}
		t.ok(err)
		t.that(resident > 0 && largest >= 2, "%d clusters are resident, of at most %d blocks", resident, largest)
		t.ok(launch(func(*driver.Launch) {}))
		t.ok(launch(func(l *driver.Launch) { l.Cooperative = true }))
		for _, bad := range []driver.Dim3{{X: 3, Y: 1, Z: 1}, {X: 2, Y: 4, Z: 1}, {X: 2}, {X: 2, Y: 1, Z: 2}} {
			t.is(launch(func(l *driver.Launch) { l.Cluster = bad }), driver.InvalidValue)
		}
		t.is(launch(func(l *driver.Launch) { l.Count = 1 }), driver.NotSupported)
		t.is(launch(func(l *driver.Launch) { l.Grid.X, l.Cluster.X = 64, 64 }), driver.InvalidClusterSize)
		_, _, err = t.Device.Clusters(&driver.Launch{Function: 12345, Grid: one, Block: one})
		t.is(err, driver.InvalidHandle)
		t.ok(t.Synchronize(0))
	}},
	{"Early", "Early lets the launch begin before the work queued before on the stream has ended. Devices that cannot do it keep the order.", func(t *T) {
		fold := t.kernel("fold")
		s, a, b := t.stream(), t.words(1), t.words(1)
		t.start(fold, s, a, uint32(2))
		_, err := t.Launch(&driver.Launch{Function: fold, Grid: one, Block: one, Stream: s, Early: true, Params: params(b, uint32(3))})
		t.ok(err)
		t.start(fold, s, b, uint32(4)) // this one waits for both
		t.ok(t.Copy(a+0, b, 4, s))
		equal(t, []uint32{folded(1, 3, 4)}, t.read(a, 1, s))
	}},
	{"Locate", "Locate says in which memory of this device an address lies; InvalidValue if in none.", func(t *T) {
		at := func(p driver.Ptr, want driver.MemoryKind, base driver.Ptr, n uint64) driver.Location {
			t.Helper()
			l, err := t.Device.Locate(p)
			t.ok(err)
			t.that(l.Kind == want && l.Base == base && l.Bytes >= n, "%+v, want kind %d, base %#x, %d bytes", l, want, base, n)
			return l
		}
		p := t.alloc(1000)
		at(p, driver.DeviceKind, p, 1000)
		at(p+999, driver.DeviceKind, p, 1000)
		h, bytes, err := t.AllocHost(64)
		t.ok(err)
		t.that(at(h+3, driver.HostKind, h, 64).Host == address(bytes), "the host finds page-locked memory elsewhere")
		m, bytes, err := t.AllocManaged(64)
		t.ok(err)
		t.that(at(m+3, driver.ManagedKind, m, 64).Host == address(bytes), "the host finds managed memory elsewhere")
		own := outsideHeap(t, 1<<16)
		r, err := t.RegisterHost(own)
		t.ok(err)
		t.that(at(r+3, driver.RegisteredKind, r, 1<<16).Host == address(own), "the host finds registered memory elsewhere")
		g, n, err := t.Global(t.load(), "primes")
		t.ok(err)
		at(g+3, driver.ModuleKind, g, n)
		t.ok(t.Free(p))
		t.ok(t.UnregisterHost(r))
		for _, gone := range []driver.Ptr{p, r, 0, badAddress, math.MaxUint64} {
			_, err := t.Device.Locate(gone)
			t.is(err, driver.InvalidValue)
		}
	}},
}
