// Package scaling fits power laws in depth and says how sure the exponents are.
package scaling
