#!/bin/bash
# One task of the job array paper-regime-0badcafe, each of which takes runs that nobody works on.
# Slurm sends USR1 2m0s before the time limit. The program then writes checkpoints and
# ends, and the task goes back to the queue to continue.
requeue=
notified=
pid=
notify() { notified=yes; [ -z "$pid" ] || kill -USR1 "$pid" 2>/dev/null; }
trap 'requeue=yes; notify' USR1
trap notify TERM INT

'/opt/deep limit/bin/deeplimit' 'run' '--join' '--only' 'depth < 8' '--' '/data/o'\''hara'\''s $HOME/`study`' &
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
