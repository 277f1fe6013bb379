package gen

import (
	"fmt"
	goformat "go/format"
	"go/token"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// writer builds the Go file.
type writer struct {
	spec  *Spec
	types map[string]string // declarations of structures by name
	order []string          // their names
	b     strings.Builder
}

// kernel is a kernel in Go.
type kernel struct {
	*cuda.Signature
	method, field string
	params        []parameter
}

// typed reports whether there is a typed kernel for so many parameters.
func (k *kernel) typed() bool { return len(k.params) <= 8 }

// slices reports whether a parameter is memory, so that there is something to copy.
func (k *kernel) slices() bool {
	for _, p := range k.params {
		if p.buffer != p.slice {
			return true
		}
	}
	return false
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

// file writes all that follows the header.
func (w *writer) file(signatures []cuda.Signature) ([]byte, error) {
	kernels, err := w.kernels(signatures)
	if err != nil {
		return nil, err
	}
	w.printf("\npackage %s\n\nimport (\n\t\"context\"\n\t_ \"embed\"\n\t\"fmt\"\n\n\t\"github.com/tandem-go/tandem/cuda\"\n)\n", w.spec.Package)
	for _, t := range w.spec.Targets {
		w.printf("\n//go:embed %s\nvar %s []byte\n", w.spec.ptxName(t), w.image(t))
	}
	w.holder(kernels)
	w.load(kernels)
	for i := range kernels {
		w.methods(&kernels[i])
	}
	for _, name := range w.order {
		w.printf("\n%s", w.types[name])
	}
	out, err := goformat.Source([]byte(w.b.String()))
	if err != nil {
		return nil, fmt.Errorf("%w from %s: %w", ErrSpec, w.spec.Source, err)
	}
	return out, nil
}

// image is the variable of the PTX for a target.
func (w *writer) image(target int) string {
	return fmt.Sprintf("%sPTX%d", unexported(w.spec.Name), target)
}

// kernels names methods and parameters.
func (w *writer) kernels(signatures []cuda.Signature) ([]kernel, error) {
	taken := map[string]string{"Module": "the method that returns the module", "Close": "the method that unloads the kernels"}
	var out []kernel
	for i := range signatures {
		s := &signatures[i]
		k := kernel{Signature: s, method: exported(s.Name)}
		if !token.IsIdentifier(k.method) {
			return nil, fmt.Errorf("%w a method for kernel %s: its name has no letters", ErrSpec, s.Name)
		}
		names := []string{k.method, "Run" + k.method}
		for _, n := range names {
			if other, ok := taken[n]; ok {
				return nil, fmt.Errorf("%w a method %s for kernel %s: it is already %s; rename one", ErrSpec, n, s.Name, other)
			}
		}
		for _, n := range names {
			taken[n] = "that of kernel " + s.Name
		}
		k.field = fmt.Sprintf("kernel%d", i)
		var err error
		if k.params, err = w.parameters(s); err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// holder declares the type.
func (w *writer) holder(kernels []kernel) {
	w.printf("\n// %s has the kernels of %s, loaded on one device. Its methods may be called from any goroutine.\ntype %s struct {\n\tmod *cuda.Module\n",
		w.spec.Name, w.spec.Source, w.spec.Name)
	for i := range kernels {
		k := &kernels[i]
		w.printf("\t%s %s\n", k.field, k.fieldType(kept))
		if k.typed() && k.slices() {
			w.printf("\t%sSlices %s\n", k.field, k.fieldType(copied))
		}
	}
	w.printf("}\n")
}

// Selections of the types of parameters.
func kept(p *parameter) string   { return p.buffer }
func copied(p *parameter) string { return p.slice }

func (k *kernel) fieldType(of func(*parameter) string) string {
	if !k.typed() {
		return "*cuda.Function"
	}
	return fmt.Sprintf("*cuda.Kernel%d%s", len(k.params), k.typeArgs(of))
}

func (k *kernel) typeArgs(of func(*parameter) string) string {
	if len(k.params) == 0 {
		return ""
	}
	var types []string
	for i := range k.params {
		types = append(types, of(&k.params[i]))
	}
	return "[" + strings.Join(types, ", ") + "]"
}

// load writes the function that loads the module and binds the kernels.
func (w *writer) load(kernels []kernel) {
	s := w.spec
	w.printf("\n// Load%s loads the kernels of %s on a device. The caller may close what it returns, and need not.\n", s.Name, s.Source)
	w.printf("func Load%s(ctx context.Context, dev *cuda.Device) (*%s, error) {\n\timage := %s\n", s.Name, s.Name, w.image(s.Targets[0]))
	for _, t := range s.Targets[1:] {
		w.printf("\tif i := dev.Info(); i.ComputeMajor*10+i.ComputeMinor >= %d {\n\t\timage = %s\n\t}\n", t, w.image(t))
	}
	w.printf("\tmod, err := dev.Load(ctx, image, cuda.LoadConfig{Name: %q, LineInfo: true})\n", strings.TrimSuffix(s.Source, ".cu")+".ptx")
	w.printf("\tif err != nil {\n\t\treturn nil, fmt.Errorf(\"load %s: %%w\", err)\n\t}\n", s.Source)
	w.printf("\tk := &%s{mod: mod}\n\tif err := k.bind(ctx); err != nil {\n\t\tmod.Close()\n", s.Name)
	w.printf("\t\treturn nil, fmt.Errorf(\"load %s: %%w\", err)\n\t}\n\treturn k, nil\n}\n", s.Source)
	w.printf("\nfunc (k *%s) bind(ctx context.Context) error {\n\tvar f *cuda.Function\n\tvar err error\n", s.Name)
	for i := range kernels {
		w.bind(&kernels[i])
	}
	w.printf("\treturn nil\n}\n")
	w.printf("\n// Module is the loaded code.\nfunc (k *%s) Module() *cuda.Module { return k.mod }\n", s.Name)
	w.printf("\n// Close unloads the kernels. Work that is queued goes on; a second Close does nothing.\nfunc (k *%s) Close() error { return k.mod.Close() }\n", s.Name)
}

// bind writes how one kernel is found and bound.
func (w *writer) bind(k *kernel) {
	const failed = "; err != nil {\n\t\treturn err\n\t}\n"
	w.printf("\tif f, err = k.mod.Function(%q)%s", k.Symbol, failed)
	if !k.typed() {
		w.printf("\tk.%s = f\n", k.field)
		return
	}
	n := len(k.params)
	w.printf("\tif k.%s, err = cuda.Bind%d%s(ctx, f)%s", k.field, n, k.typeArgs(kept), failed)
	if k.slices() {
		w.printf("\tif k.%sSlices, err = cuda.Bind%d%s(ctx, f)%s", k.field, n, k.typeArgs(copied), failed)
	}
}

// methods writes the Go functions of a kernel.
func (w *writer) methods(k *kernel) {
	var named, plain, names, wrapped strings.Builder
	for i := range k.params {
		p := &k.params[i]
		fmt.Fprintf(&named, ", %s %s", p.name, p.buffer)
		fmt.Fprintf(&plain, ", %s %s", p.name, p.plain)
		fmt.Fprintf(&names, ", %s", p.name)
		switch {
		case strings.HasPrefix(p.slice, "cuda.Input["):
			fmt.Fprintf(&wrapped, ", cuda.In(%s)", p.name)
		case p.buffer != p.slice:
			fmt.Fprintf(&wrapped, ", cuda.InOut(%s)", p.name)
		default:
			fmt.Fprintf(&wrapped, ", %s", p.name)
		}
	}
	declaration := w.declaration(k.Signature)
	w.printf("\n// %s queues\n//\n//\t%s\n//\n// on cfg.Stream, as cuda.Function.Launch does.\n", k.method, declaration)
	w.printf("func (k *%s) %s(cfg cuda.LaunchConfig%s) error {\n\treturn k.%s.Launch(cfg%s)\n}\n", w.spec.Name, k.method, named.String(), k.field, names.String())
	if !k.slices() {
		w.printf("\n// Run%s is %s, and waits, as cuda.Function.Run does.\n", k.method, k.method)
		w.printf("func (k *%s) Run%s(ctx context.Context, cfg cuda.LaunchConfig%s) error {\n\treturn k.%s.Run(ctx, cfg%s)\n}\n",
			w.spec.Name, k.method, named.String(), k.field, names.String())
		return
	}
	w.printf("\n// Run%s runs\n//\n//\t%s\n//\n// on slices and waits, as cuda.Function.Run does. Slices for pointers to const are copied to the device,\n// all others there and back.\n", k.method, declaration)
	w.printf("func (k *%s) Run%s(ctx context.Context, cfg cuda.LaunchConfig%s) error {\n", w.spec.Name, k.method, plain.String())
	if k.typed() {
		w.printf("\treturn k.%sSlices.Run(ctx, cfg%s)\n}\n", k.field, names.String())
		return
	}
	w.printf("\treturn k.%s.Run(ctx, cfg%s)\n}\n", k.field, wrapped.String())
}

// declaration is the kernel in C++.
func (w *writer) declaration(k *cuda.Signature) string {
	var list []string
	for i := range k.Params {
		list = append(list, strings.TrimSpace(k.Params[i].Type+" "+k.Params[i].Name))
	}
	return fmt.Sprintf("__global__ void %s(%s)", k.Name, strings.Join(list, ", "))
}
