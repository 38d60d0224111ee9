// Package verdict runs a test's functions as `go test` does, and says how they went.
package verdict

import (
	"fmt"
	"os"
	"strings"
	"tabwright"
	"testing"
	"testing/internal/testdeps"
)

// Run does not return.
func Run(tests []testing.InternalTest) {
	for i := range tests {
		tests[i].F = recovering(tests[i].F)
	}
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

// recovering returns a test that fails where it would panic, so that what it says comes before where it was.
func recovering(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) {
		defer func() {
			if problem := recover(); problem != nil {
				t.Error("Error:", fmt.Sprint(problem)+"\tTest:")
			}
		}()
		test(t)
	}
}

// reasonIn returns what the first assertion that failed said, or all that was said.
func reasonIn(text string) string {
	if _, after, found := strings.Cut(text, "Error:"); found {
		text, _, _ = strings.Cut(after, "\tTest:")
	}
	return strings.Join(strings.Fields(text), " ")
}
