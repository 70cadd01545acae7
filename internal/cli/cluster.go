package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/runfolder"
)

func newCancel() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel DIR",
		Short: "Take the tasks of a study out of the cluster's queue",
		Long: `cancel takes every task of the study in DIR out of the Slurm queue. Tasks at work
write checkpoints first. What is done stays; deeplimit run --engine slurm goes on.`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := studyOf(cmd, args[0])
			if err != nil {
				return err
			}
			tasks, err := slurm.Client{}.Cancel(cmd.Context(), dir)
			if err != nil {
				return err
			}
			running := 0
			for _, task := range tasks {
				if task.Running() {
					running++
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "cancelled %d tasks, %d of them at work\n", len(tasks), running)
			return err
		},
	}
}

func newLogs() *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "logs DIR [RUN]",
		Short: "Print what the cluster's tasks of a study have written",
		Long: `logs prints the logs of the study's tasks on a Slurm cluster, oldest submission
first: all, or those that tell the start of the run. RUN may be a part of its name
that no other run has. A task that was requeued goes on in its log.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := studyOf(cmd, args[0])
			if err != nil {
				return err
			}
			run := ""
			if len(args) > 1 {
				run = args[1]
			}
			return printLogs(cmd.OutOrStdout(), dir, run, list)
		},
	}
	cmd.Flags().BoolVar(&list, "list", false, "print the paths of the logs and the runs in them")
	return cmd
}

// studyOf returns the folder of a study, and refuses another, where no tasks would be found.
func studyOf(cmd *cobra.Command, arg string) (string, error) {
	dir, err := folder(cmd, arg, studyAlone)
	if err != nil {
		return "", err
	}
	if _, err := runfolder.StudyName(dir); err != nil {
		return "", fmt.Errorf("%s: %s: got a folder that is not that of a study: %w", cmd.Name(), dir, err)
	}
	return dir, nil
}

// taskLog is the log of a task, and the runs that it tells the start of.
type taskLog struct {
	slurm.Log
	text []byte
	runs []string
}

// printLogs writes the logs of the tasks that had the run, all of them for "".
func printLogs(w io.Writer, dir, run string, list bool) error {
	logs, err := readLogs(dir)
	if err != nil {
		return err
	}
	if run != "" {
		if logs, err = logsOf(logs, dir, run); err != nil {
			return err
		}
	}
	for i, log := range logs {
		if list {
			_, err = fmt.Fprintf(w, "%s\t%s\t%s\n", log.Job, log.Path, strings.Join(log.runs, " "))
		} else {
			if i > 0 {
				fmt.Fprintln(w)
			}
			_, err = fmt.Fprintf(w, "==> %s, task %s <==\n%s", log.Path, log.Job, log.text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readLogs reads the logs of a study's tasks.
func readLogs(dir string) ([]taskLog, error) {
	logs, err := slurm.Logs(dir)
	if err != nil {
		return nil, err
	}
	read := make([]taskLog, len(logs))
	for i, log := range logs {
		text, err := os.ReadFile(log.Path)
		if err != nil {
			return nil, fmt.Errorf("logs: %w", err)
		}
		read[i] = taskLog{log, text, runsBegun(text)}
	}
	return read, nil
}

// logsOf returns the logs of the tasks that had the one run whose name contains text.
func logsOf(logs []taskLog, dir, text string) ([]taskLog, error) {
	names := map[string]bool{}
	for _, log := range logs {
		for _, id := range log.runs {
			if id == text {
				return with(logs, id), nil
			}
			if strings.Contains(id, text) {
				names[id] = true
			}
		}
	}
	switch len(names) {
	case 0:
		return nil, fmt.Errorf("logs: %s: got run %q, want part of the name of one that a task has begun", dir, text)
	case 1:
		for id := range names {
			return with(logs, id), nil
		}
	}
	return nil, fmt.Errorf("logs: %s: got run %q, want part of the name of one run, not of %d", dir, text, len(names))
}

// with returns the logs of the tasks that had the run.
func with(logs []taskLog, id string) []taskLog {
	return slices.DeleteFunc(slices.Clone(logs), func(l taskLog) bool { return !slices.Contains(l.runs, id) })
}
