package check

// PTX ISA, Control Flow Instructions, Stack Manipulation Instructions, Miscellaneous Instructions. call has no operands
// of this kind and is checked by itself.
const controlTable = `
bra uni?                            : l:
brx mode=idx uni?                   : r:u32 t:
call uni?                           :
ret uni?                            :
exit                                :
trap                                :
brkpt                               :
pmevent mode?=mask                  : i:
nanosleep t=u32                     : s:0
setmaxnreg mode=inc|dec sync aligned t=u32 : i:24..256
stacksave t=u32|u64                 : d:0
stackrestore t=u32|u64              : r:0
alloca t=u32|u64                    : d:0 s:0 i:?
griddepcontrol mode=launch_dependents|wait :
`

// PTX ISA, Parallel Synchronization and Communication Instructions.
const syncTable = `
bar scope?=cta mode=sync            : s:b32 s:b32?  ! barrier
bar scope?=cta mode=arrive          : s:b32 s:b32   ! barrier
bar scope?=cta mode=red mode2=popc t=u32 : d:0 s:b32 p: ! barrier
bar scope?=cta mode=red mode2=popc t=u32 : d:0 s:b32 s:b32 p: ! barrier
bar scope?=cta mode=red mode2=and|or t=pred : d:0 s:b32 p: ! barrier
bar scope?=cta mode=red mode2=and|or t=pred : d:0 s:b32 s:b32 p: ! barrier
bar mode=warp sync                  : s:b32
barrier scope?=cta mode=sync aligned? : s:b32 s:b32? ! barrier
barrier scope?=cta mode=arrive aligned? : s:b32 s:b32 ! barrier
barrier scope?=cta mode=red mode2=popc aligned? t=u32 : d:0 s:b32 p: ! barrier
barrier scope?=cta mode=red mode2=popc aligned? t=u32 : d:0 s:b32 s:b32 p: ! barrier
barrier scope?=cta mode=red mode2=and|or aligned? t=pred : d:0 s:b32 p: ! barrier
barrier scope?=cta mode=red mode2=and|or aligned? t=pred : d:0 s:b32 s:b32 p: ! barrier
barrier scope=cluster mode=arrive sem?=release|relaxed aligned? :
barrier scope=cluster mode=wait sem?=acquire aligned? :
membar level=cta|gl|sys             :
membar mode=proxy mode2=alias|async|async.global|async.shared::cta|async.shared::cluster :
fence sem?=sc|acq_rel|acquire|release scope=$scope :
fence sem=acquire mode=sync_restrict::shared::cluster scope=cluster :
fence sem=release mode=sync_restrict::shared::cta scope=cluster :
fence mode=mbarrier_init sem=release scope=cluster :
fence mode=proxy mode2=alias        :
fence mode=proxy mode2=async space?=global|shared::cta|shared::cluster :
fence mode=proxy *
vote mode=all|any|uni t=pred        : d:0 p:
vote mode=ballot t=b32              : d:0 p:
vote sync mode=all|any|uni t=pred   : d:0 p: s:b32
vote sync mode=ballot t=b32         : d:0 p: s:b32
match mode=any sync t=b32|b64       : d:b32 s:0 s:b32
match mode=all sync t=b32|b64       : P:b32 s:0 s:b32
activemask t=b32                    : d:0
redux sync mode=add|min|max t=u32|s32 : d:0 s:0 s:b32
redux sync mode=and|or|xor t=b32    : d:0 s:0 s:b32
redux sync mode=min|max abs? NaN? t=f32 : d:0 s:0 s:b32
elect sync                          : P:b32 s:b32
mbarrier mode=init space?=shared|shared::cta t=b64 : m: s:u32
mbarrier mode=inval space?=shared|shared::cta t=b64 : m:
mbarrier mode=expect_tx|complete_tx sem?=relaxed scope?=cta|cluster space?=$sh t=b64 : m: s:u32
mbarrier mode=arrive|arrive_drop mode2?=noComplete sem?=release|relaxed scope?=cta|cluster space?=$sh t=b64 : D:0 m: s:u32?
mbarrier mode=arrive|arrive_drop mode2=expect_tx sem?=release|relaxed scope?=cta|cluster space?=$sh t=b64 : D:0 m: s:u32
mbarrier mode=test_wait sem?=acquire|relaxed scope?=cta|cluster space?=shared|shared::cta t=b64 : d:pred m: s:0
mbarrier mode=test_wait mode2=parity sem?=acquire|relaxed scope?=cta|cluster space?=shared|shared::cta t=b64 : d:pred m: s:u32
mbarrier mode=try_wait sem?=acquire|relaxed scope?=cta|cluster space?=shared|shared::cta t=b64 : d:pred m: s:0 s:u32?
mbarrier mode=try_wait mode2=parity sem?=acquire|relaxed scope?=cta|cluster space?=shared|shared::cta t=b64 : d:pred m: s:u32 s:u32?
mbarrier mode=pending_count t=b64   : d:u32 s:0
`

// PTX ISA, Scalar Video Instructions and SIMD Video Instructions.
const videoTable = `
vadd t=u32|s32 t=u32|s32 t=u32|s32 sat? mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vsub t=u32|s32 t=u32|s32 t=u32|s32 sat? mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vabsdiff t=u32|s32 t=u32|s32 t=u32|s32 sat? mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vmin t=u32|s32 t=u32|s32 t=u32|s32 sat? mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vmax t=u32|s32 t=u32|s32 t=u32|s32 sat? mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vshl t=u32|s32 t=u32|s32 t=u32 sat? mode2=clamp|wrap mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vshr t=u32|s32 t=u32|s32 t=u32 sat? mode2=clamp|wrap mode?=add|min|max : d:0 s:1 s:2 s:0? ! video
vmad t=u32|s32 t=u32|s32 t=u32|s32 mode2?=po sat? mode?=shr7|shr15 : d:0 s:1 s:2 s:0
vset t=u32|s32 t=u32|s32 cmp=eq|ne|lt|le|gt|ge mode?=add|min|max : d:u32 s:0 s:1 s:u32? ! video
vadd2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vadd2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vsub2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vsub2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vavrg2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vavrg2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vabsdiff2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vabsdiff2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vmin2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vmin2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vmax2 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vmax2 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vset2 t=u32|s32 t=u32|s32 cmp=eq|ne|lt|le|gt|ge mode?=add : d:u32 s:0 s:1 s:u32
vadd4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vadd4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vsub4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vsub4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vavrg4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vavrg4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vabsdiff4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vabsdiff4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vmin4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vmin4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vmax4 t=u32|s32 t=u32|s32 t=u32|s32 sat? : d:0 s:1 s:2 s:0
vmax4 t=u32|s32 t=u32|s32 t=u32|s32 mode=add : d:0 s:1 s:2 s:0
vset4 t=u32|s32 t=u32|s32 cmp=eq|ne|lt|le|gt|ge mode?=add : d:u32 s:0 s:1 s:u32
`

// PTX ISA, Warp Level Matrix Instructions. Types are in the order of the name; the hooks count and type registers.
const matrixTable = `
wmma mode=load mode2=a|b sync aligned layouta=row|col shape=m16n16k16|m8n32k16|m32n8k16|m8n8k32|m8n8k128|m16n16k8|m8n8k4 space?=global|$sh t=f16|bf16|tf32|f64|s8|u8|s4|u4|b1 : x: m: s:b32? ! wmma
wmma mode=load mode2=c sync aligned layouta=row|col shape=m16n16k16|m8n32k16|m32n8k16|m8n8k32|m8n8k128|m16n16k8|m8n8k4 space?=global|$sh t=f16|f32|s32|f64 : x: m: s:b32? ! wmma
wmma mode=store mode2=d sync aligned layouta=row|col shape=m16n16k16|m8n32k16|m32n8k16|m8n8k32|m8n8k128|m16n16k8|m8n8k4 space?=global|$sh t=f16|f32|s32|f64 : m: x: s:b32? ! wmma
wmma mode=mma sync aligned layouta=row|col layoutb=row|col shape=m16n16k16|m8n32k16|m32n8k16 t=f16|f32 t=f16|f32 sat?=satfinite : x: x: x: x: ! wmmaf16
wmma mode=mma sync aligned layouta=row|col layoutb=row|col shape=m16n16k16|m8n32k16|m32n8k16 t=s32 t=s8|u8 t=s8|u8 t=s32 sat?=satfinite : x: x: x: x: ! wmmax
wmma mode=mma sync aligned layouta=row|col layoutb=row|col shape=m16n16k16|m8n32k16|m32n8k16 t=f32 t=bf16 t=bf16 t=f32 : x: x: x: x: ! wmmax
wmma mode=mma sync aligned layouta=row|col layoutb=row|col shape=m16n16k8 t=f32 t=tf32 t=tf32 t=f32 : x: x: x: x: ! wmmax
wmma mode=mma sync aligned layouta=row|col layoutb=row|col shape=m8n8k4 round?=$r t=f64 t=f64 t=f64 t=f64 : x: x: x: x: ! wmmax
wmma mode=mma sync aligned layouta=row layoutb=col shape=m8n8k32 t=s32 t=s4|u4 t=s4|u4 t=s32 sat?=satfinite : x: x: x: x: ! wmmax
wmma mode=mma mode3=xor|and mode2=popc sync aligned layouta=row layoutb=col shape=m8n8k128 t=s32 t=b1 t=b1 t=s32 : x: x: x: x: ! wmmax
mma sync aligned shape=m8n8k4 layouta=row|col layoutb=row|col t=f16|f32 t=f16 t=f16 t=f16|f32 : x: x: x: x: ! mma
mma sync aligned shape=m16n8k8|m16n8k16 layouta=row layoutb=col t=f16|f32 t=f16 t=f16 t=f16|f32 : x: x: x: x: ! mma
mma sync aligned shape=m16n8k8|m16n8k16 layouta=row layoutb=col t=f32 t=bf16 t=bf16 t=f32 : x: x: x: x: ! mma
mma sync aligned shape=m16n8k4|m16n8k8 layouta=row layoutb=col t=f32 t=tf32 t=tf32 t=f32 : x: x: x: x: ! mma
mma sync aligned shape=m8n8k4|m16n8k4|m16n8k8|m16n8k16 layouta=row layoutb=col round?=$r t=f64 t=f64 t=f64 t=f64 : x: x: x: x: ! mma
mma sync aligned shape=m8n8k16|m16n8k16|m16n8k32 layouta=row layoutb=col sat?=satfinite t=s32 t=s8|u8 t=s8|u8 t=s32 : x: x: x: x: ! mma
mma sync aligned shape=m8n8k32|m16n8k32|m16n8k64 layouta=row layoutb=col sat?=satfinite t=s32 t=s4|u4 t=s4|u4 t=s32 : x: x: x: x: ! mma
mma sync aligned shape=m8n8k128|m16n8k128|m16n8k256 layouta=row layoutb=col t=s32 t=b1 t=b1 t=s32 mode3=xor|and mode2=popc : x: x: x: x: ! mma
mma sync aligned shape=m16n8k16|m16n8k32 layouta=row layoutb=col t=f16|f32 t=e4m3|e5m2 t=e4m3|e5m2 t=f16|f32 : x: x: x: x: ! mma
mma mode=sp|sp::ordered_metadata *
mma sync aligned shape=m16n8k16|m16n8k32|m16n8k64 layouta=row layoutb=col mode=kind::f8f6f4|kind::mxf8f6f4|kind::mxf4|kind::mxf4nvf4 *
ldmatrix sync aligned shape=m8n8 level=x1|x2|x4 trans? space?=$sh t=b16 : x: m: ! ldmatrix
ldmatrix sync aligned shape=m8n16|m16n16 *
stmatrix sync aligned shape=m8n8 level=x1|x2|x4 trans? space?=$sh t=b16 : m: x: ! ldmatrix
stmatrix sync aligned shape=m16n8 *
movmatrix sync aligned shape=m8n8 trans t=b16 : d:b32 s:b32
`

// Families that need architectures above the host device's: known by their first word, names in them are resolved.
const looseTable = `
wgmma *
tcgen05 *
multimem *
tensormap *
clusterlaunchcontrol *
createpolicy *
cp sync=async mode=bulk *
st sync=async *
st mode=bulk *
red sync=async *
cp mode=reduce sync=async mode2=bulk *
`
