package cuapi

import (
	"runtime"
	"sync"

	"github.com/tandem-go/tandem/internal/dl"
)

// JITSetting is an option with an integer value for the driver's compiler of PTX.
type JITSetting struct {
	Option JITOption
	Value  uint32
}

// jitLogBytes is the room for each of the compiler's two logs; it cuts what is longer.
const jitLogBytes = 64 << 10

// jitLogs are the logs of one load. They come from a pool, so that they lie on the heap: the words that point to them
// would not follow a stack that moves.
type jitLogs struct{ info, errors [jitLogBytes]byte }

var logs = sync.Pool{New: func() any { return new(jitLogs) }}

// ModuleLoadDataEx loads an image and returns what the compiler said, its errors before its information. Text must end in
// a zero byte; the driver reads a binary as far as its headers say, which the caller has checked.
func (l *Library) ModuleLoadDataEx(image []byte, settings []JITSetting) (m Module, log string, err error) {
	x := logs.Get().(*jitLogs)
	x.info[0], x.errors[0] = 0, 0
	options, values := x.options(settings)
	h := new(uintptr)
	err = l.call(ModuleLoadDataEx, dl.NewFrame().Word(h).Bytes(image).Int(uintptr(len(options))).Ints(options).Words(values))
	log = x.text()
	runtime.KeepAlive(x)
	logs.Put(x)
	return Module(*h), log, err
}
