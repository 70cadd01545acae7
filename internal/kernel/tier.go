package kernel

import (
	"fmt"
	"sync/atomic"
)

// tiers holds the implementations that this CPU can run, best first.
type tiers[T Float] struct{ all []*Ops[T] }

var (
	tiers32 = newTiers(native32())
	tiers64 = newTiers(native64())

	// chosen indexes all of the above, as all types have the same tiers.
	chosen atomic.Int32
)

func newTiers[T Float](native []Ops[T]) tiers[T] {
	var t tiers[T]
	for _, ops := range append(native, portable[T]()) {
		t.all = append(t.all, checked(ops))
	}
	return t
}

// portable returns the tier in plain Go, the oracle of the others.
func portable[T Float]() Ops[T] {
	return Ops[T]{
		Tier:                  "portable",
		Affine:                affine[T],
		AddTransposed:         addTransposed[T],
		SetTransposed:         setTransposed[T],
		AddOuter:              addOuter[T],
		SetOuter:              setOuter[T],
		AddRowSums:            addRowSums[T],
		Activate:              activate[T],
		ActivateAdd:           activateAdd[T],
		AddScaled:             addScaled[T],
		ScaleMul:              scaleMul[T],
		ScaleMulSlope:         scaleMulSlope[T],
		SumScaled:             sumScaled[T],
		Scale:                 scale[T],
		Momentum:              momentum[T],
		Nesterov:              nesterov[T],
		Sign:                  signDescent[T],
		Lion:                  lion[T],
		Adam:                  adam[T],
		Centre:                centre[T],
		Normalise:             normalise[T],
		AddNormalised:         addNormalised[T],
		SumSquares:            sumSquares[T],
		prefetch:              func([]T) {},
		SumSquaredDifferences: sumSquaredDifferences[T],
		SquaredDistances:      squaredDistances[T],
		FromBfloat16:          fromBfloat16,
		peak:                  peakPortable[T],
	}
}

// Tiers returns the implementations that this CPU can run, best first; the last
// is "portable".
func Tiers[T Float]() []*Ops[T] {
	if t, ok := any(tiers32).(tiers[T]); ok {
		return t.all
	}
	return any(tiers64).(tiers[T]).all
}

// For returns the tier in use: the best one for this CPU, or the one that
// SetTier named.
func For[T Float]() *Ops[T] { return Tiers[T]()[chosen.Load()] }

// SetTier makes For return the named tier for both element types from now on;
// "" stands for the best one. Results do not depend on the tier, only time does.
// It returns an error that lists the tiers of this CPU if name is not one of them.
func SetTier(name string) error {
	if name == "" {
		chosen.Store(0)
		return nil
	}
	var names []string
	for i, ops := range tiers64.all {
		if ops.Tier == name {
			chosen.Store(int32(i))
			return nil
		}
		names = append(names, ops.Tier)
	}
	return fmt.Errorf("kernel: tier: got %q, want one of %q on this CPU", name, names)
}
