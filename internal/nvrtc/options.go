package nvrtc

import "strings"

// separateValue holds the options whose value may be an element of its own.
var separateValue = map[string]bool{
	"-I": true, "--include-path": true, "-D": true, "--define-macro": true, "-U": true, "--undefine-macro": true,
	"-include": true, "--pre-include": true, "-arch": true, "--gpu-architecture": true,
	"-maxrregcount": true, "--maxrregcount": true, "-dopt": true, "--dopt": true, "-Xptxas": true, "--ptxas-options": true,
}

// pureOptions are the options whose effect depends on the program alone, so that its result may be cached. An option
// that is not listed (precompiled headers, files with timings, those of later versions) disables the cache for its
// program; nothing else depends on this list. Macros and included files are treated by their contents.
var pureOptions = set(`
	gpu-architecture arch device-c dc device-w dw relocatable-device-code rdc extensible-whole-program ewp
	device-debug G generate-line-info lineinfo dopt Ofast-compile Ofc ptxas-options Xptxas maxrregcount
	ftz prec-sqrt prec-div fmad fno-signed-zeros ffinite-math-only use_fast_math extra-device-vectorization
	modify-stack-limit jump-table-density jtd device-stack-protector define-macro D undefine-macro U include-path I
	pre-include include no-source-include std builtin-move-forward builtin-initializer-list disable-warnings w
	Wreorder Wconversion warning-as-error Werror fmax-errors restrict device-as-default-execution-space default-device
	device-int128 device-float128 optimization-info opt-info display-error-number err-no no-display-error-number
	no-err-no diag-error diag-suppress diag-warn brief-diagnostics brief-diag split-compile minimal no-cache utf-8`)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// option is one option with its value, however the two were written.
type option struct{ name, value string }

// parseOptions splits a validated list into options: "--name=value", "-Ivalue", "-I value" in one element or two.
func parseOptions(list []string) []option {
	var out []option
	for i := 0; i < len(list); i++ {
		o := list[i]
		if separateValue[o] && i+1 < len(list) {
			i++
			out = append(out, option{strings.TrimLeft(o, "-"), list[i]})
			continue
		}
		out = append(out, splitOption(o))
	}
	return out
}

func splitOption(o string) option {
	if len(o) > 2 && o[0] == '-' && strings.IndexByte("IDU", o[1]) >= 0 {
		return option{o[1:2], strings.TrimSpace(strings.TrimPrefix(o[2:], "="))}
	}
	name, value, _ := strings.Cut(strings.TrimLeft(o, "-"), "=")
	if n, v, ok := strings.Cut(name, " "); ok && value == "" { // "-include file" in one element
		name, value = n, strings.TrimSpace(v)
	}
	return option{name, value}
}

// includeDirs returns the folders that the options add to the search for included files, in order.
func includeDirs(options []string) []string { return valuesOf(options, "I", "include-path") }

// preIncludes returns the files that the options include before the source.
func preIncludes(options []string) []string { return valuesOf(options, "include", "pre-include") }

func valuesOf(options []string, short, long string) (values []string) {
	for _, o := range parseOptions(options) {
		if (o.name == short || o.name == long) && o.value != "" {
			values = append(values, o.value)
		}
	}
	return values
}

// targetsMachine reports whether the options ask for machine code (sm_XX).
func targetsMachine(options []string) bool {
	archs := valuesOf(options, "arch", "gpu-architecture")
	return len(archs) > 0 && strings.HasPrefix(archs[len(archs)-1], "sm_")
}

// arePure reports whether each option is one of pureOptions.
func arePure(options []string) bool {
	for _, o := range parseOptions(options) {
		if !pureOptions[o.name] {
			return false
		}
	}
	return true
}
