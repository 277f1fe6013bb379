//go:build linux && (amd64 || arm64)

package jit

import (
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file is what compiled code and Go know of each other: where they keep what, and where one calls the other.

// Layout of a warp's frame. Each register is saved at its number.
const (
	frameResume = 0  // where the warp goes on
	frameEntry  = 8  // where to jump to give the warp its turn
	frameSite   = 16 // the site at which it stopped last
	frameState  = 20
	frameLive   = 24 // the lanes that have not ended
	frameAll    = 28 // the lanes that there are
	frameWarpID = 32
	frameTid    = 40 // three numbers: the thread index of lane 0
	frameMasks  = 64
	frameGPR    = 128
	frameZMM    = 256
	frameTids   = frameZMM + 32*64         // three vectors of 32 bits: the thread indices of all lanes
	frameTemp   = frameTids + 3*128        // values while parameters change places
	frameLoans  = frameTemp + 256*maxAside // vector registers while others compute in them
	frameSpare  = frameLoans + 64*maxLoans // general registers likewise
	framePend   = frameSpare + 64          // for each block, the lanes that wait there
)

// What frameState says.
const (
	stateRuns  = iota // or may run
	stateWaits        // at the barrier
	stateEnded
)

// maxAside is how many values can be set aside at one edge.
const maxAside = 8

// maxLoans is how many registers can be kept at once for an instruction that needs more.
const maxLoans = 8

// Layout of a block's area: numbers, then the parameters, then what the program says.
const (
	areaShared      = 0
	areaSharedBytes = 8
	areaNtid        = 16
	areaCtaid       = 40
	areaNctaid      = 64
	areaNwarp       = 88
	areaWorker      = 96
	areaWorkers     = 104
	areaGridID      = 112
	areaDynamic     = 120 // bytes of dynamic shared memory
	areaTotal       = 128 // bytes of all shared memory
	areaFirst       = 144 // address of the first frame
	areaEnd         = 152 // address behind the last frame of a warp that has not ended
	areaCurrent     = 160 // the frame of the warp that stopped
	areaLeft        = 168 // 32 bits: warps that have neither ended nor come to the barrier
	areaAlive       = 172 // 32 bits: warps that have not ended
	areaEdges       = 176 // 32 bits: back edges until a poll
	areaLocal       = 184 // address of the local memory of thread 0, and the distance to that of the next thread
	areaLocalStep   = 192
	areaMore        = 200 // 32 bits: blocks that follow in the row of the grid, which compiled code may begin
	areaWarps       = 204 // 32 bits: warps of a block
	areaParked      = 208 // 32 bits: some waiting warps have what they will enter in frameResume
	areaExecuted    = 216 // operations of lanes that were executed, where the program counts them
	areaStream      = 224 // 32 bits: whole lines are stored past the caches
	areaFrames      = 232 // address behind the last frame
	areaParams      = 256
)

// specialPlace is where the block's area has a special register that is the same for all threads of a block.
var specialPlace = map[ir.SReg]int32{
	ir.NtidX: areaNtid, ir.NtidY: areaNtid + 8, ir.NtidZ: areaNtid + 16,
	ir.CtaidX: areaCtaid, ir.CtaidY: areaCtaid + 8, ir.CtaidZ: areaCtaid + 16,
	ir.NctaidX: areaNctaid, ir.NctaidY: areaNctaid + 8, ir.NctaidZ: areaNctaid + 16,
	ir.NwarpID: areaNwarp, ir.SMID: areaWorker, ir.NSMID: areaWorkers, ir.GridID: areaGridID,
	ir.DynamicSmemSize: areaDynamic, ir.TotalSmemSize: areaTotal, ir.WarpID: -frameWarpID,
}

// siteKind says why compiled code returns to Go.
type siteKind uint8

const (
	sitePoll    siteKind = iota // enough back edges were taken
	siteEscape                  // an operation is to be executed in Go
	siteAccess                  // an access that the fast check did not approve
	siteBarrier                 // the lanes stand at a barrier
	siteLeave                   // the block goes on in the reference engine
	siteGroup                   // accesses that were checked together and not approved
	siteRow                     // an access in a piece that the fast check did not approve
	sitePiece                   // a piece of a block is to be executed in Go
)

// site is a place where compiled code returns to Go.
type site struct {
	kind      siteKind
	in        *ir.Instr
	run       ops.Func
	block, pc int
	// from is where the reference engine goes on: behind what has been executed, which is pc but in some pieces.
	from   int
	member int // index of the argument with the member mask, -1: none
	access int // offset in the area of what the access knows, -1: nothing
	each   int // offset in the area of the limit for the addresses of single lanes, -1: vectors of addresses share access+8
	// Of an access to scalar addresses: the least and greatest offset of a lane; of loads by index that are checked together: of a
	// load from the first. size is the bytes of each lane.
	least, most int64
	size        int
	// left is by how much an access by index shifts its indices.
	left uint8
	// retry is the offset in the code where the access begins again.
	retry int
	// steps are the instructions of a piece.
	steps []step
}

// step is an instruction of a piece that is executed in Go.
type step struct {
	in  *ir.Instr
	run ops.Func
}

// limit is a bound of addresses in shared memory: the number of its bytes less so many, plus one, or zero if that is
// negative, divided by 1 << shift and rounded up.
type limit struct {
	bytes int64
	shift uint8
}

// of is the bound in a shared memory of n bytes.
func (l limit) of(n int64) uint64 {
	return uint64(max(0, n-l.bytes+1)+1<<l.shift-1) >> l.shift
}

// knownBytes is how much of the area an access has: the region that it found last, the limit there for its lanes together,
// and that for single lanes.
const knownBytes = 24

// lanemasks are %lanemask_eq and its relatives for all lanes.
var lanemasks = map[ir.SReg]func(lane int) uint32{
	ir.LanemaskEq: func(l int) uint32 { return 1 << l },
	ir.LanemaskLt: func(l int) uint32 { return 1<<l - 1 },
	ir.LanemaskLe: func(l int) uint32 { return 2<<l - 1 },
	ir.LanemaskGt: func(l int) uint32 { return ^uint32(2<<l - 1) },
	ir.LanemaskGe: func(l int) uint32 { return ^uint32(1<<l - 1) },
}
