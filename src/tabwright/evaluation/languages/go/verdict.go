// Package verdict runs a test's functions as `go test` does, and says how they went.
package verdict

import (
	"os"
	"strings"
	"tabwright"
	"testing"
	"testing/internal/testdeps"
)

// Run does not return.
func Run(tests []testing.InternalTest) {
	tabwright.Begin(true)
	said, err := os.CreateTemp("", "said")
	if err == nil {
		os.Stdout = said
	}
	status := testing.MainStart(testdeps.TestDeps{}, tests, nil, nil, nil).Run()
	text := ""
	if err == nil {
		if all, err := os.ReadFile(said.Name()); err == nil {
			text = string(all)
		}
	}
	tabwright.End(status == 0, reasonIn(text))
}

// reasonIn returns what the first assertion that failed said, or all that was said.
func reasonIn(text string) string {
	if _, after, found := strings.Cut(text, "Error:"); found {
		text, _, _ = strings.Cut(after, "\tTest:")
	}
	return strings.Join(strings.Fields(text), " ")
}
