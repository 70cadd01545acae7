package main

import (
	"strings"
	"testing"
)

// TestFindings reads messages of govulncheck: a vulnerability of a function counts once, one of
// a module that is merely required does not, and one of Go itself is told and no error.
func TestFindings(t *testing.T) {
	found, err := findings(strings.NewReader(`
		{"config": {"protocol_version": "v1"}}
		{"osv": {"id": "GO-1", "summary": "too much memory"}}
		{"osv": {"id": "GO-2", "summary": "a race"}}
		{"finding": {"osv": "GO-1", "fixed_version": "v1.2.0", "trace": [{"module": "example.org/m", "version": "v1.1.0"}]}}
		{"finding": {"osv": "GO-1", "fixed_version": "v1.2.0", "trace": [{"module": "example.org/m", "version": "v1.1.0", "package": "p", "function": "F"}]}}
		{"finding": {"osv": "GO-1", "fixed_version": "v1.2.0", "trace": [{"module": "example.org/m", "version": "v1.1.0", "package": "p", "function": "G"}]}}
		{"finding": {"osv": "GO-3", "fixed_version": "v2.0.0", "trace": [{"module": "example.org/unused", "version": "v1.0.0"}]}}
		{"finding": {"osv": "GO-2", "fixed_version": "v1.26.9", "trace": [{"module": "stdlib", "version": "v1.26.8", "package": "net/http", "function": "Get"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	err = tell(&told, found)
	if want := "GO-1: got example.org/m v1.1.0, want v1.2.0 or later: go get example.org/m@v1.2.0"; err == nil || err.Error() != want {
		t.Errorf("got the error %v, want %s", err, want)
	}
	want := `GO-1  example.org/m v1.1.0: too much memory; go get example.org/m@v1.2.0
GO-2  stdlib v1.26.8: a race; compile with Go 1.26.9
vulnerabilities: 2 that the program can reach, of which newer modules mend 1
`
	if told.String() != want {
		t.Errorf("got\n%swant\n%s", told.String(), want)
	}
	if _, err := findings(strings.NewReader("no JSON")); err == nil {
		t.Error("got no error of what is no JSON")
	}
}
