package slurm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Task is one task of a job array in the queue.
type Task struct {
	Name     string // of its job
	Array    string // id of the array's job
	Index    int
	State    string // Slurm's, such as PENDING or RUNNING
	Reason   string // why it waits; "" for none
	Node     string // where it runs; "" while it does not
	Restarts int    // how often it was requeued; 0 where squeue does not tell
}

// ID returns the task as Slurm's programs name it, such as "12_3".
func (t Task) ID() string { return t.Array + "_" + strconv.Itoa(t.Index) }

// Running reports whether the task is on a node.
func (t Task) Running() bool { return t.State == "RUNNING" }

// String returns the state with the reason or the node.
func (t Task) String() string {
	switch {
	case t.Running() && t.Node != "":
		return "running on " + t.Node
	case t.Reason != "":
		return strings.ToLower(t.State) + " (" + t.Reason + ")"
	}
	return strings.ToLower(t.State)
}

// over are the states of tasks that do nothing any more, and are not started again.
var over = []string{
	"COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY", "REVOKED", "LAUNCH_FAILED",
}

// Queue returns the tasks of jobs with these names that wait or run, sorted by job and
// index; those that are over are left out.
func (c Client) Queue(ctx context.Context, names []string) ([]Task, error) {
	if len(names) == 0 {
		return nil, nil
	}
	filter := "--name=" + strings.Join(names, ",")
	out, err := c.command(ctx, "squeue", filter, "--json")
	var tasks []Task
	if err == nil {
		tasks, err = parseJSON(out)
	}
	if errors.Is(err, ErrAbsent) || ctx.Err() != nil {
		return nil, err
	}
	if err != nil { // squeue before 21.08, or built without a JSON library
		if out, err = c.command(ctx, "squeue", append([]string{filter}, tableOptions...)...); err != nil {
			return nil, err
		}
		if tasks, err = parseTable(out); err != nil {
			return nil, err
		}
	}
	// Some versions pass over the filter when asked for JSON.
	tasks = slices.DeleteFunc(tasks, func(t Task) bool { return !slices.Contains(names, t.Name) })
	slices.SortFunc(tasks, func(a, b Task) int {
		if a.Array != b.Array {
			return strings.Compare(a.Array, b.Array)
		}
		return a.Index - b.Index
	})
	return tasks, nil
}

// number is an integer of squeue --json: a plain one or null up to data parser 0.0.38,
// an object that says whether it is set from then on.
type number struct {
	Set    bool
	Number int
}

func (n *number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if err := json.Unmarshal(data, &n.Number); err == nil {
		n.Set = true
		return nil
	}
	var object struct {
		Set    bool `json:"set"`
		Number int  `json:"number"`
	}
	err := json.Unmarshal(data, &object)
	n.Set, n.Number = object.Set, object.Number
	return err
}

// words is one word, or from data parser 0.0.40 on a list of flags: RUNNING, or
// CANCELLED and COMPLETING.
type words []string

func (w *words) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*w = words{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(w))
}

// parseJSON reads `squeue --json` of any version. Tasks of an array that have not been
// told apart come as one entry with a list of indices.
func parseJSON(data []byte) ([]Task, error) {
	var answer struct {
		Jobs []struct {
			Name     string `json:"name"`
			Array    number `json:"array_job_id"`
			Index    number `json:"array_task_id"`
			Indices  string `json:"array_task_string"`
			State    words  `json:"job_state"`
			Reason   string `json:"state_reason"`
			Nodes    string `json:"nodes"`
			Restarts number `json:"restart_cnt"`
		} `json:"jobs"`
		Errors []struct {
			Error       string `json:"error"`
			Description string `json:"description"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("slurm: squeue --json: %w", err)
	}
	if len(answer.Errors) > 0 {
		return nil, fmt.Errorf("slurm: squeue --json: %s %s", answer.Errors[0].Error, answer.Errors[0].Description)
	}
	var tasks []Task
	for _, job := range answer.Jobs {
		if !job.Array.Set || job.Array.Number == 0 || len(job.State) == 0 || slices.Contains(over, job.State[0]) {
			continue // no array, or over
		}
		indices := []int{job.Index.Number}
		if !job.Index.Set || job.Indices != "" {
			var err error
			if indices, err = parseIndices(job.Indices); err != nil {
				return nil, fmt.Errorf("slurm: squeue --json: job %d: %w", job.Array.Number, err)
			}
		}
		for _, index := range indices {
			tasks = append(tasks, Task{job.Name, strconv.Itoa(job.Array.Number), index, job.State[0], reason(job.Reason), job.Nodes, job.Restarts.Number})
		}
	}
	return tasks, nil
}

// reason returns "" for what Slurm writes when there is none.
func reason(text string) string {
	if text == "None" {
		return ""
	}
	return text
}

// tableOptions ask squeue for a table with a line for each task: array, index, state,
// node, name, reason. The reason stands last, as it may be any text.
var tableOptions = []string{"--noheader", "--array", "--format=%F|%K|%T|%N|%j|%r"}

// parseTable reads what squeue prints with tableOptions.
func parseTable(data []byte) ([]Task, error) {
	var tasks []Task
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		fields := strings.SplitN(line, "|", 6)
		if len(fields) != 6 {
			return nil, fmt.Errorf("slurm: squeue: got line %q, want 6 columns", line)
		}
		if fields[1] == "N/A" || slices.Contains(over, fields[2]) {
			continue // no array, or over
		}
		indices, err := parseIndices(fields[1])
		if err != nil {
			return nil, fmt.Errorf("slurm: squeue: line %q: %w", line, err)
		}
		for _, index := range indices {
			tasks = append(tasks, Task{Name: fields[4], Array: fields[0], Index: index, State: fields[2], Reason: reason(fields[5]), Node: fields[3]})
		}
	}
	return tasks, nil
}

// mostIndices bounds an array: Slurm's own bound is 4,000,001.
const mostIndices = 4_000_001

// parseIndices reads a list of indices such as "0,3-40%2", in which a step (1-9:2) may
// stand and the limit behind the per cent sign says nothing here.
func parseIndices(text string) ([]int, error) {
	bad := func() ([]int, error) {
		return nil, fmt.Errorf("got task indices %q, want a list such as 0,3-40%%2", text)
	}
	list, _, _ := strings.Cut(text, "%")
	var indices []int
	for part := range strings.SplitSeq(list, ",") {
		bounds, stepText, stepped := strings.Cut(part, ":")
		low, high, ranged := strings.Cut(bounds, "-")
		first, err := strconv.Atoi(low)
		last, step := first, 1
		if err == nil && ranged {
			last, err = strconv.Atoi(high)
		}
		if err == nil && stepped {
			step, err = strconv.Atoi(stepText)
		}
		if err != nil || first < 0 || last < first || step < 1 || (last-first)/step+1+len(indices) > mostIndices {
			return bad()
		}
		for i := first; i <= last; i += step {
			indices = append(indices, i)
		}
	}
	return indices, nil
}
