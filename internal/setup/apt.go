package setup

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// aptState lays out a private apt state in dir and returns the options that make apt use it.
func aptState(dir string) ([]string, error) {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	sources, err := nonFree(systemSources())
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "sources.list")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	var o []string
	for _, kv := range []string{
		"Dir::Etc::sourcelist=" + filepath.Join(abs, "sources.list"), "Dir::Etc::sourceparts=-",
		"Dir::State::lists=" + filepath.Join(abs, "lists"), "Dir::Cache=" + filepath.Join(abs, "cache"),
		"Acquire::Retries=2", "Acquire::http::Timeout=15", "Acquire::https::Timeout=15",
		"APT::Sandbox::User=",                                    // apt's download user may not write into our folder
		"Acquire::Languages=none", "APT::Update::Error-Mode=any", // lists that cannot be fetched are an error
	} {
		o = append(o, "-o", kv)
	}
	return o, nil
}

// systemSources returns the text of every apt sources file, one-line format and deb822 format apart by their names.
func systemSources() map[string]string {
	files := map[string]string{}
	names, _ := filepath.Glob("/etc/apt/sources.list.d/*")
	for _, name := range append(names, "/etc/apt/sources.list") {
		if text, err := os.ReadFile(name); err == nil {
			files[name] = string(text)
		}
	}
	return files
}

// nonFree writes one-line sources for the distribution's own archives with the component non-free alone: those entries of
// the system's sources that offer the component main. Other archives, such as a vendor's, are left out.
func nonFree(files map[string]string) (string, error) {
	var lines []string
	add := func(options, uri, suite string) {
		line := strings.Join(strings.Fields("deb "+options+" "+uri+" "+suite+" non-free"), " ")
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	for name, text := range files {
		switch filepath.Ext(name) {
		case ".list":
			oneLine(text, add)
		case ".sources":
			deb822(text, add)
		}
	}
	if len(lines) == 0 {
		return "", errors.New("no apt source with the component main was found")
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n", nil
}

// oneLine reads `deb [options] uri suite component…` lines.
func oneLine(text string, add func(options, uri, suite string)) {
	for sc := bufio.NewScanner(strings.NewReader(text)); sc.Scan(); {
		line, _, _ := strings.Cut(sc.Text(), "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		options := ""
		if rest = strings.TrimSpace(rest); strings.HasPrefix(rest, "[") {
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				continue
			}
			options, rest = rest[:end+1], rest[end+1:]
		}
		if f := strings.Fields(rest); len(f) > 2 && slices.Contains(f[2:], "main") {
			add(options, f[0], f[1])
		}
	}
}

// deb822 reads stanzas of `Field: value` lines (sources.list(5)).
func deb822(text string, add func(options, uri, suite string)) {
	for stanza := range strings.SplitSeq(dropComments(text), "\n\n") {
		field := map[string]string{}
		last := ""
		for line := range strings.Lines(stanza) {
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				field[last] += " " + strings.TrimSpace(line)
				continue
			}
			if k, v, ok := strings.Cut(line, ":"); ok {
				last = strings.ToLower(strings.TrimSpace(k))
				field[last] = strings.TrimSpace(v)
			}
		}
		if !slices.Contains(strings.Fields(field["types"]), "deb") || !slices.Contains(strings.Fields(field["components"]), "main") ||
			strings.EqualFold(field["enabled"], "no") {
			continue
		}
		options := ""
		if key := field["signed-by"]; strings.HasPrefix(key, "/") {
			options = "[signed-by=" + key + "]"
		}
		for _, uri := range strings.Fields(field["uris"]) {
			for _, suite := range strings.Fields(field["suites"]) {
				add(options, uri, suite)
			}
		}
	}
}

func dropComments(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}
