package nvrtc

import "strings"

// timeMacros expand to something that the sources do not determine.
var timeMacros = []string{"__DATE__", "__TIME__", "__TIMESTAMP__"}

// includes lists the names that a text includes, or asks for with __has_include. It reports false if it cannot tell
// them all from the text: for an #include of a macro, #embed, trigraphs, and the macros for date and time.
//
// It errs on the safe side. Every # is looked at, also in comments and strings, since telling those apart by halves
// could hide a directive; what is no directive only adds names.
func includes(text string) (names []string, ok bool) {
	if strings.Contains(text, "??") && (strings.Contains(text, "??=") || strings.Contains(text, "??/")) {
		return nil, false
	}
	if strings.Contains(text, "\\") {
		text = strings.NewReplacer("\\\r\n", "", "\\\n", "").Replace(text)
	}
	for _, m := range timeMacros {
		if strings.Contains(text, m) {
			return nil, false
		}
	}
	for rest := text; ; {
		i := strings.IndexAny(rest, "#%_")
		if i < 0 {
			return names, true
		}
		rest = rest[i:]
		after, word := directive(rest)
		switch word {
		case "":
			rest = rest[1:]
			continue
		case "embed":
			return nil, false
		}
		name, ok := headerName(after)
		if !ok {
			return nil, false
		}
		names = append(names, name)
		rest = after
	}
}

// directive reports which of the words that name a file text begins with, and what comes after the word; "" if none.
func directive(text string) (after, word string) {
	if rest, ok := strings.CutPrefix(text, "__has_include"); ok {
		rest = skipBlank(strings.TrimPrefix(rest, "_next"))
		if rest, ok = strings.CutPrefix(rest, "("); ok {
			return rest, "__has_include"
		}
		return "", "" // as in #ifdef __has_include
	}
	rest, ok := strings.CutPrefix(text, "#")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "%:"); !ok {
			return "", ""
		}
	}
	rest = skipBlank(rest)
	for _, w := range []string{"include_next", "include", "import", "embed"} {
		if after, ok := strings.CutPrefix(rest, w); ok && !startsWord(after) {
			return after, w
		}
	}
	return "", ""
}

// headerName reads <name> or "name".
func headerName(text string) (name string, ok bool) {
	text = skipBlank(text)
	if text == "" {
		return "", false
	}
	end := map[byte]string{'<': ">\n", '"': "\"\n"}[text[0]]
	if end == "" {
		return "", false
	}
	i := strings.IndexAny(text[1:], end)
	if i < 0 || text[1+i] == '\n' {
		return "", false
	}
	return text[1 : 1+i], true
}

// skipBlank skips blanks and comments, not line ends outside of comments.
func skipBlank(s string) string {
	for {
		s = strings.TrimLeft(s, " \t\v\f\r")
		if !strings.HasPrefix(s, "/*") {
			return s
		}
		i := strings.Index(s[2:], "*/")
		if i < 0 {
			return ""
		}
		s = s[2+i+2:]
	}
}

func startsWord(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= '0' && s[0] <= '9' || s[0] >= 'A' && s[0] <= 'Z' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 0x80)
}
