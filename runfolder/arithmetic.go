package runfolder

import "fmt"

// SetArithmetic records in Environment, by the key that checkpoints have, what the run is computed with: "portable", or GOARCH and, on amd64,
// GOAMD64, as in "amd64 v1" or "arm64".
func (m *Meta) SetArithmetic(arithmetic string) { m.Environment[arithmeticKey] = arithmetic }

// Arithmetic returns what SetArithmetic recorded, "" for weights from elsewhere.
func (m *Meta) Arithmetic() string { return m.Environment[arithmeticKey] }

// A MixtureError names two results that programs of different arithmetic computed: the same
// study gives other last bits by each.
type MixtureError struct {
	Where      [2]string
	Arithmetic [2]string
}

// Error returns both places and what they were computed with.
func (e *MixtureError) Error() string {
	return fmt.Sprintf("runfolder: got %s computed with the arithmetic %q, and %s with %q, want one kind in a study, as their last bits differ; compute one of them anew by programs of one release, or keep them in folders apart",
		e.Where[0], e.Arithmetic[0], e.Where[1], e.Arithmetic[1])
}

// A computed is what was computed first among results that are to be of one kind.
type computed struct{ where, arithmetic string }

// with returns a *MixtureError if the result in where is of another kind. One that was not
// computed by this program, with arithmetic "", is of any kind.
func (c *computed) with(where, arithmetic string) error {
	if c.arithmetic == "" {
		c.where, c.arithmetic = where, arithmetic
	}
	if arithmetic != "" && arithmetic != c.arithmetic {
		return &MixtureError{[2]string{c.where, where}, [2]string{c.arithmetic, arithmetic}}
	}
	return nil
}
