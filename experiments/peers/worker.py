"""One peer with one number of threads: a process that answers requests, a JSON line each.

{"prepare": FOLDER} → {"label", "error"} of the fastest candidate, or {"failed"}; with "job": true for one of jobs/;
{"time": SECONDS} → {"times", "processor"}; {"versions": true} → {"versions"}.
"""

import importlib
import json
import os
import sys
import traceback

import job
import problem


def serve(module, kind, replies):
    peer = importlib.import_module(module)
    step = None

    def answer(request):
        nonlocal step
        if "versions" in request:
            return {"versions": peer.VERSIONS}
        if "prepare" in request:
            step = None
            task = (job.Job if request.get("job") else problem.Problem)(request["prepare"])
            label, step, worst = problem.fastest(task, peer.candidates(kind, task))
            return {"label": label, "error": worst}
        durations, processor = problem.times(step, request["time"], 3)
        return {"times": durations, "processor": processor}

    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except problem.Mismatch:
            raise
        except Exception as failure:
            traceback.print_exc()
            reply = {"failed": f"{type(failure).__name__}: {failure}".splitlines()[0]}
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    # Libraries may print; the pipe to the driver is for replies alone.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.argv[1], sys.argv[2], replies)
