package main

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// plain runs problems as plain Go on all processors.
type plain struct {
	p    *problem
	data []any
	code func(*plain)
}

func (g *plain) open(p *problem) error {
	g.p, g.code = p, nil
	for _, k := range kernels {
		if k.name == p.kernel {
			g.code = k.plain
		}
	}
	if g.code == nil {
		return errors.New("there is none in plain Go")
	}
	return g.reset()
}

func (g *plain) reset() error {
	if g.data == nil {
		g.data = make([]any, len(g.p.buffers))
	}
	for i, b := range g.p.buffers {
		d := b.fresh()
		if g.data[i] == nil {
			g.data[i] = d
		}
		copy(bytesOf(g.data[i]), bytesOf(d))
	}
	return nil
}

func (g *plain) run() error {
	g.code(g)
	return nil
}

func (g *plain) fetch(b int) (any, error) { return g.data[b], nil }

func (g *plain) info() string { return fmt.Sprintf("go=%s", runtime.Version()) }

func (g *plain) close() error {
	g.data = nil
	runtime.GC()
	return nil
}

// at returns argument i, or behind the arguments a variable of the module.
func (g *plain) at(i int) any {
	a := any(nil)
	if i < len(g.p.args) {
		a = g.p.args[i]
	} else {
		a = ref(g.p.globals[i-len(g.p.args)].buffer)
	}
	if r, ok := a.(ref); ok {
		return g.data[r]
	}
	return a
}

func (g *plain) int(i int) int       { return int(g.at(i).(int32)) }
func (g *plain) float(i int) float32 { return g.at(i).(float32) }
func (g *plain) f32(i int) []float32 { return g.at(i).([]float32) }
func (g *plain) f64(i int) []float64 { return g.at(i).([]float64) }
func (g *plain) i32(i int) []int32   { return g.at(i).([]int32) }
func (g *plain) u32(i int) []uint32  { return g.at(i).([]uint32) }
func (g *plain) blocks(f func(int))  { each(g.p.blocks(), f) }
func each(n int, f func(int)) {
	split(n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f(i)
		}
	})
}

// split shares 0 to n among the processors.
func split(n int, f func(lo, hi int)) {
	var wg sync.WaitGroup
	procs := runtime.GOMAXPROCS(0)
	for w := range procs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(n*w/procs, n*(w+1)/procs)
		}()
	}
	wg.Wait()
}
