package cuda

import "strings"

// plainName returns the qualified C++ name of a mangled function or variable without template arguments and parameters,
// such as "ns::axpy" for _ZN2ns4axpyIfEEvT_PS1_. It knows the names that kernels have: source names, nested names and
// template instances of both (Itanium C++ ABI, 5.1.2 and 5.1.3). Anything else, a name that is not mangled included, is
// returned as it is.
func plainName(symbol string) string {
	s, ok := strings.CutPrefix(symbol, "_Z")
	if !ok {
		return symbol
	}
	var parts []string
	if inner, nested := strings.CutPrefix(s, "N"); nested {
		parts = nestedName(strings.TrimLeft(inner, "rVK"))
	} else if name, _, ok := sourceName(strings.TrimPrefix(s, "L")); ok {
		parts = []string{name}
	}
	if len(parts) == 0 {
		return symbol
	}
	return strings.Join(parts, "::")
}

// nestedName reads the components of a nested name up to its E, nil if it is not made of what is known here.
func nestedName(s string) (parts []string) {
	for {
		switch {
		case s == "":
			return nil
		case s[0] == 'E':
			return parts
		case s[0] == 'I':
			var ok bool
			if s, ok = skipTemplateArgs(s); !ok {
				return nil
			}
		case strings.HasPrefix(s, "St"):
			parts, s = append(parts, "std"), s[2:]
		default:
			name, rest, ok := sourceName(strings.TrimPrefix(s, "L"))
			if !ok {
				return nil
			}
			if strings.HasPrefix(name, "_GLOBAL__N_") {
				name = "(anonymous namespace)"
			}
			parts, s = append(parts, name), rest
		}
	}
}

// sourceName reads a length and as many characters.
func sourceName(s string) (name, rest string, ok bool) {
	n, i := 0, 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' && n < 1<<20 {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if n == 0 || n > len(s)-i {
		return "", "", false
	}
	return s[i : i+n], s[i+n:], true
}

// skipTemplateArgs skips I ... E and what is nested in it. Source names are skipped whole, since they may hold any
// letter.
func skipTemplateArgs(s string) (rest string, ok bool) {
	depth := 0
	for s != "" {
		switch c := s[0]; {
		case c == 'L':
			if s, ok = skipLiteral(s); !ok {
				return "", false
			}
			continue
		case c == 'I' || c == 'N' || c == 'X' || c == 'J' || c == 'F':
			depth++
		case c == 'S' && len(s) > 1:
			// St, Sa and the like, or S_, S0_: a substitution.
			i := 1
			if s[1] < 'a' || s[1] > 'z' {
				i = max(strings.IndexByte(s, '_'), 1)
			}
			s = s[i:]
		case c == 'E':
			if depth--; depth == 0 {
				return s[1:], true
			}
		case c >= '1' && c <= '9':
			if _, s, ok = sourceName(s); !ok {
				return "", false
			}
			continue
		}
		s = s[1:]
	}
	return "", false
}

// skipLiteral skips L type value E, where the type is a letter or the name of an enumeration. References to functions
// (L_Z) are not read.
func skipLiteral(s string) (rest string, ok bool) {
	s = s[1:]
	switch {
	case s == "" || s[0] == '_':
		return "", false
	case s[0] == 'N':
		for s = s[1:]; s != "" && s[0] != 'E'; {
			if _, s, ok = sourceName(s); !ok {
				return "", false
			}
		}
	case s[0] >= '1' && s[0] <= '9':
		if _, s, ok = sourceName(s); !ok {
			return "", false
		}
	}
	if s != "" {
		s = s[1:] // the letter, or the E of a nested name; a value never begins with E
	}
	i := strings.IndexByte(s, 'E')
	if i < 0 {
		return "", false
	}
	return s[i+1:], true
}

// lastName is the unqualified part of a plain name.
func lastName(plain string) string {
	if i := strings.LastIndex(plain, "::"); i >= 0 {
		return plain[i+2:]
	}
	return plain
}
