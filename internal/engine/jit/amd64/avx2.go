package amd64

// Instructions that only the engine for AVX2 uses. Their gathers take the mask as second operand.
var (
	VPERMQI       = &Row{Name: "vpermq", Map: 3, PP: 1, Op: 0x00, Enc: VEX | VEXW1, Elem: 8}
	VPMASKMOVDS   = &Row{Name: "vpmaskmovd", Map: 2, PP: 1, Op: 0x8e, Enc: VEX, Elem: 4}
	VPMASKMOVQS   = &Row{Name: "vpmaskmovq", Map: 2, PP: 1, Op: 0x8e, Enc: VEX | VEXW1, Elem: 8}
	VPGATHERDDVEX = &Row{Name: "vpgatherdd", Map: 2, PP: 1, Op: 0x90, Enc: VEX, Elem: 4}
	VPGATHERQDVEX = &Row{Name: "vpgatherqd", Map: 2, PP: 1, Op: 0x91, Enc: VEX, Elem: 4}
	VPGATHERQQVEX = &Row{Name: "vpgatherqq", Map: 2, PP: 1, Op: 0x91, Enc: VEX | VEXW1, Elem: 8}
)

// AVX2Rows are these instructions by the name of their variable.
var AVX2Rows = map[string]*Row{
	"VPERMQI": VPERMQI, "VPMASKMOVDS": VPMASKMOVDS, "VPMASKMOVQS": VPMASKMOVQS,
	"VPGATHERDDVEX": VPGATHERDDVEX, "VPGATHERQDVEX": VPGATHERQDVEX, "VPGATHERQQVEX": VPGATHERQQVEX,
}
