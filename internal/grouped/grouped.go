// Package grouped puts the members of a list that have something in common together.
package grouped

// By returns the members of list by key: groups in the order in which their keys come first, members in that of list.
func By[T any, K comparable](list []T, key func(T) K) [][]T {
	var groups [][]T
	place := map[K]int{}
	for _, member := range list {
		k := key(member)
		i, met := place[k]
		if !met {
			i = len(groups)
			place[k] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], member)
	}
	return groups
}
