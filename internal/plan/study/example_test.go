package study_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

func ExampleParse() {
	s, err := study.Parse("depth.yaml", []byte(`
name: depth
depths: [16, 64]
data: {kind: separated, width: 10, samples: 8, distance: 0.3}
grid: {network.alpha: [0.5, 1]}
`), []string{"train.stop.iterations=100"})
	if err != nil {
		fmt.Println(err)
		return
	}
	runs, err := s.Runs()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range runs {
		fmt.Println(r.Settings, r.Depth, r.Seed, *r.Train.Stop.Iterations)
	}
	// Output:
	// map[network.alpha:0.5] 16 1 100
	// map[network.alpha:0.5] 64 1 100
	// map[network.alpha:1] 16 1 100
	// map[network.alpha:1] 64 1 100
}

func ExampleError() {
	_, err := study.Parse("depth.yaml", []byte("name: depth\ndepths: [16, 8]\ndata: {kind: digits}\nnetwork: {activaton: tanh}\n"), nil)
	fmt.Println(err)
	// Output:
	// study: depth.yaml:2:14: depths.1: got 8, want a depth above 16, the one before it
	// study: depth.yaml:4:11: network.activaton: got an unknown key, want one of block, activation, alpha, residual, normalise, norm, norm-epsilon, bias, loss, power, width, hidden, embed, readout; did you mean "activation"?
}
