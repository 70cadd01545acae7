// Package kubernetes checks examples/kubernetes against the types of the Kubernetes
// API. It is a module of its own, so that the program depends on none of them.
package kubernetes

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// TestManifest decodes every document strictly, so that a misspelt field is an error,
// and holds them to what the API server would refuse or what would lose work.
func TestManifest(t *testing.T) {
	text, err := os.ReadFile("../../examples/kubernetes/job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("got %d documents, want the claim and the job", len(documents))
	}
	var claim core.PersistentVolumeClaim
	if err := yaml.UnmarshalStrict(documents[0], &claim); err != nil {
		t.Fatal(err)
	}
	if claim.APIVersion != "v1" || claim.Kind != "PersistentVolumeClaim" {
		t.Errorf("got %s %s, want a v1 PersistentVolumeClaim", claim.APIVersion, claim.Kind)
	}
	if !slices.Equal(claim.Spec.AccessModes, []core.PersistentVolumeAccessMode{core.ReadWriteMany}) {
		t.Errorf("got access modes %v, want ReadWriteMany: the pods share the folder", claim.Spec.AccessModes)
	}
	if claim.Spec.Resources.Requests.Storage().Sign() <= 0 {
		t.Error("got no storage request, want one")
	}

	var job batch.Job
	if err := yaml.UnmarshalStrict(documents[1], &job); err != nil {
		t.Fatal(err)
	}
	if job.APIVersion != "batch/v1" || job.Kind != "Job" {
		t.Errorf("got %s %s, want a batch/v1 Job", job.APIVersion, job.Kind)
	}
	if mode := job.Spec.CompletionMode; mode == nil || *mode != batch.IndexedCompletion {
		t.Errorf("got completion mode %v, want Indexed", mode)
	}
	if job.Spec.Completions == nil || job.Spec.Parallelism == nil || *job.Spec.Parallelism > *job.Spec.Completions {
		t.Error("got no completions, or more pods at once than there are, want both set")
	}
	if job.Spec.BackoffLimitPerIndex == nil {
		t.Error("got no backoffLimitPerIndex, want one: a failing pod must not end the others")
	}
	pod := job.Spec.Template.Spec
	if pod.RestartPolicy != core.RestartPolicyNever {
		t.Errorf("got restart policy %q, want Never, which podFailurePolicy needs", pod.RestartPolicy)
	}
	if grace := pod.TerminationGracePeriodSeconds; grace == nil || *grace < 30 {
		t.Errorf("got grace period %v, want at least 30 s for a checkpoint", grace)
	}
	checkPod(t, job.Spec)
	checkScript(t, pod.Containers[0])
	claimed := slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool {
		return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim.Name
	})
	if !claimed {
		t.Errorf("got volumes %v, want one of the claim %q", pod.Volumes, claim.Name)
	}
}

// checkPod holds what names something else to the names there are.
func checkPod(t *testing.T, spec batch.JobSpec) {
	pod := spec.Template.Spec
	if len(pod.Containers) != 1 {
		t.Fatalf("got %d containers, want one", len(pod.Containers))
	}
	container := pod.Containers[0]
	if script := strings.Join(container.Args, "\n"); !strings.Contains(script, "deeplimit run /input/study.yaml --out /study/") {
		t.Errorf("got script %q, want it to run the study in the shared folder", script)
	}
	for _, mount := range container.VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mount.Name }) {
			t.Errorf("got a mount of %q, want a volume of the pod", mount.Name)
		}
	}
	if container.Resources.Limits.Cpu().Cmp(*container.Resources.Requests.Cpu()) < 0 {
		t.Error("got a CPU limit below the request")
	}
	if spec.PodFailurePolicy == nil {
		t.Fatal("got no pod failure policy, want one")
	}
	for i, rule := range spec.PodFailurePolicy.Rules {
		if len(rule.OnPodConditions) == 0 {
			t.Errorf("rule %d: want one for conditions alone: exit code 2 is also that of a full disk", i)
		}
	}
}

// checkScript runs the container's script with a program that ends as deeplimit may:
// divergence (1) is no failure of the pod, and a pod that is to end lets it finish. The
// first pod starts the study, another joins it.
func checkScript(t *testing.T, container core.Container) {
	for _, c := range []struct {
		index, program, arguments string
		want                      int
	}{
		{"0", "exit 0", "run /input/study.yaml --out STUDY/runs\n", 0},
		{"1", "exit 0", "run STUDY/runs --join\n", 0},
		{"0", "exit 1", "run /input/study.yaml --out STUDY/runs\n", 0},
		{"1", "exit 2", "run STUDY/runs --join\n", 2},
		{"1", `trap 'sleep 0.3; exit 130' TERM; kill -TERM $PPID; while :; do sleep 0.1; done`, "run STUDY/runs --join\n", 130},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"deeplimit": "#!/bin/sh\necho \"$@\"\n" + c.program + "\n", "runs/runs.json": ""} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		script := strings.ReplaceAll(strings.Join(container.Args, "\n"), "/study/runs", dir+"/runs")
		cmd := exec.Command(container.Command[0], append(container.Command[1:], script)...)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "JOB_COMPLETION_INDEX="+c.index)
		out, err := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.want {
			t.Errorf("pod %s, %s: got exit code %d (%v), want %d\n%s", c.index, c.program, code, err, c.want, out)
		}
		if want := strings.ReplaceAll(c.arguments, "STUDY", dir); !strings.HasPrefix(string(out), want) {
			t.Errorf("pod %s, %s: got %s\nwant %s", c.index, c.program, out, want)
		}
	}
}
