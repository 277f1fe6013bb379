package check

// sets are the lists that a table names with $.
var sets = map[string]string{
	"r":     "rn|rz|rm|rp",
	"i":     "u16|u32|u64|s16|s32|s64",
	"u":     "u16|u32|u64",
	"s":     "s16|s32|s64",
	"b":     "b16|b32|b64",
	"ui":    "eq|ne|lt|le|gt|ge|lo|ls|hi|hs",
	"si":    "eq|ne|lt|le|gt|ge",
	"fc":    "eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan",
	"scope": "cta|cluster|gpu|sys",
	// memory
	"m":     "b8|b16|b32|b64|b128|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64",
	"ls":    "global|local|shared|shared::cta|shared::cluster|param|param::entry|param::func",
	"sh":    "shared|shared::cta|shared::cluster",
	"sp":    "const|global|local|shared|shared::cta|shared::cluster|param|param::entry",
	"as":    "global|shared|shared::cta|shared::cluster",
	"evict": "L1::evict_normal|L1::evict_unchanged|L1::evict_first|L1::evict_last|L1::no_allocate",
	"ev2":   "L2::evict_normal|L2::evict_first|L2::evict_last",
	"pre":   "L2::64B|L2::128B|L2::256B",
	"hint":  "L2::cache_hint",
	"geom":  "1d|2d|3d|a1d|a2d",
	"tgeom": "1d|2d|3d|a1d|a2d|cube|acube|2dms|a2dms",
	"clamp": "trap|clamp|zero",
}

// tables are the forms; parseSpec says how to read them.
var tables = []string{intTable, floatTable, logicTable, moveTable, memoryTable, textureTable, controlTable, syncTable,
	videoTable, matrixTable, looseTable}

// PTX ISA, Integer Arithmetic Instructions and Extended-Precision Integer Arithmetic Instructions.
const intTable = `
add t=$i                            : d:0 s:0 s:0
add sat t=s32                       : d:0 s:0 s:0
add t=u16x2|s16x2                   : d:0 s:0 s:0
add cc t=u32|s32|u64|s64            : d:0 s:0 s:0
addc cc? t=u32|s32|u64|s64          : d:0 s:0 s:0
sub t=$i                            : d:0 s:0 s:0
sub sat t=s32                       : d:0 s:0 s:0
sub t=u16x2|s16x2                   : d:0 s:0 s:0
sub cc t=u32|s32|u64|s64            : d:0 s:0 s:0
subc cc? t=u32|s32|u64|s64          : d:0 s:0 s:0
mul mode=hi|lo t=$i                 : d:0 s:0 s:0
mul mode=wide t=u16|u32|s16|s32     : d:w0 s:0 s:0
mad mode=hi|lo t=$i                 : d:0 s:0 s:0 s:0
mad mode=wide t=u16|u32|s16|s32     : d:w0 s:0 s:0 s:w0
mad mode=hi sat t=s32               : d:0 s:0 s:0 s:0
mad mode=hi|lo cc t=u32|s32|u64|s64 : d:0 s:0 s:0 s:0
madc mode=hi|lo cc? t=u32|s32|u64|s64 : d:0 s:0 s:0 s:0
mul24 mode=hi|lo t=u32|s32          : d:0 s:0 s:0
mad24 mode=hi|lo t=u32|s32          : d:0 s:0 s:0 s:0
mad24 mode=hi sat t=s32             : d:0 s:0 s:0 s:0
sad t=$i                            : d:0 s:0 s:0 s:0
div t=$i                            : d:0 s:0 s:0
rem t=$i                            : d:0 s:0 s:0
abs t=$s                            : d:0 s:0
neg t=$s                            : d:0 s:0
min t=$i                            : d:0 s:0 s:0
max t=$i                            : d:0 s:0 s:0
min relu t=s32                      : d:0 s:0 s:0
max relu t=s32                      : d:0 s:0 s:0
min relu? t=s16x2                   : d:0 s:0 s:0
max relu? t=s16x2                   : d:0 s:0 s:0
min t=u16x2                         : d:0 s:0 s:0
max t=u16x2                         : d:0 s:0 s:0
popc t=b32|b64                      : d:u32 s:0
clz t=b32|b64                       : d:u32 s:0
bfind mode?=shiftamt t=u32|u64|s32|s64 : d:u32 s:0
fns t=b32                           : d:0 s:0 s:b32 s:s32
brev t=b32|b64                      : d:0 s:0
bfe t=u32|u64|s32|s64               : d:0 s:0 s:u32 s:u32
bfi t=b32|b64                       : d:0 s:0 s:0 s:u32 s:u32
szext mode=clamp|wrap t=u32|s32     : d:0 s:0 s:u32
bmsk mode=clamp|wrap t=b32          : d:0 s:u32 s:u32
dp4a t=u32|s32 t=u32|s32            : d:b32 s:0 s:1 s:b32
dp2a mode=lo|hi t=u32|s32 t=u32|s32 : d:b32 s:0 s:1 s:b32
`

// PTX ISA, Floating-Point Instructions, Half Precision and Mixed Precision Floating-Point Instructions.
const floatTable = `
add round?=$r ftz? sat? t=f32       : d:0 s:0 s:0
add round?=$r t=f64                 : d:0 s:0 s:0
add round?=$r ftz? t=f32x2          : d:0 s:0 s:0
add round?=rn ftz? sat? t=f16|f16x2 : d:0 s:0 s:0
add round?=rn t=bf16|bf16x2         : d:0 s:0 s:0
add round?=$r sat? t=f32 t=f16|bf16 : d:0 s:1 s:0
sub round?=$r ftz? sat? t=f32       : d:0 s:0 s:0
sub round?=$r t=f64                 : d:0 s:0 s:0
sub round?=$r ftz? t=f32x2          : d:0 s:0 s:0
sub round?=rn ftz? sat? t=f16|f16x2 : d:0 s:0 s:0
sub round?=rn t=bf16|bf16x2         : d:0 s:0 s:0
sub round?=$r sat? t=f32 t=f16|bf16 : d:0 s:1 s:0
mul round?=$r ftz? sat? t=f32       : d:0 s:0 s:0
mul round?=$r t=f64                 : d:0 s:0 s:0
mul round?=$r ftz? t=f32x2          : d:0 s:0 s:0
mul round?=rn ftz? sat? t=f16|f16x2 : d:0 s:0 s:0
mul round?=rn t=bf16|bf16x2         : d:0 s:0 s:0
mad round?=$r ftz? sat? t=f32       : d:0 s:0 s:0 s:0
mad round?=$r t=f64                 : d:0 s:0 s:0 s:0
fma round=$r ftz? sat? t=f32        : d:0 s:0 s:0 s:0
fma round=$r t=f64                  : d:0 s:0 s:0 s:0
fma round=$r ftz? t=f32x2           : d:0 s:0 s:0 s:0
fma round=rn ftz? sat? t=f16|f16x2  : d:0 s:0 s:0 s:0
fma round=rn ftz? relu t=f16|f16x2  : d:0 s:0 s:0 s:0
fma round=rn relu? t=bf16|bf16x2    : d:0 s:0 s:0 s:0
fma round=rn oob relu? t=f16|f16x2|bf16|bf16x2 : d:0 s:0 s:0 s:0
fma round=$r sat? t=f32 t=f16|bf16  : d:0 s:1 s:1 s:0
div approx=approx|full ftz? t=f32   : d:0 s:0 s:0
div round=$r ftz? t=f32             : d:0 s:0 s:0
div round=$r t=f64                  : d:0 s:0 s:0
abs ftz? t=f32|f16|f16x2            : d:0 s:0
abs t=f64|bf16|bf16x2               : d:0 s:0
neg ftz? t=f32|f16|f16x2            : d:0 s:0
neg t=f64|bf16|bf16x2               : d:0 s:0
min ftz? NaN? t=f32                 : d:0 s:0 s:0 s:0?
min ftz? NaN? xorsign abs t=f32     : d:0 s:0 s:0 s:0?
min t=f64                           : d:0 s:0 s:0
min ftz? NaN? t=f16|f16x2           : d:0 s:0 s:0
min ftz? NaN? xorsign abs t=f16|f16x2 : d:0 s:0 s:0
min NaN? t=bf16|bf16x2              : d:0 s:0 s:0
min NaN? xorsign abs t=bf16|bf16x2  : d:0 s:0 s:0
max ftz? NaN? t=f32                 : d:0 s:0 s:0 s:0?
max ftz? NaN? xorsign abs t=f32     : d:0 s:0 s:0 s:0?
max t=f64                           : d:0 s:0 s:0
max ftz? NaN? t=f16|f16x2           : d:0 s:0 s:0
max ftz? NaN? xorsign abs t=f16|f16x2 : d:0 s:0 s:0
max NaN? t=bf16|bf16x2              : d:0 s:0 s:0
max NaN? xorsign abs t=bf16|bf16x2  : d:0 s:0 s:0
testp mode=finite|infinite|number|notanumber|normal|subnormal t=f32|f64 : d:pred s:0
copysign t=f32|f64                  : d:0 s:0 s:0
rcp approx ftz? t=f32               : d:0 s:0
rcp approx ftz t=f64                : d:0 s:0
rcp round=$r ftz? t=f32             : d:0 s:0
rcp round=$r t=f64                  : d:0 s:0
sqrt approx ftz? t=f32              : d:0 s:0
sqrt round=$r ftz? t=f32            : d:0 s:0
sqrt round=$r t=f64                 : d:0 s:0
rsqrt approx ftz? t=f32|f64         : d:0 s:0
sin approx ftz? t=f32               : d:0 s:0
cos approx ftz? t=f32               : d:0 s:0
lg2 approx ftz? t=f32               : d:0 s:0
ex2 approx ftz? t=f32               : d:0 s:0
ex2 approx t=f16|f16x2              : d:0 s:0
ex2 approx ftz t=bf16|bf16x2        : d:0 s:0
tanh approx t=f32|f16|f16x2|bf16|bf16x2 : d:0 s:0
`

// PTX ISA, Comparison and Selection Instructions, Half Precision Comparison Instructions, Logic and Shift Instructions.
const logicTable = `
setp cmp=eq|ne t=$b                 : P:pred s:0 s:0
setp cmp=$ui t=$u                   : P:pred s:0 s:0
setp cmp=$si t=$s                   : P:pred s:0 s:0
setp cmp=$fc ftz? t=f32|f16|f16x2   : P:pred s:0 s:0
setp cmp=$fc t=f64|bf16|bf16x2      : P:pred s:0 s:0
setp cmp=eq|ne bool=and|or|xor t=$b : P:pred s:0 s:0 p:
setp cmp=$ui bool=and|or|xor t=$u   : P:pred s:0 s:0 p:
setp cmp=$si bool=and|or|xor t=$s   : P:pred s:0 s:0 p:
setp cmp=$fc bool=and|or|xor ftz? t=f32|f16|f16x2 : P:pred s:0 s:0 p:
setp cmp=$fc bool=and|or|xor t=f64|bf16|bf16x2    : P:pred s:0 s:0 p:
set cmp=eq|ne t=u32|s32|f32 t=$b    : d:0 s:1 s:1
set cmp=$ui t=u32|s32|f32 t=$u      : d:0 s:1 s:1
set cmp=$si t=u32|s32|f32 t=$s      : d:0 s:1 s:1
set cmp=$fc ftz? t=u32|s32|f32 t=f32|f16 : d:0 s:1 s:1
set cmp=$fc t=u32|s32|f32 t=f64|bf16 : d:0 s:1 s:1
set cmp=eq|ne bool=and|or|xor t=u32|s32|f32 t=$b  : d:0 s:1 s:1 p:
set cmp=$ui bool=and|or|xor t=u32|s32|f32 t=$u    : d:0 s:1 s:1 p:
set cmp=$si bool=and|or|xor t=u32|s32|f32 t=$s    : d:0 s:1 s:1 p:
set cmp=$fc bool=and|or|xor ftz? t=u32|s32|f32 t=f32|f16 : d:0 s:1 s:1 p:
set cmp=$fc bool=and|or|xor t=u32|s32|f32 t=f64|bf16 : d:0 s:1 s:1 p:
set cmp=$fc ftz? t=f16|bf16|u16|s16 t=f16 : d:0 s:1 s:1
set cmp=$fc t=bf16|u16|s16 t=bf16   : d:0 s:1 s:1
set cmp=$fc ftz? t=f16x2|u32|s32 t=f16x2    : d:0 s:1 s:1
set cmp=$fc t=bf16x2|u32|s32 t=bf16x2       : d:0 s:1 s:1
set cmp=$fc bool=and|or|xor ftz? t=f16|u16|s16 t=f16 : d:0 s:1 s:1 p:
set cmp=$fc bool=and|or|xor t=bf16|u16|s16 t=bf16 : d:0 s:1 s:1 p:
set cmp=$fc bool=and|or|xor ftz? t=f16x2|u32|s32 t=f16x2 : d:0 s:1 s:1 p:
set cmp=$fc bool=and|or|xor t=bf16x2|u32|s32 t=bf16x2 : d:0 s:1 s:1 p:
selp t=$b|$i|f32|f64                : d:0 s:0 s:0 q:
slct t=$b|$i|f32|f64 t=s32          : d:0 s:0 s:0 s:1
slct ftz? t=$b|$i|f32|f64 t=f32     : d:0 s:0 s:0 s:1
and t=pred|$b                       : d:0 s:0 s:0
or t=pred|$b                        : d:0 s:0 s:0
xor t=pred|$b                       : d:0 s:0 s:0
not t=pred|$b                       : d:0 s:0
cnot t=$b                           : d:0 s:0
lop3 t=b32                          : d:0 s:0 s:0 s:0 i:0..255
lop3 bool=or|and t=b32              : P:0 s:0 s:0 s:0 i:0..255 q:
shf mode=l|r mode2=clamp|wrap t=b32 : d:0 s:0 s:0 s:u32
shl t=$b                            : d:0 s:0 s:u32
shr t=$b|$i                         : d:0 s:0 s:u32
`

// PTX ISA, Data Movement and Conversion Instructions: mov, prmt, cvt, shfl and what works on addresses.
const moveTable = `
mov t=pred                          : d:0 s:0
mov t=$b|$i|f32|f64|b128            : x: x: ! mov
mov vec=v2|v4|v8 t=$b|$i|f32|f64    : d:0*v s:0*v
prmt t=b32 mode?=f4e|b4e|rc8|ecl|ecr|rc16 : d:0 s:0 s:0 s:0
cvt round?=$r|rni|rzi|rmi|rpi ftz? sat? t=u8|$i|s8|f16|f32|f64|bf16 t=u8|$i|s8|f16|f32|f64|bf16 : d:0~ s:1~ ! cvt
cvt round=rn|rz relu? sat?=satfinite t=f16|bf16 t=f32      : d:0 s:1
cvt round=rn|rz relu? sat?=satfinite t=f16x2|bf16x2 t=f32  : d:0 s:1 s:1
cvt round=rs relu? sat?=satfinite t=f16x2|bf16x2 t=f32     : d:0 s:1 s:1 s:b32
cvt round=rna sat?=satfinite t=tf32 t=f32                  : d:0 s:1
cvt round=rn|rz relu? sat?=satfinite t=tf32 t=f32          : d:0 s:1
cvt round=rn sat=satfinite relu? t=e4m3x2|e5m2x2|e2m3x2|e3m2x2|e2m1x2 t=f32 : d:b16~ s:1 s:1
cvt round=rn sat=satfinite relu? t=e4m3x2|e5m2x2 t=f16x2   : d:0 s:1
cvt round=rn relu? t=f16x2 t=e4m3x2|e5m2x2|e2m3x2|e3m2x2|e2m1x2 : d:0 s:b16
cvt round=rz|rp sat?=satfinite t=ue8m0x2 t=f32             : d:0 s:1 s:1
cvt round=rz|rp sat?=satfinite t=ue8m0x2 t=bf16x2          : d:0 s:1
cvt round=rn t=bf16x2 t=ue8m0x2                            : d:0 s:1
cvt mode=pack sat t=u16|s16 t=s32                          : d:b32 s:1 s:1
cvt mode=pack sat t=u2|s2|u4|s4|u8|s8 t=s32 t=b32          : d:b32 s:1 s:1 s:2
cvta space=$sp t=u32|u64            : d:0 a:0
cvta to space=$sp t=u32|u64         : d:0 a:0
isspacep space=$sp                  : d:pred a:
mapa space?=shared::cluster t=u32|u64 : d:0 a:0 s:u32
getctarank space?=shared::cluster t=u32|u64 : d:u32 a:0
shfl mode=up|down|bfly|idx t=b32    : P:0 s:0 s:b32 s:b32
shfl sync mode=up|down|bfly|idx t=b32 : P:0 s:0 s:b32 s:b32 s:b32
`
