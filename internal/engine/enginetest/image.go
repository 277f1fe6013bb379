package enginetest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
)

// imageForm is `image:TYPE*CHANNELS:WIDTHxHEIGHTxDEPTH/LEVELS:FLAGS[VALUES]`: the handle of a texture and surface object of an
// image that holds the values, one level of detail behind the other, read as the flags say, which are joined by +: linear,
// linearlevels, normalized, unit, clamp, wrap, mirror or border for all dimensions, bias=, min= and max= a number for levels, and
// layers where the depth is the same in all levels. /LEVELS may be missing. What follows is as for a buffer.
var imageForm = regexp.MustCompile(`^image:(\w+)\*([124]):([0-9x]+)(?:/(\d+))?:([\w+=.-]*)(\[.*)$`)

var formats = map[ir.Type]rt.Format{
	ir.U8: rt.Unsigned8, ir.U16: rt.Unsigned16, ir.U32: rt.Unsigned32, ir.S8: rt.Signed8, ir.S16: rt.Signed16, ir.S32: rt.Signed32,
	ir.F16: rt.Half, ir.F32: rt.Float,
}

var addressModes = map[string]rt.AddressMode{"clamp": rt.Clamp, "wrap": rt.Wrap, "mirror": rt.Mirror, "border": rt.Border}

// parseImage reads an argument that is an image; ok is false if it is none.
func parseImage(s string) (a argument, ok bool, err error) {
	m := imageForm.FindStringSubmatch(s)
	if m == nil {
		return a, false, nil
	}
	if a, err = parseArgument(m[1] + m[6]); err != nil {
		return a, true, err
	}
	t := &rt.Texture{MaxLevel: 32}
	t.Format = formats[a.as]
	t.Channels, _ = strconv.Atoi(m[2])
	extent, err := parseExtent(m[3])
	if err != nil {
		return a, true, err
	}
	t.Width, t.Height, t.Depth = int(extent[0]), int(extent[1]), int(extent[2])
	layers := false
	for flag := range strings.SplitSeq(m[5], "+") {
		if flag == "layers" {
			layers = true
			continue
		}
		if err := parseFlag(t, flag); err != nil {
			return a, true, fmt.Errorf("%q: %w", s, err)
		}
	}
	levels, _ := strconv.Atoi(m[4])
	if n := divide(t, max(levels, 1), layers) * t.Channels; t.Format == 0 || n != len(a.values) {
		return a, true, fmt.Errorf("%q: want %d channels of an image", s, n)
	}
	a.image = t
	return a, true, nil
}

// parseFlag notes in t what a flag says.
func parseFlag(t *rt.Texture, flag string) error {
	if mode, ok := addressModes[flag]; ok {
		t.Address = [3]rt.AddressMode{mode, mode, mode}
		return nil
	}
	name, number, valued := strings.Cut(flag, "=")
	on := map[string]*bool{"linear": &t.Linear, "linearlevels": &t.LinearLevels, "normalized": &t.Normalized, "unit": &t.Unit}[name]
	level := map[string]*float32{"bias": &t.LevelBias, "min": &t.MinLevel, "max": &t.MaxLevel}[name]
	switch {
	case flag == "":
		return nil
	case on != nil && !valued:
		*on = true
		return nil
	case level != nil && valued:
		v, err := strconv.ParseFloat(number, 32)
		*level = float32(v)
		return err
	}
	return fmt.Errorf("no flag %q", flag)
}

// divide lays out the levels of detail, which begin at address 0, and returns the number of their texels.
func divide(t *rt.Texture, levels int, layers bool) (texels int) {
	for n := range levels {
		level := rt.Image{
			Addr: uint64(texels * t.TexelBytes()), Width: max(1, t.Width>>n), Height: max(1, t.Height>>n), Depth: max(1, t.Depth>>n),
			Format: t.Format, Channels: t.Channels,
		}
		if layers {
			level.Depth = t.Depth
		}
		level.RowPitch = uint64(level.Width * level.TexelBytes())
		level.SlicePitch = uint64(level.Height) * level.RowPitch
		texels += level.Width * level.Height * level.Depth
		if n > 0 {
			t.Levels = append(t.Levels, level)
		} else {
			t.Image = level
		}
	}
	return texels
}

// placed is the texture with its memory at an address.
func placed(t rt.Texture, addr uint64) rt.Texture {
	t.Addr += addr
	t.Levels = slices.Clone(t.Levels)
	for i := range t.Levels {
		t.Levels[i].Addr += addr
	}
	return t
}
