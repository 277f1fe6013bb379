package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// facts are what the engine tells of a kernel: how long it takes to compile and what it did in Go.
type facts struct {
	Engine string `json:"engine"`
	// Instructions is the number of PTX instructions of the kernel, and CodeBytes the size of the machine code.
	Instructions int `json:"ptx_instructions"`
	CodeBytes    int `json:"code_bytes"`
	// CompileMS is from PTX text to machine code, cold: each time after a garbage collection. WarmMS is the same for compilations
	// one after the other, without collections. SecondMS is for another block size of the same kernel, cold, where the engine may
	// find that the first program serves it.
	CompileMS float64 `json:"compile_ms"`
	WarmMS    float64 `json:"warm_ms"`
	SecondMS  float64 `json:"second_ms"`
	// LaneOps is the number of operations of lanes that one launch of test size has, and InGo how many of these the engine
	// executed in Go: single operations, by form in Escapes, and whole blocks that it gave up.
	LaneOps uint64            `json:"lane_ops"`
	InGo    uint64            `json:"in_go"`
	Escapes map[string]uint64 `json:"escapes,omitempty"`
	// PollsPerMS is how often the kernel returns to Go in a millisecond on one core, where the world can be stopped, and GapUS
	// the 99th percentile of the microseconds between two returns. Returns within a call of Run are not counted.
	PollsPerMS float64 `json:"polls_per_ms"`
	GapUS      float64 `json:"poll_gap_us"`

	text, code []byte
}

// escaped is the share of lane operations executed in Go; all of them where there are no facts.
func (f *facts) escaped() float64 {
	if f == nil {
		return 1
	}
	return float64(f.InGo) / float64(max(f.LaneOps, 1))
}

// toPTX compiles a kernel as the host device does.
func toPTX(c *nvrtc.Compiler, name string) ([]byte, error) {
	source, err := sources.ReadFile("kernels/" + name + ".cu")
	if err != nil {
		return nil, err
	}
	r, err := c.Compile(background, nvrtc.Program{
		Source: string(source), Name: name + ".cu", Arch: "compute_75", Options: []string{"-lineinfo", "--std=c++17"},
	})
	if err != nil {
		return nil, err
	}
	return r.PTX, nil
}

// kernelOf takes PTX as far as an engine wants it.
func kernelOf(text []byte, name string) (*ir.Kernel, error) {
	tree, err := ptx.Parse(name+".ptx", text)
	if err != nil {
		return nil, err
	}
	checked, err := check.Check(tree)
	if err != nil {
		return nil, err
	}
	k, err := lower.Kernel(checked, name)
	if err != nil {
		return nil, err
	}
	return k, passes.Run(k, passes.Options{})
}

// instructions is a line of PTX with an instruction: it begins with a tab, maybe a guard, and a letter.
var instructions = regexp.MustCompile(`(?m)^\s*(@!?%p\d+\s+)?[a-z][a-z0-9_.:]*(\s[^;]*)?;`)

// laid is a problem in an engine's memory.
type laid struct {
	space   *mem.Space
	globals []uint64
	launch  engine.Launch
	windows engine.Windows
}

// lay makes memory, parameters and windows for one launch.
func lay(p *problem, k *ir.Kernel) (*laid, error) {
	space, err := mem.New(mem.Options{Limit: 1 << 32})
	if err != nil {
		return nil, err
	}
	l := &laid{space: space}
	at := make([]uint64, len(p.buffers))
	for i, b := range p.buffers {
		if at[i], err = l.put(bytesOf(b.fresh())); err != nil {
			return nil, err
		}
	}
	for _, g := range k.Globals {
		for _, v := range p.globals {
			if v.name == g.Name {
				l.globals = append(l.globals, at[v.buffer])
			}
		}
	}
	if len(l.globals) != len(k.Globals) {
		return nil, errors.New("a variable of the module has no buffer")
	}
	shared, err := space.Reserve(1 << 16)
	if err != nil {
		return nil, err
	}
	d := func(x [3]int) [3]uint32 { return [3]uint32{uint32(x[0]), uint32(x[1]), uint32(x[2])} }
	l.launch = engine.Launch{
		ID: 1, Grid: d(p.grid), Block: d(p.block), SharedBytes: k.SharedBytes, Params: parameters(p, at),
		Runtime: rt.New(rt.Config{Memory: space}), Workers: 1,
	}
	l.windows = engine.Windows{Shared: shared, Local: shared + 1<<15}
	return l, nil
}

func (l *laid) put(data []byte) (uint64, error) {
	a, err := l.space.Alloc(uint64(len(data)))
	if err != nil {
		return 0, err
	}
	to, err := l.space.Bytes(a, uint64(len(data)))
	copy(to, data)
	return a, err
}

// parameters is the parameter block: each at its natural alignment (PTX ISA, Kernel Function Parameters).
func parameters(p *problem, at []uint64) (b []byte) {
	for _, a := range p.args {
		switch a := a.(type) {
		case int32:
			b = binary.LittleEndian.AppendUint32(b, uint32(a))
		case float32:
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(a))
		case ref:
			b = append(b, make([]byte, -len(b)&7)...)
			b = binary.LittleEndian.AppendUint64(b, at[a])
		}
	}
	return b
}

// count runs all blocks one after the other, and returns how many lane operations the reference engine executed.
func (l *laid) count(k *ir.Kernel, program engine.Program) (uint64, error) {
	cover := &engine.Coverage{}
	l.launch.Cover = cover
	g := l.launch.Grid
	for i := range uint64(g[0]) * uint64(g[1]) * uint64(g[2]) {
		b := program.Block(&l.launch, i, l.windows)
		for state := engine.Yielded; state != engine.Done; {
			var fault *engine.Fault
			if state, fault = b.Run(1 << 20); fault != nil {
				return 0, fmt.Errorf("block %d: %s", i, fault.Detail)
			}
		}
		b.Close()
	}
	var n uint64
	for _, f := range k.Funcs {
		for _, b := range f.Blocks {
			for _, in := range b.Instrs {
				n += cover.Count(in)
			}
		}
	}
	return n, nil
}

// inside asks the engine about a kernel.
func inside(c *nvrtc.Compiler, e engine.Engine, p *problem) (*facts, error) {
	text, err := toPTX(c, p.kernel)
	if err != nil {
		return nil, err
	}
	f := &facts{Engine: e.Name(), Instructions: len(instructions.FindAll(text, -1)), text: text}
	k, err := kernelOf(text, p.kernel)
	if err != nil {
		return nil, err
	}
	l, err := lay(p, k)
	if err != nil {
		return nil, err
	}
	defer l.space.Close()
	o := engine.Options{Memory: l.space, Globals: l.globals, Block: l.launch.Block}
	if err := f.times(e, p.kernel, o); err != nil {
		return nil, err
	}
	return f, f.escapes(e, k, o, l)
}

// times measures compiling, each several times. No cache of programs is on the way.
func (f *facts) times(e engine.Engine, name string, o engine.Options) error {
	const times = 9
	var cold, warm, second []float64
	for range times {
		runtime.GC()
		k, program, took, err := f.compile(e, name, o)
		if err != nil {
			return err
		}
		cold = append(cold, took)
		other := o
		other.Block, other.Like = [3]uint32{64, 1, 1}, []engine.Program{program}
		begun := time.Now()
		if _, err := e.Compile(k, other); err != nil {
			return err
		}
		second = append(second, time.Since(begun).Seconds()*1e3)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range times {
		_, _, took, err := f.compile(e, name, o)
		if err != nil {
			return err
		}
		warm = append(warm, took)
	}
	f.CompileMS, f.WarmMS, f.SecondMS = median(cold), median(warm), median(second)
	return nil
}

// compile goes from PTX text to machine code; took is in milliseconds.
func (f *facts) compile(e engine.Engine, name string, o engine.Options) (k *ir.Kernel, p engine.Program, took float64, err error) {
	begun := time.Now()
	if k, err = kernelOf(f.text, name); err == nil {
		p, err = e.Compile(k, o)
	}
	return k, p, time.Since(begun).Seconds() * 1e3, err
}

// escapes counts what is executed in Go.
func (f *facts) escapes(e engine.Engine, k *ir.Kernel, o engine.Options, l *laid) error {
	program, err := e.Compile(k, o)
	if err != nil {
		return err
	}
	if f.InGo, err = l.count(k, program); err != nil { // what is counted here are blocks that the engine gave up
		return err
	}
	if p, ok := program.(interface{ Escaped() uint64 }); ok {
		f.InGo += p.Escaped()
	}
	if p, ok := program.(interface{ Escapes() map[string]uint64 }); ok {
		f.Escapes = p.Escapes()
	}
	if p, ok := program.(interface{ Text() []byte }); ok {
		f.code = p.Text()
		f.CodeBytes = len(f.code)
	}
	if err := f.polls(l, program); err != nil {
		return err
	}
	reference, err := interp.New().Compile(k, o)
	if err != nil {
		return err
	}
	f.LaneOps, err = l.count(k, reference)
	return err
}

// polls runs the blocks in rows and slices as the host device does, until it has seen enough returns.
func (f *facts) polls(l *laid, program engine.Program) error {
	const slice, row, enough = 4096, 512, 2000
	g := l.launch.Grid
	count := uint64(g[0]) * uint64(g[1]) * uint64(g[2])
	var gaps []float64
	for i := uint64(0); len(gaps) < enough; i %= count {
		b := program.Block(&l.launch, i, l.windows)
		sequence, more := b.(engine.Sequence)
		if i++; more {
			n := min(row, count-i)
			sequence.Extend(n)
			i += n
		}
		for state := engine.Yielded; state != engine.Done; {
			begun := time.Now()
			var fault *engine.Fault
			if state, fault = b.Run(slice); fault != nil {
				return fmt.Errorf("polls: %s", fault.Detail)
			}
			gaps = append(gaps, time.Since(begun).Seconds()*1e6)
		}
		if more {
			i -= sequence.Rest()
		}
		b.Close()
	}
	sum := 0.0
	for _, g := range gaps {
		sum += g
	}
	slices.Sort(gaps)
	f.PollsPerMS, f.GapUS = 1e3*float64(len(gaps))/sum, gaps[len(gaps)*99/100]
	return nil
}

// namedEngine is an engine for machine code, by the names that cuda.HostConfig takes; nil for the reference engine, and
// for the fastest where the machine has none.
func namedEngine(name string) (engine.Engine, error) {
	switch name {
	case "interp":
		return nil, nil
	case "", "jit":
		e, err := jit.New()
		if err != nil && name == "" {
			return nil, nil
		}
		return e, err
	}
	return jit.Named(name)
}

// dump writes the PTX and the machine code of a kernel to a folder, for a disassembler:
//
//	objdump -D -b binary -m i386:x86-64 -M intel saxpy.bin
func (f *facts) dump(dir, name string) error {
	return errors.Join(
		os.WriteFile(filepath.Join(dir, name+".ptx"), f.text, 0o644),
		os.WriteFile(filepath.Join(dir, name+".bin"), f.code, 0o644))
}
