package hetero

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Bar returns a function for RunConfig.Progress that draws a bar on a line of w, with the time that is left. Nothing is
// drawn for runs that are over within a second. Errors of w are not reported.
func Bar(w io.Writer) func(Progress) {
	shown := false
	return func(p Progress) {
		if p.Total == 0 || !shown && p.Elapsed < time.Second {
			return
		}
		shown = true
		const width = 40
		done := width * p.Done / p.Total
		left := ""
		if p.Done > 0 && p.Done < p.Total {
			t := time.Duration(float64(p.Elapsed) * float64(p.Total-p.Done) / float64(p.Done))
			left = fmt.Sprintf("%v left", t.Round(time.Second/10))
		}
		end := ""
		if p.Done == p.Total {
			left, end = fmt.Sprintf("in %v", p.Elapsed.Round(time.Second/10)), "\n"
		}
		fmt.Fprintf(w, "\r[%s%s] %3d %%  %-16s%s", strings.Repeat("#", done), strings.Repeat(" ", width-done), 100*p.Done/p.Total, left, end)
	}
}
