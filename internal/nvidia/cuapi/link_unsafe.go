package cuapi

import (
	"runtime"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
)

// LinkInput is one piece of code for the driver's linker.
type LinkInput struct {
	// Kind is a CUjitInputType.
	Kind int
	// Data ends in a zero byte if it is text.
	Data []byte
	Name string
}

// Link makes a cubin of several pieces (cuLinkCreate, cuLinkAddData, cuLinkComplete), and returns what the linker said.
func (l *Library) Link(inputs []LinkInput, settings []JITSetting) (image []byte, log string, err error) {
	x := logs.Get().(*jitLogs)
	x.info[0], x.errors[0] = 0, 0
	options, values := x.options(settings)
	h := new(uintptr)
	// The linker keeps the buffers until LinkDestroy; x lives until then.
	err = l.call(LinkCreate, dl.NewFrame().Int(uintptr(len(options))).Ints(options).Words(values).Word(h))
	if err == nil {
		image, err = l.link(*h, inputs)
		if e := l.call(LinkDestroy, dl.NewFrame().Int(*h)); err == nil {
			err = e
		}
	}
	log = x.text()
	runtime.KeepAlive(x)
	logs.Put(x)
	if err != nil {
		return nil, log, err
	}
	return image, log, nil
}

// link adds the pieces and completes the link. What LinkComplete returns belongs to the linker, so it is copied.
func (l *Library) link(h uintptr, inputs []LinkInput) ([]byte, error) {
	for _, in := range inputs {
		f := dl.NewFrame().Int(h).Int(uintptr(in.Kind)).Bytes(in.Data).Int(uintptr(len(in.Data))).String(in.Name).Int(0).Int(0).Int(0)
		if err := l.call(LinkAddData, f); err != nil {
			return nil, err
		}
	}
	out := make([]uintptr, 2)
	if err := l.call(LinkComplete, dl.NewFrame().Int(h).Word(&out[0]).Word(&out[1])); err != nil {
		return nil, err
	}
	return dl.GoBytes(out[0], int(out[1])), nil
}

// options are the log buffers and the settings as the driver takes them.
func (x *jitLogs) options(settings []JITSetting) (options []int32, values []uintptr) {
	options = []int32{int32(JITInfoLogBuffer), int32(JITInfoLogBufferSize), int32(JITErrorLogBuffer), int32(JITErrorLogBufferSize)}
	values = []uintptr{
		uintptr(unsafe.Pointer(&x.info)), jitLogBytes,
		uintptr(unsafe.Pointer(&x.errors)), jitLogBytes,
	}
	for _, s := range settings {
		options = append(options, int32(s.Option))
		values = append(values, uintptr(s.Value))
	}
	return options, values
}

// text is what the compiler said.
func (x *jitLogs) text() string { return JITLog(x.info[:], x.errors[:]) }

// JITLog is what the compiler wrote into its two logs as one text, its errors first.
func JITLog(info, errors []byte) string {
	log := cString(errors)
	if text := cString(info); text != "" {
		if log != "" {
			log += "\n"
		}
		log += text
	}
	return log
}

// GraphAddKernelNode adds a kernel. It passes the parameter block as a whole; the driver copies it.
func (l *Library) GraphAddKernelNode(g Graph, before []GraphNode, k *Launch) (GraphNode, error) {
	x := k.extra()
	params := []uintptr{
		uintptr(k.Function), pair(int(k.GridX), int(k.GridY)), pair(int(k.GridZ), int(k.X)), pair(int(k.Y), int(k.Z)),
		uintptr(k.SharedBytes), 0, uintptr(unsafe.Pointer(&x.words)), 0, 0,
	}
	if len(k.Params) == 0 {
		params[6] = 0
	}
	n := new(uintptr)
	err := l.call(GraphAddKernelNode, add(n, g, before).Words(params))
	x.done()
	return GraphNode(*n), err
}
