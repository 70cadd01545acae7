// Package plantest makes plans of studies for tests.
package plantest

import (
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// New returns the plan of a study file called path, which need not exist, with that text.
func New(t *testing.T, path, text string) *plan.Plan {
	t.Helper()
	s, err := study.Parse(path, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
