#!/bin/bash
# One task of the job array paper-regime-0badcafe: the runs of its batch that are not done.
# Slurm sends USR1 2m0s before the time limit. The program then writes checkpoints and
# ends, and the task goes back to the queue to continue.
program='/opt/deep limit/bin/deeplimit'
study='/data/o'\''hara'\''s $HOME/`study`'
submission='paper-regime-0badcafe'

requeue=
pid=
notify() { [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null; }
trap 'requeue=yes; notify' USR1
trap notify TERM INT

"$program" slurm-task '--checkpoint' '1m0s' "$study" "$submission" "$SLURM_ARRAY_TASK_ID" &
pid=$!
[ -z "$requeue" ] || notify
while kill -0 "$pid" 2>/dev/null; do
	wait "$pid"
done
wait "$pid"
code=$?

# 130: it left checkpoints of runs to go on with.
if [ -n "$requeue" ] && [ "$code" -eq 130 ]; then
	scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
