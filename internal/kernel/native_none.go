//go:build !(amd64 || arm64) || purego

package kernel

func native32() []Ops[float32] { return nil }

func native64() []Ops[float64] { return nil }
