package gl

import "github.com/tandem-go/tandem/cuda"

// OpenGL's names of what pixels are made of.
const (
	red, rg, rgba                      = 0x1903, 0x8227, 0x1908
	redInteger, rgInteger, rgbaInteger = 0x8D94, 0x8228, 0x8D99
	int8s, uint8s, int16s, uint16s     = 0x1400, 0x1401, 0x1402, 0x1403
	int32s, uint32s, floats, halfs     = 0x1404, 0x1405, 0x1406, 0x140B
)

// format says how texels of an internal format of OpenGL lie in memory.
type format struct {
	pixels, of uint32 // OpenGL's format and type of a transfer that changes nothing
	texel      cuda.Format
	channels   int
}

// bytes is the size of a texel.
func (f *format) bytes() int {
	switch f.texel {
	case cuda.FormatUint8, cuda.FormatInt8:
		return f.channels
	case cuda.FormatUint32, cuda.FormatInt32, cuda.FormatFloat32:
		return 4 * f.channels
	}
	return 2 * f.channels
}

// formats are the internal formats that cuGraphicsGLRegisterImage takes, by OpenGL's number.
var formats = map[int32]format{
	0x8229: {red, uint8s, cuda.FormatUint8, 1},    // R8
	0x822B: {rg, uint8s, cuda.FormatUint8, 2},     // RG8
	0x8058: {rgba, uint8s, cuda.FormatUint8, 4},   // RGBA8
	0x822A: {red, uint16s, cuda.FormatUint16, 1},  // R16
	0x822C: {rg, uint16s, cuda.FormatUint16, 2},   // RG16
	0x805B: {rgba, uint16s, cuda.FormatUint16, 4}, // RGBA16
	0x822D: {red, halfs, cuda.FormatFloat16, 1},   // R16F
	0x822F: {rg, halfs, cuda.FormatFloat16, 2},    // RG16F
	0x881A: {rgba, halfs, cuda.FormatFloat16, 4},  // RGBA16F
	0x822E: {red, floats, cuda.FormatFloat32, 1},  // R32F
	0x8230: {rg, floats, cuda.FormatFloat32, 2},   // RG32F
	0x8814: {rgba, floats, cuda.FormatFloat32, 4}, // RGBA32F

	0x8231: {redInteger, int8s, cuda.FormatInt8, 1},      // R8I
	0x8237: {rgInteger, int8s, cuda.FormatInt8, 2},       // RG8I
	0x8D8E: {rgbaInteger, int8s, cuda.FormatInt8, 4},     // RGBA8I
	0x8232: {redInteger, uint8s, cuda.FormatUint8, 1},    // R8UI
	0x8238: {rgInteger, uint8s, cuda.FormatUint8, 2},     // RG8UI
	0x8D7C: {rgbaInteger, uint8s, cuda.FormatUint8, 4},   // RGBA8UI
	0x8233: {redInteger, int16s, cuda.FormatInt16, 1},    // R16I
	0x8239: {rgInteger, int16s, cuda.FormatInt16, 2},     // RG16I
	0x8D88: {rgbaInteger, int16s, cuda.FormatInt16, 4},   // RGBA16I
	0x8234: {redInteger, uint16s, cuda.FormatUint16, 1},  // R16UI
	0x823A: {rgInteger, uint16s, cuda.FormatUint16, 2},   // RG16UI
	0x8D76: {rgbaInteger, uint16s, cuda.FormatUint16, 4}, // RGBA16UI
	0x8235: {redInteger, int32s, cuda.FormatInt32, 1},    // R32I
	0x823B: {rgInteger, int32s, cuda.FormatInt32, 2},     // RG32I
	0x8D82: {rgbaInteger, int32s, cuda.FormatInt32, 4},   // RGBA32I
	0x8236: {redInteger, uint32s, cuda.FormatUint32, 1},  // R32UI
	0x823C: {rgInteger, uint32s, cuda.FormatUint32, 2},   // RG32UI
	0x8D70: {rgbaInteger, uint32s, cuda.FormatUint32, 4}, // RGBA32UI
}
