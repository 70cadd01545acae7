package slurm

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestScript holds the batch script to a golden file, names that a shell would take
// apart included.
func TestScript(t *testing.T) {
	o, err := engine.Spec{Kind: engine.Slurm, Time: "20"}.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	s := &Submitter{Program: "/opt/deep limit/bin/deeplimit", Task: []string{"run", "--join", "--only", "depth < 8", "--", "/data/o'hara's $HOME/`study`"}, Options: o}
	got := s.script("paper-regime-0badcafe")
	const golden = "testdata/job.sh"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTaskEnds runs the batch script with programs that end as deeplimit may, and wants
// the task requeued where Slurm gave notice and there is work to go on with.
func TestTaskEnds(t *testing.T) {
	const work = "for i in {1..3000}; do sleep 0.01; done; exit 99"
	for _, c := range []struct {
		name, program string
		code          int
		requeued      bool
	}{
		{"done", "exit 0", 0, false},
		{"failed", "exit 2", 2, false},
		{"stopped by itself", "exit 130", 130, false},
		{"checkpoints at the notice", "trap 'sleep 0.1; exit 130' USR1; kill -USR1 $PPID; " + work, 130, true},
		{"two notices", "trap 'sleep 0.1; exit 130' USR1; kill -USR1 $PPID; sleep 0.05; kill -USR1 $PPID; " + work, 130, true},
		{"done at the notice", "trap 'exit 0' USR1; kill -USR1 $PPID; " + work, 0, false},
		{"failed at the notice", "trap 'exit 2' USR1; kill -USR1 $PPID; " + work, 2, false},
		{"notice too early", "kill -USR1 $PPID; " + work, 138, true},
		{"cancelled", "trap 'exit 130' USR1; kill -TERM $PPID; " + work, 130, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "it's")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			s := &Submitter{Program: filepath.Join(dir, "deep limit"), Task: []string{"run", "--join", "--", dir}}
			for name, text := range map[string]string{
				"deep limit": `echo "$@" > "${0%/*}/arguments"; ` + c.program,
				"scontrol":   `echo "$@" > "${0%/*}/requeued"`,
				"job.sh":     s.script("s-01"),
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/bash\n"+text+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("bash", filepath.Join(dir, "job.sh"))
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "SLURM_ARRAY_JOB_ID=12", "SLURM_ARRAY_TASK_ID=3")
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("got exit code %d (%v), want %d\n%s", code, err, c.code, out)
			}
			got, _ := os.ReadFile(filepath.Join(dir, "requeued"))
			if want := map[bool]string{true: "requeue 12_3\n"}[c.requeued]; string(got) != want {
				t.Errorf("got scontrol %q, want %q", got, want)
			}
			got, _ = os.ReadFile(filepath.Join(dir, "arguments"))
			if want := "run --join -- " + dir + "\n"; string(got) != want {
				t.Errorf("got arguments %q, want %q", got, want)
			}
		})
	}
}
