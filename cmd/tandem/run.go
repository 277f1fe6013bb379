package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/interop/npy"
)

const runHelp = `FILE is CUDA C++ (.cu) or PTX (.ptx). Arguments are given in the order of the kernel's parameters, each as one --arg:

   in:F.npy               device memory with the contents of the file
   out:f32[400]:F.npy     400 elements of device memory, not initialised, written to the file afterwards
   inout:F.npy[:OUT.npy]  both
   f32:2.5                a value: i8 u8 i16 u16 i32 u32 i64 u64 f32 f64
   bytes:HEX              a structure by value
   null                   the null pointer

Exit status: 0; 1 for a CUDA error, or a defect that --check found; 2 for wrong usage; 3 if the source does not compile.`

func runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "compile a file and run one kernel of it", ArgsUsage: "FILE", Description: runHelp,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "kernel", Usage: "the kernel; not needed if there is exactly one"},
			&cli.StringFlag{Name: "name-expr", Usage: "a template instance, such as 'axpy<float>'"},
			&cli.StringFlag{Name: "grid", Value: "1", Usage: "blocks, X[,Y[,Z]]"},
			&cli.StringFlag{Name: "block", Value: "1", Usage: "threads of a block, X[,Y[,Z]]"},
			&cli.IntFlag{Name: "shared", Usage: "dynamic shared memory of a block in bytes"},
			&cli.StringSliceFlag{Name: "arg", Usage: "one argument, see above"},
			&cli.StringSliceFlag{Name: "global", Usage: "NAME=F.npy, contents of a module variable"},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "number of launches"},
			&cli.StringSliceFlag{Name: "opt", Usage: "one option for NVRTC"},
			&cli.DurationFlag{Name: "timeout", Usage: "give up after this time"},
			&cli.StringFlag{Name: "device", Usage: "host, gpu or gpu:N; by default TANDEM_DEVICE, else the best there is"},
			&cli.StringFlag{Name: "engine", Usage: "interp, jit, or one of jit/avx512, jit/avx2 and jit/neon, on the host device"},
			&cli.StringFlag{Name: "check", Usage: "find defects of the kernel: memcheck,initcheck,racecheck,synccheck, or all, which is also what --check alone means"},
			&cli.StringFlag{Name: "cover", Usage: "write how often source lines ran to this file, which go tool cover reads"},
			&cli.BoolFlag{Name: "json", Usage: "write the report as JSON to standard output"},
		},
		// Commas belong to values here: --arg and --opt are given once for each.
		DisableSliceFlagSeparator: true,
		Action: func(ctx context.Context, c *cli.Command) error {
			r, err := newRunner(c)
			if err != nil {
				return err
			}
			return r.run(ctx)
		},
	}
}

// runner is one call of `tandem run`.
type runner struct {
	file, kernel, nameExpr  string
	cfg                     cuda.LaunchConfig
	specs                   []spec
	globals                 []global
	repeat                  int
	options                 []string
	timeout                 time.Duration
	device, engine, cover   string
	checks                  []cuda.Check
	json                    bool
	stdout, stderr          io.Writer
	compileTime, launchTime time.Duration
}

// global is one --global.
type global struct{ name, file string }

// newRunner reads the flags and refuses what is wrong before anything is opened.
func newRunner(c *cli.Command) (r *runner, err error) {
	if c.Args().Len() != 1 {
		return nil, usage("want one FILE, have %d", c.Args().Len())
	}
	r = &runner{
		file: c.Args().First(), kernel: c.String("kernel"), nameExpr: c.String("name-expr"), repeat: c.Int("repeat"),
		options: c.StringSlice("opt"), timeout: c.Duration("timeout"), device: c.String("device"), engine: c.String("engine"),
		json: c.Bool("json"), stdout: c.Root().Writer, stderr: c.Root().ErrWriter,
	}
	r.cover = c.String("cover")
	if c.IsSet("check") {
		if r.checks, err = parseChecks(c.String("check")); err != nil {
			return nil, err
		}
	}
	switch {
	case r.engine != "" && r.engine != "interp" && r.engine != "jit" && !strings.HasPrefix(r.engine, "jit/"):
		return nil, usage("--engine %s is not available in this build: it has interp and jit", r.engine)
	case r.engine != "" && r.device != "" && r.device != "host":
		return nil, usage("--engine is for the host device, not for %s", r.device)
	case (len(r.checks) > 0 || r.cover != "") && r.device != "" && r.device != "host":
		return nil, usage("--check and --cover are for the host device, not for %s", r.device)
	case r.kernel != "" && r.nameExpr != "":
		return nil, usage("--kernel and --name-expr exclude each other")
	case r.repeat < 1:
		return nil, usage("--repeat %d: want at least 1", r.repeat)
	case r.timeout < 0:
		return nil, usage("--timeout %v: want a positive time", r.timeout)
	}
	if r.cfg.Grid, err = parseDim("--grid", c.String("grid")); err != nil {
		return nil, err
	}
	if r.cfg.Block, err = parseDim("--block", c.String("block")); err != nil {
		return nil, err
	}
	r.cfg.SharedBytes = c.Int("shared")
	for _, text := range c.StringSlice("arg") {
		s, err := parseSpec(text)
		if err != nil {
			return nil, err
		}
		r.specs = append(r.specs, s)
	}
	for _, text := range c.StringSlice("global") {
		name, file, ok := strings.Cut(text, "=")
		if !ok || name == "" || file == "" {
			return nil, usage("--global %q: want NAME=F.npy", text)
		}
		r.globals = append(r.globals, global{name, file})
	}
	return r, nil
}

func (r *runner) open() (*cuda.Device, error) {
	id := cmp.Or(r.device, os.Getenv("TANDEM_DEVICE"))
	if r.engine != "" || len(r.checks) > 0 || r.cover != "" {
		id = "host"
	}
	if id == "host" {
		// Memory of out arguments is not initialised: a kernel that reads it, or does not fill it, should be noticed.
		return cuda.OpenHost(cuda.HostConfig{Engine: r.engine, Poison: true, Checks: r.checks, Cover: r.cover != "", Count: r.json})
	}
	dev, err := cuda.Open(id)
	if err != nil || dev.Info().Kind == cuda.GPU {
		return dev, err
	}
	if err := dev.Close(); err != nil {
		return nil, err
	}
	return cuda.OpenHost(cuda.HostConfig{Poison: true, Count: r.json})
}

func (r *runner) run(ctx context.Context) error {
	if r.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, r.timeout)
		defer stop()
	}
	dev, err := r.open()
	if err != nil {
		return err
	}
	defer dev.Close()
	dev.SetOutput(r.stdout)
	start := time.Now()
	mod, err := r.load(ctx, dev)
	if err != nil {
		return compileFailure(r.stderr, err)
	}
	r.compileTime = time.Since(start)
	fn, err := r.function(mod)
	if err != nil {
		return err
	}
	if err := r.setGlobals(ctx, mod); err != nil {
		return err
	}
	args, memories, err := r.arguments(ctx, dev)
	if err != nil {
		return err
	}
	if err := r.launch(ctx, fn, args); err != nil {
		// What was found tells more than the error.
		return errors.Join(err, r.findings(r.stderr, dev), r.writeCoverage(dev))
	}
	for _, m := range memories {
		if m.save == "" {
			continue
		}
		if err := m.store(ctx); err != nil {
			return err
		}
	}
	if err := r.report(dev, mod, fn); err != nil {
		return err
	}
	return errors.Join(r.findings(r.stderr, dev), r.writeCoverage(dev))
}

// load compiles CUDA C++ or loads PTX.
func (r *runner) load(ctx context.Context, dev *cuda.Device) (*cuda.Module, error) {
	text, err := os.ReadFile(r.file)
	if err != nil {
		return nil, err
	}
	switch filepath.Ext(r.file) {
	case ".ptx":
		if r.nameExpr != "" || len(r.options) > 0 {
			return nil, usage("--name-expr and --opt are for CUDA C++, not for PTX")
		}
		return dev.Load(ctx, text, cuda.LoadConfig{Name: r.file})
	case ".cu":
		cfg := cuda.CompileConfig{Name: r.file, Options: r.options, IncludeDirs: []string{filepath.Dir(r.file)}}
		if r.nameExpr != "" {
			cfg.NameExpressions = []string{r.nameExpr}
		}
		return dev.Compile(ctx, string(text), cfg)
	}
	return nil, usage("%s is neither .cu nor .ptx", r.file)
}

// compileFailure shows the compiler's log and gives a failure to compile its exit status.
func compileFailure(stderr io.Writer, err error) error {
	if e := (*cuda.CompileError)(nil); errors.As(err, &e) {
		fmt.Fprintln(stderr, strings.TrimSpace(e.Log))
		return &exitError{exitCompile, err}
	}
	return err
}

func (r *runner) function(mod *cuda.Module) (*cuda.Function, error) {
	name := r.kernel
	if r.nameExpr != "" {
		name = r.nameExpr
	}
	if name == "" {
		all := mod.Kernels()
		if len(all) != 1 {
			return nil, usage("%s has %d kernels; choose with --kernel: %s", r.file, len(all), strings.Join(all, ", "))
		}
		name = all[0]
	}
	return mod.Function(name)
}

func (r *runner) setGlobals(ctx context.Context, mod *cuda.Module) error {
	for _, g := range r.globals {
		a, err := npy.ReadFile(g.file)
		if err != nil {
			return fmt.Errorf("--global %s: %w", g.name, err)
		}
		v, err := mod.Global(g.name)
		if err != nil {
			return err
		}
		if v.Len() != len(a.Data) {
			return usage("--global %s: the variable has %d bytes, %s has %d", g.name, v.Len(), g.file, len(a.Data))
		}
		if err := v.CopyFrom(ctx, a.Data); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) arguments(ctx context.Context, dev *cuda.Device) (args []any, memories []*memory, err error) {
	for i := range r.specs {
		arg, m, err := r.specs[i].argument(ctx, dev)
		if err != nil {
			return nil, nil, err
		}
		args = append(args, arg)
		if m != nil {
			memories = append(memories, m)
		}
	}
	return args, memories, nil
}

// launch runs the kernel as often as asked and keeps the average time.
func (r *runner) launch(ctx context.Context, fn *cuda.Function, args []any) error {
	start := time.Now()
	for range r.repeat {
		if err := fn.Run(ctx, r.cfg, args...); err != nil {
			return err
		}
	}
	r.launchTime = time.Since(start) / time.Duration(r.repeat)
	return nil
}

// runReport is what --json prints.
type runReport struct {
	Device    string  `json:"device"`
	DeviceID  string  `json:"device_id"`
	Engine    string  `json:"engine,omitempty"`
	Compiler  string  `json:"compiler"`
	Kernel    string  `json:"kernel"`
	CompileMS float64 `json:"compile_ms"`
	LaunchMS  float64 `json:"launch_ms"`
	Repeat    int     `json:"repeat"`
	// Escaped is the share of lane operations that were executed in Go.
	Escaped float64 `json:"escaped"`
}

func (r *runner) report(dev *cuda.Device, mod *cuda.Module, fn *cuda.Function) error {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	info := dev.Info()
	rep := runReport{
		Device: info.Name, DeviceID: info.ID, Engine: fn.Engine(), Compiler: mod.Compiler(), Kernel: fn.Name(),
		CompileMS: ms(r.compileTime), LaunchMS: ms(r.launchTime), Repeat: r.repeat, Escaped: fn.Escaped(),
	}
	if r.json {
		e := json.NewEncoder(r.stdout)
		e.SetIndent("", "  ")
		return e.Encode(rep)
	}
	fmt.Fprintf(r.stderr, "%s on %s (%s): compiled in %.3f ms by %s, ran in %.3f ms\n",
		rep.Kernel, rep.Device, rep.DeviceID, rep.CompileMS, rep.Compiler, rep.LaunchMS)
	return nil
}
