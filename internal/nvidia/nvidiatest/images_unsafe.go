//go:build linux && !tandem_nodl

package nvidiatest

import (
	"math"
	"unsafe"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// note counts an object that was made or destroyed.
func (c *fakeContext) note(kind string, n int, err error) error {
	if err == nil {
		c.mu.Lock()
		c.made[kind] += n
		c.mu.Unlock()
	}
	return err
}

// words are n words of a C structure.
func words(p uintptr, n int) []uint64 {
	return unsafe.Slice((*uint64)(unsafe.Pointer(&memory(p, 8*n)[0])), n)
}

func low(w uint64) int  { return int(int32(w)) }
func high(w uint64) int { return int(int32(w >> 32)) }

// end reads one half of a CUDA_MEMCPY3D.
func end(w []uint64) driver.Place {
	p := driver.Place{X: w[0], Y: w[1], Z: w[2], Pitch: w[9], Height: w[10]}
	switch low(w[4]) {
	case 3:
		p.Array = driver.Array(w[7])
	case 4:
		p.Ptr = driver.Ptr(w[6])
	default:
		active.Load().t.Errorf("a copy with memory type %d", low(w[4]))
	}
	return p
}

// description reads a CUDA_ARRAY3D_DESCRIPTOR.
func description(p uintptr) driver.ArrayDesc {
	w := words(p, 5)
	flags := low(w[4])
	return driver.ArrayDesc{
		Width: int(w[0]), Height: int(w[1]), Depth: int(w[2]), Format: driver.Format(low(w[3])), Channels: high(w[3]),
		Layered: flags&cuapi.ArrayLayered != 0, Surface: flags&cuapi.ArraySurface != 0,
		Cube: flags&cuapi.ArrayCubemap != 0, Gather: flags&cuapi.ArrayTextureGather != 0,
	}
}

// numbers reads n floats that lie in words from number first on.
func numbers(w []uint64, first int, to ...*float32) {
	for i, p := range to {
		k := first + i
		*p = math.Float32frombits(uint32(w[k/2] >> (32 * (k % 2))))
	}
}

var imageFunctions = map[string]any{
	"cuArray3DCreate_v2": func(p *uintptr, desc uintptr) uintptr {
		return in("cuArray3DCreate", func(c *fakeContext) error {
			a, err := c.NewArray(description(desc))
			*p = uintptr(a)
			return c.note("array", 1, err)
		})
	},
	"cuMipmappedArrayCreate": func(p *uintptr, desc uintptr, levels uint32) uintptr {
		return in("cuMipmappedArrayCreate", func(c *fakeContext) error {
			m, err := c.NewMipmap(description(desc), int(levels))
			*p = uintptr(m)
			return c.note("mipmap", 1, err)
		})
	},
	"cuMipmappedArrayGetLevel": func(p *uintptr, m uintptr, level uint32) uintptr {
		return in("cuMipmappedArrayGetLevel", func(c *fakeContext) error {
			a, err := c.MipmapLevel(driver.Mipmap(m), int(level))
			*p = uintptr(a)
			return err
		})
	},
	"cuMipmappedArrayDestroy": func(m uintptr) uintptr {
		return in("cuMipmappedArrayDestroy", func(c *fakeContext) error { return c.note("mipmap", -1, c.DestroyMipmap(driver.Mipmap(m))) })
	},
	"cuArrayDestroy": func(a uintptr) uintptr {
		return in("cuArrayDestroy", func(c *fakeContext) error { return c.note("array", -1, c.DestroyArray(driver.Array(a))) })
	},
	"cuTexObjectCreate": func(p *uintptr, resource, sampling, view uintptr) uintptr {
		return in("cuTexObjectCreate", func(c *fakeContext) error {
			r, s := words(resource, 18), words(sampling, 13)
			t := &driver.TextureDesc{Linear: high(s[1]) == 1, Integers: low(s[2])&1 != 0, Normalized: low(s[2])&2 != 0}
			t.Address = [3]driver.AddressMode{driver.AddressMode(low(s[0])), driver.AddressMode(high(s[0])), driver.AddressMode(low(s[1]))}
			t.LinearLevels = low(s[3]) == 1
			numbers(s, 7, &t.LevelBias, &t.MinLevel, &t.MaxLevel, &t.Border[0], &t.Border[1], &t.Border[2], &t.Border[3])
			switch low(r[0]) {
			case 0:
				t.Array = driver.Array(r[1])
			case 1:
				t.Mipmap = driver.Mipmap(r[1])
			case 2:
				t.Ptr, t.Format, t.Channels = driver.Ptr(r[1]), driver.Format(low(r[2])), high(r[2])
				t.Width = int(r[3]) / (t.Format.Bytes() * t.Channels)
			case 3:
				t.Ptr, t.Format, t.Channels = driver.Ptr(r[1]), driver.Format(low(r[2])), high(r[2])
				t.Width, t.Height, t.Pitch = int(r[3]), int(r[4]), r[5]
			}
			h, err := c.NewTexture(t)
			*p = uintptr(h)
			return c.note("texture", 1, err)
		})
	},
	"cuTexObjectDestroy": func(t uintptr) uintptr {
		return in("cuTexObjectDestroy", func(c *fakeContext) error {
			return c.note("texture", -1, c.DestroyTexture(driver.Texture(t)))
		})
	},
	"cuSurfObjectCreate": func(p *uintptr, resource uintptr) uintptr {
		return in("cuSurfObjectCreate", func(c *fakeContext) error {
			h, err := c.NewSurface(driver.Array(words(resource, 18)[1]))
			*p = uintptr(h)
			return c.note("surface", 1, err)
		})
	},
	"cuSurfObjectDestroy": func(s uintptr) uintptr {
		return in("cuSurfObjectDestroy", func(c *fakeContext) error {
			return c.note("surface", -1, c.DestroySurface(driver.Surface(s)))
		})
	},
	"cuMemcpy3DAsync_v2": func(box, s uintptr) uintptr {
		return in("cuMemcpy3DAsync", func(c *fakeContext) error {
			w := words(box, 25)
			return c.CopyRegion(&driver.Region{Src: end(w), Dst: end(w[11:]), Width: w[22], Height: w[23], Depth: w[24]},
				stream("cuMemcpy3DAsync", s))
		})
	},
	"cuMemsetD2D8Async": func(p, pitch uintptr, v uint8, w, h, s uintptr) uintptr {
		return setRows(p, pitch, uint32(v), 1, w, h, s)
	},
	"cuMemsetD2D16Async": func(p, pitch uintptr, v uint16, w, h, s uintptr) uintptr {
		return setRows(p, pitch, uint32(v), 2, w, h, s)
	},
	"cuMemsetD2D32Async": func(p, pitch uintptr, v uint32, w, h, s uintptr) uintptr { return setRows(p, pitch, v, 4, w, h, s) },
}

func setRows(p, pitch uintptr, v uint32, width int, w, h, s uintptr) uintptr {
	return in("cuMemsetD2D", func(c *fakeContext) error {
		return c.FillRows(driver.Ptr(p), uint64(pitch), v, width, uint64(w), uint64(h), stream("cuMemsetD2D", s))
	})
}

// isHost reads where managed memory shall be.
func isHost(location uintptr) bool { return low(uint64(location)) == cuapi.LocationHost }

var poolFunctions = map[string]any{
	"cuMemPoolCreate": func(p *uintptr, props uintptr) uintptr {
		return in("cuMemPoolCreate", func(c *fakeContext) error {
			w := words(props, 11)
			if low(w[0]) != 1 || high(w[0]) != 0 || low(w[1]) != cuapi.LocationDevice || w[2] != 0 {
				return driver.InvalidValue
			}
			h, err := c.NewPool(driver.PoolOptions{MaxBytes: w[3]})
			*p = uintptr(h)
			return c.note("pool", 1, err)
		})
	},
	"cuMemPoolDestroy": func(p uintptr) uintptr {
		return in("cuMemPoolDestroy", func(c *fakeContext) error { return c.note("pool", -1, c.DestroyPool(driver.Pool(p))) })
	},
	"cuMemPoolGetAttribute": func(p uintptr, a int32, v *uint64) uintptr {
		return in("cuMemPoolGetAttribute", func(c *fakeContext) error {
			i, err := c.PoolInfo(driver.Pool(p))
			*v = map[int32]uint64{
				cuapi.PoolUsed: i.Used, cuapi.PoolReserved: i.Reserved, cuapi.PoolUsedPeak: i.UsedPeak, cuapi.PoolReservedPeak: i.ReservedPeak,
			}[a]
			return err
		})
	},
	"cuMemPoolSetAttribute": func(p uintptr, a int32, v *uint64) uintptr {
		return in("cuMemPoolSetAttribute", func(c *fakeContext) error {
			switch {
			case (a == cuapi.PoolUsedPeak || a == cuapi.PoolReservedPeak) && *v == 0:
				return c.ResetPoolPeaks(driver.Pool(p))
			case a == cuapi.PoolKeepBytes:
				return nil
			}
			return driver.InvalidValue
		})
	},
	"cuMemPoolTrimTo": func(p, keep uintptr) uintptr {
		return in("cuMemPoolTrimTo", func(c *fakeContext) error { return c.TrimPool(driver.Pool(p), uint64(keep)) })
	},
	"cuMemAllocFromPoolAsync": func(p *uintptr, n, pool, s uintptr) uintptr {
		return in("cuMemAllocFromPoolAsync", func(c *fakeContext) error {
			q, err := c.AllocAsync(uint64(n), driver.Pool(pool), stream("cuMemAllocFromPoolAsync", s))
			*p = uintptr(q)
			if err == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.memory[*p] = uint64(n)
			}
			return err
		})
	},
	"cuMemFreeAsync": func(p, s uintptr) uintptr {
		return in("cuMemFreeAsync", func(c *fakeContext) error {
			c.mu.Lock()
			delete(c.memory, p)
			c.mu.Unlock()
			return c.FreeAsync(driver.Ptr(p), stream("cuMemFreeAsync", s))
		})
	},
	"cuMemAllocManaged": func(p *uintptr, n uintptr, flags uint32) uintptr {
		return in("cuMemAllocManaged", func(c *fakeContext) error {
			if flags != 1 {
				return driver.InvalidValue
			}
			q, _, err := c.AllocManaged(uint64(n))
			*p = uintptr(q)
			if err == nil {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.memory[*p] = uint64(n)
			}
			return err
		})
	},
	"cuMemPrefetchAsync_v2": func(p, n, location uintptr, flags uint32, s uintptr) uintptr {
		return in("cuMemPrefetchAsync_v2", func(c *fakeContext) error {
			return c.Prefetch(driver.Ptr(p), uint64(n), isHost(location), stream("cuMemPrefetchAsync_v2", s))
		})
	},
	"cuMemPrefetchAsync": func(p, n uintptr, d int32, s uintptr) uintptr {
		return in("cuMemPrefetchAsync", func(c *fakeContext) error {
			return c.Prefetch(driver.Ptr(p), uint64(n), d == -1, stream("cuMemPrefetchAsync", s))
		})
	},
	"cuMemAdvise_v2": func(p, n uintptr, advice int32, location uintptr) uintptr {
		return in("cuMemAdvise_v2", func(c *fakeContext) error {
			return c.Advise(driver.Ptr(p), uint64(n), driver.Advice(advice), isHost(location))
		})
	},
	"cuMemAdvise": func(p, n uintptr, advice, d int32) uintptr {
		return in("cuMemAdvise", func(c *fakeContext) error {
			return c.Advise(driver.Ptr(p), uint64(n), driver.Advice(advice), d == -1)
		})
	},
	"cuStreamAttachMemAsync": func(s, p, n uintptr, flags uint32) uintptr {
		return in("cuStreamAttachMemAsync", func(c *fakeContext) error {
			return c.Attach(driver.Ptr(p), driver.Attachment(flags), stream("cuStreamAttachMemAsync", s))
		})
	},
	"cuMemHostRegister_v2": func(p, n uintptr, flags uint32) uintptr {
		return in("cuMemHostRegister", func(c *fakeContext) error {
			q, err := c.RegisterHost(memory(p, int(n)))
			if err != nil {
				return driver.Status(712)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.pinned[p] = pinned{q, uint64(n)}
			return nil
		})
	},
	"cuMemHostUnregister": func(p uintptr) uintptr {
		return in("cuMemHostUnregister", func(c *fakeContext) error {
			q := c.at("cuMemHostUnregister", p, 1)
			c.mu.Lock()
			delete(c.pinned, p)
			c.mu.Unlock()
			return c.UnregisterHost(q)
		})
	},
}
