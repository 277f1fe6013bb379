package ops

import (
	"fmt"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// Loads, stores, fences and address conversion (PTX ISA, Data Movement and Conversion Instructions; Generic Addressing).
var memoryOps = map[ir.Op]compiler{
	ir.OpLoad: load, ir.OpStore: store, ir.OpCvta: cvta, ir.OpCvtaTo: cvtaTo, ir.OpIsSpace: isSpace,
	ir.OpFence: only(func(w *Warp, mask uint32, _, _ []*Lanes) *engine.Fault {
		w.synchronize()
		if w.Watch != nil {
			w.Watch.Fence(w.ID, mask)
		}
		return nil
	}),
}

// synchronize orders all accesses before it before all accesses after it: a store followed by a load, both sequentially
// consistent (the Go memory model), stand between them.
func (w *Warp) synchronize() {
	w.fence.Store(0)
	w.fence.Load()
}

// CUDA's statuses of faults.
const (
	illegalAddress      = 700
	assertFailed        = 710
	misalignedAddress   = 716
	invalidAddressSpace = 717
	launchFailed        = 719
)

var spaceNames = map[ir.Space]string{
	ir.SpaceGeneric: "generic", ir.SpaceGlobal: "global", ir.SpaceConst: "const", ir.SpaceShared: "shared",
	ir.SpaceLocal: "local", ir.SpaceParam: "param",
}

// access is the part of a memory operation that all of them share: where the bytes are and whether a lane may have them.
type access struct {
	space  ir.Space
	offset uint64 // added to the address
	keep   uint64 // of the sum: 32 bit addresses wrap around
	size   uint64 // bytes, also the alignment
	kind   string // "read", "write", "atomic"
}

func newAccess(in *ir.Instr, kind string, elements int) (access, error) {
	a := access{space: in.Space, offset: in.Imm, keep: width(in.Args[0].Type), size: uint64(in.As.Bytes() * elements), kind: kind}
	if a.size == 0 || a.size > 64 || a.size&(a.size-1) != 0 || spaceNames[in.Space] == "" {
		return a, unsupported(in)
	}
	return a, nil
}

// resolve turns each lane's address into the address of the memory in place. It checks all lanes before it returns, and
// faults for the lowest one that may not have its bytes.
func (a *access) resolve(w *Warp, mask uint32, addresses, place *Lanes) *engine.Fault {
	for ; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros32(mask)
		addr := (addresses[i] + a.offset) & a.keep
		at, code := a.find(w, i, addr)
		if code != 0 {
			return a.fault(w, i, addr, code)
		}
		place[i] = at
	}
	return nil
}

// find returns the place of a lane's bytes, or the status that tells why it may not have them. The rule is the design's
// (Semantics, Legal access): one allocation or window, or the block's own shared or the thread's own local memory.
func (a *access) find(w *Warp, lane int, addr uint64) (at uint64, code uint32) {
	if addr&(a.size-1) != 0 {
		return 0, misalignedAddress
	}
	switch a.space {
	case ir.SpaceShared:
		if inside(addr, a.size, uint64(w.Launch.SharedBytes)) {
			return w.Windows.Shared + addr, 0
		}
		return 0, illegalAddress
	case ir.SpaceLocal:
		if inside(addr, a.size, w.LocalBytes) {
			return w.local(lane) + addr, 0
		}
		return 0, illegalAddress
	}
	if w.Cache.Legal(addr, int(a.size)) {
		return addr, 0
	}
	if w.own(lane, addr, a.size) {
		if a.space == ir.SpaceGeneric {
			return addr, 0
		}
		return 0, invalidAddressSpace
	}
	return 0, illegalAddress
}

// own reports whether the bytes lie in the block's shared or the lane's local memory.
func (w *Warp) own(lane int, addr, size uint64) bool {
	return inside(addr-w.Windows.Shared, size, uint64(w.Launch.SharedBytes)) || inside(addr-w.local(lane), size, w.LocalBytes)
}

func inside(offset, size, limit uint64) bool { return offset < limit && size <= limit-offset }

func (a *access) fault(w *Warp, lane int, addr uint64, code uint32) *engine.Fault {
	f := w.Fault(code, lane, "")
	f.Access, f.Addr, f.Size, f.Space = a.kind, addr, int(a.size), spaceNames[a.space]
	switch {
	case code == misalignedAddress:
		f.Detail = fmt.Sprintf("the address is not a multiple of %d", a.size)
	case code == invalidAddressSpace:
		f.Detail = "the address is one of shared or local memory"
	case a.space == ir.SpaceShared:
		f.Detail = fmt.Sprintf("outside the block's %d bytes of shared memory", w.Launch.SharedBytes)
	case a.space == ir.SpaceLocal:
		f.Detail = fmt.Sprintf("outside the thread's %d bytes of local memory", w.LocalBytes)
	default:
		f.Detail = w.Memory.Explain(addr, a.size)
	}
	return f
}

// extension returns what a loaded element becomes in a result: extended by the sign of its type, cut to the result.
func extension(as, result ir.Type) scalar1 {
	keep, n := width(result), as.Bits()
	if as.Signed() && n < result.Bits() {
		return func(v uint64) uint64 { return signExtend(v, n) & keep }
	}
	return func(v uint64) uint64 { return v & keep }
}

func load(in *ir.Instr) (Func, error) {
	a, err := newAccess(in, "read", len(in.Results))
	if err != nil || in.As.Bytes() > 8 {
		return nil, unsupported(in)
	}
	if in.Space == ir.SpaceParam {
		return loadParam(in, a), nil
	}
	size, read := in.As.Bytes(), mem.Load
	if in.Order != ir.Weak {
		read = loadOrdered
	}
	extend := extension(in.As, in.Results[0].Type)
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		var place Lanes
		if fault := a.resolve(w, mask, args[0], &place); fault != nil {
			return fault
		}
		if w.Watch != nil {
			w.see(engine.Access{In: in, Mask: mask, Kind: engine.Read, Size: int(a.size)}, &place)
		}
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			for k, d := range results {
				d[i] = extend(read(place[i]+uint64(k*size), size))
			}
		}
		return nil
	}, nil
}

// see shows an access to whoever watches. It copies, so that nothing of an access that nobody watches is allocated.
func (w *Warp) see(a engine.Access, place *Lanes) {
	w.seen, w.places = a, *place
	w.seen.Warp, w.seen.Place = w.ID, (*[engine.WarpSize]uint64)(&w.places)
	w.Watch.Access(&w.seen)
}

// same returns the lanes that store what is there already, from before or from a lower lane.
func same(mask uint32, place *Lanes, values []*Lanes, size int) (out uint32) {
	keep := ^uint64(0) >> (64 - 8*size)
	last, ascending := uint64(0), true
	for m := mask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		ascending = ascending && place[i] > last
		last = place[i]
		before := -1 // the lane that stores there last
		for lower := mask & (1<<i - 1); lower != 0 && !ascending; lower &= lower - 1 {
			if j := bits.TrailingZeros32(lower); place[i] == place[j] {
				before = j
			}
		}
		equal := true
		for k, v := range values {
			if before >= 0 {
				equal = equal && v[i]&keep == v[before]&keep
			} else {
				equal = equal && mem.Load(place[i]+uint64(k*size), size) == v[i]&keep
			}
		}
		if equal {
			out |= 1 << i
		}
	}
	return out
}

// loadOrdered is a load that other goroutines' stores are ordered against.
func loadOrdered(addr uint64, size int) uint64 {
	switch size {
	case 4:
		return uint64(mem.AtomicLoad32(addr))
	case 8:
		return mem.AtomicLoad64(addr)
	}
	return mem.Load(addr, size)
}

func storeOrdered(addr uint64, size int, v uint64) {
	switch size {
	case 4:
		mem.AtomicStore32(addr, uint32(v))
	case 8:
		mem.AtomicStore64(addr, v)
	default:
		mem.Store(addr, size, v)
	}
}

// loadParam reads the parameter block, which lies in Go's memory.
func loadParam(in *ir.Instr, a access) Func {
	size := in.As.Bytes()
	extend := extension(in.As, in.Results[0].Type)
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			at := (args[0][i] + a.offset) & a.keep
			if !inside(at, a.size, uint64(len(w.Launch.Params))) {
				f := a.fault(w, i, at, illegalAddress)
				f.Detail = fmt.Sprintf("outside the %d bytes of parameters", len(w.Launch.Params))
				return f
			}
			for k, d := range results {
				var v uint64
				for b, x := range w.Launch.Params[at+uint64(k*size):][:size] {
					v |= uint64(x) << (8 * b)
				}
				d[i] = extend(v)
			}
		}
		return nil
	}
}

func store(in *ir.Instr) (Func, error) {
	a, err := newAccess(in, "write", len(in.Args)-1)
	if err != nil || in.As.Bytes() > 8 || in.Space == ir.SpaceConst || in.Space == ir.SpaceParam {
		return nil, unsupported(in)
	}
	size, write := in.As.Bytes(), mem.Store
	if in.Order != ir.Weak {
		write = storeOrdered
	}
	return func(w *Warp, mask uint32, args, _ []*Lanes) *engine.Fault {
		var place Lanes
		if fault := a.resolve(w, mask, args[0], &place); fault != nil {
			return fault
		}
		if w.Watch != nil {
			w.see(engine.Access{In: in, Mask: mask, Kind: engine.Write, Size: int(a.size), Same: same(mask, &place, args[1:], size)}, &place)
		}
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			for k, v := range args[1:] {
				write(place[i]+uint64(k*size), size, v[i])
			}
		}
		return nil
	}, nil
}

// window returns where the addresses of a space begin in the generic space.
func window(space ir.Space) func(w *Warp, lane int) uint64 {
	switch space {
	case ir.SpaceGlobal, ir.SpaceConst, ir.SpaceGeneric:
		return func(*Warp, int) uint64 { return 0 }
	case ir.SpaceShared:
		return func(w *Warp, _ int) uint64 { return w.Windows.Shared }
	case ir.SpaceLocal:
		return (*Warp).local
	}
	return nil
}

func cvta(in *ir.Instr) (Func, error) { return convertAddress(in, 1) }

func cvtaTo(in *ir.Instr) (Func, error) { return convertAddress(in, ^uint64(0)) }

func convertAddress(in *ir.Instr, sign uint64) (Func, error) {
	base := window(in.Space)
	if base == nil {
		return nil, unsupported(in)
	}
	keep := width(in.Results[0].Type)
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			results[0][i] = (args[0][i] + sign*base(w, i)) & keep
		}
		return nil
	}, nil
}

// isSpace tells the windows apart. Global is what is neither shared nor local; constant memory lies in global memory.
func isSpace(in *ir.Instr) (Func, error) {
	shared := func(w *Warp, _ int, a uint64) bool {
		return inside(a-w.Windows.Shared, 1, uint64(w.Launch.SharedBytes))
	}
	local := func(w *Warp, lane int, a uint64) bool { return inside(a-w.local(lane), 1, w.LocalBytes) }
	test, ok := map[ir.Space]func(*Warp, int, uint64) bool{
		ir.SpaceShared: shared,
		ir.SpaceLocal:  local,
		ir.SpaceGlobal: func(w *Warp, lane int, a uint64) bool { return !shared(w, lane, a) && !local(w, lane, a) },
		ir.SpaceParam:  func(*Warp, int, uint64) bool { return false },
	}[in.Space]
	if !ok {
		return nil, unsupported(in)
	}
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			results[0][i] = b2u(test(w, i, args[0][i]))
		}
		return nil
	}, nil
}
