package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// findCategories takes columns of words out of the inputs.
func (t *csvTable) findCategories(names []string) error {
	for _, name := range names {
		j, err := t.Column(name)
		if err != nil {
			return fmt.Errorf("categories: %w", err)
		}
		i := slices.Index(t.inputs, j)
		if i < 0 {
			return fmt.Errorf("categories: got %q, which is a target or names the rows, want an input", name)
		}
		t.inputs = slices.Delete(t.inputs, i, i+1)
		t.categories = append(t.categories, j)
	}
	return nil
}

// addCategories adds an input for every distinct word of the columns of categories, sorted.
func (t *csvTable) addCategories(s *stored, text [][]string) error {
	numbers := s.x
	first := s.d
	var columns [][]int // the input of the word, by column and row
	var said []string
	for k := range t.categories {
		name := t.columnName(t.categories[k])
		labels, words, err := t.wordsOf(k, text[k])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t.vocabulary = append(t.vocabulary, words)
		for i := range labels {
			labels[i] += s.d
		}
		columns = append(columns, labels)
		s.d += len(words)
		if !fits(s.n, s.d, s.m) {
			return fmt.Errorf("categories: got %d rows of %d inputs, want at most 2^31 numbers", s.n, s.d)
		}
		for _, word := range words {
			t.words = append(t.words, name+"="+plain.Text(word))
		}
		said = append(said, fmt.Sprintf("%s as %d inputs of 0 and 1", name, len(words)))
	}
	if len(columns) == 0 {
		return nil
	}
	s.x = func(i int, dst []float64) {
		numbers(i, dst[:first])
		clear(dst[first:])
		for _, labels := range columns {
			dst[labels[i]] = 1
		}
	}
	s.read += "; " + strings.Join(said, ", ")
	return nil
}

// wordsOf numbers the words of a category, as the training table does if this one has held-out samples.
func (t *csvTable) wordsOf(k int, text []string) (labels []int, words []string, err error) {
	if t.like == nil {
		labels, words = ranks(text)
		return labels, words, nil
	}
	words = t.like.vocabulary[k]
	labels, err = ranksLike(text, words)
	return labels, words, err
}

// columnName returns the name of a column, by number where columns have none.
func (t *csvTable) columnName(j int) string {
	if t.Names() == nil {
		return fmt.Sprintf("column %d", j+1)
	}
	return plain.Text(t.Names()[j])
}
