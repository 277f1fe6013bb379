package arm64

// Row describes one instruction.
type Row struct {
	// Name is the mnemonic that GNU as knows.
	Name string
	// Word holds the fixed bits: those of 32 bits where a general instruction has both widths.
	Word uint32
	// D, N and M are the arrangements of vector operands, such as 4s.
	D, N, M string
	// Size is the bytes of an element, or of what a load or store transfers.
	Size uint8
	// Right says that a shift counts downwards.
	Right bool
}

// Instructions on general registers.
var (
	ADD    = &Row{Name: "add", Word: 0x0b000000}
	SUB    = &Row{Name: "sub", Word: 0x4b000000}
	SUBS   = &Row{Name: "subs", Word: 0x6b000000}
	AND    = &Row{Name: "and", Word: 0x0a000000}
	ANDS   = &Row{Name: "ands", Word: 0x6a000000}
	ORR    = &Row{Name: "orr", Word: 0x2a000000}
	ORN    = &Row{Name: "orn", Word: 0x2a200000}
	EOR    = &Row{Name: "eor", Word: 0x4a000000}
	UDIV   = &Row{Name: "udiv", Word: 0x1ac00800}
	SDIV   = &Row{Name: "sdiv", Word: 0x1ac00c00}
	LSLV   = &Row{Name: "lsl", Word: 0x1ac02000}
	LSRV   = &Row{Name: "lsr", Word: 0x1ac02400}
	ASRV   = &Row{Name: "asr", Word: 0x1ac02800}
	CLZ    = &Row{Name: "clz", Word: 0x5ac01000}
	MADD   = &Row{Name: "madd", Word: 0x1b000000}
	MSUB   = &Row{Name: "msub", Word: 0x1b008000}
	SMADDL = &Row{Name: "smaddl", Word: 0x1b200000} // 64 bits only, of operands of 32
	UMADDL = &Row{Name: "umaddl", Word: 0x1ba00000}
	SMULH  = &Row{Name: "smulh", Word: 0x1b407c00} // 64 bits only
	UMULH  = &Row{Name: "umulh", Word: 0x1bc07c00}
	ADDI   = &Row{Name: "add", Word: 0x11000000}
	SUBI   = &Row{Name: "sub", Word: 0x51000000}
	SUBSI  = &Row{Name: "subs", Word: 0x71000000}
	CSEL   = &Row{Name: "csel", Word: 0x1a800000}
	CSINC  = &Row{Name: "csinc", Word: 0x1a800400}
	CSINV  = &Row{Name: "csinv", Word: 0x5a800000}
	UBFM   = &Row{Name: "ubfm", Word: 0x53000000}
	SBFM   = &Row{Name: "sbfm", Word: 0x13000000}
)

// Loads and stores. S forms extend by the sign: to 32 bits, or with X to 64.
var (
	LDRB   = &Row{Name: "ldrb", Word: 0x39400000, Size: 1}
	LDRH   = &Row{Name: "ldrh", Word: 0x79400000, Size: 2}
	LDRW   = &Row{Name: "ldr", Word: 0xb9400000, Size: 4}
	LDRX   = &Row{Name: "ldr", Word: 0xf9400000, Size: 8}
	STRB   = &Row{Name: "strb", Word: 0x39000000, Size: 1}
	STRH   = &Row{Name: "strh", Word: 0x79000000, Size: 2}
	STRW   = &Row{Name: "str", Word: 0xb9000000, Size: 4}
	STRX   = &Row{Name: "str", Word: 0xf9000000, Size: 8}
	LDRSB  = &Row{Name: "ldrsb", Word: 0x39c00000, Size: 1}
	LDRSH  = &Row{Name: "ldrsh", Word: 0x79c00000, Size: 2}
	LDRSBX = &Row{Name: "ldrsb", Word: 0x39800000, Size: 1}
	LDRSHX = &Row{Name: "ldrsh", Word: 0x79800000, Size: 2}
	LDRSWX = &Row{Name: "ldrsw", Word: 0xb9800000, Size: 4}
	LDRQ   = &Row{Name: "ldr", Word: 0x3dc00000, Size: 16}
	STRQ   = &Row{Name: "str", Word: 0x3d800000, Size: 16}
	LDRD   = &Row{Name: "ldr", Word: 0xfd400000, Size: 8}
	LDRS   = &Row{Name: "ldr", Word: 0xbd400000, Size: 4}
)

func three(name string, word uint32, arr string) *Row {
	return &Row{Name: name, Word: word, D: arr, N: arr, M: arr}
}

func two(name string, word uint32, d, n string) *Row { return &Row{Name: name, Word: word, D: d, N: n} }

func shift(name string, word uint32, size uint8, right bool, d, n string) *Row {
	return &Row{Name: name, Word: word, Size: size, Right: right, D: d, N: n}
}

// Vector instructions; the name ends with the arrangement where there are several.
var (
	ADD4S   = three("add", 0x4ea08400, "4s")
	ADD2D   = three("add", 0x4ee08400, "2d")
	SUB4S   = three("sub", 0x6ea08400, "4s")
	SUB2D   = three("sub", 0x6ee08400, "2d")
	MUL4S   = three("mul", 0x4ea09c00, "4s")
	SMIN4S  = three("smin", 0x4ea06c00, "4s")
	SMAX4S  = three("smax", 0x4ea06400, "4s")
	UMIN4S  = three("umin", 0x6ea06c00, "4s")
	UMAX4S  = three("umax", 0x6ea06400, "4s")
	CMEQ4S  = three("cmeq", 0x6ea08c00, "4s")
	CMEQ2D  = three("cmeq", 0x6ee08c00, "2d")
	CMGT4S  = three("cmgt", 0x4ea03400, "4s")
	CMGT2D  = three("cmgt", 0x4ee03400, "2d")
	CMHI4S  = three("cmhi", 0x6ea03400, "4s")
	CMHI2D  = three("cmhi", 0x6ee03400, "2d")
	VAND    = three("and", 0x4e201c00, "16b")
	VORR    = three("orr", 0x4ea01c00, "16b")
	VEOR    = three("eor", 0x6e201c00, "16b")
	VBIC    = three("bic", 0x4e601c00, "16b")
	BSL     = three("bsl", 0x6e601c00, "16b")
	BIT     = three("bit", 0x6ea01c00, "16b")
	BIF     = three("bif", 0x6ee01c00, "16b")
	USHL4S  = three("ushl", 0x6ea04400, "4s")
	USHL2D  = three("ushl", 0x6ee04400, "2d")
	SSHL4S  = three("sshl", 0x4ea04400, "4s")
	SSHL2D  = three("sshl", 0x4ee04400, "2d")
	FADD4S  = three("fadd", 0x4e20d400, "4s")
	FADD2D  = three("fadd", 0x4e60d400, "2d")
	FSUB4S  = three("fsub", 0x4ea0d400, "4s")
	FSUB2D  = three("fsub", 0x4ee0d400, "2d")
	FMUL4S  = three("fmul", 0x6e20dc00, "4s")
	FMUL2D  = three("fmul", 0x6e60dc00, "2d")
	FDIV4S  = three("fdiv", 0x6e20fc00, "4s")
	FDIV2D  = three("fdiv", 0x6e60fc00, "2d")
	FMLA4S  = three("fmla", 0x4e20cc00, "4s")
	FMLA2D  = three("fmla", 0x4e60cc00, "2d")
	FMLS4S  = three("fmls", 0x4ea0cc00, "4s")
	FMLS2D  = three("fmls", 0x4ee0cc00, "2d")
	FMIN4S  = three("fmin", 0x4ea0f400, "4s")
	FMIN2D  = three("fmin", 0x4ee0f400, "2d")
	FMAX4S  = three("fmax", 0x4e20f400, "4s")
	FMAX2D  = three("fmax", 0x4e60f400, "2d")
	FCMEQ4S = three("fcmeq", 0x4e20e400, "4s")
	FCMEQ2D = three("fcmeq", 0x4e60e400, "2d")
	FCMGE4S = three("fcmge", 0x6e20e400, "4s")
	FCMGE2D = three("fcmge", 0x6e60e400, "2d")
	FCMGT4S = three("fcmgt", 0x6ea0e400, "4s")
	FCMGT2D = three("fcmgt", 0x6ee0e400, "2d")
	UMULL2D = &Row{Name: "umull", Word: 0x2ea0c000, D: "2d", N: "2s", M: "2s"}
	SMULL2D = &Row{Name: "smull", Word: 0x0ea0c000, D: "2d", N: "2s", M: "2s"}

	FSQRT4S  = two("fsqrt", 0x6ea1f800, "4s", "4s")
	FSQRT2D  = two("fsqrt", 0x6ee1f800, "2d", "2d")
	ABS4S    = two("abs", 0x4ea0b800, "4s", "4s")
	ABS2D    = two("abs", 0x4ee0b800, "2d", "2d")
	NEG4S    = two("neg", 0x6ea0b800, "4s", "4s")
	NEG2D    = two("neg", 0x6ee0b800, "2d", "2d")
	SCVTF4S  = two("scvtf", 0x4e21d800, "4s", "4s")
	FCVTZS4S = two("fcvtzs", 0x4ea1b800, "4s", "4s")
	FCVTZU4S = two("fcvtzu", 0x6ea1b800, "4s", "4s")
	FRINTN4S = two("frintn", 0x4e218800, "4s", "4s")
	FRINTM4S = two("frintm", 0x4e219800, "4s", "4s")
	FRINTP4S = two("frintp", 0x4ea18800, "4s", "4s")
	FRINTZ4S = two("frintz", 0x4ea19800, "4s", "4s")
	CNT16B   = two("cnt", 0x4e205800, "16b", "16b")
	UADDLP8H = two("uaddlp", 0x6e202800, "8h", "16b")
	UADDLP4S = two("uaddlp", 0x6e602800, "4s", "8h")
	VNOT     = two("not", 0x6e205800, "16b", "16b")
	XTN2S    = two("xtn", 0x0ea12800, "2s", "2d")
	XTN4S    = two("xtn2", 0x4ea12800, "4s", "2d")
	XTN4H    = two("xtn", 0x0e612800, "4h", "4s")
	FCVTL4S  = two("fcvtl", 0x0e217800, "4s", "4h")
	FCVTN4H  = two("fcvtn", 0x0e216800, "4h", "4s")
	FCVTL2D  = two("fcvtl", 0x0e617800, "2d", "2s")
	FCVTL2D2 = two("fcvtl2", 0x4e617800, "2d", "4s")
	FCVTN2S  = two("fcvtn", 0x0e616800, "2s", "2d")
	FCVTN4S  = two("fcvtn2", 0x4e616800, "4s", "2d")
	ADDV4S   = two("addv", 0x4eb1b800, "s", "4s") // into a scalar

	SHL4S    = shift("shl", 0x4f005400, 4, false, "4s", "4s")
	SHL2D    = shift("shl", 0x4f005400, 8, false, "2d", "2d")
	USHR4S   = shift("ushr", 0x6f000400, 4, true, "4s", "4s")
	USHR2D   = shift("ushr", 0x6f000400, 8, true, "2d", "2d")
	SSHR4S   = shift("sshr", 0x4f000400, 4, true, "4s", "4s")
	SSHR2D   = shift("sshr", 0x4f000400, 8, true, "2d", "2d")
	USHLL2D  = shift("ushll", 0x2f00a400, 4, false, "2d", "2s")
	USHLL2D2 = shift("ushll2", 0x6f00a400, 4, false, "2d", "4s")
	SSHLL2D  = shift("sshll", 0x0f00a400, 4, false, "2d", "2s")
	SSHLL2D2 = shift("sshll2", 0x4f00a400, 4, false, "2d", "4s")
	USHLL4S  = shift("ushll", 0x2f00a400, 2, false, "4s", "4h")
	USHLL4S2 = shift("ushll2", 0x6f00a400, 2, false, "4s", "8h")
	SSHLL4S  = shift("sshll", 0x0f00a400, 2, false, "4s", "4h")
	SSHLL4S2 = shift("sshll2", 0x4f00a400, 2, false, "4s", "8h")
	USHLL8H  = shift("ushll", 0x2f00a400, 1, false, "8h", "8b")
	SSHLL8H  = shift("sshll", 0x0f00a400, 1, false, "8h", "8b")

	UMOVS = &Row{Name: "mov", Word: 0x0e003c00, N: "s", Size: 4}
	UMOVD = &Row{Name: "mov", Word: 0x4e003c00, N: "d", Size: 8}
	SMOVS = &Row{Name: "smov", Word: 0x4e002c00, N: "s", Size: 4} // to 64 bits
	INSS  = &Row{Name: "mov", Word: 0x4e001c00, D: "s", Size: 4}
	INSD  = &Row{Name: "mov", Word: 0x4e001c00, D: "d", Size: 8}
	DUP4S = &Row{Name: "dup", Word: 0x4e000c00, D: "4s", Size: 4}
	DUP2D = &Row{Name: "dup", Word: 0x4e000c00, D: "2d", Size: 8}
	// Of the first element of a vector.
	DUPS = &Row{Name: "dup", Word: 0x4e000400, D: "4s", N: "s", Size: 4}
	DUPD = &Row{Name: "dup", Word: 0x4e000400, D: "2d", N: "d", Size: 8}
)

// Rows are all instructions of the tables, by the name of their variable.
var Rows = map[string]*Row{
	"ADD": ADD, "SUB": SUB, "SUBS": SUBS, "AND": AND, "ANDS": ANDS, "ORR": ORR,
	"ORN": ORN, "EOR": EOR, "UDIV": UDIV, "SDIV": SDIV, "LSLV": LSLV, "LSRV": LSRV,
	"ASRV": ASRV, "CLZ": CLZ, "MADD": MADD, "MSUB": MSUB, "SMADDL": SMADDL, "UMADDL": UMADDL,
	"SMULH": SMULH, "UMULH": UMULH, "ADDI": ADDI, "SUBI": SUBI, "SUBSI": SUBSI, "CSEL": CSEL,
	"CSINC": CSINC, "CSINV": CSINV, "UBFM": UBFM, "SBFM": SBFM,
	"LDRB": LDRB, "LDRH": LDRH, "LDRW": LDRW, "LDRX": LDRX, "STRB": STRB, "STRH": STRH,
	"STRW": STRW, "STRX": STRX, "LDRSB": LDRSB, "LDRSH": LDRSH, "LDRSBX": LDRSBX, "LDRSHX": LDRSHX,
	"LDRSWX": LDRSWX, "LDRQ": LDRQ, "STRQ": STRQ, "LDRD": LDRD, "LDRS": LDRS,
	"ADD4S": ADD4S, "ADD2D": ADD2D, "SUB4S": SUB4S, "SUB2D": SUB2D, "MUL4S": MUL4S, "SMIN4S": SMIN4S,
	"SMAX4S": SMAX4S, "UMIN4S": UMIN4S, "UMAX4S": UMAX4S, "CMEQ4S": CMEQ4S, "CMEQ2D": CMEQ2D, "CMGT4S": CMGT4S,
	"CMGT2D": CMGT2D, "CMHI4S": CMHI4S, "CMHI2D": CMHI2D, "VAND": VAND, "VORR": VORR, "VEOR": VEOR,
	"VBIC": VBIC, "BSL": BSL, "BIT": BIT, "BIF": BIF, "USHL4S": USHL4S, "USHL2D": USHL2D,
	"SSHL4S": SSHL4S, "SSHL2D": SSHL2D, "FADD4S": FADD4S, "FADD2D": FADD2D, "FSUB4S": FSUB4S, "FSUB2D": FSUB2D,
	"FMUL4S": FMUL4S, "FMUL2D": FMUL2D, "FDIV4S": FDIV4S, "FDIV2D": FDIV2D, "FMLA4S": FMLA4S, "FMLA2D": FMLA2D,
	"FMLS4S": FMLS4S, "FMLS2D": FMLS2D, "FMIN4S": FMIN4S, "FMIN2D": FMIN2D, "FMAX4S": FMAX4S, "FMAX2D": FMAX2D,
	"FCMEQ4S": FCMEQ4S, "FCMEQ2D": FCMEQ2D, "FCMGE4S": FCMGE4S, "FCMGE2D": FCMGE2D, "FCMGT4S": FCMGT4S, "FCMGT2D": FCMGT2D,
	"UMULL2D": UMULL2D, "SMULL2D": SMULL2D, "FSQRT4S": FSQRT4S, "FSQRT2D": FSQRT2D, "ABS4S": ABS4S, "ABS2D": ABS2D,
	"NEG4S": NEG4S, "NEG2D": NEG2D, "SCVTF4S": SCVTF4S, "FCVTZS4S": FCVTZS4S, "FCVTZU4S": FCVTZU4S, "FRINTN4S": FRINTN4S,
	"FRINTM4S": FRINTM4S, "FRINTP4S": FRINTP4S, "FRINTZ4S": FRINTZ4S, "CNT16B": CNT16B, "UADDLP8H": UADDLP8H, "UADDLP4S": UADDLP4S,
	"VNOT": VNOT, "XTN2S": XTN2S, "XTN4S": XTN4S, "XTN4H": XTN4H, "FCVTL4S": FCVTL4S, "FCVTN4H": FCVTN4H, "FCVTL2D": FCVTL2D, "FCVTL2D2": FCVTL2D2, "FCVTN2S": FCVTN2S,
	"FCVTN4S": FCVTN4S, "ADDV4S": ADDV4S, "SHL4S": SHL4S, "SHL2D": SHL2D, "USHR4S": USHR4S, "USHR2D": USHR2D,
	"SSHR4S": SSHR4S, "SSHR2D": SSHR2D, "USHLL2D": USHLL2D, "USHLL2D2": USHLL2D2, "SSHLL2D": SSHLL2D, "SSHLL2D2": SSHLL2D2,
	"USHLL4S": USHLL4S, "USHLL4S2": USHLL4S2, "SSHLL4S": SSHLL4S, "SSHLL4S2": SSHLL4S2, "USHLL8H": USHLL8H, "SSHLL8H": SSHLL8H,
	"UMOVS": UMOVS, "UMOVD": UMOVD, "SMOVS": SMOVS, "INSS": INSS, "INSD": INSD, "DUP4S": DUP4S,
	"DUP2D": DUP2D, "DUPS": DUPS, "DUPD": DUPD,
}
