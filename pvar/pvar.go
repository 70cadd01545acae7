// Package pvar computes the p-variation of a path in a metric space, exactly,
// with the partition that attains it.
package pvar
