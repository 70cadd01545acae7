//go:build !unix

package process

func scope() string { return "" }

func exists(int) bool { return true }

func listed() bool { return false }

func started(string) (string, bool) { return "", false }
