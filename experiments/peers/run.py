"""Times a step of gradient descent in deeplimit and in its peers, in alternation, and
writes docs/performance.md from what was measured.

    python run.py BINARY [--quick]

For every workload each peer computes the problem that deeplimit wrote, and is compared
with its losses and gradient, before anything is timed. A round then goes through the
thread counts and the peers: deeplimit, peer, deeplimit, peer, … with the same number of
threads each. Medians over rounds count, the better number of threads for each program.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import report

HERE = Path(__file__).parent
LOG = HERE / ".venv" / "workers.log"  # what libraries and failures print
SECONDS = 0.3  # for one visit to a program
SHAPES = [(10, 8, 1000), (10, 1024, 1000), (32, 1024, 500), (64, 2048, 100), (128, 512, 64), (10, 8, 100000)]
QUICK = [(10, 8, 1000), (64, 2048, 100)]
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


class Worker:
    """A peer with one number of threads, in a process of its own."""

    def __init__(self, peer, threads, log):
        self.peer, self.threads, self.label, self.error = peer, threads, "", 0.0
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
        return 1e3 * statistics.median(reply["times"])


class Deeplimit:
    """The program, started anew for every measurement."""

    def __init__(self, binary):
        self.binary = binary

    def run(self, *arguments):
        command = [self.binary, *map(str, arguments)]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout

    def bench(self, shape, dtype, workers):
        flags = ("--shape", text(shape), "--dtype", dtype, "--workers", workers, "--time", f"{SECONDS}s")
        return json.loads(self.run("bench", "--json", *flags))[0]

    def dump(self, folder, shape, dtype):
        self.run("bench", "--dump", folder, "--shape", text(shape), "--dtype", dtype)

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
    timed and, by peer, the reasons for leaving out others."""
    ready, left_out = [], {}
    for worker in workers:
        peer = worker.peer
        if shape[2] > peer.deepest:
            left_out[peer.name] = peer.reason
            continue
        reply = worker.ask(prepare=str(folder))
        if "failed" in reply:
            left_out[peer.name] = reply["failed"]
            continue
        worker.label, worker.error = reply["label"], reply["error"]
        say(f"  {peer.name}, {worker.threads} threads: {worker.label}; relative error {worker.error:.1e}")
        ready.append(worker)
    for name, reason in left_out.items():
        say(f"  {name}: left out: {reason}")
    return ready, left_out


def measure(deeplimit, workers, shape, dtype, rounds):
    """All programs on one workload."""
    with tempfile.TemporaryDirectory() as folder:
        deeplimit.dump(folder, shape, dtype)
        ready, left_out = prepare(workers, shape, folder)
    own, times = {}, {worker: [] for worker in ready}
    for _ in range(rounds):
        for worker in ready:
            own.setdefault(worker.threads, []).append(deeplimit.bench(shape, dtype, worker.threads))
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
    return {"shape": shape, "dtype": dtype, "runs": runs, "left_out": left_out}


def versions(workers):
    known = {}
    for worker in workers:
        known |= worker.ask(versions=True)["versions"]
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("binary", type=Path, help="the deeplimit program")
    parser.add_argument("--quick", action="store_true", help="two shapes in float32, 2 rounds; prints, writes no files")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    shapes, dtypes, rounds = SHAPES, ("float32", "float64"), arguments.rounds
    if arguments.quick:
        shapes, dtypes, rounds = QUICK, ("float32",), 2

    deeplimit = Deeplimit(arguments.binary.resolve())
    result = {"date": time.strftime("%Y-%m-%d"), "rounds": rounds, "seconds": SECONDS, "machine": machine.describe()}
    result["deeplimit"] = json.loads(deeplimit.run("version", "--json"))
    if "commit" not in result["deeplimit"]:  # built without the version control's stamp
        result["deeplimit"]["commit"], result["deeplimit"]["modified"] = machine.commit(deeplimit.binary.parent)
    result["start"], result["memory"] = deeplimit.start(), deeplimit.memory()
    result["growth"] = [growth for dtype in dtypes for growth in deeplimit.growth(dtype)]
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open(LOG, "w"))
        workers = [Worker(peer, threads, log) for threads in sorted({1, os.cpu_count()}) for peer in PEERS]
        for worker in workers:
            stack.callback(worker.process.kill)
        result["versions"] = versions(workers)
        result["workloads"] = []
        for dtype in dtypes:
            for shape in shapes:
                say(f"{dtype} {text(shape)}")
                result["workloads"].append(measure(deeplimit, workers, shape, dtype, rounds))
                result["load_after"] = os.getloadavg()[0]
                if not arguments.quick:  # report.py can use what a run that is cut off leaves
                    (HERE / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    print(report.tables(result))
    if not arguments.quick:
        report.write(result)


if __name__ == "__main__":
    main()
