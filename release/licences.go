package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// allowed are the licences under which dependencies may be given on beside deeplimit, which
// is under the MIT licence.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "OFL-1.1", "FTL", "Unlicense", "CC0-1.0", "CC-BY-4.0", "GooglePatentsFile", "GooglePatentClause"}

// checkLicences prints the licences of all that the program is compiled from. A licence that
// is not allowed, or none that is known, is an error.
func checkLicences(ctx context.Context, w io.Writer, root string, chosen []platform) error {
	modules, err := linked(ctx, root, chosen)
	if err != nil {
		return err
	}
	var wrong []error
	for i := range modules {
		m := &modules[i]
		fmt.Fprintf(w, "%-50s %-40s %s\n", m.path, m.version, strings.Join(m.ids(), ", "))
		wrong = append(wrong, m.refuse())
	}
	return errors.Join(wrong...)
}

// refuse returns an error unless all licences of a module are allowed, and one at least is known.
func (m *module) refuse() error {
	ids := m.ids()
	if len(ids) == 0 {
		return fmt.Errorf("%s %s: got a licence that is not known, want one of %s", m.path, m.version, strings.Join(allowed, ", "))
	}
	for _, id := range ids {
		if !slices.Contains(allowed, id) {
			return fmt.Errorf("%s %s: got the licence %s, want one of %s, or another module", m.path, m.version, id, strings.Join(allowed, ", "))
		}
	}
	return nil
}

// notices returns the licences of all modules in one text, and the sources of the data sets.
func notices(root string, modules []module) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("deeplimit is under the MIT licence, in LICENSE. The program holds the following works of others.\n")
	for i := range modules {
		m := &modules[i]
		if err := m.refuse(); err != nil {
			return nil, err
		}
		for _, l := range m.licences {
			fmt.Fprintf(&b, "\n%s\n%s %s: %s\n\n%s\n", strings.Repeat("=", 80), m.path, m.version, l.file, bytes.TrimSpace(l.text))
		}
	}
	data, err := os.ReadFile(filepath.Join(root, "dataset", "data", "README.md"))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n", strings.Repeat("=", 80), bytes.TrimSpace(data))
	return b.Bytes(), nil
}
