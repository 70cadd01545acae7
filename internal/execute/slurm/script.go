package slurm

import (
	"fmt"
	"strings"
)

// script returns the batch script of the named array.
func (s *Submitter) script(name string) string {
	command := quote(s.Program)
	for _, word := range s.Task {
		command += " " + quote(word)
	}
	return fmt.Sprintf(batchScript, name, s.Options.Notice, command)
}

// batchScript: a shell that gets a signal in `wait` runs the trap and goes on behind
// it, so it waits again until the program is gone; bash then knows its exit status
// still. The program takes any number of USR1, where a second TERM, which Slurm sends
// to every process of a job, would end it in the middle of a checkpoint.
const batchScript = `#!/bin/bash
# One task of the job array %s, each of which takes runs that nobody works on.
# Slurm sends USR1 %s before the time limit. The program then writes checkpoints and
# ends, and the task goes back to the queue to continue.
requeue=
notified=
pid=
notify() { notified=yes; [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null; }
trap 'requeue=yes; notify' USR1
trap notify TERM INT

%s &
pid=$!
[ -z "$notified" ] || notify # it came before the number was known
while kill -0 "$pid" 2>/dev/null; do
	wait "$pid"
done
wait "$pid"
code=$?

# 130: it left checkpoints of runs to go on with. 138: USR1 came before it was ready.
case "$requeue,$code" in
yes,130 | yes,138) scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
esac
exit "$code"
`

// quote returns text as one word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
