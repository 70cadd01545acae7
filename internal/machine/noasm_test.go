//go:build noasm

package machine

const noAssembly = true
