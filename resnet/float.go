package resnet

// Float is the element type that a network is computed in.
type Float interface{ float32 | float64 }
