package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// problem is one launch of a kernel and the data it works on. It is written to a folder, from which every worker reads it.
type problem struct {
	kernel      string
	grid, block [3]int
	buffers     []buffer
	args        []any // int32, float32, ref
	globals     []global
	outputs     []int // buffers
	// check compares what a worker computed with what is right; got holds the outputs by buffer.
	check func(got map[int]any) error
	// flops and bytes are the arithmetic of one launch and the memory that it has to move at least.
	flops, bytes float64
}

// ref is an argument that is a buffer.
type ref int

// global is a variable of the module that is set from a buffer. Languages without such variables get it as one more
// argument.
type global struct {
	name   string
	buffer int
}

// buffer is device memory and what it holds at first; without data, all its bits are ones, so that a result which nobody
// wrote is noticed.
type buffer struct {
	elem string // float32, float64, int32, uint32
	n    int
	data any // a slice of them, or nil
}

func holding(data any) buffer {
	switch s := data.(type) {
	case []float32:
		return buffer{"float32", len(s), data}
	case []float64:
		return buffer{"float64", len(s), data}
	case []int32:
		return buffer{"int32", len(s), data}
	case []uint32:
		return buffer{"uint32", len(s), data}
	}
	panic(fmt.Sprintf("no buffer of %T", data))
}

func room(elem string, n int) buffer { return buffer{elem: elem, n: n} }

// fresh is memory with the buffer's first contents.
func (b buffer) fresh() any {
	var d any
	switch b.elem {
	case "float32":
		d = make([]float32, b.n)
	case "float64":
		d = make([]float64, b.n)
	case "int32":
		d = make([]int32, b.n)
	case "uint32":
		d = make([]uint32, b.n)
	}
	raw := bytesOf(d)
	if b.data == nil {
		for i := range raw {
			raw[i] = 0xff
		}
		return d
	}
	copy(raw, bytesOf(b.data))
	return d
}

// write puts the problem into a folder: spec, and a file for each buffer that holds something.
func (p *problem) write(dir string) error {
	var s strings.Builder
	fmt.Fprintf(&s, "kernel %s\ngrid %d %d %d\nblock %d %d %d\n", p.kernel, p.grid[0], p.grid[1], p.grid[2], p.block[0], p.block[1], p.block[2])
	for i, b := range p.buffers {
		file := "-"
		if b.data != nil {
			file = fmt.Sprintf("in%d", i)
			if err := os.WriteFile(filepath.Join(dir, file), bytesOf(b.data), 0o600); err != nil {
				return err
			}
		}
		fmt.Fprintf(&s, "buffer %s %d %s\n", b.elem, len(bytesOf(buffer{elem: b.elem, n: 1}.fresh()))*b.n, file)
	}
	for _, a := range p.args {
		switch a := a.(type) {
		case int32:
			fmt.Fprintf(&s, "arg int %d\n", a)
		case float32:
			fmt.Fprintf(&s, "arg float %s\n", strconv.FormatFloat(float64(a), 'g', -1, 32))
		case ref:
			fmt.Fprintf(&s, "arg buffer %d\n", a)
		}
	}
	for _, g := range p.globals {
		fmt.Fprintf(&s, "global %s %d\n", g.name, g.buffer)
	}
	for _, o := range p.outputs {
		fmt.Fprintf(&s, "out %d\n", o)
	}
	return os.WriteFile(filepath.Join(dir, "spec"), []byte(s.String()), 0o600)
}

// readProblem is what a worker knows of a problem: all but the check.
func readProblem(dir string) (*problem, error) {
	text, err := os.ReadFile(filepath.Join(dir, "spec"))
	if err != nil {
		return nil, err
	}
	p := &problem{}
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		if err := p.line(dir, strings.Fields(sc.Text())); err != nil {
			return nil, fmt.Errorf("%s: %w", sc.Text(), err)
		}
	}
	return p, nil
}

// line takes in one line of a spec.
func (p *problem) line(dir string, f []string) error {
	switch f[0] {
	case "kernel":
		p.kernel = f[1]
	case "grid", "block":
		d := &p.grid
		if f[0] == "block" {
			d = &p.block
		}
		_, err := fmt.Sscan(strings.Join(f[1:], " "), &d[0], &d[1], &d[2])
		return err
	case "buffer":
		return p.readBuffer(dir, f)
	case "arg":
		v, err := strconv.ParseFloat(f[2], 64)
		p.args = append(p.args, map[string]any{"int": int32(v), "float": float32(v), "buffer": ref(v)}[f[1]])
		return err
	case "global":
		i, err := strconv.Atoi(f[2])
		p.globals = append(p.globals, global{f[1], i})
		return err
	case "out":
		i, err := strconv.Atoi(f[1])
		p.outputs = append(p.outputs, i)
		return err
	}
	return nil
}

func (p *problem) readBuffer(dir string, f []string) error {
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return err
	}
	b := buffer{elem: f[1], n: size / len(bytesOf(buffer{elem: f[1], n: 1}.fresh()))}
	if f[3] != "-" {
		d := b.fresh()
		raw, err := os.ReadFile(filepath.Join(dir, f[3]))
		if err != nil {
			return err
		}
		if copy(bytesOf(d), raw) != size {
			return fmt.Errorf("want %d bytes", size)
		}
		b.data = d
	}
	p.buffers = append(p.buffers, b)
	return nil
}

// verify reads what a worker wrote and checks it.
func (p *problem) verify(dir string) error {
	got := map[int]any{}
	for _, o := range p.outputs {
		d := buffer{elem: p.buffers[o].elem, n: p.buffers[o].n}.fresh()
		name := filepath.Join(dir, fmt.Sprintf("out%d", o))
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if len(raw) != len(bytesOf(d)) {
			return fmt.Errorf("output %d has %d bytes", o, len(raw))
		}
		copy(bytesOf(d), raw)
		got[o] = d
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return p.check(got)
}

func (p *problem) blocks() int { return p.grid[0] * p.grid[1] * p.grid[2] }

// names lists kernels, sorted as the table is.
func names(all []kernel) (out []string) {
	for _, k := range all {
		out = append(out, k.name)
	}
	return slices.Clip(out)
}
