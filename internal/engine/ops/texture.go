package ops

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/fpmath"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// Textures and surfaces (PTX ISA, Texture Instructions and Surface Instructions; CUDA C++ Programming Guide, Texture
// Fetching).
var textureOps = map[ir.Op]compiler{ir.OpTex: tex, ir.OpSuld: suld, ir.OpSust: sust}

// texel is the channels of a texel: f32 where the texture gives numbers, else integers.
type texel [4]uint32

// sampler reads one texture for one lane.
type sampler struct {
	w    *Warp
	lane int
	t    *rt.Texture
	// image is the level of detail that is read. extent is its size, of a layered one or a cube that of one slice; first is
	// its first slice.
	image  *rt.Image
	extent [3]int
	first  int
	// address and normalized are the texture's, as far as they hold for the instruction.
	address    [3]rt.AddressMode
	normalized bool
	fault      *engine.Fault
}

// numbers reports whether a texture gives numbers rather than integers.
func numbers(t *rt.Texture) bool { return t.Format >= rt.Half || t.Unit && t.Format.Bytes() < 4 }

// object returns the texture or surface with a handle.
func object(w *Warp, lane int, handle uint64) (*rt.Texture, *engine.Fault) {
	if t := w.Launch.Runtime.Object(handle); t != nil {
		return t, nil
	}
	return nil, w.Fault(illegalAddress, lane, fmt.Sprintf("%#x is no texture or surface object", handle))
}

// addressed is the index that an address mode gives for i of n texels; false is the border.
func addressed(m rt.AddressMode, i, n int) (int, bool) {
	switch m {
	case rt.Wrap:
		return (i%n + n) % n, true
	case rt.Mirror:
		if i = (i%(2*n) + 2*n) % (2 * n); i >= n {
			i = 2*n - 1 - i
		}
		return i, true
	case rt.Border:
		return i, i >= 0 && i < n
	}
	return max(0, min(n-1, i)), true
}

// at reads the texel at an index.
func (s *sampler) at(index [3]int) texel {
	t := s.t
	for d, n := range s.extent {
		mode := s.address[d]
		if !s.normalized && (mode == rt.Wrap || mode == rt.Mirror) {
			mode = rt.Clamp
		}
		i, inside := addressed(mode, index[d], n)
		if !inside {
			return s.border()
		}
		index[d] = i
	}
	addr := s.image.Addr + uint64(index[2]+s.first)*s.image.SlicePitch + uint64(index[1])*s.image.RowPitch + uint64(index[0]*t.TexelBytes())
	if !s.w.Cache.Legal(addr, t.TexelBytes()) {
		a := access{space: ir.SpaceGlobal, size: uint64(t.TexelBytes()), kind: "read"}
		s.fault = a.fault(s.w, s.lane, addr, illegalAddress)
		return texel{}
	}
	v := s.missing()
	size := t.Format.Bytes()
	for c := range t.Channels {
		v[c] = channel(t, mem.Load(addr+uint64(c*size), size))
	}
	return v
}

// missing is what channels give that the format does not have: 0, the last one 1.
func (s *sampler) missing() texel {
	if numbers(s.t) {
		return texel{3: math.Float32bits(1)}
	}
	return texel{3: 1}
}

func (s *sampler) border() texel {
	v := s.missing()
	for c, x := range s.t.BorderColor[:s.t.Channels] {
		v[c] = math.Float32bits(x)
		if !numbers(s.t) {
			v[c] = uint32(fpmath.F32ToS32(x))
		}
	}
	return v
}

// channel is a channel of a texel as kernels see it.
func channel(t *rt.Texture, v uint64) uint32 {
	n := 8 * t.Format.Bytes()
	switch t.Format {
	case rt.Half:
		return math.Float32bits(fpmath.F16ToF32(uint16(v)))
	case rt.Float, rt.Unsigned32, rt.Signed32:
		return uint32(v)
	case rt.Signed8, rt.Signed16:
		x := int64(signExtend(v, n))
		if t.Unit {
			return math.Float32bits(max(-1, float32(x)/float32(int64(1)<<(n-1)-1)))
		}
		return uint32(x)
	}
	if t.Unit {
		return math.Float32bits(float32(v) / float32(uint64(1)<<n-1))
	}
	return uint32(v)
}

// position is a coordinate in texels: normalised ones are multiplied by the extent.
func (s *sampler) position(x float32, d int) float64 {
	p := float64(x)
	if s.normalized {
		p *= float64(s.extent[d])
	}
	switch {
	case p != p:
		return 0
	case math.Abs(p) > 1<<30:
		return math.Copysign(1<<30, p)
	}
	return p
}

// nearest reads the texel that contains the coordinates.
func (s *sampler) nearest(x [3]float32, n int) texel {
	var index [3]int
	for d := range n {
		index[d] = int(math.Floor(s.position(x[d], d)))
	}
	return s.at(index)
}

// corner returns the lower of the texels that a linear filter reads, and the weight of the upper ones in units of 1/256,
// as which the hardware keeps it (CUDA C++ Programming Guide, Linear Filtering).
func (s *sampler) corner(x [3]float32, n int) (index [3]int, weight [3]float32) {
	for d := range n {
		p := s.position(x[d], d) - 0.5
		i := math.Floor(p)
		index[d], weight[d] = int(i), float32(math.RoundToEven((p-i)*256)/256)
	}
	return index, weight
}

// linear interpolates, x first: a + w·(b - a) would not give b for w = 1, so it is (1-w)·a + w·b, rounded to f32 after each
// operation.
func (s *sampler) linear(x [3]float32, n int) texel {
	index, weight := s.corner(x, n)
	var v [8]texel
	for k := range 1 << n {
		v[k] = s.at([3]int{index[0] + k&1, index[1] + k>>1&1, index[2] + k>>2&1})
	}
	for d := range n {
		for k := range 1 << (n - 1 - d) {
			v[k] = blend(v[2*k], v[2*k+1], weight[d])
		}
	}
	return v[0]
}

// blend is the part 1-w of a and the part w of b.
func blend(a, b texel, w float32) texel {
	for c := range a {
		low := float32((1 - w) * math.Float32frombits(a[c]))
		high := float32(w * math.Float32frombits(b[c]))
		a[c] = math.Float32bits(low + high)
	}
	return a
}

// gather reads one channel of the four texels around the coordinates (PTX ISA, tld4).
func (s *sampler) gather(x [3]float32, c int) (v texel) {
	i, _ := s.corner(x, 2)
	for k, d := range [4][2]int{{0, 1}, {1, 1}, {1, 0}, {0, 0}} {
		v[k] = s.at([3]int{i[0] + d[0], i[1] + d[1], 0})[c]
	}
	return v
}

// side is a face of a cube: the largest of a direction's coordinates, and those across and down on the face (CUDA C++
// Programming Guide, Cubemap Textures).
type side struct{ major, across, down signed }

// signed is a coordinate of a direction, or its negative.
type signed struct {
	axis int
	sign float32
}

func (c signed) of(v [3]float32) float32 { return c.sign * v[c.axis] }

// sides by the number of the face: +x, -x, +y, -y, +z, -z.
var sides = [6]side{
	{signed{0, 1}, signed{2, -1}, signed{1, -1}}, {signed{0, -1}, signed{2, 1}, signed{1, -1}},
	{signed{1, 1}, signed{0, 1}, signed{2, 1}}, {signed{1, -1}, signed{0, 1}, signed{2, -1}},
	{signed{2, 1}, signed{0, 1}, signed{1, -1}}, {signed{2, -1}, signed{0, -1}, signed{1, -1}},
}

// at is where a direction meets the face, from 0 to 1.
func (f *side) at(v [3]float32) (x, y float32) {
	m := f.major.of(v)
	return (f.across.of(v)/m + 1) / 2, (f.down.of(v)/m + 1) / 2
}

// moved is how far that place moves, for a small change of the direction.
func (f *side) moved(v, change [3]float32) [3]float64 {
	m, dm := float64(f.major.of(v)), float64(f.major.of(change))
	by := func(c signed) float64 { return (float64(c.of(change))*m - float64(c.of(v))*dm) / (2 * m * m) }
	return [3]float64{by(f.across), by(f.down)}
}

// face is the face of a cube that a direction meets.
func face(v [3]float32) int {
	var a [3]float32
	for d, x := range v {
		a[d] = fpmath.Abs32(x, false)
	}
	axis := 2
	switch {
	case a[0] >= a[1] && a[0] >= a[2]:
		axis = 0
	case a[1] >= a[2]:
		axis = 1
	}
	if v[axis] < 0 {
		return 2*axis + 1
	}
	return 2 * axis
}

// prepare finds the slice of a level of detail that an instruction reads, and the extents in it.
func (s *sampler) prepare(g ir.TexGeometry, layer uint32, level int) {
	s.image = s.t.Level(level)
	s.extent, s.first = [3]int{s.image.Width, s.image.Height, s.image.Depth}, 0
	if g == ir.Tex3D {
		return
	}
	s.extent[2] = 1
	switch {
	case g == ir.TexACube:
		s.first = 6 * min(int(layer), s.image.Depth/6-1)
	case g.Layered():
		s.first = min(int(layer), s.image.Depth-1)
	}
}

// cube reports whether a geometry is one of cubes.
func cube(g ir.TexGeometry) bool { return g == ir.TexCube || g == ir.TexACube }

// sample executes an ir.OpTex for one lane.
func (s *sampler) sample(in *ir.Instr, g ir.TexGeometry, operands []uint32) texel {
	s.address, s.normalized = s.t.Address, s.t.Normalized && in.From == ir.F32
	if cube(g) { // normalised coordinates, and faces end at their edges
		s.address, s.normalized = [3]rt.AddressMode{}, true
	}
	var layer uint32
	if g.Layered() {
		layer, operands = operands[0], operands[1:]
	}
	n := g.Coordinates()
	s.prepare(g, layer, 0)
	level, weight := s.detail(in, g, operands[:n], operands[n:])
	s.prepare(g, layer, level)
	v := s.read(in, g, operands[:n])
	if weight > 0 {
		s.prepare(g, layer, level+1)
		v = blend(v, s.read(in, g, operands[:n]), weight)
	}
	return v
}

// read reads a level of detail.
func (s *sampler) read(in *ir.Instr, g ir.TexGeometry, at []uint32) texel {
	if in.From != ir.F32 {
		var index [3]int // 0 in dimensions that are not there
		for d, i := range at {
			index[d] = int(int32(i))
		}
		return s.at(index)
	}
	x, n := point(at), len(at)
	if cube(g) {
		f := face(x)
		s.first += f
		x[0], x[1] = sides[f].at(x)
		n = 2
	}
	switch {
	case in.Imm >= ir.TexGather && in.Imm < ir.TexLevel:
		return s.gather(x, int(in.Imm-ir.TexGather))
	case s.t.Linear && numbers(s.t):
		return s.linear(x, n)
	}
	return s.nearest(x, n)
}

// point is a vector of up to three f32, 0 in dimensions that are not there.
func point(operands []uint32) (x [3]float32) {
	for d, v := range operands {
		x[d] = math.Float32frombits(v)
	}
	return x
}

// detail finds the level of detail to read, and the weight of the next one. Of a level between two PTX says only that these are
// interpolated: it is kept in units of 1/256, as places between texels are, and half way the level with less detail is the nearest.
func (s *sampler) detail(in *ir.Instr, g ir.TexGeometry, at, choice []uint32) (level int, weight float32) {
	last := float64(len(s.t.Levels))
	if last == 0 || len(choice) == 0 {
		return 0, 0
	}
	var lod float64
	switch {
	case in.From != ir.F32: // texels are named, and so is their level
		return int(max(0, min(last, float64(int32(choice[0]))))), 0
	case in.Imm == ir.TexGrad:
		lod = s.footprint(g, point(at), choice)
	default:
		lod = float64(math.Float32frombits(choice[0]))
	}
	if lod != lod {
		lod = 0
	}
	lod = max(float64(s.t.MinLevel), min(float64(s.t.MaxLevel), lod+float64(s.t.LevelBias)))
	units := int(math.RoundToEven(256 * max(0, min(last, lod))))
	if !s.t.LinearLevels || !numbers(s.t) {
		return (units + 128) / 256, 0
	}
	return units / 256, float32(units%256) / 256
}

// footprint is the level of detail in whose texels the longer of two gradients has the length 1: the binary logarithm of its length in
// texels of the first level.
func (s *sampler) footprint(g ir.TexGeometry, at [3]float32, gradients []uint32) float64 {
	n, longest := g.Coordinates(), 0.0
	for k := range 2 {
		change := point(gradients[k*n:][:n])
		moved := [3]float64{float64(change[0]), float64(change[1]), float64(change[2])}
		if cube(g) {
			moved = sides[face(at)].moved(at, change)
		}
		square := 0.0
		for d, v := range moved {
			if s.normalized {
				v *= float64(s.extent[d])
			}
			square += v * v
		}
		longest = max(longest, square)
	}
	return math.Log2(longest) / 2
}

func tex(in *ir.Instr) (Func, error) {
	g := ir.TexGeometry(in.Sub)
	if g.Coordinates() == 0 || in.Imm > ir.TexGrad || in.Imm >= ir.TexGather && in.Imm < ir.TexLevel && g != ir.Tex2D && g != ir.TexA2D {
		return nil, unsupported(in)
	}
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			t, fault := object(w, i, args[0][i])
			if fault != nil {
				return fault
			}
			var operands [10]uint32 // a layer, three coordinates, two gradients
			for k, a := range args[1:] {
				operands[k] = uint32(a[i])
			}
			s := &sampler{w: w, lane: i, t: t}
			v := s.sample(in, g, operands[:len(args)-1])
			if s.fault != nil {
				return s.fault
			}
			for c, d := range results {
				d[i] = uint64(v[c])
			}
		}
		return nil
	}, nil
}

// surface finds the address of a lane's bytes in a surface; ok is false where none are accessed.
func surface(w *Warp, lane int, in *ir.Instr, size int, args []*Lanes) (addr uint64, ok bool, fault *engine.Fault) {
	t, fault := object(w, lane, args[0][lane])
	if fault != nil {
		return 0, false, fault
	}
	g := ir.TexGeometry(in.Sub)
	s := sampler{t: t}
	at := args[1:]
	if g.Layered() {
		if layer := uint32(at[0][lane]); int(layer) >= t.Depth && in.Imm != ir.SurfClamp {
			return 0, false, outside(w, lane, in)
		}
		s.prepare(g, uint32(at[0][lane]), 0)
		at = at[1:]
	} else {
		s.prepare(g, 0, 0)
	}
	extent := s.extent
	extent[0] = extent[0]*t.TexelBytes() - size + 1
	var index [3]int
	for d := range g.Coordinates() {
		i := int(int32(at[d][lane]))
		switch {
		case i >= 0 && i < extent[d]:
		case in.Imm == ir.SurfClamp:
			i = max(0, min(extent[d]-1, i))
		default:
			return 0, false, outside(w, lane, in)
		}
		index[d] = i
	}
	addr = t.Addr + uint64(index[2]+s.first)*t.SlicePitch + uint64(index[1])*t.RowPitch + uint64(index[0])
	a := access{space: ir.SpaceGlobal, size: uint64(size), kind: "surface"}
	place, code := a.find(w, lane, addr)
	if code != 0 {
		return 0, false, a.fault(w, lane, addr, code)
	}
	return place, true, nil
}

func outside(w *Warp, lane int, in *ir.Instr) *engine.Fault {
	if in.Imm == ir.SurfZero {
		return nil
	}
	return w.Fault(illegalAddress, lane, "the coordinates are outside the surface")
}

func suld(in *ir.Instr) (Func, error) {
	if ir.TexGeometry(in.Sub).Coordinates() == 0 || in.As.Bytes() > 8 || in.Imm > ir.SurfZero {
		return nil, unsupported(in)
	}
	size := in.As.Bytes()
	extend := extension(in.As, in.Results[0].Type)
	return func(w *Warp, mask uint32, args, results []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			addr, ok, fault := surface(w, i, in, size*len(results), args)
			if fault != nil {
				return fault
			}
			for k, d := range results {
				d[i] = 0
				if ok {
					d[i] = extend(mem.Load(addr+uint64(k*size), size))
				}
			}
		}
		return nil
	}, nil
}

func sust(in *ir.Instr) (Func, error) {
	g := ir.TexGeometry(in.Sub)
	first := 1 + g.Coordinates()
	if g.Layered() {
		first++
	}
	if g.Coordinates() == 0 || in.As.Bytes() > 8 || in.Imm > ir.SurfZero || len(in.Args) <= first {
		return nil, unsupported(in)
	}
	size := in.As.Bytes()
	return func(w *Warp, mask uint32, args, _ []*Lanes) *engine.Fault {
		for ; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			addr, ok, fault := surface(w, i, in, size*len(args[first:]), args)
			if fault != nil {
				return fault
			}
			for k, v := range args[first:] {
				if ok {
					mem.Store(addr+uint64(k*size), size, v[i])
				}
			}
		}
		return nil
	}, nil
}
