package amd64

// The vector instructions. Names are those of the manual; Store is the form that writes memory, DI and QI those with an
// immediate, G those with a general-purpose register.
var (
	VADDPS          = &Row{Name: "vaddps", Map: 1, PP: 0, Op: 0x58, Enc: EVEX | VEX, Elem: 4}
	VADDPD          = &Row{Name: "vaddpd", Map: 1, PP: 1, Op: 0x58, Enc: EVEX | VEX, W: 1, Elem: 8}
	VMULPS          = &Row{Name: "vmulps", Map: 1, PP: 0, Op: 0x59, Enc: EVEX | VEX, Elem: 4}
	VMULPD          = &Row{Name: "vmulpd", Map: 1, PP: 1, Op: 0x59, Enc: EVEX | VEX, W: 1, Elem: 8}
	VSUBPS          = &Row{Name: "vsubps", Map: 1, PP: 0, Op: 0x5c, Enc: EVEX | VEX, Elem: 4}
	VSUBPD          = &Row{Name: "vsubpd", Map: 1, PP: 1, Op: 0x5c, Enc: EVEX | VEX, W: 1, Elem: 8}
	VMINPS          = &Row{Name: "vminps", Map: 1, PP: 0, Op: 0x5d, Enc: EVEX | VEX, Elem: 4}
	VMINPD          = &Row{Name: "vminpd", Map: 1, PP: 1, Op: 0x5d, Enc: EVEX | VEX, W: 1, Elem: 8}
	VDIVPS          = &Row{Name: "vdivps", Map: 1, PP: 0, Op: 0x5e, Enc: EVEX | VEX, Elem: 4}
	VDIVPD          = &Row{Name: "vdivpd", Map: 1, PP: 1, Op: 0x5e, Enc: EVEX | VEX, W: 1, Elem: 8}
	VMAXPS          = &Row{Name: "vmaxps", Map: 1, PP: 0, Op: 0x5f, Enc: EVEX | VEX, Elem: 4}
	VMAXPD          = &Row{Name: "vmaxpd", Map: 1, PP: 1, Op: 0x5f, Enc: EVEX | VEX, W: 1, Elem: 8}
	VSQRTPS         = &Row{Name: "vsqrtps", Map: 1, PP: 0, Op: 0x51, Enc: EVEX | VEX, Elem: 4}
	VSQRTPD         = &Row{Name: "vsqrtpd", Map: 1, PP: 1, Op: 0x51, Enc: EVEX | VEX, W: 1, Elem: 8}
	VFMADD132PS     = &Row{Name: "vfmadd132ps", Map: 2, PP: 1, Op: 0x98, Enc: EVEX | VEX, Elem: 4}
	VFMADD132PD     = &Row{Name: "vfmadd132pd", Map: 2, PP: 1, Op: 0x98, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFMADD213PS     = &Row{Name: "vfmadd213ps", Map: 2, PP: 1, Op: 0xa8, Enc: EVEX | VEX, Elem: 4}
	VFMADD213PD     = &Row{Name: "vfmadd213pd", Map: 2, PP: 1, Op: 0xa8, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFMADD231PS     = &Row{Name: "vfmadd231ps", Map: 2, PP: 1, Op: 0xb8, Enc: EVEX | VEX, Elem: 4}
	VFMADD231PD     = &Row{Name: "vfmadd231pd", Map: 2, PP: 1, Op: 0xb8, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFNMADD213PS    = &Row{Name: "vfnmadd213ps", Map: 2, PP: 1, Op: 0xac, Enc: EVEX | VEX, Elem: 4}
	VFNMADD213PD    = &Row{Name: "vfnmadd213pd", Map: 2, PP: 1, Op: 0xac, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFNMADD231PS    = &Row{Name: "vfnmadd231ps", Map: 2, PP: 1, Op: 0xbc, Enc: EVEX | VEX, Elem: 4}
	VFNMADD231PD    = &Row{Name: "vfnmadd231pd", Map: 2, PP: 1, Op: 0xbc, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFMSUB213PS     = &Row{Name: "vfmsub213ps", Map: 2, PP: 1, Op: 0xaa, Enc: EVEX | VEX, Elem: 4}
	VFMSUB213PD     = &Row{Name: "vfmsub213pd", Map: 2, PP: 1, Op: 0xaa, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFMSUB231PS     = &Row{Name: "vfmsub231ps", Map: 2, PP: 1, Op: 0xba, Enc: EVEX | VEX, Elem: 4}
	VFMSUB231PD     = &Row{Name: "vfmsub231pd", Map: 2, PP: 1, Op: 0xba, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VFNMSUB213PS    = &Row{Name: "vfnmsub213ps", Map: 2, PP: 1, Op: 0xae, Enc: EVEX | VEX, Elem: 4}
	VFNMSUB213PD    = &Row{Name: "vfnmsub213pd", Map: 2, PP: 1, Op: 0xae, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VPANDD          = &Row{Name: "vpandd", Map: 1, PP: 1, Op: 0xdb, Enc: EVEX, Elem: 4}
	VPANDQ          = &Row{Name: "vpandq", Map: 1, PP: 1, Op: 0xdb, Enc: EVEX, W: 1, Elem: 8}
	VPAND           = &Row{Name: "vpand", Map: 1, PP: 1, Op: 0xdb, Enc: VEX, Tuple: FullMem, Elem: 4}
	VPANDND         = &Row{Name: "vpandnd", Map: 1, PP: 1, Op: 0xdf, Enc: EVEX, Elem: 4}
	VPANDNQ         = &Row{Name: "vpandnq", Map: 1, PP: 1, Op: 0xdf, Enc: EVEX, W: 1, Elem: 8}
	VPANDN          = &Row{Name: "vpandn", Map: 1, PP: 1, Op: 0xdf, Enc: VEX, Tuple: FullMem, Elem: 4}
	VPORD           = &Row{Name: "vpord", Map: 1, PP: 1, Op: 0xeb, Enc: EVEX, Elem: 4}
	VPORQ           = &Row{Name: "vporq", Map: 1, PP: 1, Op: 0xeb, Enc: EVEX, W: 1, Elem: 8}
	VPOR            = &Row{Name: "vpor", Map: 1, PP: 1, Op: 0xeb, Enc: VEX, Tuple: FullMem, Elem: 4}
	VPXORD          = &Row{Name: "vpxord", Map: 1, PP: 1, Op: 0xef, Enc: EVEX, Elem: 4}
	VPXORQ          = &Row{Name: "vpxorq", Map: 1, PP: 1, Op: 0xef, Enc: EVEX, W: 1, Elem: 8}
	VPXOR           = &Row{Name: "vpxor", Map: 1, PP: 1, Op: 0xef, Enc: VEX, Tuple: FullMem, Elem: 4}
	VPTERNLOGD      = &Row{Name: "vpternlogd", Map: 3, PP: 1, Op: 0x25, Enc: EVEX, Elem: 4}
	VPTERNLOGQ      = &Row{Name: "vpternlogq", Map: 3, PP: 1, Op: 0x25, Enc: EVEX, W: 1, Elem: 8}
	VPADDD          = &Row{Name: "vpaddd", Map: 1, PP: 1, Op: 0xfe, Enc: EVEX | VEX, Elem: 4}
	VPADDQ          = &Row{Name: "vpaddq", Map: 1, PP: 1, Op: 0xd4, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPSUBD          = &Row{Name: "vpsubd", Map: 1, PP: 1, Op: 0xfa, Enc: EVEX | VEX, Elem: 4}
	VPSUBQ          = &Row{Name: "vpsubq", Map: 1, PP: 1, Op: 0xfb, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPADDW          = &Row{Name: "vpaddw", Map: 1, PP: 1, Op: 0xfd, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2}
	VPSUBW          = &Row{Name: "vpsubw", Map: 1, PP: 1, Op: 0xf9, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2}
	VPMULLD         = &Row{Name: "vpmulld", Map: 2, PP: 1, Op: 0x40, Enc: EVEX | VEX, Elem: 4}
	VPMULLQ         = &Row{Name: "vpmullq", Map: 2, PP: 1, Op: 0x40, Enc: EVEX, W: 1, Elem: 8}
	VPMULUDQ        = &Row{Name: "vpmuludq", Map: 1, PP: 1, Op: 0xf4, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPSADBW         = &Row{Name: "vpsadbw", Map: 1, PP: 1, Op: 0xf6, Enc: EVEX | VEX, Tuple: FullMem, Elem: 1}
	VPMADDWD        = &Row{Name: "vpmaddwd", Map: 1, PP: 1, Op: 0xf5, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2}
	VPMULDQ         = &Row{Name: "vpmuldq", Map: 2, PP: 1, Op: 0x28, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPMINSD         = &Row{Name: "vpminsd", Map: 2, PP: 1, Op: 0x39, Enc: EVEX | VEX, Elem: 4}
	VPMINSQ         = &Row{Name: "vpminsq", Map: 2, PP: 1, Op: 0x39, Enc: EVEX, W: 1, Elem: 8}
	VPMAXSD         = &Row{Name: "vpmaxsd", Map: 2, PP: 1, Op: 0x3d, Enc: EVEX | VEX, Elem: 4}
	VPMAXSQ         = &Row{Name: "vpmaxsq", Map: 2, PP: 1, Op: 0x3d, Enc: EVEX, W: 1, Elem: 8}
	VPMINUD         = &Row{Name: "vpminud", Map: 2, PP: 1, Op: 0x3b, Enc: EVEX | VEX, Elem: 4}
	VPMINUQ         = &Row{Name: "vpminuq", Map: 2, PP: 1, Op: 0x3b, Enc: EVEX, W: 1, Elem: 8}
	VPMAXUD         = &Row{Name: "vpmaxud", Map: 2, PP: 1, Op: 0x3f, Enc: EVEX | VEX, Elem: 4}
	VPMAXUQ         = &Row{Name: "vpmaxuq", Map: 2, PP: 1, Op: 0x3f, Enc: EVEX, W: 1, Elem: 8}
	VPABSD          = &Row{Name: "vpabsd", Map: 2, PP: 1, Op: 0x1e, Enc: EVEX | VEX, Elem: 4}
	VPABSQ          = &Row{Name: "vpabsq", Map: 2, PP: 1, Op: 0x1f, Enc: EVEX, W: 1, Elem: 8}
	VPSLLVD         = &Row{Name: "vpsllvd", Map: 2, PP: 1, Op: 0x47, Enc: EVEX | VEX, Elem: 4}
	VPSRLVD         = &Row{Name: "vpsrlvd", Map: 2, PP: 1, Op: 0x45, Enc: EVEX | VEX, Elem: 4}
	VPSRAVD         = &Row{Name: "vpsravd", Map: 2, PP: 1, Op: 0x46, Enc: EVEX | VEX, Elem: 4}
	VPSLLVQ         = &Row{Name: "vpsllvq", Map: 2, PP: 1, Op: 0x47, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VPSRLVQ         = &Row{Name: "vpsrlvq", Map: 2, PP: 1, Op: 0x45, Enc: EVEX | VEX | VEXW1, W: 1, Elem: 8}
	VPSRAVQ         = &Row{Name: "vpsravq", Map: 2, PP: 1, Op: 0x46, Enc: EVEX, W: 1, Elem: 8}
	VPSLLDI         = &Row{Name: "vpslld", Map: 1, PP: 1, Op: 0x72, Enc: EVEX | VEX, Elem: 4, Digit: 6}
	VPSRLDI         = &Row{Name: "vpsrld", Map: 1, PP: 1, Op: 0x72, Enc: EVEX | VEX, Elem: 4, Digit: 2}
	VPSRADI         = &Row{Name: "vpsrad", Map: 1, PP: 1, Op: 0x72, Enc: EVEX | VEX, Elem: 4, Digit: 4}
	VPSRLWI         = &Row{Name: "vpsrlw", Map: 1, PP: 1, Op: 0x71, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2, Digit: 2}
	VPSRAWI         = &Row{Name: "vpsraw", Map: 1, PP: 1, Op: 0x71, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2, Digit: 4}
	VPSLLWI         = &Row{Name: "vpsllw", Map: 1, PP: 1, Op: 0x71, Enc: EVEX | VEX, Tuple: FullMem, Elem: 2, Digit: 6}
	VPSLLQI         = &Row{Name: "vpsllq", Map: 1, PP: 1, Op: 0x73, Enc: EVEX | VEX, W: 1, Elem: 8, Digit: 6}
	VPSRLQI         = &Row{Name: "vpsrlq", Map: 1, PP: 1, Op: 0x73, Enc: EVEX | VEX, W: 1, Elem: 8, Digit: 2}
	VPSRAQI         = &Row{Name: "vpsraq", Map: 1, PP: 1, Op: 0x72, Enc: EVEX, W: 1, Elem: 8, Digit: 4}
	VPROLVD         = &Row{Name: "vprolvd", Map: 2, PP: 1, Op: 0x15, Enc: EVEX, Elem: 4}
	VPRORVD         = &Row{Name: "vprorvd", Map: 2, PP: 1, Op: 0x14, Enc: EVEX, Elem: 4}
	VPROLDI         = &Row{Name: "vprold", Map: 1, PP: 1, Op: 0x72, Enc: EVEX, Elem: 4, Digit: 1}
	VPSHLDVD        = &Row{Name: "vpshldvd", Map: 2, PP: 1, Op: 0x71, Enc: EVEX, Elem: 4}
	VPSHRDVD        = &Row{Name: "vpshrdvd", Map: 2, PP: 1, Op: 0x73, Enc: EVEX, Elem: 4}
	VPOPCNTD        = &Row{Name: "vpopcntd", Map: 2, PP: 1, Op: 0x55, Enc: EVEX, Elem: 4}
	VPOPCNTQ        = &Row{Name: "vpopcntq", Map: 2, PP: 1, Op: 0x55, Enc: EVEX, W: 1, Elem: 8}
	VPLZCNTD        = &Row{Name: "vplzcntd", Map: 2, PP: 1, Op: 0x44, Enc: EVEX, Elem: 4}
	VPLZCNTQ        = &Row{Name: "vplzcntq", Map: 2, PP: 1, Op: 0x44, Enc: EVEX, W: 1, Elem: 8}
	VPCONFLICTD     = &Row{Name: "vpconflictd", Map: 2, PP: 1, Op: 0xc4, Enc: EVEX, Elem: 4}
	VCMPPS          = &Row{Name: "vcmpps", Map: 1, PP: 0, Op: 0xc2, Enc: EVEX | VEX, Elem: 4}
	VCMPPD          = &Row{Name: "vcmppd", Map: 1, PP: 1, Op: 0xc2, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPCMPD          = &Row{Name: "vpcmpd", Map: 3, PP: 1, Op: 0x1f, Enc: EVEX, Elem: 4}
	VPCMPUD         = &Row{Name: "vpcmpud", Map: 3, PP: 1, Op: 0x1e, Enc: EVEX, Elem: 4}
	VPCMPQ          = &Row{Name: "vpcmpq", Map: 3, PP: 1, Op: 0x1f, Enc: EVEX, W: 1, Elem: 8}
	VPCMPUQ         = &Row{Name: "vpcmpuq", Map: 3, PP: 1, Op: 0x1e, Enc: EVEX, W: 1, Elem: 8}
	VPCMPEQD        = &Row{Name: "vpcmpeqd", Map: 1, PP: 1, Op: 0x76, Enc: EVEX | VEX, Elem: 4}
	VPCMPGTD        = &Row{Name: "vpcmpgtd", Map: 1, PP: 1, Op: 0x66, Enc: EVEX | VEX, Elem: 4}
	VPCMPEQQ        = &Row{Name: "vpcmpeqq", Map: 2, PP: 1, Op: 0x29, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPCMPGTQ        = &Row{Name: "vpcmpgtq", Map: 2, PP: 1, Op: 0x37, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPTESTMD        = &Row{Name: "vptestmd", Map: 2, PP: 1, Op: 0x27, Enc: EVEX, Elem: 4}
	VPTESTNMD       = &Row{Name: "vptestnmd", Map: 2, PP: 2, Op: 0x27, Enc: EVEX, Elem: 4}
	VPTESTMQ        = &Row{Name: "vptestmq", Map: 2, PP: 1, Op: 0x27, Enc: EVEX, W: 1, Elem: 8}
	VPTESTNMQ       = &Row{Name: "vptestnmq", Map: 2, PP: 2, Op: 0x27, Enc: EVEX, W: 1, Elem: 8}
	VFPCLASSPS      = &Row{Name: "vfpclassps", Map: 3, PP: 1, Op: 0x66, Enc: EVEX, Elem: 4}
	VFPCLASSPD      = &Row{Name: "vfpclasspd", Map: 3, PP: 1, Op: 0x66, Enc: EVEX, W: 1, Elem: 8}
	VBLENDMPS       = &Row{Name: "vblendmps", Map: 2, PP: 1, Op: 0x65, Enc: EVEX, Elem: 4}
	VPBLENDMD       = &Row{Name: "vpblendmd", Map: 2, PP: 1, Op: 0x64, Enc: EVEX, Elem: 4}
	VPBLENDMQ       = &Row{Name: "vpblendmq", Map: 2, PP: 1, Op: 0x64, Enc: EVEX, W: 1, Elem: 8}
	VBLENDVPS       = &Row{Name: "vblendvps", Map: 3, PP: 1, Op: 0x4a, Enc: VEX, Elem: 4}
	VBLENDVPD       = &Row{Name: "vblendvpd", Map: 3, PP: 1, Op: 0x4b, Enc: VEX, Elem: 4}
	VMOVUPS         = &Row{Name: "vmovups", Map: 1, PP: 0, Op: 0x10, Enc: EVEX | VEX, Tuple: FullMem, Elem: 4}
	VMOVUPSStore    = &Row{Name: "vmovups", Map: 1, PP: 0, Op: 0x11, Enc: EVEX | VEX, Tuple: FullMem, Elem: 4}
	VMOVNTPS        = &Row{Name: "vmovntps", Map: 1, PP: 0, Op: 0x2b, Enc: EVEX | VEX, Tuple: FullMem, Elem: 4}
	VMOVAPS         = &Row{Name: "vmovaps", Map: 1, PP: 0, Op: 0x28, Enc: EVEX | VEX, Tuple: FullMem, Elem: 4}
	VMOVAPSStore    = &Row{Name: "vmovaps", Map: 1, PP: 0, Op: 0x29, Enc: EVEX | VEX, Tuple: FullMem, Elem: 4}
	VMOVDQU32       = &Row{Name: "vmovdqu32", Map: 1, PP: 2, Op: 0x6f, Enc: EVEX, Tuple: FullMem, Elem: 4}
	VMOVDQU32Store  = &Row{Name: "vmovdqu32", Map: 1, PP: 2, Op: 0x7f, Enc: EVEX, Tuple: FullMem, Elem: 4}
	VMOVDQU64       = &Row{Name: "vmovdqu64", Map: 1, PP: 2, Op: 0x6f, Enc: EVEX, W: 1, Tuple: FullMem, Elem: 8}
	VMOVDQU64Store  = &Row{Name: "vmovdqu64", Map: 1, PP: 2, Op: 0x7f, Enc: EVEX, W: 1, Tuple: FullMem, Elem: 8}
	VMOVDQA32       = &Row{Name: "vmovdqa32", Map: 1, PP: 1, Op: 0x6f, Enc: EVEX, Tuple: FullMem, Elem: 4}
	VMOVDQA64       = &Row{Name: "vmovdqa64", Map: 1, PP: 1, Op: 0x6f, Enc: EVEX, W: 1, Tuple: FullMem, Elem: 8}
	VMOVDQU8        = &Row{Name: "vmovdqu8", Map: 1, PP: 3, Op: 0x6f, Enc: EVEX, Tuple: FullMem, Elem: 1}
	VMOVDQU8Store   = &Row{Name: "vmovdqu8", Map: 1, PP: 3, Op: 0x7f, Enc: EVEX, Tuple: FullMem, Elem: 1}
	VMOVDQU16       = &Row{Name: "vmovdqu16", Map: 1, PP: 3, Op: 0x6f, Enc: EVEX, W: 1, Tuple: FullMem, Elem: 2}
	VMOVDQU16Store  = &Row{Name: "vmovdqu16", Map: 1, PP: 3, Op: 0x7f, Enc: EVEX, W: 1, Tuple: FullMem, Elem: 2}
	VMOVDQU         = &Row{Name: "vmovdqu", Map: 1, PP: 2, Op: 0x6f, Enc: VEX, Tuple: FullMem, Elem: 4}
	VMOVDQUStore    = &Row{Name: "vmovdqu", Map: 1, PP: 2, Op: 0x7f, Enc: VEX, Tuple: FullMem, Elem: 4}
	VMOVD           = &Row{Name: "vmovd", Map: 1, PP: 1, Op: 0x6e, Enc: EVEX | VEX, Tuple: Scalar, Elem: 4}
	VMOVDStore      = &Row{Name: "vmovd", Map: 1, PP: 1, Op: 0x7e, Enc: EVEX | VEX, Tuple: Scalar, Elem: 4}
	VMOVQ           = &Row{Name: "vmovq", Map: 1, PP: 1, Op: 0x6e, Enc: EVEX | VEX | VEXW1, W: 1, Tuple: Scalar, Elem: 8}
	VMOVQStore      = &Row{Name: "vmovq", Map: 1, PP: 1, Op: 0x7e, Enc: EVEX | VEX | VEXW1, W: 1, Tuple: Scalar, Elem: 8}
	VPBROADCASTD    = &Row{Name: "vpbroadcastd", Map: 2, PP: 1, Op: 0x58, Enc: EVEX | VEX, Tuple: Scalar, Elem: 4}
	VPBROADCASTQ    = &Row{Name: "vpbroadcastq", Map: 2, PP: 1, Op: 0x59, Enc: EVEX | VEX, W: 1, Tuple: Scalar, Elem: 8}
	VBROADCASTSS    = &Row{Name: "vbroadcastss", Map: 2, PP: 1, Op: 0x18, Enc: EVEX | VEX, Tuple: Scalar, Elem: 4}
	VBROADCASTSD    = &Row{Name: "vbroadcastsd", Map: 2, PP: 1, Op: 0x19, Enc: EVEX | VEX, W: 1, Tuple: Scalar, Elem: 8}
	VPBROADCASTDG   = &Row{Name: "vpbroadcastd", Map: 2, PP: 1, Op: 0x7c, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPBROADCASTQG   = &Row{Name: "vpbroadcastq", Map: 2, PP: 1, Op: 0x7c, Enc: EVEX, W: 1, Tuple: Scalar, Elem: 8}
	VPBROADCASTB    = &Row{Name: "vpbroadcastb", Map: 2, PP: 1, Op: 0x78, Enc: EVEX | VEX, Tuple: Scalar, Elem: 1}
	VPBROADCASTW    = &Row{Name: "vpbroadcastw", Map: 2, PP: 1, Op: 0x79, Enc: EVEX | VEX, Tuple: Scalar, Elem: 2}
	VPMOVZXBD       = &Row{Name: "vpmovzxbd", Map: 2, PP: 1, Op: 0x31, Enc: EVEX | VEX, Tuple: Quarter, Elem: 1}
	VPMOVSXBD       = &Row{Name: "vpmovsxbd", Map: 2, PP: 1, Op: 0x21, Enc: EVEX | VEX, Tuple: Quarter, Elem: 1}
	VPMOVZXWD       = &Row{Name: "vpmovzxwd", Map: 2, PP: 1, Op: 0x33, Enc: EVEX | VEX, Tuple: Half, Elem: 2}
	VPMOVSXWD       = &Row{Name: "vpmovsxwd", Map: 2, PP: 1, Op: 0x23, Enc: EVEX | VEX, Tuple: Half, Elem: 2}
	VPMOVZXDQ       = &Row{Name: "vpmovzxdq", Map: 2, PP: 1, Op: 0x35, Enc: EVEX | VEX, Tuple: Half, Elem: 4}
	VPMOVSXDQ       = &Row{Name: "vpmovsxdq", Map: 2, PP: 1, Op: 0x25, Enc: EVEX | VEX, Tuple: Half, Elem: 4}
	VPMOVZXBW       = &Row{Name: "vpmovzxbw", Map: 2, PP: 1, Op: 0x30, Enc: EVEX | VEX, Tuple: Half, Elem: 1}
	VPMOVSXBW       = &Row{Name: "vpmovsxbw", Map: 2, PP: 1, Op: 0x20, Enc: EVEX | VEX, Tuple: Half, Elem: 1}
	VPMOVZXWQ       = &Row{Name: "vpmovzxwq", Map: 2, PP: 1, Op: 0x34, Enc: EVEX | VEX, Tuple: Quarter, Elem: 2}
	VPMOVSXWQ       = &Row{Name: "vpmovsxwq", Map: 2, PP: 1, Op: 0x24, Enc: EVEX | VEX, Tuple: Quarter, Elem: 2}
	VPMOVZXBQ       = &Row{Name: "vpmovzxbq", Map: 2, PP: 1, Op: 0x32, Enc: EVEX | VEX, Tuple: Eighth, Elem: 1}
	VPMOVSXBQ       = &Row{Name: "vpmovsxbq", Map: 2, PP: 1, Op: 0x22, Enc: EVEX | VEX, Tuple: Eighth, Elem: 1}
	VPMOVDB         = &Row{Name: "vpmovdb", Map: 2, PP: 2, Op: 0x31, Enc: EVEX, Tuple: Quarter, Elem: 1}
	VPMOVDW         = &Row{Name: "vpmovdw", Map: 2, PP: 2, Op: 0x33, Enc: EVEX, Tuple: Half, Elem: 2}
	VPMOVQD         = &Row{Name: "vpmovqd", Map: 2, PP: 2, Op: 0x35, Enc: EVEX, Tuple: Half, Elem: 4}
	VPMOVWB         = &Row{Name: "vpmovwb", Map: 2, PP: 2, Op: 0x30, Enc: EVEX, Tuple: Half, Elem: 1}
	VPMOVQW         = &Row{Name: "vpmovqw", Map: 2, PP: 2, Op: 0x34, Enc: EVEX, Tuple: Quarter, Elem: 2}
	VPMOVQB         = &Row{Name: "vpmovqb", Map: 2, PP: 2, Op: 0x32, Enc: EVEX, Tuple: Eighth, Elem: 1}
	VCVTDQ2PS       = &Row{Name: "vcvtdq2ps", Map: 1, PP: 0, Op: 0x5b, Enc: EVEX | VEX, Elem: 4}
	VCVTUDQ2PS      = &Row{Name: "vcvtudq2ps", Map: 1, PP: 3, Op: 0x7a, Enc: EVEX, Elem: 4}
	VCVTPS2DQ       = &Row{Name: "vcvtps2dq", Map: 1, PP: 1, Op: 0x5b, Enc: EVEX | VEX, Elem: 4}
	VCVTTPS2DQ      = &Row{Name: "vcvttps2dq", Map: 1, PP: 2, Op: 0x5b, Enc: EVEX | VEX, Elem: 4}
	VCVTPS2UDQ      = &Row{Name: "vcvtps2udq", Map: 1, PP: 0, Op: 0x79, Enc: EVEX, Elem: 4}
	VCVTTPS2UDQ     = &Row{Name: "vcvttps2udq", Map: 1, PP: 0, Op: 0x78, Enc: EVEX, Elem: 4}
	VCVTPS2PD       = &Row{Name: "vcvtps2pd", Map: 1, PP: 0, Op: 0x5a, Enc: EVEX | VEX, Tuple: Half, Elem: 4}
	VCVTPD2PS       = &Row{Name: "vcvtpd2ps", Map: 1, PP: 1, Op: 0x5a, Enc: EVEX | VEX, W: 1, Elem: 8}
	VCVTDQ2PD       = &Row{Name: "vcvtdq2pd", Map: 1, PP: 2, Op: 0xe6, Enc: EVEX | VEX, Tuple: Half, Elem: 4}
	VCVTUDQ2PD      = &Row{Name: "vcvtudq2pd", Map: 1, PP: 2, Op: 0x7a, Enc: EVEX, Tuple: Half, Elem: 4}
	VCVTTPD2DQ      = &Row{Name: "vcvttpd2dq", Map: 1, PP: 1, Op: 0xe6, Enc: EVEX | VEX, W: 1, Elem: 8}
	VCVTPD2DQ       = &Row{Name: "vcvtpd2dq", Map: 1, PP: 3, Op: 0xe6, Enc: EVEX | VEX, W: 1, Elem: 8}
	VCVTTPD2UDQ     = &Row{Name: "vcvttpd2udq", Map: 1, PP: 0, Op: 0x78, Enc: EVEX, W: 1, Elem: 8}
	VCVTPD2UDQ      = &Row{Name: "vcvtpd2udq", Map: 1, PP: 0, Op: 0x79, Enc: EVEX, W: 1, Elem: 8}
	VCVTQQ2PD       = &Row{Name: "vcvtqq2pd", Map: 1, PP: 2, Op: 0xe6, Enc: EVEX, W: 1, Elem: 8}
	VCVTUQQ2PD      = &Row{Name: "vcvtuqq2pd", Map: 1, PP: 2, Op: 0x7a, Enc: EVEX, W: 1, Elem: 8}
	VCVTQQ2PS       = &Row{Name: "vcvtqq2ps", Map: 1, PP: 0, Op: 0x5b, Enc: EVEX, W: 1, Elem: 8}
	VCVTUQQ2PS      = &Row{Name: "vcvtuqq2ps", Map: 1, PP: 3, Op: 0x7a, Enc: EVEX, W: 1, Elem: 8}
	VCVTPD2QQ       = &Row{Name: "vcvtpd2qq", Map: 1, PP: 1, Op: 0x7b, Enc: EVEX, W: 1, Elem: 8}
	VCVTTPD2QQ      = &Row{Name: "vcvttpd2qq", Map: 1, PP: 1, Op: 0x7a, Enc: EVEX, W: 1, Elem: 8}
	VCVTPD2UQQ      = &Row{Name: "vcvtpd2uqq", Map: 1, PP: 1, Op: 0x79, Enc: EVEX, W: 1, Elem: 8}
	VCVTTPD2UQQ     = &Row{Name: "vcvttpd2uqq", Map: 1, PP: 1, Op: 0x78, Enc: EVEX, W: 1, Elem: 8}
	VCVTPS2QQ       = &Row{Name: "vcvtps2qq", Map: 1, PP: 1, Op: 0x7b, Enc: EVEX, Tuple: Half, Elem: 4}
	VCVTTPS2QQ      = &Row{Name: "vcvttps2qq", Map: 1, PP: 1, Op: 0x7a, Enc: EVEX, Tuple: Half, Elem: 4}
	VCVTPS2UQQ      = &Row{Name: "vcvtps2uqq", Map: 1, PP: 1, Op: 0x79, Enc: EVEX, Tuple: Half, Elem: 4}
	VCVTTPS2UQQ     = &Row{Name: "vcvttps2uqq", Map: 1, PP: 1, Op: 0x78, Enc: EVEX, Tuple: Half, Elem: 4}
	VCVTPH2PS       = &Row{Name: "vcvtph2ps", Map: 2, PP: 1, Op: 0x13, Enc: EVEX | VEX, Tuple: Half, Elem: 2}
	VCVTPS2PH       = &Row{Name: "vcvtps2ph", Map: 3, PP: 1, Op: 0x1d, Enc: EVEX | VEX, Tuple: Half, Elem: 2}
	VRNDSCALEPS     = &Row{Name: "vrndscaleps", Map: 3, PP: 1, Op: 0x8, Enc: EVEX, Elem: 4}
	VRNDSCALEPD     = &Row{Name: "vrndscalepd", Map: 3, PP: 1, Op: 0x9, Enc: EVEX, W: 1, Elem: 8}
	VROUNDPS        = &Row{Name: "vroundps", Map: 3, PP: 1, Op: 0x8, Enc: VEX, Elem: 4}
	VROUNDPD        = &Row{Name: "vroundpd", Map: 3, PP: 1, Op: 0x9, Enc: VEX, Elem: 4}
	VSCALEFPS       = &Row{Name: "vscalefps", Map: 2, PP: 1, Op: 0x2c, Enc: EVEX, Elem: 4}
	VGETEXPPS       = &Row{Name: "vgetexpps", Map: 2, PP: 1, Op: 0x42, Enc: EVEX, Elem: 4}
	VGETMANTPS      = &Row{Name: "vgetmantps", Map: 3, PP: 1, Op: 0x26, Enc: EVEX, Elem: 4}
	VSCALEFPD       = &Row{Name: "vscalefpd", Map: 2, PP: 1, Op: 0x2c, Enc: EVEX, W: 1, Elem: 8}
	VGETEXPPD       = &Row{Name: "vgetexppd", Map: 2, PP: 1, Op: 0x42, Enc: EVEX, W: 1, Elem: 8}
	VFIXUPIMMPS     = &Row{Name: "vfixupimmps", Map: 3, PP: 1, Op: 0x54, Enc: EVEX, Elem: 4}
	VRSQRT14PS      = &Row{Name: "vrsqrt14ps", Map: 2, PP: 1, Op: 0x4e, Enc: EVEX, Elem: 4}
	VRCP14PS        = &Row{Name: "vrcp14ps", Map: 2, PP: 1, Op: 0x4c, Enc: EVEX, Elem: 4}
	VPERMD          = &Row{Name: "vpermd", Map: 2, PP: 1, Op: 0x36, Enc: EVEX | VEX, Elem: 4}
	VPERMQ          = &Row{Name: "vpermq", Map: 2, PP: 1, Op: 0x36, Enc: EVEX, W: 1, Elem: 8}
	VPERMT2D        = &Row{Name: "vpermt2d", Map: 2, PP: 1, Op: 0x7e, Enc: EVEX, Elem: 4}
	VPERMI2D        = &Row{Name: "vpermi2d", Map: 2, PP: 1, Op: 0x76, Enc: EVEX, Elem: 4}
	VPERMT2Q        = &Row{Name: "vpermt2q", Map: 2, PP: 1, Op: 0x7e, Enc: EVEX, W: 1, Elem: 8}
	VPBLENDD        = &Row{Name: "vpblendd", Map: 3, PP: 1, Op: 0x2, Enc: VEX, Elem: 4}
	VPSHUFD         = &Row{Name: "vpshufd", Map: 1, PP: 1, Op: 0x70, Enc: EVEX | VEX, Elem: 4}
	VPSHUFB         = &Row{Name: "vpshufb", Map: 2, PP: 1, Op: 0x0, Enc: EVEX | VEX, Tuple: FullMem, Elem: 1}
	VEXTRACTI64X4   = &Row{Name: "vextracti64x4", Map: 3, PP: 1, Op: 0x3b, Enc: EVEX, W: 1, Tuple: Half, Elem: 8}
	VINSERTI64X4    = &Row{Name: "vinserti64x4", Map: 3, PP: 1, Op: 0x3a, Enc: EVEX, W: 1, Tuple: Half, Elem: 8}
	VEXTRACTI128    = &Row{Name: "vextracti128", Map: 3, PP: 1, Op: 0x39, Enc: VEX, Elem: 4}
	VINSERTI128     = &Row{Name: "vinserti128", Map: 3, PP: 1, Op: 0x38, Enc: VEX, Elem: 4}
	VEXTRACTI32X4   = &Row{Name: "vextracti32x4", Map: 3, PP: 1, Op: 0x39, Enc: EVEX, Tuple: Quarter, Elem: 4}
	VALIGND         = &Row{Name: "valignd", Map: 3, PP: 1, Op: 0x3, Enc: EVEX, Elem: 4}
	VPCOMPRESSD     = &Row{Name: "vpcompressd", Map: 2, PP: 1, Op: 0x8b, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPEXPANDD       = &Row{Name: "vpexpandd", Map: 2, PP: 1, Op: 0x89, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPUNPCKLDQ      = &Row{Name: "vpunpckldq", Map: 1, PP: 1, Op: 0x62, Enc: EVEX | VEX, Elem: 4}
	VPUNPCKHDQ      = &Row{Name: "vpunpckhdq", Map: 1, PP: 1, Op: 0x6a, Enc: EVEX | VEX, Elem: 4}
	VPUNPCKLQDQ     = &Row{Name: "vpunpcklqdq", Map: 1, PP: 1, Op: 0x6c, Enc: EVEX | VEX, W: 1, Elem: 8}
	VPUNPCKHQDQ     = &Row{Name: "vpunpckhqdq", Map: 1, PP: 1, Op: 0x6d, Enc: EVEX | VEX, W: 1, Elem: 8}
	VSHUFPS         = &Row{Name: "vshufps", Map: 1, PP: 0, Op: 0xc6, Enc: EVEX | VEX, Elem: 4}
	VPGATHERDD      = &Row{Name: "vpgatherdd", Map: 2, PP: 1, Op: 0x90, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPGATHERDQ      = &Row{Name: "vpgatherdq", Map: 2, PP: 1, Op: 0x90, Enc: EVEX, W: 1, Tuple: Scalar, Elem: 8}
	VPGATHERQD      = &Row{Name: "vpgatherqd", Map: 2, PP: 1, Op: 0x91, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPGATHERQQ      = &Row{Name: "vpgatherqq", Map: 2, PP: 1, Op: 0x91, Enc: EVEX, W: 1, Tuple: Scalar, Elem: 8}
	VPSCATTERDD     = &Row{Name: "vpscatterdd", Map: 2, PP: 1, Op: 0xa0, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPSCATTERDQ     = &Row{Name: "vpscatterdq", Map: 2, PP: 1, Op: 0xa0, Enc: EVEX, W: 1, Tuple: Scalar, Elem: 8}
	VPSCATTERQD     = &Row{Name: "vpscatterqd", Map: 2, PP: 1, Op: 0xa1, Enc: EVEX, Tuple: Scalar, Elem: 4}
	VPSCATTERQQ     = &Row{Name: "vpscatterqq", Map: 2, PP: 1, Op: 0xa1, Enc: EVEX, W: 1, Tuple: Scalar, Elem: 8}
	VPMOVM2D        = &Row{Name: "vpmovm2d", Map: 2, PP: 2, Op: 0x38, Enc: EVEX, Elem: 4}
	VPMOVD2M        = &Row{Name: "vpmovd2m", Map: 2, PP: 2, Op: 0x39, Enc: EVEX, Elem: 4}
	VPMOVM2Q        = &Row{Name: "vpmovm2q", Map: 2, PP: 2, Op: 0x38, Enc: EVEX, W: 1, Elem: 4}
	VPBROADCASTMW2D = &Row{Name: "vpbroadcastmw2d", Map: 2, PP: 2, Op: 0x3a, Enc: EVEX, Elem: 4}
	VMOVMSKPS       = &Row{Name: "vmovmskps", Map: 1, PP: 0, Op: 0x50, Enc: VEX, Elem: 4}
)

// The mask instructions.
var (
	KANDW      = &Row{Name: "kandw", Map: 1, PP: 0, Op: 0x41, Enc: VEX}
	KANDD      = &Row{Name: "kandd", Map: 1, PP: 1, Op: 0x41, Enc: VEX | VEXW1}
	KANDB      = &Row{Name: "kandb", Map: 1, PP: 1, Op: 0x41, Enc: VEX}
	KANDNW     = &Row{Name: "kandnw", Map: 1, PP: 0, Op: 0x42, Enc: VEX}
	KANDND     = &Row{Name: "kandnd", Map: 1, PP: 1, Op: 0x42, Enc: VEX | VEXW1}
	KANDNB     = &Row{Name: "kandnb", Map: 1, PP: 1, Op: 0x42, Enc: VEX}
	KORW       = &Row{Name: "korw", Map: 1, PP: 0, Op: 0x45, Enc: VEX}
	KORD       = &Row{Name: "kord", Map: 1, PP: 1, Op: 0x45, Enc: VEX | VEXW1}
	KORB       = &Row{Name: "korb", Map: 1, PP: 1, Op: 0x45, Enc: VEX}
	KXNORW     = &Row{Name: "kxnorw", Map: 1, PP: 0, Op: 0x46, Enc: VEX}
	KXNORD     = &Row{Name: "kxnord", Map: 1, PP: 1, Op: 0x46, Enc: VEX | VEXW1}
	KXNORB     = &Row{Name: "kxnorb", Map: 1, PP: 1, Op: 0x46, Enc: VEX}
	KXORW      = &Row{Name: "kxorw", Map: 1, PP: 0, Op: 0x47, Enc: VEX}
	KXORD      = &Row{Name: "kxord", Map: 1, PP: 1, Op: 0x47, Enc: VEX | VEXW1}
	KXORB      = &Row{Name: "kxorb", Map: 1, PP: 1, Op: 0x47, Enc: VEX}
	KADDW      = &Row{Name: "kaddw", Map: 1, PP: 0, Op: 0x4a, Enc: VEX}
	KADDD      = &Row{Name: "kaddd", Map: 1, PP: 1, Op: 0x4a, Enc: VEX | VEXW1}
	KADDB      = &Row{Name: "kaddb", Map: 1, PP: 1, Op: 0x4a, Enc: VEX}
	KUNPCKWD   = &Row{Name: "kunpckwd", Map: 1, PP: 0, Op: 0x4b, Enc: VEX}
	KUNPCKBW   = &Row{Name: "kunpckbw", Map: 1, PP: 1, Op: 0x4b, Enc: VEX}
	KNOTW      = &Row{Name: "knotw", Map: 1, PP: 0, Op: 0x44, Enc: VEX, Digit: 1}
	KNOTD      = &Row{Name: "knotd", Map: 1, PP: 1, Op: 0x44, Enc: VEX | VEXW1, Digit: 1}
	KNOTB      = &Row{Name: "knotb", Map: 1, PP: 1, Op: 0x44, Enc: VEX, Digit: 1}
	KORTESTW   = &Row{Name: "kortestw", Map: 1, PP: 0, Op: 0x98, Enc: VEX, Digit: 1}
	KORTESTD   = &Row{Name: "kortestd", Map: 1, PP: 1, Op: 0x98, Enc: VEX | VEXW1, Digit: 1}
	KORTESTB   = &Row{Name: "kortestb", Map: 1, PP: 1, Op: 0x98, Enc: VEX, Digit: 1}
	KTESTW     = &Row{Name: "ktestw", Map: 1, PP: 0, Op: 0x99, Enc: VEX, Digit: 1}
	KTESTD     = &Row{Name: "ktestd", Map: 1, PP: 1, Op: 0x99, Enc: VEX | VEXW1, Digit: 1}
	KTESTB     = &Row{Name: "ktestb", Map: 1, PP: 1, Op: 0x99, Enc: VEX, Digit: 1}
	KMOVW      = &Row{Name: "kmovw", Map: 1, PP: 0, Op: 0x90, Enc: VEX, Digit: 1}
	KMOVD      = &Row{Name: "kmovd", Map: 1, PP: 1, Op: 0x90, Enc: VEX | VEXW1, Digit: 1}
	KMOVQ      = &Row{Name: "kmovq", Map: 1, PP: 0, Op: 0x90, Enc: VEX | VEXW1, Digit: 1}
	KMOVWStore = &Row{Name: "kmovw", Map: 1, PP: 0, Op: 0x91, Enc: VEX, Digit: 1}
	KMOVDStore = &Row{Name: "kmovd", Map: 1, PP: 1, Op: 0x91, Enc: VEX | VEXW1, Digit: 1}
	KMOVQStore = &Row{Name: "kmovq", Map: 1, PP: 0, Op: 0x91, Enc: VEX | VEXW1, Digit: 1}
	KMOVWG     = &Row{Name: "kmovw", Map: 1, PP: 0, Op: 0x92, Enc: VEX, Digit: 1}
	KMOVDG     = &Row{Name: "kmovd", Map: 1, PP: 3, Op: 0x92, Enc: VEX, Digit: 1}
	KMOVWToG   = &Row{Name: "kmovw", Map: 1, PP: 0, Op: 0x93, Enc: VEX, Digit: 1}
	KMOVDToG   = &Row{Name: "kmovd", Map: 1, PP: 3, Op: 0x93, Enc: VEX, Digit: 1}
	KSHIFTRW   = &Row{Name: "kshiftrw", Map: 3, PP: 1, Op: 0x30, Enc: VEX | VEXW1}
	KSHIFTLW   = &Row{Name: "kshiftlw", Map: 3, PP: 1, Op: 0x32, Enc: VEX | VEXW1}
	KSHIFTRD   = &Row{Name: "kshiftrd", Map: 3, PP: 1, Op: 0x31, Enc: VEX}
	KSHIFTLD   = &Row{Name: "kshiftld", Map: 3, PP: 1, Op: 0x33, Enc: VEX}
	KSHIFTRB   = &Row{Name: "kshiftrb", Map: 3, PP: 1, Op: 0x30, Enc: VEX}
	KSHIFTLB   = &Row{Name: "kshiftlb", Map: 3, PP: 1, Op: 0x32, Enc: VEX}
)

// Rows are all vector and mask instructions, by the name of their variable.
var Rows = map[string]*Row{
	"VADDPS":          VADDPS,
	"VADDPD":          VADDPD,
	"VMULPS":          VMULPS,
	"VMULPD":          VMULPD,
	"VSUBPS":          VSUBPS,
	"VSUBPD":          VSUBPD,
	"VMINPS":          VMINPS,
	"VMINPD":          VMINPD,
	"VDIVPS":          VDIVPS,
	"VDIVPD":          VDIVPD,
	"VMAXPS":          VMAXPS,
	"VMAXPD":          VMAXPD,
	"VSQRTPS":         VSQRTPS,
	"VSQRTPD":         VSQRTPD,
	"VFMADD132PS":     VFMADD132PS,
	"VFMADD132PD":     VFMADD132PD,
	"VFMADD213PS":     VFMADD213PS,
	"VFMADD213PD":     VFMADD213PD,
	"VFMADD231PS":     VFMADD231PS,
	"VFMADD231PD":     VFMADD231PD,
	"VFNMADD213PS":    VFNMADD213PS,
	"VFNMADD213PD":    VFNMADD213PD,
	"VFNMADD231PS":    VFNMADD231PS,
	"VFNMADD231PD":    VFNMADD231PD,
	"VFMSUB213PS":     VFMSUB213PS,
	"VFMSUB213PD":     VFMSUB213PD,
	"VFMSUB231PS":     VFMSUB231PS,
	"VFMSUB231PD":     VFMSUB231PD,
	"VFNMSUB213PS":    VFNMSUB213PS,
	"VFNMSUB213PD":    VFNMSUB213PD,
	"VPANDD":          VPANDD,
	"VPANDQ":          VPANDQ,
	"VPAND":           VPAND,
	"VPANDND":         VPANDND,
	"VPANDNQ":         VPANDNQ,
	"VPANDN":          VPANDN,
	"VPORD":           VPORD,
	"VPORQ":           VPORQ,
	"VPOR":            VPOR,
	"VPXORD":          VPXORD,
	"VPXORQ":          VPXORQ,
	"VPXOR":           VPXOR,
	"VPTERNLOGD":      VPTERNLOGD,
	"VPTERNLOGQ":      VPTERNLOGQ,
	"VPADDD":          VPADDD,
	"VPADDQ":          VPADDQ,
	"VPSUBD":          VPSUBD,
	"VPSUBQ":          VPSUBQ,
	"VPADDW":          VPADDW,
	"VPSUBW":          VPSUBW,
	"VPMULLD":         VPMULLD,
	"VPMULLQ":         VPMULLQ,
	"VPMULUDQ":        VPMULUDQ,
	"VPSADBW":         VPSADBW,
	"VPMADDWD":        VPMADDWD,
	"VPMULDQ":         VPMULDQ,
	"VPMINSD":         VPMINSD,
	"VPMINSQ":         VPMINSQ,
	"VPMAXSD":         VPMAXSD,
	"VPMAXSQ":         VPMAXSQ,
	"VPMINUD":         VPMINUD,
	"VPMINUQ":         VPMINUQ,
	"VPMAXUD":         VPMAXUD,
	"VPMAXUQ":         VPMAXUQ,
	"VPABSD":          VPABSD,
	"VPABSQ":          VPABSQ,
	"VPSLLVD":         VPSLLVD,
	"VPSRLVD":         VPSRLVD,
	"VPSRAVD":         VPSRAVD,
	"VPSLLVQ":         VPSLLVQ,
	"VPSRLVQ":         VPSRLVQ,
	"VPSRAVQ":         VPSRAVQ,
	"VPSLLDI":         VPSLLDI,
	"VPSRLDI":         VPSRLDI,
	"VPSRADI":         VPSRADI,
	"VPSRLWI":         VPSRLWI,
	"VPSRAWI":         VPSRAWI,
	"VPSLLWI":         VPSLLWI,
	"VPSLLQI":         VPSLLQI,
	"VPSRLQI":         VPSRLQI,
	"VPSRAQI":         VPSRAQI,
	"VPROLVD":         VPROLVD,
	"VPRORVD":         VPRORVD,
	"VPROLDI":         VPROLDI,
	"VPSHLDVD":        VPSHLDVD,
	"VPSHRDVD":        VPSHRDVD,
	"VPOPCNTD":        VPOPCNTD,
	"VPOPCNTQ":        VPOPCNTQ,
	"VPLZCNTD":        VPLZCNTD,
	"VPLZCNTQ":        VPLZCNTQ,
	"VPCONFLICTD":     VPCONFLICTD,
	"VCMPPS":          VCMPPS,
	"VCMPPD":          VCMPPD,
	"VPCMPD":          VPCMPD,
	"VPCMPUD":         VPCMPUD,
	"VPCMPQ":          VPCMPQ,
	"VPCMPUQ":         VPCMPUQ,
	"VPCMPEQD":        VPCMPEQD,
	"VPCMPGTD":        VPCMPGTD,
	"VPCMPEQQ":        VPCMPEQQ,
	"VPCMPGTQ":        VPCMPGTQ,
	"VPTESTMD":        VPTESTMD,
	"VPTESTNMD":       VPTESTNMD,
	"VPTESTMQ":        VPTESTMQ,
	"VPTESTNMQ":       VPTESTNMQ,
	"VFPCLASSPS":      VFPCLASSPS,
	"VFPCLASSPD":      VFPCLASSPD,
	"VBLENDMPS":       VBLENDMPS,
	"VPBLENDMD":       VPBLENDMD,
	"VPBLENDMQ":       VPBLENDMQ,
	"VBLENDVPS":       VBLENDVPS,
	"VBLENDVPD":       VBLENDVPD,
	"VMOVUPS":         VMOVUPS,
	"VMOVUPSStore":    VMOVUPSStore,
	"VMOVNTPS":        VMOVNTPS,
	"VMOVAPS":         VMOVAPS,
	"VMOVAPSStore":    VMOVAPSStore,
	"VMOVDQU32":       VMOVDQU32,
	"VMOVDQU32Store":  VMOVDQU32Store,
	"VMOVDQU64":       VMOVDQU64,
	"VMOVDQU64Store":  VMOVDQU64Store,
	"VMOVDQA32":       VMOVDQA32,
	"VMOVDQA64":       VMOVDQA64,
	"VMOVDQU8":        VMOVDQU8,
	"VMOVDQU8Store":   VMOVDQU8Store,
	"VMOVDQU16":       VMOVDQU16,
	"VMOVDQU16Store":  VMOVDQU16Store,
	"VMOVDQU":         VMOVDQU,
	"VMOVDQUStore":    VMOVDQUStore,
	"VMOVD":           VMOVD,
	"VMOVDStore":      VMOVDStore,
	"VMOVQ":           VMOVQ,
	"VMOVQStore":      VMOVQStore,
	"VPBROADCASTD":    VPBROADCASTD,
	"VPBROADCASTQ":    VPBROADCASTQ,
	"VBROADCASTSS":    VBROADCASTSS,
	"VBROADCASTSD":    VBROADCASTSD,
	"VPBROADCASTDG":   VPBROADCASTDG,
	"VPBROADCASTQG":   VPBROADCASTQG,
	"VPBROADCASTB":    VPBROADCASTB,
	"VPBROADCASTW":    VPBROADCASTW,
	"VPMOVZXBD":       VPMOVZXBD,
	"VPMOVSXBD":       VPMOVSXBD,
	"VPMOVZXWD":       VPMOVZXWD,
	"VPMOVSXWD":       VPMOVSXWD,
	"VPMOVZXDQ":       VPMOVZXDQ,
	"VPMOVSXDQ":       VPMOVSXDQ,
	"VPMOVZXBW":       VPMOVZXBW,
	"VPMOVSXBW":       VPMOVSXBW,
	"VPMOVZXWQ":       VPMOVZXWQ,
	"VPMOVSXWQ":       VPMOVSXWQ,
	"VPMOVZXBQ":       VPMOVZXBQ,
	"VPMOVSXBQ":       VPMOVSXBQ,
	"VPMOVDB":         VPMOVDB,
	"VPMOVDW":         VPMOVDW,
	"VPMOVQD":         VPMOVQD,
	"VPMOVWB":         VPMOVWB,
	"VPMOVQW":         VPMOVQW,
	"VPMOVQB":         VPMOVQB,
	"VCVTDQ2PS":       VCVTDQ2PS,
	"VCVTUDQ2PS":      VCVTUDQ2PS,
	"VCVTPS2DQ":       VCVTPS2DQ,
	"VCVTTPS2DQ":      VCVTTPS2DQ,
	"VCVTPS2UDQ":      VCVTPS2UDQ,
	"VCVTTPS2UDQ":     VCVTTPS2UDQ,
	"VCVTPS2PD":       VCVTPS2PD,
	"VCVTPD2PS":       VCVTPD2PS,
	"VCVTDQ2PD":       VCVTDQ2PD,
	"VCVTUDQ2PD":      VCVTUDQ2PD,
	"VCVTTPD2DQ":      VCVTTPD2DQ,
	"VCVTPD2DQ":       VCVTPD2DQ,
	"VCVTTPD2UDQ":     VCVTTPD2UDQ,
	"VCVTPD2UDQ":      VCVTPD2UDQ,
	"VCVTQQ2PD":       VCVTQQ2PD,
	"VCVTUQQ2PD":      VCVTUQQ2PD,
	"VCVTQQ2PS":       VCVTQQ2PS,
	"VCVTUQQ2PS":      VCVTUQQ2PS,
	"VCVTPD2QQ":       VCVTPD2QQ,
	"VCVTTPD2QQ":      VCVTTPD2QQ,
	"VCVTPD2UQQ":      VCVTPD2UQQ,
	"VCVTTPD2UQQ":     VCVTTPD2UQQ,
	"VCVTPS2QQ":       VCVTPS2QQ,
	"VCVTTPS2QQ":      VCVTTPS2QQ,
	"VCVTPS2UQQ":      VCVTPS2UQQ,
	"VCVTTPS2UQQ":     VCVTTPS2UQQ,
	"VCVTPH2PS":       VCVTPH2PS,
	"VCVTPS2PH":       VCVTPS2PH,
	"VRNDSCALEPS":     VRNDSCALEPS,
	"VRNDSCALEPD":     VRNDSCALEPD,
	"VROUNDPS":        VROUNDPS,
	"VROUNDPD":        VROUNDPD,
	"VSCALEFPS":       VSCALEFPS,
	"VGETEXPPS":       VGETEXPPS,
	"VGETMANTPS":      VGETMANTPS,
	"VSCALEFPD":       VSCALEFPD,
	"VGETEXPPD":       VGETEXPPD,
	"VFIXUPIMMPS":     VFIXUPIMMPS,
	"VRSQRT14PS":      VRSQRT14PS,
	"VRCP14PS":        VRCP14PS,
	"VPERMD":          VPERMD,
	"VPERMQ":          VPERMQ,
	"VPERMT2D":        VPERMT2D,
	"VPERMI2D":        VPERMI2D,
	"VPERMT2Q":        VPERMT2Q,
	"VPBLENDD":        VPBLENDD,
	"VPSHUFD":         VPSHUFD,
	"VPSHUFB":         VPSHUFB,
	"VEXTRACTI64X4":   VEXTRACTI64X4,
	"VINSERTI64X4":    VINSERTI64X4,
	"VEXTRACTI128":    VEXTRACTI128,
	"VINSERTI128":     VINSERTI128,
	"VEXTRACTI32X4":   VEXTRACTI32X4,
	"VALIGND":         VALIGND,
	"VPCOMPRESSD":     VPCOMPRESSD,
	"VPEXPANDD":       VPEXPANDD,
	"VPUNPCKLDQ":      VPUNPCKLDQ,
	"VPUNPCKHDQ":      VPUNPCKHDQ,
	"VPUNPCKLQDQ":     VPUNPCKLQDQ,
	"VPUNPCKHQDQ":     VPUNPCKHQDQ,
	"VSHUFPS":         VSHUFPS,
	"VPGATHERDD":      VPGATHERDD,
	"VPGATHERDQ":      VPGATHERDQ,
	"VPGATHERQD":      VPGATHERQD,
	"VPGATHERQQ":      VPGATHERQQ,
	"VPSCATTERDD":     VPSCATTERDD,
	"VPSCATTERDQ":     VPSCATTERDQ,
	"VPSCATTERQD":     VPSCATTERQD,
	"VPSCATTERQQ":     VPSCATTERQQ,
	"VPMOVM2D":        VPMOVM2D,
	"VPMOVD2M":        VPMOVD2M,
	"VPMOVM2Q":        VPMOVM2Q,
	"VPBROADCASTMW2D": VPBROADCASTMW2D,
	"VMOVMSKPS":       VMOVMSKPS,
	"KANDW":           KANDW,
	"KANDD":           KANDD,
	"KANDB":           KANDB,
	"KANDNW":          KANDNW,
	"KANDND":          KANDND,
	"KANDNB":          KANDNB,
	"KORW":            KORW,
	"KORD":            KORD,
	"KORB":            KORB,
	"KXNORW":          KXNORW,
	"KXNORD":          KXNORD,
	"KXNORB":          KXNORB,
	"KXORW":           KXORW,
	"KXORD":           KXORD,
	"KXORB":           KXORB,
	"KADDW":           KADDW,
	"KADDD":           KADDD,
	"KADDB":           KADDB,
	"KUNPCKWD":        KUNPCKWD,
	"KUNPCKBW":        KUNPCKBW,
	"KNOTW":           KNOTW,
	"KNOTD":           KNOTD,
	"KNOTB":           KNOTB,
	"KORTESTW":        KORTESTW,
	"KORTESTD":        KORTESTD,
	"KORTESTB":        KORTESTB,
	"KTESTW":          KTESTW,
	"KTESTD":          KTESTD,
	"KTESTB":          KTESTB,
	"KMOVW":           KMOVW,
	"KMOVD":           KMOVD,
	"KMOVQ":           KMOVQ,
	"KMOVWStore":      KMOVWStore,
	"KMOVDStore":      KMOVDStore,
	"KMOVQStore":      KMOVQStore,
	"KMOVWG":          KMOVWG,
	"KMOVDG":          KMOVDG,
	"KMOVWToG":        KMOVWToG,
	"KMOVDToG":        KMOVDToG,
	"KSHIFTRW":        KSHIFTRW,
	"KSHIFTLW":        KSHIFTLW,
	"KSHIFTRD":        KSHIFTRD,
	"KSHIFTLD":        KSHIFTLD,
	"KSHIFTRB":        KSHIFTRB,
	"KSHIFTLB":        KSHIFTLB,
}
