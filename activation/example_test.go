package activation_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/activation"
)

func ExampleByName() {
	tanh, err := activation.ByName("tanh")
	if err != nil {
		panic(err)
	}
	value, first, second := tanh.Derivatives(0.5)
	fmt.Printf("σ = %.4f, σ′ = %.4f, σ″ = %.4f, sup|σ′| = %g\n", value, first, second, tanh.SupFirst())
	// Output:
	// σ = 0.4621, σ′ = 0.7864, σ″ = -0.7269, sup|σ′| = 1
}
