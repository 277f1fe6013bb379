//go:build linux && !tandem_nodl

package nvidiatest

import (
	"strings"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// before reads an array of nodes.
func before(p, n uintptr) []driver.Node {
	var out []driver.Node
	if n > 0 {
		for _, w := range words(p, int(n)) {
			out = append(out, driver.Node(w))
		}
	}
	return out
}

// node adds a node through the host device.
func node(name string, p *uintptr, add func(c *fakeContext) (driver.Node, error)) uintptr {
	return in(name, func(c *fakeContext) error {
		n, err := add(c)
		*p = uintptr(n)
		return err
	})
}

var graphFunctions = map[string]any{
	"cuStreamBeginCapture_v2": func(s uintptr, mode int32) uintptr {
		return in("cuStreamBeginCapture", func(c *fakeContext) error {
			if mode != 2 {
				return driver.InvalidValue
			}
			return c.BeginCapture(stream("cuStreamBeginCapture", s))
		})
	},
	"cuStreamEndCapture": func(s uintptr, g *uintptr) uintptr {
		return in("cuStreamEndCapture", func(c *fakeContext) error {
			h, err := c.EndCapture(stream("cuStreamEndCapture", s))
			*g = uintptr(h)
			return c.note("graph", 1, err)
		})
	},
	"cuGraphCreate": func(g *uintptr, flags uint32) uintptr {
		return in("cuGraphCreate", func(c *fakeContext) error {
			h, err := c.NewGraph()
			*g = uintptr(h)
			return c.note("graph", 1, err)
		})
	},
	"cuGraphDestroy": func(g uintptr) uintptr {
		return in("cuGraphDestroy", func(c *fakeContext) error { return c.note("graph", -1, c.DestroyGraph(driver.Graph(g))) })
	},
	"cuGraphAddKernelNode_v2": func(p *uintptr, g, deps, n, params uintptr) uintptr {
		return node("cuGraphAddKernelNode", p, func(c *fakeContext) (driver.Node, error) {
			w := words(params, 9)
			l := &driver.Launch{
				Function: driver.Function(w[0]), SharedBytes: uint32(w[4]),
				Grid:  driver.Dim3{X: uint32(w[1]), Y: uint32(w[1] >> 32), Z: uint32(w[2])},
				Block: driver.Dim3{X: uint32(w[2] >> 32), Y: uint32(w[3]), Z: uint32(w[3] >> 32)},
			}
			if extra := uintptr(w[6]); extra != 0 {
				if word(extra) != 1 || word(extra+16) != 2 || word(extra+32) != 0 {
					return 0, driver.InvalidValue
				}
				l.Params = memory(word(extra+8), int(word(word(extra+24))))
			}
			return c.AddKernel(driver.Graph(g), before(deps, n), l)
		})
	},
	"cuGraphAddMemcpyNode": func(p *uintptr, g, deps, n, box, ctx uintptr) uintptr {
		return node("cuGraphAddMemcpyNode", p, func(c *fakeContext) (driver.Node, error) {
			w := words(box, 25)
			if ctx != c.id || w[23] != 1 || w[24] != 1 {
				return 0, driver.InvalidValue
			}
			return c.AddCopy(driver.Graph(g), before(deps, n), end(w[11:]).Ptr, end(w).Ptr, w[22])
		})
	},
	"cuGraphAddMemsetNode": func(p *uintptr, g, deps, n, params, ctx uintptr) uintptr {
		return node("cuGraphAddMemsetNode", p, func(c *fakeContext) (driver.Node, error) {
			w := words(params, 5)
			if ctx != c.id || w[4] != 1 {
				return 0, driver.InvalidValue
			}
			return c.AddFill(driver.Graph(g), before(deps, n), driver.Ptr(w[0]), uint32(w[2]), high(w[2]), w[3])
		})
	},
	"cuGraphAddHostNode": func(p *uintptr, g, deps, n, params uintptr) uintptr {
		return node("cuGraphAddHostNode", p, func(c *fakeContext) (driver.Node, error) {
			w := words(params, 2)
			fn, data := dl.Func(w[0]), uintptr(w[1])
			return c.AddHostFunc(driver.Graph(g), before(deps, n), func() { fn.Call(data) })
		})
	},
	"cuGraphAddEmptyNode": func(p *uintptr, g, deps, n uintptr) uintptr {
		return node("cuGraphAddEmptyNode", p, func(c *fakeContext) (driver.Node, error) {
			return c.AddEmpty(driver.Graph(g), before(deps, n))
		})
	},
	"cuGraphAddChildGraphNode": func(p *uintptr, g, deps, n, child uintptr) uintptr {
		return node("cuGraphAddChildGraphNode", p, func(c *fakeContext) (driver.Node, error) {
			return c.AddGraph(driver.Graph(g), before(deps, n), driver.Graph(child))
		})
	},
	"cuGraphGetNodes": func(g, nodes uintptr, n *uintptr) uintptr {
		return in("cuGraphGetNodes", func(c *fakeContext) error {
			v, err := c.GraphNodes(driver.Graph(g))
			*n = uintptr(v)
			return err
		})
	},
	"cuGraphInstantiateWithFlags": func(x *uintptr, g uintptr, flags uint64) uintptr {
		return in("cuGraphInstantiate", func(c *fakeContext) error {
			h, err := c.Instantiate(driver.Graph(g))
			*x = uintptr(h)
			return c.note("executable graph", 1, err)
		})
	},
	"cuGraphLaunch": func(x, s uintptr) uintptr {
		return in("cuGraphLaunch", func(c *fakeContext) error { return c.LaunchGraph(driver.GraphExec(x), stream("cuGraphLaunch", s)) })
	},
	"cuGraphExecDestroy": func(x uintptr) uintptr {
		return in("cuGraphExecDestroy", func(c *fakeContext) error {
			return c.note("executable graph", -1, c.DestroyGraphExec(driver.GraphExec(x)))
		})
	},
}

// fakeLinker is a link under way.
type fakeLinker struct {
	inputs []driver.LinkInput
	log    []byte // the error log of the caller
	image  []byte
}

var controlFunctions = map[string]any{
	"cuCtxCreate_v2": func(p *uintptr, flags uint32, d int32) uintptr {
		f := active.Load()
		f.mu.Lock()
		defer f.mu.Unlock()
		f.contexts++
		c := f.newContext(0xc0ffee00 + uintptr(f.contexts))
		c.refs = 1
		f.devices[-int32(f.contexts)] = c
		*p = c.id
		f.setCurrent(c)
		return 0
	},
	"cuCtxDestroy_v2": func(id uintptr) uintptr {
		f := active.Load()
		f.mu.Lock()
		defer f.mu.Unlock()
		for d, c := range f.devices {
			if c.id == id && d < 0 {
				f.drop(d, c)
				return 0
			}
		}
		return uintptr(driver.InvalidContext)
	},
	"cuCtxGetLimit": func(v *uintptr, l int32) uintptr {
		return in("cuCtxGetLimit", func(c *fakeContext) error {
			n, err := c.Limit(driver.Limit(l))
			*v = uintptr(n)
			return err
		})
	},
	"cuCtxSetLimit": func(l int32, v uintptr) uintptr {
		return in("cuCtxSetLimit", func(c *fakeContext) error { return c.SetLimit(driver.Limit(l), uint64(v)) })
	},
	"cuCtxGetCacheConfig": func(v *int32) uintptr {
		return in("cuCtxGetCacheConfig", func(c *fakeContext) error {
			n, err := c.CacheConfig()
			*v = int32(n)
			return err
		})
	},
	"cuCtxSetCacheConfig": func(v int32) uintptr {
		return in("cuCtxSetCacheConfig", func(c *fakeContext) error { return c.SetCacheConfig(driver.CacheConfig(v)) })
	},
	"cuCtxGetStreamPriorityRange": func(least, greatest *int32) uintptr {
		return in("cuCtxGetStreamPriorityRange", func(c *fakeContext) error { *least, *greatest = 0, -5; return nil })
	},
	"cuProfilerStart": func() uintptr { return in("cuProfilerStart", func(c *fakeContext) error { return nil }) },
	"cuProfilerStop":  func() uintptr { return in("cuProfilerStop", func(c *fakeContext) error { return nil }) },
	"cuFuncSetCacheConfig": func(f uintptr, v int32) uintptr {
		return in("cuFuncSetCacheConfig", func(c *fakeContext) error {
			return c.SetFunctionCache(driver.Function(f), driver.CacheConfig(v))
		})
	},
	"cuOccupancyMaxActiveBlocksPerMultiprocessor": func(n *int32, f uintptr, threads int32, shared uintptr) uintptr {
		return in("cuOccupancyMaxActiveBlocksPerMultiprocessor", func(c *fakeContext) error {
			v, err := c.Occupancy(driver.Function(f), int(threads), uint64(shared))
			*n = int32(v)
			return err
		})
	},
	"cuOccupancyMaxPotentialBlockSize": func(blocks, threads *int32, f, fn, shared uintptr, limit int32) uintptr {
		return in("cuOccupancyMaxPotentialBlockSize", func(c *fakeContext) error {
			b, n, err := c.SuggestBlock(driver.Function(f), uint64(shared), int(limit))
			*blocks, *threads = int32(b), int32(n)
			return err
		})
	},
	"cuLinkCreate_v2": func(n uint32, options *int32, values, p *uintptr) uintptr {
		return in("cuLinkCreate", func(c *fakeContext) error {
			l := &fakeLinker{}
			var log, size uintptr
			for i, o := range unsafe.Slice(options, n) {
				switch v := unsafe.Slice(values, n)[i]; cuapi.JITOption(o) {
				case cuapi.JITErrorLogBuffer:
					log = v
				case cuapi.JITErrorLogBufferSize:
					size = v
				}
			}
			l.log = memory(log, int(size))
			f := active.Load()
			f.mu.Lock()
			defer f.mu.Unlock()
			f.linkers = append(f.linkers, l)
			*p = uintptr(len(f.linkers))
			c.mu.Lock()
			defer c.mu.Unlock()
			c.made["linker"]++
			return nil
		})
	},
	"cuLinkAddData_v2": func(l uintptr, kind int32, data, n, name uintptr, options uint32, o, v uintptr) uintptr {
		return in("cuLinkAddData", func(c *fakeContext) error {
			if kind != cuapi.InputPTX {
				return driver.NoBinaryForGPU
			}
			k := linker(l)
			k.inputs = append(k.inputs, driver.LinkInput{Name: dl.GoString(name), Data: []byte(strings.TrimRight(string(memory(data, int(n))), "\x00"))})
			return nil
		})
	},
	"cuLinkComplete": func(l uintptr, image, size *uintptr) uintptr {
		return in("cuLinkComplete", func(c *fakeContext) (err error) {
			k := linker(l)
			var log string
			if k.image, log, err = c.Link(k.inputs, driver.ModuleOptions{}); err != nil {
				copy(k.log[:len(k.log)-1], log+"\x00")
				return driver.Unknown
			}
			*image, *size = uintptr(unsafe.Pointer(&k.image[0])), uintptr(len(k.image))
			return nil
		})
	},
	"cuLinkDestroy": func(l uintptr) uintptr {
		return in("cuLinkDestroy", func(c *fakeContext) error {
			linker(l).image = nil
			return c.note("linker", -1, nil)
		})
	},
}

func linker(l uintptr) *fakeLinker {
	f := active.Load()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.linkers[l-1]
}
