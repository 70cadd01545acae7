#!/bin/bash
# One task of the job array paper-regime-0badcafe: the runs of its batch that are not done.
# Slurm sends USR1 2m0s before the time limit. The program then writes checkpoints and
# ends, and the task goes back to the queue to continue.
program='/opt/deep limit/bin/deeplimit'
study='/data/o'\''hara'\''s $HOME/`study`'
submission='paper-regime-0badcafe'

requeue=
notified=
pid=
notify() { notified=yes; [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null; }
trap 'requeue=yes; notify' USR1
trap notify TERM INT

"$program" slurm-task '--checkpoint' '1m0s' "$study" "$submission" "$SLURM_ARRAY_TASK_ID" &
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
