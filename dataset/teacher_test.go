package dataset

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

func TestRotation(t *testing.T) {
	for _, d := range []int{2, 5, 8} {
		const angle = 0.7
		set := load(t, Spec{Kind: "rotation", Samples: 20, Width: d, Angle: angle, Test: 4}, "")
		for s := set; s != nil; s = s.Test {
			for i := range s.Samples {
				x, y := s.X[i*d:(i+1)*d], s.Y[i*d:(i+1)*d]
				// ⟨x,y⟩ = cos(angle)·|in the planes|² + |outside|².
				want := math.Cos(angle)
				if d%2 == 1 {
					want += (1 - math.Cos(angle)) * x[d-1] * x[d-1]
				}
				if got := floats.Dot(x, y); !(math.Abs(got-want) <= 1e-14) {
					t.Errorf("d %d, sample %d: ⟨x,y⟩: got %v, want %v", d, i, got, want)
				}
				if got := floats.Norm(y, 2); !(math.Abs(got-1) <= 1e-14) {
					t.Errorf("d %d, sample %d: ‖y‖: got %v, want 1", d, i, got)
				}
				// Orientation: from the first axis towards the second.
				if got := x[0]*y[1] - x[1]*y[0]; !(got > 0) {
					t.Errorf("d %d, sample %d: got a turn by −angle", d, i)
				}
			}
		}
	}
}

// Inputs on the sphere have mean 0 and covariance I/d.
func TestInputsAreUniformOnTheSphere(t *testing.T) {
	const n, d = 20000, 3
	set := load(t, Spec{Kind: "rotation", Samples: n, Width: d, Angle: 1}, "")
	mean, squares := make([]float64, d), make([]float64, d)
	for row := range slices.Chunk(set.X, d) {
		if got := floats.Norm(row, 2); !(math.Abs(got-1) <= 1e-15*d) {
			t.Fatalf("‖x‖: got %v, want 1", got)
		}
		for j, v := range row {
			mean[j] += v / n
			squares[j] += v * v / n
		}
	}
	for j := range d {
		if tol := 5 / math.Sqrt(d*n); !(math.Abs(mean[j]) <= tol) {
			t.Errorf("mean of coordinate %d: got %g, want 0 within %g", j, mean[j], tol)
		}
		if tol := 5 * math.Sqrt(2.0/(d*d*n)); !(math.Abs(squares[j]-1.0/d) <= tol) {
			t.Errorf("second moment of coordinate %d: got %g, want %g within %g", j, squares[j], 1.0/d, tol)
		}
	}
}

func TestODEByHand(t *testing.T) {
	// Two steps: (f, g) = (0, 1) at t = 0 and (sin 5π/2, cos 5π/2) = (1, 0) at t = 1/2.
	set := load(t, Spec{Kind: "ode", Samples: 3, Width: 4, Steps: 2, Step: 0.25}, "")
	for i, x := range set.X {
		z := x + 0.25*math.Tanh(1)
		want := z + 0.25*math.Tanh(z)
		if !(math.Abs(set.Y[i]-want) <= 1e-15) {
			t.Errorf("entry %d: got %v, want %v", i, set.Y[i], want)
		}
	}
}

// Euler's method has order 1: halving the step halves the distance to a fine solution.
func TestODEConvergesWithOrderOne(t *testing.T) {
	spec := Spec{Kind: "ode", Samples: 5, Width: 4}
	target := func(steps int) []float64 {
		spec.Steps = steps
		return load(t, spec, "").Y
	}
	fine := target(1 << 17)
	var x, y []float64
	for steps := 64; steps <= 1024; steps *= 2 {
		x = append(x, math.Log(float64(steps)))
		y = append(y, math.Log(floats.Distance(target(steps), fine, 2)))
	}
	// The next term of the error moves the slope by O(1/64).
	if _, slope := stat.LinearRegression(x, y, nil, false); !(math.Abs(slope+1) <= 0.05) {
		t.Errorf("slope of the error: got %v, want −1", slope)
	}
}

func TestSDENoise(t *testing.T) {
	const d, steps, noise = 5000, 7, 0.4
	spec := Spec{Kind: "sde", Samples: 3, Width: d, Steps: 1, Noise: noise, Step: 0.5, Test: 1}
	set := load(t, spec, "")
	// One step: the kick is what the drift h·tanh(1) leaves.
	kick := make([]float64, d)
	for j := range kick {
		kick[j] = set.Y[j] - set.X[j] - 0.5*math.Tanh(1)
	}
	for s := set; s != nil; s = s.Test {
		for i := range s.X {
			if got := s.Y[i] - s.X[i] - 0.5*math.Tanh(1); !(math.Abs(got-kick[i%d]) <= 1e-14) {
				t.Fatalf("entry %d: got a kick of %v, want %v as in the first sample", i, got, kick[i%d])
			}
		}
	}
	mean, variance := stat.MeanVariance(kick, nil)
	if want, tol := noise*noise*0.5, 5*noise*noise*0.5*math.Sqrt(2.0/d); !(math.Abs(variance-want) <= tol) {
		t.Errorf("variance of a kick: got %v, want %v within %v", variance, want, tol)
	}
	if tol := 5 * noise * math.Sqrt(0.5/d); !(math.Abs(mean) <= tol) {
		t.Errorf("mean of a kick: got %v, want 0 within %v", mean, tol)
	}

	// Without the noise the same inputs give the ODE's targets.
	spec.Steps, spec.Step, spec.Noise = steps, 0, 1e-12
	quiet := load(t, spec, "")
	spec.Kind, spec.Noise = "ode", 0
	ode := load(t, spec, "")
	if !slices.Equal(quiet.X, ode.X) || !floats.EqualApprox(quiet.Y, ode.Y, 1e-10) {
		t.Error("an sde teacher of vanishing noise differs from the ode teacher")
	}
}

func TestTestSamplesDoNotMoveTrainingSamples(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: "rotation", Samples: 6, Width: 4, Angle: 1},
		{Kind: "ode", Samples: 6, Width: 4},
		{Kind: "sde", Samples: 6, Width: 4, Noise: 1},
	} {
		alone := load(t, spec, "")
		spec.Test = 6
		both := load(t, spec, "")
		if !slices.Equal(alone.X, both.X) || !slices.Equal(alone.Y, both.Y) || alone.Test != nil {
			t.Errorf("%s: test samples changed the training samples", spec.Kind)
		}
		if slices.Equal(both.X, both.Test.X) {
			t.Errorf("%s: the test samples are the training samples", spec.Kind)
		}
	}
}
