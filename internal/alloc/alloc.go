// Package alloc counts the memory that constructors take, so that the code that takes it is
// what says how much it is.
package alloc

import "unsafe"

// An Account counts what is made through it. A dry one makes nothing: a constructor that
// reads what it has just made must not be given one.
type Account struct {
	Bytes int64
	Dry   bool
}

// Make returns n zeros, nil from a dry account.
func Make[E any](mem *Account, n int) []E {
	var zero E
	mem.Bytes += int64(n) * int64(unsafe.Sizeof(zero))
	if mem.Dry {
		return nil
	}
	return make([]E, n)
}

// Resize returns a slice of length n, in the memory of s where it suffices; entries are
// undefined.
func Resize[E any](mem *Account, s []E, n int) []E {
	if cap(s) < n {
		return Make[E](mem, n)
	}
	return s[:n]
}

// Bytes returns how much f makes, on a dry account.
func Bytes(f func(mem *Account)) int64 {
	mem := Account{Dry: true}
	f(&mem)
	return mem.Bytes
}
