package certify

// Mutated returns b judged again with its value multiplied by f, as if a constant
// of its formula were wrong.
func (b Bound) Mutated(f float64) Bound {
	return b.judge(within(b.Value*f, b.Margin), within(b.Measured, b.Margin))
}
