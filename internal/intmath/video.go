package intmath

// VideoOp is an operation of the SIMD video instructions.
type VideoOp uint8

// The operations. VSetEQ to VSetGE give 1 where the comparison holds, else 0.
const (
	VAdd VideoOp = iota
	VSub
	VAvrg
	VAbsDiff
	VMin
	VMax
	VSetEQ
	VSetNE
	VSetLT
	VSetLE
	VSetGT
	VSetGE
)

// Video is the modifiers of a SIMD video instruction (PTX ISA, vadd2, vadd4 and the like). The zero value is a vop2 with
// unsigned types, the default selectors, all lanes, and no secondary operation.
type Video struct {
	Op VideoOp
	// Bytes makes it a vop4 on four bytes; otherwise a vop2 on two halves.
	Bytes bool
	// ASigned, BSigned and DSigned are the signs of .atype, .btype and .dtype; DSigned matters for Sat.
	ASigned, BSigned, DSigned bool
	// Sat clamps each lane to the range of .dtype.
	Sat bool
	// Add adds all lanes to c (.add); otherwise lanes outside the mask keep c's.
	Add bool
	// ASelect and BSelect name for each lane, lowest first, the lane of {b, a} that the operand reads: 0 to 3 for
	// halves, 0 to 7 for bytes. nil means a's lanes in order for a, and b's for b.
	ASelect, BSelect []uint8
	// NotMask has a bit for each lane that takes no part; 0 means that all do.
	NotMask uint8
}

// Apply returns the result for operands a, b and c.
func (v Video) Apply(a, b, c uint32) uint32 {
	n := 16
	if v.Bytes {
		n = 8
	}
	d := uint32(0)
	if v.Add {
		d = c
	}
	for i := range 32 / n {
		t := v.lane(v.operand(a, b, n, i, v.ASelect, 0, v.ASigned), v.operand(a, b, n, i, v.BSelect, 32/n, v.BSigned))
		if v.Sat {
			t = v.clamp(t, n)
		}
		masked := v.NotMask>>i&1 == 1
		switch {
		case v.Add && !masked:
			d += uint32(t)
		case !v.Add && masked:
			d |= c & ((1<<n - 1) << (i * n))
		case !v.Add:
			d |= uint32(t) & (1<<n - 1) << (i * n)
		}
	}
	return d
}

// operand extracts lane i of an operand: the selected lane of {b, a}, or lane first+i.
func (v Video) operand(a, b uint32, n, i int, selected []uint8, first int, signed bool) int32 {
	k := first + i
	if i < len(selected) {
		k = int(selected[i])
	}
	word := a
	if k >= 32/n {
		word = b
	}
	return int32(lane(word, k%(32/n)*n, n, signed))
}

func (v Video) lane(a, b int32) int32 {
	switch v.Op {
	case VAdd:
		return a + b
	case VSub:
		return a - b
	case VAvrg: // rounds half away from negative infinity for sums that are not negative, down otherwise
		if a+b >= 0 {
			return (a + b + 1) >> 1
		}
		return (a + b) >> 1
	case VAbsDiff:
		return max(a-b, b-a)
	case VMin:
		return min(a, b)
	case VMax:
		return max(a, b)
	}
	if v.compare(a, b) {
		return 1
	}
	return 0
}

func (v Video) compare(a, b int32) bool {
	switch v.Op {
	case VSetEQ:
		return a == b
	case VSetNE:
		return a != b
	case VSetLT:
		return a < b
	case VSetLE:
		return a <= b
	case VSetGT:
		return a > b
	}
	return a >= b
}

func (v Video) clamp(t int32, n int) int32 {
	if v.DSigned {
		return max(-1<<(n-1), min(1<<(n-1)-1, t))
	}
	return max(0, min(1<<n-1, t))
}

// Layout of Video.Encode: the operation in bits 0 to 3, flags from bit 4, the lanes that take no part in bits 12
// to 15, and, where their flags are set, four bits for each lane of the selectors of a from bit 16 and of b from bit 32.
const (
	videoBytes = 1 << (4 + iota)
	videoASigned
	videoBSigned
	videoDSigned
	videoSat
	videoAdd
	videoASelect
	videoBSelect
	videoNotMask     = 12
	videoASelectBits = 16
	videoBSelectBits = 32
)

// Encode packs v into one word, which DecodeVideo reads.
func (v Video) Encode() uint64 {
	imm := uint64(v.Op) | uint64(v.NotMask)<<videoNotMask
	for _, f := range []struct {
		set  bool
		flag uint64
	}{
		{v.Bytes, videoBytes}, {v.ASigned, videoASigned}, {v.BSigned, videoBSigned}, {v.DSigned, videoDSigned},
		{v.Sat, videoSat}, {v.Add, videoAdd}, {v.ASelect != nil, videoASelect}, {v.BSelect != nil, videoBSelect},
	} {
		if f.set {
			imm |= f.flag
		}
	}
	for i, s := range v.ASelect {
		imm |= uint64(s) << (videoASelectBits + 4*i)
	}
	for i, s := range v.BSelect {
		imm |= uint64(s) << (videoBSelectBits + 4*i)
	}
	return imm
}

// DecodeVideo undoes Encode.
func DecodeVideo(imm uint64) Video {
	v := Video{
		Op: VideoOp(imm & 15), Bytes: imm&videoBytes != 0,
		ASigned: imm&videoASigned != 0, BSigned: imm&videoBSigned != 0, DSigned: imm&videoDSigned != 0,
		Sat: imm&videoSat != 0, Add: imm&videoAdd != 0, NotMask: uint8(imm >> videoNotMask & 15),
	}
	lanes := 2
	if v.Bytes {
		lanes = 4
	}
	selectors := func(shift int) (s []uint8) {
		for i := range lanes {
			s = append(s, uint8(imm>>(shift+4*i)&15))
		}
		return s
	}
	if imm&videoASelect != 0 {
		v.ASelect = selectors(videoASelectBits)
	}
	if imm&videoBSelect != 0 {
		v.BSelect = selectors(videoBSelectBits)
	}
	return v
}
