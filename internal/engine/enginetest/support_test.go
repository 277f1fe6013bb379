package enginetest_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ptx/support"
)

var rewrite = flag.Bool("rewrite", false, "write the tables of support anew")

const (
	tablePath = "../../ptx/support/executed.tsv"
	pagePath  = "../../ptx/SUPPORT.md"
)

// TestSupport: the table of supported forms, and the page made of it, say what passing run files execute.
func TestSupport(t *testing.T) {
	opcodes, err := enginetest.Executed(interp.New())
	require.NoError(t, err)
	forms := map[string]string{}
	for _, op := range slices.Sorted(maps.Keys(opcodes)) {
		form := support.Form(op)
		if forms[form] == "" || opcodes[op] < forms[form] {
			forms[form] = opcodes[op]
		}
	}
	var table strings.Builder
	for _, form := range slices.Sorted(maps.Keys(forms)) {
		fmt.Fprintf(&table, "%s\t%s\n", form, forms[form])
	}
	if *rewrite {
		require.NoError(t, os.WriteFile(tablePath, []byte(table.String()), 0o644))
		if len(support.Supported()) != len(forms) {
			t.Log("the table is part of this program: run once more for the page")
			return
		}
		require.NoError(t, os.WriteFile(pagePath, []byte(support.Markdown(support.Table())), 0o644))
	}
	require.Equal(t, table.String(), mustRead(t, tablePath), "run with -args -rewrite, twice")
	require.Equal(t, support.Markdown(support.Table()), mustRead(t, pagePath), "run with -args -rewrite")
	s := support.Summarize(support.Table())
	require.GreaterOrEqual(t, s.Share(), 0.99)
}

func mustRead(t *testing.T, name string) string {
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}
