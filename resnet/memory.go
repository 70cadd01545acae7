package resnet

import "github.com/deeplimit/deeplimit/internal/alloc"

// Memory is how many bytes an Evaluator takes, by the account of the code that takes them.
// Headers, goroutines and the samples given to NewEvaluator, which it keeps, are left out.
type Memory struct {
	Evaluator int64 // from NewEvaluator on
	Hessian   int64 // more, from the first HessianVector on
	Gram      int64 // more, while Gram runs
	Measure   int64 // more, while Measure runs
	Measured  int64 // of these, what the measurement itself keeps: the norms of states among it
	States    int64 // more, while HiddenStates runs for four samples
}

// MemoryOf returns the memory of an evaluator of net on n samples, with classes or not,
// whose Measure is given that many cores. It takes none of it.
func MemoryOf[T float32 | float64](net *Network, n int, classes bool, cores int, options Options) Memory {
	options.Workers = max(1, options.Workers)
	var m Memory
	var e *Evaluator[T]
	m.Evaluator = alloc.Bytes(func(mem *alloc.Account) { e = newEvaluator[T](mem, net, n, classes, options) })
	m.Hessian = alloc.Bytes(func(mem *alloc.Account) { e.tangents(mem) })
	m.Gram = alloc.Bytes(func(mem *alloc.Account) { e.newGram(mem) })
	result, states, looks, spectra := e.measuring(cores)
	m.Measure = result + states + max(looks, spectra)
	m.Measured = result + alloc.Bytes(func(mem *alloc.Account) { newStates(mem, net, e.total, false) })
	m.States = alloc.Bytes(func(mem *alloc.Account) {
		e.newReader(mem)
		e.newHidden(mem, 4)
	})
	return m
}

// measuring returns what Measure takes for its result, for the states, and one after the
// other for the looks at them and for the spectra of layers.
func (e *Evaluator[T]) measuring(cores int) (result, states, looks, spectra int64) {
	_, outer := e.net.outermost()
	seen := newStates(&alloc.Account{Dry: true}, e.net, e.total, true)
	result = alloc.Bytes(func(mem *alloc.Account) { newMeasurement(mem, e.net, seen) })
	states = alloc.Bytes(func(mem *alloc.Account) { newStates(mem, e.net, e.total, true) })
	looks = alloc.Bytes(func(mem *alloc.Account) {
		for range e.passes {
			e.newLook(mem, true)
		}
	})
	spectra = alloc.Bytes(func(mem *alloc.Account) {
		for range pieces(cores, e.net.Depth) {
			newSpectrum(mem, outer, seen)
		}
	})
	return result, states, looks, spectra
}
