package survey

import (
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestConditions asks about runs of groups that have not the same settings, and settings of more than one kind.
func TestConditions(t *testing.T) {
	run := func(id, group, data string, settings map[string]string) Run {
		return Run{Planned: runfolder.Planned{ID: id, Group: group, Data: data, Depth: 8, Seed: 3, Settings: settings}, State: Done, Loss: math.NaN(), Host: "n1"}
	}
	runs := []Run{
		run("a", "1", "digits", map[string]string{"train.step.value": "0.1", "network.bias": "true"}),
		run("b", "2", "digits", map[string]string{"train.step.value": "depth", "data.noise": "0.5"}),
		run("c", "3", "mnist", map[string]string{"network.alpha": "1", "data.kind": "ball"}),
		run("d", "3", "mnist", map[string]string{"network.alpha": "2"}), // its group names another
	}
	runs[0].Accuracies, runs[2].Accuracies = map[string]float64{"accuracy": 0.9, "test_accuracy": 0.7}, map[string]float64{"accuracy": 0.5}
	c := NewConditions(runs)
	for condition, want := range map[string]string{
		"depth == 8": "abcd", `id in ["a", "c"]`: "ac", `data == "digits"`: "ab", `data.name == "mnist"`: "cd", `data.kind == "ball"`: "c",
		"train.step.value == 0.1": "a", `train.step.value == "depth"`: "b", "data.noise < 1": "b", "not (data.noise < 1)": "acd",
		"network.alpha >= 1": "cd", "network.alpha > 1": "d", "network.bias == true": "a", `state == "done" and seed == 3 and host startsWith "n"`: "abcd", "loss < 1": "",
		"accuracy > 0.6": "a", "accuracy > 0": "ac", "not (test_accuracy > 0.5)": "bcd",
	} {
		if err := c.Set([]string{condition}); err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		got := ""
		for range 2 { // an answer about one run leaves nothing behind
			got = ""
			for i := range runs {
				holds, err := c.Match(&runs[i])
				if err != nil {
					t.Errorf("%s: run %s: %v", condition, runs[i].ID, err)
				}
				if holds {
					got += runs[i].ID
				}
			}
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", condition, got, want)
		}
	}
	if err := c.Set([]string{"network.beta > 1"}); err == nil || !strings.Contains(err.Error(), "network.beta: got an unknown name, want one of accuracy, data.kind, data.name, data.noise, depth, host,") {
		t.Errorf("an unknown name: got %v", err)
	}
	if err := c.Set([]string{"train.step.value < 1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Match(&runs[1]); err == nil || !strings.Contains(err.Error(), "train.step.value < 1") {
		t.Errorf("a text below a number: got %v, want an error that has the condition", err)
	}
}
