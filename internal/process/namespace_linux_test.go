package process

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// TestNamespaces starts this test again in namespaces of its own, with the identity of
// this process, which is alive: it must not be taken for dead from there, nor the one
// there from here.
func TestNamespaces(t *testing.T) {
	const variable = "PROCESS_TEST_OTHER"
	if text := os.Getenv(variable); text != "" {
		var other Identity
		if err := json.Unmarshal([]byte(text), &other); err != nil {
			t.Fatal(err)
		}
		if other.Dead() {
			t.Errorf("from inside, got %+v dead, want it alive or unknown; inside is %+v", other, Self())
		}
		if self := Self(); self.Dead() {
			t.Errorf("inside, got itself dead: %+v", self)
		}
		text, err := json.Marshal(Self())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(os.Getenv(variable+"_FILE"), text, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for name, args := range map[string][]string{
		"times":                          {"--time", "--boottime", "100000", "--fork"},
		"numbers":                        {"--pid", "--fork", "--mount-proc"},
		"numbers with /proc of outside":  {"--pid", "--fork"},
		"numbers and times":              {"--pid", "--time", "--boottime", "100000", "--fork", "--mount-proc"},
		"times, with users":              {"-r", "--time", "--boottime", "7", "--fork"},
		"numbers in namespaces of users": {"-r", "--pid", "--fork", "--mount-proc"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
				t.Skipf("this system lets nobody make such namespaces: %v: %s", err, out)
			}
			text, err := json.Marshal(Self())
			if err != nil {
				t.Fatal(err)
			}
			file := t.TempDir() + "/identity"
			cmd := exec.Command("unshare", append(args, os.Args[0], "-test.run", "^TestNamespaces$")...)
			cmd.Env = append(os.Environ(), variable+"="+string(text), variable+"_FILE="+file)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var inside Identity
			if err := json.Unmarshal(content, &inside); err != nil {
				t.Fatal(err)
			}
			if inside.Scope == Self().Scope {
				t.Errorf("got one scope %q for both, want two: numbers or times differ", inside.Scope)
			}
			if inside.Start == "" {
				t.Errorf("got no start of %+v", inside)
			}
			if inside.Dead() { // it is, but that cannot be known from here
				t.Errorf("got %+v dead, want it unknown", inside)
			}
		})
	}
}

// TestForeignProc looks at processes of its own namespace by numbers that /proc has for
// others: a living one must not be taken for dead because another one's start differs.
func TestForeignProc(t *testing.T) {
	const variable = "PROCESS_TEST_FOREIGN"
	if os.Getenv(variable) != "" {
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		defer child.Process.Kill()
		for _, start := range []string{"", "1", "123456789"} {
			if id := (Identity{Self().Scope, child.Process.Pid, start}); id.Dead() {
				t.Errorf("got %+v dead, want it alive: /proc shows other processes", id)
			}
		}
		if id := (Identity{Self().Scope, 1 << 22, "1"}); !id.Dead() {
			t.Errorf("got %+v alive, want it dead: nobody has its number", id)
		}
		return
	}
	args := []string{"--pid", "--fork"}
	if out, err := exec.Command("unshare", append(args, "true")...).CombinedOutput(); err != nil {
		t.Skipf("this system lets nobody make such namespaces: %v: %s", err, out)
	}
	cmd := exec.Command("unshare", append(args, os.Args[0], "-test.run", "^TestForeignProc$")...)
	cmd.Env = append(os.Environ(), variable+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
