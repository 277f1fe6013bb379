package check

// PTX ISA, Data Movement and Conversion Instructions: memory; Parallel Synchronization: atom, red.
const memoryTable = `
ld sem?=weak space?=$ls|const cache?=ca|cg|cs|lu|cv evict?=$evict evict2?=$ev2 hint?=$hint prefetch?=$pre vec?=v2|v4|v8 t=$m : d:0~*v m: s:b64?
ld space?=global cache?=ca|cg|cs nc evict?=$evict evict2?=$ev2 hint?=$hint prefetch?=$pre vec?=v2|v4|v8 t=$m : d:0~*v m: s:b64?
ld sem=volatile space?=$ls|const prefetch?=$pre vec?=v2|v4|v8 t=$m : d:0~*v m:
ld sem=relaxed|acquire scope=$scope space?=$ls evict?=$evict evict2?=$ev2 hint?=$hint prefetch?=$pre vec?=v2|v4|v8 t=$m : d:0~*v m: s:b64?
ld mode=mmio sem=relaxed scope=sys space?=global t=$m : d:0~ m:
st sem?=weak space?=$ls cache?=wb|cg|cs|wt evict?=$evict evict2?=$ev2 hint?=$hint vec?=v2|v4|v8 t=$m : m: s:0~*v s:b64?
st sem=volatile space?=$ls vec?=v2|v4|v8 t=$m : m: s:0~*v
st sem=relaxed|release scope=$scope space?=$ls evict?=$evict evict2?=$ev2 hint?=$hint vec?=v2|v4|v8 t=$m : m: s:0~*v s:b64?
st mode=mmio sem=relaxed scope=sys space?=global t=$m : m: s:0~
ldu space?=global vec?=v2|v4 t=$m   : d:0~*v m:
prefetch space?=global|local level=L1|L2 : m:
prefetch space=global evict=L2::evict_last|L2::evict_normal : m:
prefetch space?=const|param mode=tensormap : m:
prefetchu level=L1                  : m:
applypriority space?=global evict=L2::evict_normal : m: i:128..128
discard space?=global level=L2      : m: i:128..128
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=and|or|xor hint?=$hint t=b32|b64 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=exch hint?=$hint t=b32|b64|u32|u64|s32|s64|f32|b128 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=cas hint?=$hint t=b16|b32|b64|u32|u64|s32|s64|b128 : D:0 m: s:0 s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=add hint?=$hint t=u32|s32|u64|s64|f32|f64 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=add noftz hint?=$hint t=f16|f16x2|bf16|bf16x2 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=inc|dec hint?=$hint t=u32 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=$as mode=min|max hint?=$hint t=u32|s32|u64|s64 : D:0 m: s:0 s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=global mode=add hint?=$hint vec=v2|v4|v8 t=f32 : d:0*v m: s:0*v s:b64?
atom sem?=relaxed|acquire|release|acq_rel scope?=$scope space?=global mode=add|min|max noftz hint?=$hint vec=v2|v4|v8 t=f16|bf16|f16x2|bf16x2 : d:0*v m: s:0*v s:b64?
red sem?=relaxed|release scope?=$scope space?=$as mode=and|or|xor hint?=$hint t=b32|b64 : m: s:0 s:b64?
red sem?=relaxed|release scope?=$scope space?=$as mode=add hint?=$hint t=u32|s32|u64|s64|f32|f64 : m: s:0 s:b64?
red sem?=relaxed|release scope?=$scope space?=$as mode=add noftz hint?=$hint t=f16|f16x2|bf16|bf16x2 : m: s:0 s:b64?
red sem?=relaxed|release scope?=$scope space?=$as mode=inc|dec hint?=$hint t=u32 : m: s:0 s:b64?
red sem?=relaxed|release scope?=$scope space?=$as mode=min|max hint?=$hint t=u32|s32|u64|s64 : m: s:0 s:b64?
red sem?=relaxed|release scope?=$scope space?=global mode=add hint?=$hint vec=v2|v4|v8 t=f32 : m: s:0*v s:b64?
red sem?=relaxed|release scope?=$scope space?=global mode=add|min|max noftz hint?=$hint vec=v2|v4|v8 t=f16|bf16|f16x2|bf16x2 : m: s:0*v s:b64?
cp sync=async cache=ca|cg mode=shared|shared::cta mode2=global hint?=$hint prefetch?=$pre : m: m: i:4..16 s:u32? s:b64?
cp sync=async mode=commit_group     :
cp sync=async mode=wait_group       : i:0..4294967295
cp sync=async mode=wait_all         :
cp sync=async mode=mbarrier mode2=arrive mode3?=noinc space?=shared|shared::cta t=b64 : m:
`

// PTX ISA, Texture Instructions and Surface Instructions.
const textureTable = `
tex geom=$tgeom vec=v4 t=u32|s32|f32|f16 t=s32|f32 : x: x: x:? x:? ! tex
tex geom=$tgeom vec=v2 t=f16x2 t=s32|f32 : x: x: x:? x:? ! tex
tex mode=base geom=$tgeom vec=v4 t=u32|s32|f32|f16 t=s32|f32 : x: x: x:? x:? ! tex
tex mode=base geom=$tgeom vec=v2 t=f16x2 t=s32|f32 : x: x: x:? x:? ! tex
tex mode=level geom=$tgeom vec=v4 t=u32|s32|f32|f16 t=s32|f32 : x: x: x: x:? x:? ! tex
tex mode=level geom=$tgeom vec=v2 t=f16x2 t=s32|f32 : x: x: x: x:? x:? ! tex
tex mode=grad geom=$tgeom vec=v4 t=u32|s32|f32|f16 t=s32|f32 : x: x: x: x: x:? x:? ! tex
tex mode=grad geom=$tgeom vec=v2 t=f16x2 t=s32|f32 : x: x: x: x: x:? x:? ! tex
tld4 mode=r|g|b|a geom=2d|a2d|cube|acube vec=v4 t=u32|s32|f32 t=f32 : x: x: x:? x:? ! tex
txq mode=width|height|depth|channel_data_type|channel_order|normalized_coords|array_size|num_mipmap_levels|num_samples t=b32 : d:0 m:
txq mode=level mode2=width|height|depth t=b32 : d:0 m: s:b32
txq mode=filter_mode|addr_mode_0|addr_mode_1|addr_mode_2|force_unnormalized_coords t=b32 : d:0 m:
istypep t=texref|samplerref|surfref : d:pred a:
suld mode=b geom=$geom cache?=ca|cg|cs|cv vec?=v2|v4 t=b8|b16|b32|b64 mode2=$clamp : d:0~*v x: ! surf
sust mode=b geom=$geom cache?=wb|cg|cs|wt vec?=v2|v4 t=b8|b16|b32|b64 mode2=$clamp : x: s:0~*v ! surf
sust mode=p geom=$geom vec?=v2|v4 t=b32|u32|s32|f32 mode2=$clamp : x: s:0*v ! surf
sured mode=b mode3=add|min|max|and|or geom=$geom t=u32|u64|s32|s64|b32|b64 mode2=$clamp : x: s:0 ! surf
sured mode=b|p geom=$geom mode3=add|min|max|and|or t=u32|u64|s32|s64|b32|b64 mode2=$clamp : x: s:0 ! surf
suq mode=width|height|depth|channel_data_type|channel_order|array_size|memory_layout t=b32 : d:0 m:
`
