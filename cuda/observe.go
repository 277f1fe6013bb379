package cuda

import (
	"context"
	"runtime/pprof"
	"runtime/trace"

	"github.com/tandem-go/tandem/internal/nvtx"
)

// Range is a named span of a program's work for whatever observes it: a range of NVTX for NVIDIA's tools, where the process
// finds the library libnvToolsExt, and a task of runtime/trace. Without either it costs next to nothing.
type Range struct {
	id   uint64
	task *trace.Task
}

// StartRange begins a span, which any goroutine may end. Calls with the context that it returns belong to it in runtime/trace,
// where this package makes regions for compiles, loads, launches, copies and waits, named as in its errors, and the host
// device one for each worker on a kernel.
func StartRange(ctx context.Context, name string) (context.Context, *Range) {
	r := &Range{id: nvtx.Start(name)}
	if trace.IsEnabled() {
		ctx, r.task = trace.NewTask(ctx, name)
	}
	return ctx, r
}

// End ends the span.
func (r *Range) End() {
	nvtx.End(r.id)
	if r.task != nil {
		r.task.End()
	}
}

// Mark notes that something has happened, in NVTX and as a message of runtime/trace.
func Mark(ctx context.Context, name string) {
	nvtx.Mark(name)
	if trace.IsEnabled() {
		trace.Log(ctx, "tandem", name)
	}
}

// labelled calls f, whose time profiles show under the label tandem and traces as a region.
func labelled(ctx context.Context, op string, f func(context.Context)) {
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, op).End()
	}
	pprof.Do(ctx, pprof.Labels("tandem", op), f)
}
