package enginetest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
)

// imageForm is `image:TYPE*CHANNELS:WIDTHxHEIGHTxDEPTH:FLAGS[VALUES]`: the handle of a texture and surface object of an image
// that holds the values, read as the flags say, which are joined by +: linear, normalized, unit, and clamp, wrap, mirror or
// border for all dimensions. What follows is as for a buffer.
var imageForm = regexp.MustCompile(`^image:(\w+)\*([124]):([0-9x]+):([\w+]*)(\[.*)$`)

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
	if a, err = parseArgument(m[1] + m[5]); err != nil {
		return a, true, err
	}
	t := &rt.Texture{}
	t.Format = formats[a.as]
	t.Channels, _ = strconv.Atoi(m[2])
	extent, err := parseExtent(m[3])
	if err != nil {
		return a, true, err
	}
	t.Width, t.Height, t.Depth = int(extent[0]), int(extent[1]), int(extent[2])
	if n := t.Width * t.Height * t.Depth * t.Channels; t.Format == 0 || n != len(a.values) {
		return a, true, fmt.Errorf("%q: want %d channels of an image", s, n)
	}
	t.RowPitch = uint64(t.Width * t.TexelBytes())
	t.SlicePitch = uint64(t.Height) * t.RowPitch
	for flag := range strings.SplitSeq(m[4], "+") {
		mode, known := addressModes[flag]
		switch {
		case known:
			t.Address = [3]rt.AddressMode{mode, mode, mode}
		case flag == "linear":
			t.Linear = true
		case flag == "normalized":
			t.Normalized = true
		case flag == "unit":
			t.Unit = true
		case flag != "":
			return a, true, fmt.Errorf("%q: no flag %q", s, flag)
		}
	}
	a.image = t
	return a, true, nil
}
