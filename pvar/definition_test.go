package pvar

import "math"

// definition evaluates the definition of V_p by dynamic programming over all
// pairs, V(j) = max_{i<j} V(i) + d(i,j)^p, and returns it with a maximising
// partition. It is the oracle of the fast algorithms.
func definition(metric Metric, x Points, p float64) Variation {
	v, n, s := Variation{P: p}, x.Len(), metric.space(x.Dim)
	if n == 0 {
		return v
	}
	value, from := make([]float64, n), make([]int32, n)
	for j := 1; j < n; j++ {
		value[j] = math.Inf(-1)
		for i := range j {
			if sum := value[i] + math.Pow(s.distance(x.At(i), x.At(j)), p); sum > value[j] {
				value[j], from[j] = sum, int32(i)
			}
		}
	}
	v.Value, v.Partition = value[n-1], trace(from)
	return v
}

// tolerance bounds |Value − definition| / definition: the note on exactness in
// pvar.go for Compute, and the same over again for the additions of the oracle.
func tolerance(x Points, p float64) float64 {
	logs := 0.0 // largest |log d|
	s := Euclidean.space(x.Dim)
	for j := range x.Len() {
		for i := range j {
			if d := s.distance(x.At(i), x.At(j)); d > 0 {
				logs = max(logs, math.Abs(math.Log(d)))
			}
		}
	}
	tau := (p*(float64(x.Dim)+8) + 2*p*logs + 8) * 0x1p-53
	return 4 * float64(x.Len()+1) * tau
}
