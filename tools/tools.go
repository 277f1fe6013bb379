// Package tools holds the pinned versions of what setup installs.
package tools

import _ "embed" // for Versions

// Versions is the file tools/versions: one pin a line, fields separated by blanks, # begins a comment.
//
//go:embed versions
var Versions string
