//go:build linux && !tandem_nodl

package nvidiatest

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unsafe"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/ptx"
)

// loadPTX loads PTX that is not newer than the driver.
func (c *fakeContext) loadPTX(text string, newest int) (driver.Module, string, error) {
	var major, minor int
	if _, err := fmt.Sscanf(text[strings.Index(text, ".version"):], ".version %d.%d", &major, &minor); err != nil {
		return 0, "fake: a version that is none", driver.InvalidPTX
	}
	if newest != 0 && 10*major+minor > newest {
		return 0, "fake: unsupported .version", driver.UnsupportedPTX
	}
	return c.LoadModule([]byte(text), driver.ModuleOptions{})
}

// compile loads PTX and writes the logs into the buffers among the options.
func compile(c *fakeContext, p *uintptr, image uintptr, n int, options *int32, values *uintptr) error {
	f := active.Load()
	f.mu.Lock()
	f.options, f.values = nil, append([]uintptr(nil), unsafe.Slice(values, n)...)
	buffers := map[cuapi.JITOption]uintptr{}
	for i, o := range unsafe.Slice(options, n) {
		f.options = append(f.options, cuapi.JITOption(o))
		buffers[cuapi.JITOption(o)] = f.values[i]
	}
	f.mu.Unlock()
	text := f.Binary
	if m := binary.LittleEndian.Uint32(memory(image, 4)); m != 0x464c457f && m != 0xba55ed50 {
		text = dl.GoString(image)
	} else if text == "" {
		return driver.NoBinaryForGPU
	}
	if !strings.Contains(text, ".version") {
		return driver.InvalidPTX
	}
	m, log, err := c.loadPTX(text, f.NewestPTX)
	*p = uintptr(m)
	if err == nil {
		sigs, _ := ptx.Headers([]byte(text))
		c.mu.Lock()
		for _, s := range sigs {
			c.entries[*p] = append(c.entries[*p], s.Entry)
		}
		c.mu.Unlock()
	}
	room := memory(buffers[cuapi.JITInfoLogBuffer], int(buffers[cuapi.JITInfoLogBufferSize]))
	if err != nil {
		room = memory(buffers[cuapi.JITErrorLogBuffer], int(buffers[cuapi.JITErrorLogBufferSize]))
	} else {
		log = "fake info : compiled"
	}
	copy(room[:len(room)-1], log+"\x00")
	return err
}
