package tangent

// A Store keeps the parts of a long proof, so that one that was interrupted goes on where it stopped. What it returns is what was
// saved, bit for bit, under that name for the same network, parameters and samples; so a proof has the same result with any Store.
type Store interface {
	// Load fills in value, a pointer, and says whether it was there.
	Load(name string, value any) bool
	Save(name string, value any)
}

// remembered returns what store has under name, or else what compute returns, which it saves. A nil store computes.
func remembered[T any](store Store, name string, compute func() (T, error)) (T, error) {
	var value T
	if store == nil {
		return compute()
	}
	if store.Load(name, &value) {
		return value, nil
	}
	value, err := compute()
	if err == nil {
		store.Save(name, value)
	}
	return value, err
}
