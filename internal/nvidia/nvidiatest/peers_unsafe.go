//go:build linux && !tandem_nodl

package nvidiatest

import (
	"errors"
	"unsafe"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// peerFunctions are those of several devices, of clusters, and of addresses.
var peerFunctions = map[string]any{
	"cuDeviceCanAccessPeer": func(can *int32, d, other int32) uintptr {
		*can = 0
		if d != other && !active.Load().Apart {
			*can = 1
		}
		return 0
	},
	"cuCtxEnablePeerAccess": func(other uintptr, flags uint32) uintptr {
		return in("cuCtxEnablePeerAccess", func(c *fakeContext) error { return c.reach(other, true) })
	},
	"cuCtxDisablePeerAccess": func(other uintptr) uintptr {
		return in("cuCtxDisablePeerAccess", func(c *fakeContext) error { return c.reach(other, false) })
	},
	"cuMemcpyPeerAsync": func(dst, to, src, from, n, s uintptr) uintptr {
		return in("cuMemcpyPeerAsync", func(c *fakeContext) error {
			f := active.Load()
			f.owns("cuMemcpyPeerAsync", to, dst, n)
			f.owns("cuMemcpyPeerAsync", from, src, n)
			return c.HostFunc(stream("cuMemcpyPeerAsync", s), func() { copy(memory(dst, int(n)), memory(src, int(n))) })
		})
	},
	"cuMemcpy3DPeerAsync": func(box *uintptr, s uintptr) uintptr {
		return in("cuMemcpy3DPeerAsync", func(c *fakeContext) error { return c.copyBox(unsafe.Slice(box, 25), s) })
	},
	"cuPointerGetAttribute": func(v *uintptr, attribute int32, p uintptr) uintptr {
		return in("cuPointerGetAttribute", func(c *fakeContext) error {
			l, err := c.Locate(driver.Ptr(p))
			switch attribute {
			case cuapi.PointerRangeStart:
				*v = uintptr(l.Base)
			case cuapi.PointerRangeSize:
				*v = uintptr(l.Bytes)
			default: // it is in a GPU's memory, which has no host address
				return driver.InvalidValue
			}
			return err
		})
	},
	"cuLaunchKernelEx": func(config *uintptr, f, params, extra uintptr) uintptr {
		return in("cuLaunchKernelEx", func(c *fakeContext) error { return c.launchEx(unsafe.Slice(config, 7), f, extra) })
	},
	"cuOccupancyMaxActiveClusters": func(n *int32, f uintptr, config *uintptr) uintptr {
		return in("cuOccupancyMaxActiveClusters", func(c *fakeContext) error {
			w := unsafe.Slice(config, 7)
			cluster := attributes(w)[4]
			threads := (w[1] >> 32) * uintptr(uint32(w[2])) * (w[2] >> 32)
			blocks := uintptr(uint32(cluster[0])) * (cluster[0] >> 32) * uintptr(uint32(cluster[1]))
			*n = int32(132 * (2048 / threads) / blocks)
			return nil
		})
	},
	"cuOccupancyMaxPotentialClusterSize": func(n *int32, f uintptr, config *uintptr) uintptr {
		return in("cuOccupancyMaxPotentialClusterSize", func(c *fakeContext) error {
			*n = c.widest(f)
			return nil
		})
	},
}

// reach notes that the context reaches another, or does no more.
func (c *fakeContext) reach(other uintptr, on bool) error {
	f := active.Load()
	if p := f.contextOf(other); p == nil || p == c {
		return driver.InvalidContext
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case on && c.reached[other]:
		return driver.PeerAccessEnabled
	case !on && !c.reached[other]:
		return driver.PeerAccessNotEnabled
	}
	c.reached[other] = on
	return nil
}

// contextOf finds a context by its handle.
func (f *Fake) contextOf(id uintptr) *fakeContext {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.devices {
		if c.id == id {
			return c
		}
	}
	return nil
}

// owns fails the test unless n bytes lie in memory of a context.
func (f *Fake) owns(name string, id, p, n uintptr) {
	c := f.contextOf(id)
	if c == nil {
		f.t.Errorf("%s: %#x is no context", name, id)
		return
	}
	l, err := c.Locate(driver.Ptr(p))
	if err != nil || uint64(p)+uint64(n) > uint64(l.Base)+l.Bytes {
		f.t.Errorf("%s: %d bytes at %#x are not in context %#x: %v", name, n, p, id, err)
	}
}

// copyBox copies rows between memory of two contexts.
func (c *fakeContext) copyBox(w []uintptr, s uintptr) error {
	f := active.Load()
	at := func(e []uintptr, z, y uintptr) uintptr { return e[6] + ((e[2]+z)*e[10]+e[1]+y)*e[9] + e[0] }
	src, dst, width, height, depth := w[:11], w[11:22], w[22], w[23], w[24]
	for _, e := range [][]uintptr{src, dst} {
		if uint32(e[4]) != 4 {
			return driver.NotSupported // no arrays in this fake
		}
		f.owns("cuMemcpy3DPeerAsync", e[8], at(e, 0, 0), at(e, depth-1, height-1)+width-at(e, 0, 0))
	}
	src, dst = append([]uintptr(nil), src...), append([]uintptr(nil), dst...)
	return c.HostFunc(stream("cuMemcpy3DPeerAsync", s), func() {
		for z := range depth {
			for y := range height {
				copy(memory(at(dst, z, y), int(width)), memory(at(src, z, y), int(width)))
			}
		}
	})
}

// waitFor makes a stream wait for an event, which may be one of another context.
func (c *fakeContext) waitFor(s driver.Stream, e driver.Event) error {
	owner := active.Load().ownerOf(c, e)
	if owner == nil {
		return c.WaitEvent(s, e)
	}
	// A stream of the owner waits for what was recorded last, and tells.
	helper, err := owner.NewStream(0)
	if err != nil {
		return err
	}
	happened := make(chan struct{})
	return errors.Join(
		owner.WaitEvent(helper, e), owner.HostFunc(helper, func() { close(happened) }), owner.DestroyStream(helper),
		c.HostFunc(s, func() { <-happened }))
}

// ownerOf finds the context of an event that c does not know; nil if there is none.
func (f *Fake) ownerOf(c *fakeContext, e driver.Event) *fakeContext {
	unknown := func(c *fakeContext) bool { return errors.Is(c.QueryEvent(e), driver.InvalidHandle) }
	if !unknown(c) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.devices {
		if !unknown(other) {
			return other
		}
	}
	return nil
}

// attributes are the values of an array of CUlaunchAttribute, by number.
func attributes(config []uintptr) map[uintptr][2]uintptr {
	out := map[uintptr][2]uintptr{}
	for i := range config[6] {
		w := config[5] + 72*i
		out[uintptr(uint32(word(w)))] = [2]uintptr{word(w + 8), word(w + 16)}
	}
	return out
}

// widest is the largest number of blocks of a cluster, which a kernel may have to be allowed.
func (c *fakeContext) widest(f uintptr) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wide[f] {
		return 16
	}
	return 8
}

// launchEx launches a kernel and forgets its cluster, which the host device behind it does not have.
func (c *fakeContext) launchEx(w []uintptr, f, extra uintptr) error {
	all := attributes(w)
	fake := active.Load()
	fake.mu.Lock()
	fake.attributes = all
	fake.mu.Unlock()
	if a, ok := all[4]; ok {
		x, y, z := uintptr(uint32(a[0])), a[0]>>32, uintptr(uint32(a[1]))
		if x*y*z > uintptr(c.widest(f)) {
			return driver.InvalidClusterSize
		}
	}
	_, cooperative := all[2]
	l := &driver.Launch{
		Function: driver.Function(f), Stream: stream("cuLaunchKernelEx", w[4]), SharedBytes: uint32(w[3]), Cooperative: cooperative,
		Grid:  driver.Dim3{X: uint32(w[0]), Y: uint32(w[0] >> 32), Z: uint32(w[1])},
		Block: driver.Dim3{X: uint32(w[1] >> 32), Y: uint32(w[2]), Z: uint32(w[2] >> 32)},
	}
	if err := takeExtra(l, extra); err != nil {
		return err
	}
	return c.launch(l)
}

// LaunchAttributes are those of the last cuLaunchKernelEx, by number: two words of each value.
func (f *Fake) LaunchAttributes() map[uintptr][2]uintptr {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.attributes
}
