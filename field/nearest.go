package field

import (
	"cmp"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Nearest returns the elements of known that a typing error may have turned into word: at
// most one edit and one more for every three letters of word away, the nearest first, those
// equally far in the order of known.
func Nearest(word string, known []string) []string {
	type candidate struct {
		word  string
		edits int
	}
	var near []candidate
	most := 1 + utf8.RuneCountInString(word)/3
	for _, k := range known {
		if n := edits(word, k); n <= most {
			near = append(near, candidate{k, n})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return cmp.Compare(a.edits, b.edits) })
	words := make([]string, len(near))
	for i, c := range near {
		words[i] = c.word
	}
	return words
}

// Mean returns `; did you mean "…"?` with the nearest of known, to end an error about word by; "" where
// none is within an edit for every three letters of word.
func Mean(word string, known []string) string {
	near := Nearest(word, known)
	if len(near) == 0 || 3*edits(word, near[0]) > utf8.RuneCountInString(word) {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near[0])
}

// edits returns the least number of letters to insert, delete, replace or swap with
// the next that turns a into b (optimal string alignment), by dynamic programming.
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
