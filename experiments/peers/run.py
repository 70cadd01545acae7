"""Times a step of gradient descent in deeplimit and in its peers, in alternation, and
writes docs/performance.md from what was measured.

    python run.py BINARY [--quick] [--jobs] [--busy]

For every workload each peer computes the problem that deeplimit wrote, and is compared
with its losses and gradient, before anything is timed. A round then goes through the
thread counts and the peers: deeplimit, peer, deeplimit, peer, … with the same number of
threads each. Medians over rounds count, the better number of threads for each program.

Workloads are the plainest network at the shapes below, and the studies of jobs/; --jobs measures the studies alone and
writes their part of the page.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import machine
import report

HERE = Path(__file__).parent
LOG = HERE / ".venv" / "workers.log"  # what libraries and failures print
SECONDS = 0.3  # for one visit to a program
SHAPES = [(10, 8, 1000), (10, 1024, 1000), (32, 1024, 500), (64, 2048, 100), (128, 512, 64), (10, 8, 100000)]
QUICK = [(10, 8, 1000), (64, 2048, 100)]
JOBS = ["outer-relu-adam", "mlp-gelu-gd", "mlp-gelu-adam-batches", "inner-tanh-digits", "mlp-normalised"]
MEMORY = (10, 1024, 100000)  # the workload whose peak memory is read, in float32


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    module: str
    kind: str
    deepest: int = 10**9  # layers beyond which it is left out
    reason: str = ""


OPERATORS = "calls of operators or of graphs of 20 layers make a step linear in L, about 100 times that of L = 1000"
PEERS = [
    Peer("PyTorch eager", "with_torch", "eager", 10_000, OPERATORS),
    Peer("torch.compile", "with_torch", "compiled", 10_000, OPERATORS),
    Peer("PyTorch by hand", "with_torch", "hand"),
    Peer("JAX autodiff", "with_jax", "autodiff"),
    Peer("JAX by hand", "with_jax", "hand"),
    Peer("NumPy by hand", "with_numpy", "hand"),
]
JOB_PEERS = [
    Peer("PyTorch eager", "job_torch", "eager"),
    Peer("torch.compile", "job_torch", "compiled"),
    Peer("JAX scan", "job_jax", "autodiff"),
    Peer("NumPy by hand", "job_numpy", "hand"),
]


class Worker:
    """A peer with one number of threads, in a process of its own."""

    def __init__(self, peer, threads, log, busy):
        self.peer, self.threads, self.label, self.error = peer, threads, "", 0.0
        self.clock = "processor" if busy else "times"
        count = str(threads)
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC", "PJRT_NPROC")
        eigen = "true" if threads > 1 else "false"
        environment = os.environ | dict.fromkeys(names, count) | {
            "JAX_PLATFORMS": "cpu",
            "CUDA_VISIBLE_DEVICES": "",
            "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen}",
        }
        command = [sys.executable, HERE / "worker.py", peer.module, peer.kind]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=log, env=environment, text=True)

    def ask(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{self.peer.name}, {self.threads} threads: ended while asked {request}; see {LOG}")
        return json.loads(line)

    def milliseconds(self):
        reply = self.ask(time=SECONDS)
        if "failed" in reply:
            sys.exit(f"{self.peer.name}, {self.threads} threads: {reply['failed']}")
        return 1e3 * statistics.median(reply[self.clock])


class Deeplimit:
    """The program, started anew for every measurement."""

    def __init__(self, binary, busy):
        self.binary, self.busy = binary, busy

    def run(self, *arguments):
        command = [self.binary, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def bench(self, what, dtype, workers):
        flags = ("--dtype", dtype, "--workers", workers, "--time", f"{SECONDS}s")
        result = json.loads(self.run("bench", "--json", *what, *flags))[0]
        if self.busy:
            result["peak_fraction"] *= result["ms"] / result["cpu_ms"]
            result["ms"] = result["cpu_ms"]
        return result

    def dump(self, folder, what, dtype):
        self.run("bench", "--dump", folder, *what, "--dtype", dtype)

    def growth(self, dtype):
        return json.loads(self.run("bench", "--scaling", "--json", "--dtype", dtype, "--time", f"{SECONDS}s"))

    def memory(self):
        """Peak resident bytes and seconds of a whole run of a few steps."""
        flags = ("--shape", text(MEMORY), "--dtype", "float32", "--time", "0s")
        begun = time.perf_counter()
        process = subprocess.Popen([self.binary, "bench", *flags], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"deeplimit bench {' '.join(flags)}: exit code {process.returncode}")
        return {"shape": MEMORY, "bytes": usage.ru_maxrss * 1024, "seconds": time.perf_counter() - begun}

    def version(self):
        """The commit, from the version control where the build has no stamp of it."""
        known = json.loads(self.run("version", "--json"))
        if "commit" not in known:
            known["commit"], known["modified"] = machine.commit(self.binary.parent)
        return known

    def start(self):
        """Milliseconds from start to end of commands that do next to nothing: medians of 21."""

        def once(arguments):
            begun = time.perf_counter()
            self.run(*arguments)
            return 1e3 * (time.perf_counter() - begun)

        return {" ".join(a): statistics.median(once(a) for _ in range(21)) for a in (("version",), ("run", "--help"))}


def text(shape):
    return ",".join(map(str, shape))


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def prepare(workers, shape, folder):
    """Has every worker check and choose its fastest candidate; returns those that can be
    timed and, by peer, the reasons for leaving out others. A job has no shape."""
    ready, left_out = [], {}
    for worker in workers:
        peer = worker.peer
        if shape and shape[2] > peer.deepest:
            left_out[peer.name] = peer.reason
            continue
        reply = worker.ask(prepare=str(folder), job=shape is None)
        if "failed" in reply:
            left_out[peer.name] = reply["failed"]
            continue
        worker.label, worker.error = reply["label"], reply["error"]
        say(f"  {peer.name}, {worker.threads} threads: {worker.label}; relative error {worker.error:.1e}")
        ready.append(worker)
    for name, reason in left_out.items():
        say(f"  {name}: left out: {reason}")
    return ready, left_out


def measure(deeplimit, workers, what, shape, dtype, rounds):
    """All programs on one workload, which what says in the words of the command line: a shape, or the file of a study,
    which has its own."""
    with tempfile.TemporaryDirectory() as folder:
        deeplimit.dump(folder, what, dtype)
        ready, left_out = prepare(workers, shape, folder)
    own, times = {}, {worker: [] for worker in ready}
    for _ in range(rounds):
        for worker in ready:
            own.setdefault(worker.threads, []).append(deeplimit.bench(what, dtype, worker.threads))
            times[worker].append(worker.milliseconds())
    runs = [
        {
            "program": "deeplimit", "threads": threads, "used": results[0]["workers"], "label": results[0]["tier"],
            "ms": statistics.median(r["ms"] for r in results), "all_ms": [r["ms"] for r in results],
            "peak_fraction": statistics.median(r["peak_fraction"] for r in results),
            "peak_gflops": statistics.median(r["peak_gflops"] for r in results),
        }
        for threads, results in own.items()
    ]
    runs += [
        {
            "program": worker.peer.name, "threads": worker.threads, "label": worker.label, "error": worker.error,
            "ms": statistics.median(ms), "all_ms": ms,
        }
        for worker, ms in times.items()
    ]
    return {"shape": shape or next(iter(own.values()))[0]["shape"], "dtype": dtype, "runs": runs, "left_out": left_out}


def draw_images(folder):
    """What mlp-gelu-adam-batches reads: 2,048 images of 784 numbers and their classes, at random."""
    rng = np.random.default_rng(1)
    np.save(folder / "images.npy", rng.random((2048, 784), np.float32))
    np.save(folder / "labels.npy", rng.integers(0, 10, 2048))


def measure_jobs(deeplimit, stack, log, dtypes, rounds):
    """The studies of jobs/, in a result of its own."""
    result = {"date": time.strftime("%Y-%m-%d"), "rounds": rounds, "seconds": SECONDS, "busy": deeplimit.busy, "machine": machine.describe(), "workloads": []}
    result["deeplimit"] = deeplimit.version()
    workers = start_workers(JOB_PEERS, stack, log, deeplimit.busy)
    result["versions"] = versions(workers)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    draw_images(folder)
    for job in JOBS:
        shutil.copy(HERE / "jobs" / f"{job}.yaml", folder)
    for dtype in dtypes:
        for job in JOBS:
            say(f"{dtype} {job}")
            workload = measure(deeplimit, workers, (folder / f"{job}.yaml",), None, dtype, rounds)
            result["workloads"].append(workload | {"job": job})
            result["load_after"] = os.getloadavg()[0]
            (HERE / "results-jobs.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def start_workers(peers, stack, log, busy):
    threads = {1} if busy else {1, os.cpu_count()}
    workers = [Worker(peer, count, log, busy) for count in sorted(threads) for peer in peers]
    for worker in workers:
        stack.callback(worker.process.kill)
    return workers


def versions(workers):
    known = {}
    for worker in workers:
        known |= worker.ask(versions=True)["versions"]
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("binary", type=Path, help="the deeplimit program")
    parser.add_argument("--quick", action="store_true", help="two shapes in float32, 2 rounds; prints, writes no files")
    parser.add_argument("--jobs", action="store_true", help="the studies of jobs/ alone")
    parser.add_argument("--busy", action="store_true", help="one thread each, by the processor's time: for machines that others use")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    shapes, dtypes, rounds = SHAPES, ("float32", "float64"), arguments.rounds
    if arguments.quick:
        shapes, dtypes, rounds = QUICK, ("float32",), 2

    deeplimit = Deeplimit(arguments.binary.resolve(), arguments.busy)
    if not arguments.quick:
        with contextlib.ExitStack() as stack:  # other processes than those below
            jobs = measure_jobs(deeplimit, stack, stack.enter_context(open(LOG, "w")), dtypes, rounds)
        print(report.job_tables(jobs))
        report.write_jobs(jobs)
        if arguments.jobs:
            return
    result = {"date": time.strftime("%Y-%m-%d"), "rounds": rounds, "seconds": SECONDS, "busy": arguments.busy, "machine": machine.describe()}
    result["deeplimit"] = deeplimit.version()
    result["start"], result["memory"] = deeplimit.start(), deeplimit.memory()
    result["growth"] = [growth for dtype in dtypes for growth in deeplimit.growth(dtype)]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(LOG, "w"))
        workers = start_workers(PEERS, stack, log, arguments.busy)
        result["versions"] = versions(workers)
        result["workloads"] = []
        for dtype in dtypes:
            for shape in shapes:
                say(f"{dtype} {text(shape)}")
                result["workloads"].append(measure(deeplimit, workers, ("--shape", text(shape)), shape, dtype, rounds))
                result["load_after"] = os.getloadavg()[0]
                if not arguments.quick:  # report.py can use what a run that is cut off leaves
                    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    print(report.tables(result))
    if not arguments.quick:
        report.write(result)


if __name__ == "__main__":
    main()
