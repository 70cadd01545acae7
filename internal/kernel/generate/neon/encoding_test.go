package main

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What Go's assembler lacks is written as numbers: a disassembler reads each one as its comment says.
func TestEncodings(t *testing.T) {
	const disassembler = "aarch64-linux-gnu-objdump"
	if _, err := exec.LookPath(disassembler); err != nil {
		t.Skipf("%s is not installed: apt-get install binutils-aarch64-linux-gnu", disassembler)
	}
	comments := map[uint32]string{}
	word := regexp.MustCompile(`WORD \$0x([0-9a-f]{8}) // (.*)`)
	for kind, write := range kinds {
		f := newFile(kind)
		write(f)
		for _, found := range word.FindAllStringSubmatch(f.text.String(), -1) {
			code, err := strconv.ParseUint(found[1], 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			comments[uint32(code)] = found[2]
		}
	}
	var program []byte
	codes := make([]uint32, 0, len(comments))
	for code := range comments {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	for _, code := range codes {
		program = binary.LittleEndian.AppendUint32(program, code)
	}
	path := filepath.Join(t.TempDir(), "words")
	if err := os.WriteFile(path, program, 0o666); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), disassembler, "-D", "-b", "binary", "-m", "aarch64", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^ +[0-9a-f]+:\t[0-9a-f]{8} \t(.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(lines) != len(codes) {
		t.Fatalf("disassembled: got %d instructions, want %d", len(lines), len(codes))
	}
	for i, line := range lines {
		if got, want := strings.Join(strings.Fields(line[1]), " "), comments[codes[i]]; got != want {
			t.Errorf("%08x: got %q, want %q", codes[i], got, want)
		}
	}
}
