package slurm

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
)

// formatTime returns a limit in the form days-hours:minutes:seconds.
func formatTime(d time.Duration) string {
	s := int64(d.Seconds())
	return fmt.Sprintf("%d-%02d:%02d:%02d", s/86400, s/3600%24, s/60%60, s%60)
}

// arguments returns the options of sbatch for an array of that many tasks.
func arguments(o engine.Options, dir, name string, tasks int) []string {
	args := []string{
		"--parsable", "--job-name=" + name, fmt.Sprintf("--array=0-%d", tasks-1), "--ntasks=1", "--cpus-per-task=" + strconv.Itoa(o.CPUs),
		"--requeue", fmt.Sprintf("--signal=B:USR1@%d", int(o.Notice.Seconds())),
		"--chdir=" + dir, "--output=" + logPattern(dir, name), "--open-mode=append",
	}
	for _, c := range []struct{ option, value string }{
		{"partition", o.Partition}, {"account", o.Account}, {"qos", o.QOS}, {"mem", o.Mem},
	} {
		if c.value != "" {
			args = append(args, "--"+c.option+"="+c.value)
		}
	}
	if o.Time > 0 {
		args = append(args, "--time="+formatTime(o.Time))
	}
	return append(args, o.SbatchArgs...)
}

// logPattern returns the tasks' log with Slurm's sign for the task; the folder's own
// per cent signs stand for themselves.
func logPattern(dir, name string) string {
	return strings.ReplaceAll(dir, "%", "%%") + "/slurm/" + name + "/%a.log"
}
