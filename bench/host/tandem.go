package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/tandem-go/tandem/cuda"
)

//go:embed kernels peers
var sources embed.FS

// tandem runs problems through the public API on the host device.
type tandem struct {
	engine  string
	dev     *cuda.Device
	mod     *cuda.Module
	fn      *cuda.Function
	p       *problem
	buffers []any
	ready   *cuda.Prepared
	compile time.Duration
}

var background = context.Background()

func (t *tandem) open(p *problem) (err error) {
	if t.dev == nil {
		if t.dev, err = cuda.OpenHost(cuda.HostConfig{Engine: t.engine}); err != nil {
			return err
		}
	}
	source, err := sources.ReadFile("kernels/" + p.kernel + ".cu")
	if err != nil {
		return err
	}
	t.p = p
	begun := time.Now()
	if t.mod, err = t.dev.Compile(background, string(source), cuda.CompileConfig{Name: p.kernel + ".cu"}); err != nil {
		return err
	}
	t.compile = time.Since(begun)
	if t.fn, err = t.mod.Function(p.kernel); err != nil {
		return err
	}
	if err = t.reset(); err != nil {
		return err
	}
	var args []any
	for _, a := range p.args {
		if r, ok := a.(ref); ok {
			a = t.buffers[r]
		}
		args = append(args, a)
	}
	t.ready, err = t.fn.Prepare(cuda.LaunchConfig{Grid: dim(p.grid), Block: dim(p.block)}, args...)
	return err
}

func dim(d [3]int) cuda.Dim3 { return cuda.D3(d[0], d[1], d[2]) }

// reset uploads the first contents, to new buffers where there are none yet.
func (t *tandem) reset() error {
	if t.buffers == nil {
		t.buffers = make([]any, len(t.p.buffers))
	}
	for i, b := range t.p.buffers {
		if err := t.put(i, b.fresh()); err != nil {
			return err
		}
	}
	for _, g := range t.p.globals {
		v, err := t.mod.Global(g.name)
		if err != nil {
			return err
		}
		if err := v.CopyFrom(background, bytesOf(t.p.buffers[g.buffer].data)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tandem) put(i int, data any) (err error) {
	switch s := data.(type) {
	case []float32:
		return upload(t, i, s)
	case []float64:
		return upload(t, i, s)
	case []int32:
		return upload(t, i, s)
	case []uint32:
		return upload(t, i, s)
	}
	return fmt.Errorf("no buffer of %T", data)
}

func upload[T cuda.Element](t *tandem, i int, s []T) (err error) {
	if b, ok := t.buffers[i].(*cuda.Buffer[T]); ok {
		return b.CopyFrom(background, s)
	}
	t.buffers[i], err = cuda.Upload(background, t.dev, s)
	return err
}

func (t *tandem) run() error {
	if err := t.ready.Launch(); err != nil {
		return err
	}
	return t.dev.Synchronize(background)
}

func (t *tandem) fetch(b int) (any, error) {
	switch s := t.buffers[b].(type) {
	case *cuda.Buffer[float32]:
		return s.Download(background)
	case *cuda.Buffer[float64]:
		return s.Download(background)
	case *cuda.Buffer[int32]:
		return s.Download(background)
	case *cuda.Buffer[uint32]:
		return s.Download(background)
	}
	return nil, errors.New("no such buffer")
}

func (t *tandem) info() string {
	return fmt.Sprintf("engine=%s compiler=%q nvrtc_ms=%.1f", t.fn.Engine(), t.mod.Compiler(), t.compile.Seconds()*1e3)
}

func (t *tandem) close() error {
	if t.mod == nil {
		return nil
	}
	for _, b := range t.buffers {
		if c, ok := b.(interface{ Close() error }); ok {
			if err := c.Close(); err != nil {
				return err
			}
		}
	}
	t.buffers = nil
	return t.mod.Close()
}
