// Package assignment solves the linear assignment problem for real costs: which of n columns each of n rows takes, so that the sum
// of the costs is least. Nothing well kept in Go does for n in the thousands.
package assignment

import "math"

// none is the row of a column, or the column of a row, that has none yet.
const none = -1

// Solve returns the permutation π that minimises Σ_i cost[i·n + π(i)], for finite costs (n,n), in O(n³) steps and O(n) memory beside the
// costs. Of several best ones it returns the same one each time.
//
// The method is that of Jonker and Volgenant (Computing 38, 1987): columns and then rows take what is cheapest for them at prices that rise where
// several want one column, and the rows that are left take theirs along shortest augmenting paths.
func Solve(cost []float64, n int) []int {
	s := newSolver(cost, n)
	s.reduceColumns()
	for range 2 {
		s.reduceRows()
	}
	for _, i := range s.free {
		s.augment(i)
	}
	return s.column
}

// A solver holds prices of columns at which every row that has a column has one of its cheapest.
type solver struct {
	cost   []float64
	n      int
	price  []float64 // of each column, to be taken off its costs
	column []int     // of each row
	row    []int     // of each column
	free   []int     // rows without a column

	// Of the search for a path: the distance of every column from its first row, the row before it, and the columns, those whose
	// distance is final first, then those to look at next, then the others.
	distance []float64
	before   []int
	order    []int
}

func newSolver(cost []float64, n int) *solver {
	s := &solver{
		cost: cost, n: n, price: make([]float64, n), column: make([]int, n), row: make([]int, n),
		distance: make([]float64, n), before: make([]int, n), order: make([]int, n),
	}
	for k := range n {
		s.column[k], s.row[k], s.order[k] = none, none, k
		s.price[k] = math.Inf(1)
	}
	return s
}

func (s *solver) costs(i int) []float64 { return s.cost[i*s.n : (i+1)*s.n] }

// reduceColumns sets the price of each column to its least cost and gives it to the row of that cost, if that has none.
func (s *solver) reduceColumns() {
	cheapest := make([]int, s.n)
	for i := range s.n {
		for j, c := range s.costs(i) {
			if c < s.price[j] {
				s.price[j], cheapest[j] = c, i
			}
		}
	}
	wanted := make([]int, s.n) // by so many columns
	for j, i := range cheapest {
		if wanted[i]++; wanted[i] == 1 {
			s.column[i], s.row[j] = j, i
		}
	}
	for i, count := range wanted {
		switch count {
		case 0:
			s.free = append(s.free, i)
		case 1: // what the row would pay more elsewhere comes off the price of its column, which others then want less
			_, _, second := s.cheapest(i)
			j := s.column[i]
			s.price[j] -= max(0, second-(s.costs(i)[j]-s.price[j]))
		}
	}
}

// cheapest returns the column that a row pays least for, and the least and the second least of what it would pay.
func (s *solver) cheapest(i int) (column int, least, second float64) {
	least, second = math.Inf(1), math.Inf(1)
	price := s.price[:s.n]
	for j, c := range s.costs(i) {
		if c -= price[j]; c < second {
			if c < least {
				column, least, second = j, c, least
			} else {
				second = c
			}
		}
	}
	return column, least, second
}

// reduceRows lets each free row take its cheapest column, at a price that leaves it its second cheapest; the row that had the
// column is free again, and takes its turn at once where the price has changed.
func (s *solver) reduceRows() {
	var left []int
	turns := 8 * s.n // prices that differ by rounding alone would go on for long
	for _, i := range s.free {
		for i != none {
			j, least, second := s.cheapest(i)
			price := s.price[j]
			if second < math.Inf(1) {
				s.price[j] -= second - least
			}
			old := s.row[j]
			s.column[i], s.row[j] = j, i
			if i = old; old == none {
				continue
			}
			s.column[old] = none
			if turns--; !(s.price[j] < price && turns > 0) {
				left, i = append(left, old), none
			}
		}
	}
	s.free = left
}

// augment gives a free row a column, along the cheapest path on which every row but it passes on the one that it has.
func (s *solver) augment(start int) {
	for j, c := range s.costs(start) {
		s.distance[j], s.before[j] = c-s.price[j], start
	}
	final, near := 0, 0 // order[:final] have been looked at, order[final:near] have the least distance of all others
	for {
		if final == near {
			near = s.nearest(final)
		}
		least := s.distance[s.order[final]]
		for _, j := range s.order[final:near] {
			if s.row[j] == none {
				for _, done := range s.order[:final] {
					s.price[done] += s.distance[done] - least
				}
				s.pass(start, j)
				return
			}
		}
		j := s.order[final]
		final++
		near = s.relax(s.row[j], j, least, near)
	}
}

// nearest brings the columns of the least distance behind the first final ones, and returns the end of them.
func (s *solver) nearest(final int) (end int) {
	least := math.Inf(1)
	for _, j := range s.order[final:] {
		least = min(least, s.distance[j])
	}
	end = final
	for k := final; k < s.n; k++ {
		if j := s.order[k]; s.distance[j] <= least {
			s.order[k], s.order[end] = s.order[end], j
			end++
		}
	}
	return end
}

// relax shortens the paths to columns by those through row i, whose column j is as far as the nearest, and returns the end of the
// nearest columns.
func (s *solver) relax(i, j int, least float64, near int) (end int) {
	costs, price, distance := s.costs(i), s.price[:s.n], s.distance[:s.n]
	own := costs[j] - price[j] - least
	end = near
	for k := near; k < s.n; k++ {
		to := s.order[k]
		d := max(least, costs[to]-price[to]-own) // less by rounding alone
		if d >= distance[to] {
			continue
		}
		distance[to], s.before[to] = d, i
		if d == least {
			s.order[k], s.order[end] = s.order[end], to
			end++
		}
	}
	return end
}

// pass gives each row on the path to a column the one behind it.
func (s *solver) pass(start, j int) {
	for {
		i := s.before[j]
		s.row[j] = i
		s.column[i], j = j, s.column[i]
		if i == start {
			return
		}
	}
}
