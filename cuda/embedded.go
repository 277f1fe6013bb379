package cuda

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// Embedded PTX begins with comment lines that tie it to what it was made from:
//
//	// tandem: made from <hash> by NVRTC 12.4
//	// tandem: instance axpy<float> = _Z4axpyIfEvT_PS0_S1_i
//
// The hash covers the source, the options and the name expressions.
const (
	embeddedMark     = "// tandem: made from "
	embeddedInstance = "// tandem: instance "
)

// CompilePTX compiles CUDA C++ to PTX for CompileConfig.Embedded and for Device.Load, without a device. The target is
// compute capability 7.5, which the host device and every later GPU take, unless the options choose another. log holds
// the compiler's warnings. Errors are those of Device.Compile.
func CompilePTX(ctx context.Context, source string, cfg CompileConfig) (ptx []byte, log string, err error) {
	op, comp, p, err := cfg.withoutDevice(source)
	if err != nil {
		return nil, "", err
	}
	res, err := comp.Compile(ctx, p)
	if err != nil {
		return nil, "", compileError(op, err, p)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s by NVRTC %v\n", embeddedMark, cfg.hash(source), comp.Version())
	for _, name := range cfg.NameExpressions {
		fmt.Fprintf(&b, "%s%s = %s\n", embeddedInstance, name, res.LoweredNames[name])
	}
	b.Write(withoutFolder(res.PTX, cfg.Name))
	return []byte(b.String()), strings.TrimSpace(res.Log), nil
}

// withoutDevice is the compiler and the program for compiles that are for no device in particular. It names cfg.
func (cfg *CompileConfig) withoutDevice(source string) (op string, comp compiler, p nvrtc.Program, err error) {
	if cfg.Name == "" {
		cfg.Name = "kernel.cu"
	}
	op = "compile " + cfg.Name
	comp, err = findCompiler(cfg.NoCache)
	if errors.Is(err, nvrtc.ErrNotFound) {
		return op, nil, p, &noCompiler{op, err}
	}
	if err != nil {
		return op, nil, p, fmt.Errorf("%s: %w", op, err)
	}
	p = cfg.program(source)
	if !choosesTarget(cfg.Options) {
		p.Arch = "compute_75"
	}
	return op, comp, p, nil
}

// withoutFolder replaces the absolute path that NVRTC writes for the source by the name that the caller gave, so that
// the result does not depend on where it was made. Which folder that was is not known: the text may come from the cache.
func withoutFolder(ptx []byte, name string) []byte {
	path := regexp.MustCompile(`(?m)^(\s*\.file\s+\d+\s+)"[^"\n]*/` + regexp.QuoteMeta(name) + `"`)
	return path.ReplaceAll(ptx, []byte(`${1}"`+strings.ReplaceAll(name, "$", "$$")+`"`))
}

// hash names what is compiled: the source, the options and the name expressions, each with its length.
func (cfg *CompileConfig) hash(source string) string {
	h := sha256.New()
	for _, list := range [][]string{{source}, cfg.Options, cfg.NameExpressions} {
		fmt.Fprintf(h, "%d\n", len(list))
		for _, s := range list {
			fmt.Fprintf(h, "%d %s\n", len(s), s)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// loadEmbedded loads cfg.Embedded in place of compiling, because of missing.
func (d *Device) loadEmbedded(op, source string, cfg CompileConfig, missing error) (*Module, error) {
	text := string(cfg.Embedded)
	made, _, _ := strings.Cut(strings.TrimPrefix(text, embeddedMark), " ")
	if !strings.HasPrefix(text, embeddedMark) || made != cfg.hash(source) {
		return nil, &noCompiler{op, fmt.Errorf("the source was changed after its embedded PTX was made; to compile it, install NVRTC with `tandem setup`: %w", missing)}
	}
	m, err := d.load(op, cfg.Embedded, cfg.Embedded, LoadConfig{Name: ptxName(cfg.Name), LineInfo: true})
	if err != nil {
		return nil, err
	}
	m.name, m.lowered = cfg.Name, instances(text)
	reason, _, _ := strings.Cut(missing.Error(), ";")
	m.embedded = fmt.Sprintf("embedded PTX (%s)", reason)
	return m, nil
}

// instances reads the name expressions from the head of embedded PTX.
func instances(text string) map[string]string {
	names := map[string]string{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "// tandem: ") {
			break
		}
		if rest, ok := strings.CutPrefix(line, embeddedInstance); ok {
			if name, symbol, ok := strings.Cut(strings.TrimSpace(rest), " = "); ok {
				names[name] = symbol
			}
		}
	}
	return names
}

// Compiler says what made the module's code: "NVRTC 12.4", "embedded PTX (NVRTC not found)", or "" for a loaded image.
func (m *Module) Compiler() string {
	switch {
	case m.embedded != "":
		return m.embedded
	case m.built != nil:
		return fmt.Sprintf("NVRTC %v", m.built.compiler.Version())
	}
	return ""
}

// CompilerVersion names the NVRTC that Compile uses and its file: "NVRTC 12.4 (file)". Without one the error wraps
// ErrNoCompiler and lists where it was looked for.
func CompilerVersion() (string, error) {
	comp, err := findCompiler(false)
	if errors.Is(err, nvrtc.ErrNotFound) {
		return "", &noCompiler{"find NVRTC", err}
	}
	if err != nil {
		return "", fmt.Errorf("find NVRTC: %w", err)
	}
	name := fmt.Sprintf("NVRTC %v", comp.Version())
	if l, ok := comp.(library); ok {
		name += " (" + l.Path() + ")"
	}
	return name, nil
}

// WhyNoGPU says why Default, left to itself, takes the host device: no driver, no device, or one that fails. It is nil
// where a GPU can be used.
func WhyNoGPU() error {
	s := machine()
	var reasons []error
	for _, b := range s.gpus {
		infos, err := b.Devices()
		for _, i := range infos {
			if i.Unusable == nil {
				return nil
			}
			reasons = append(reasons, fmt.Errorf("gpu:%d: %w", i.Ordinal, i.Unusable))
		}
		if err != nil {
			reasons = append(reasons, err)
		}
	}
	if len(reasons) == 0 {
		reasons = append(reasons, driver.ErrNoBackend)
	}
	return errors.Join(reasons...)
}

// Engine names what executed the kernel last on the host device, such as "interp"; "" before the first launch and on a
// GPU.
func (f *Function) Engine() string {
	info, err := f.mod.dev.c.drv.FunctionInfo(f.h)
	if err != nil {
		return "" // the module or the device was closed
	}
	return info.Engine
}

// Escaped is the share, 0 to 1, of the operations of lanes that Go executed in place of machine code, in all launches of the
// kernel so far: on a host device with HostConfig.Count. It is 1 on the reference engine, which is Go, and 0 before the first
// launch, on other devices and where nothing was counted.
func (f *Function) Escaped() float64 {
	info, err := f.mod.dev.c.drv.FunctionInfo(f.h)
	switch {
	case err != nil:
		return 0 // the module or the device was closed
	case info.Engine == "interp":
		return 1
	case info.Executed == 0:
		return 0
	}
	return float64(info.InGo) / float64(info.Executed)
}
