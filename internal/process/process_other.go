//go:build !unix

package process

func scope() string { return "" }

func exists(int) bool { return true }

func started(int) (string, bool) { return "", false }
