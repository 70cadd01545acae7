"""Tables and docs/performance.md from the measurements of run.py.

    python report.py        writes the page again from results.json and results-jobs.json
"""

import dataclasses
import json
import statistics
from pathlib import Path

HERE = Path(__file__).parent
NOTES = HERE / "notes.md"  # what a person adds: causes, profiles, what was tried
PAGE = HERE.parent.parent / "docs" / "performance.md"
EAGER = "PyTorch eager"


@dataclasses.dataclass(frozen=True)
class Target:
    """What deeplimit must reach: times as fast as, and the share of the peak; None for no demand."""

    eager: float | None
    others: float
    peak: float | None


TARGETS = {
    (10, 8, 1000): Target(120, 10, None),
    (10, 8, 100000): Target(None, 10, None),
    (10, 1024, 1000): Target(16, 4, 0.30),
    (32, 1024, 500): Target(5, 3, 0.45),
    (64, 2048, 100): Target(2.5, 2.2, 0.60),
    (128, 512, 64): Target(2, 1.5, 0.60),
}
JOB_TARGET = Target(3, 1.5, None)  # at widths up to 64
JOB_PEAK = 0.4  # of float32 at width 64
LENIENCE = {"float32": 1.0, "float64": 0.8}  # on the ratios
QUIET = 1.0  # load average before the run above which other programs may have had a core
MEMORY, START, EXPONENT = 1e9, 50, 0.05  # bytes, milliseconds, distance of exponents from 1


def best(workload):
    """The run with the better number of threads, by program."""
    runs = {}
    for run in workload["runs"]:
        name = run["program"]
        if name not in runs or run["ms"] < runs[name]["ms"]:
            runs[name] = run
    return runs


def number(value):
    """Three significant digits without an exponent."""
    for digits, bound in ((3, 1), (2, 10), (1, 100)):
        if value < bound:
            return f"{value:.{digits}f}"
    return f"{value:.0f}"


def row(*cells):
    return "| " + " | ".join(map(str, cells)) + " |"


def head(*cells):
    return [row(*cells), "|---" * len(cells) + "|"]


def verdict(reached):
    return "reached" if reached else "**short**"


def shape_of(workload):
    return tuple(workload["shape"])


def name_of(workload):
    shape = "({},{},{})".format(*shape_of(workload))
    return f"{workload['job']} {shape}" if "job" in workload else shape


def target_of(workload):
    """What is wanted of a workload, None for nothing."""
    if "job" not in workload:
        return TARGETS.get(shape_of(workload))
    wide = shape_of(workload)[0] == 64 and workload["dtype"] == "float32"
    return dataclasses.replace(JOB_TARGET, peak=JOB_PEAK if wide else None)


def by_dtype(result):
    dtypes = dict.fromkeys(w["dtype"] for w in result["workloads"])
    return {dtype: [w for w in result["workloads"] if w["dtype"] == dtype] for dtype in dtypes}


def time_table(workloads):
    """Times of all programs and how many times that of deeplimit they take."""
    peers = list(dict.fromkeys(r["program"] for w in workloads for r in w["runs"] if r["program"] != "deeplimit"))
    lines = head("(d,N,L)", "deeplimit", *peers)
    for workload in workloads:
        runs = best(workload)
        own = runs["deeplimit"]
        cells = [f"{number(own['ms'])} ms ({own['used']})"]
        for peer in peers:
            run = runs.get(peer)
            if run is None:
                cells.append("–")
                continue
            ratio = f"{number(run['ms'] / own['ms'])}×"
            if run["ms"] < own["ms"]:
                ratio = f"**{ratio}**"
            cells.append(f"{number(run['ms'])} ms ({run['threads']}): {ratio}")
        lines.append(row(name_of(workload), *cells))
    return lines


def losses(result):
    """One sentence on where deeplimit is slower."""
    slower = []
    for workload in result["workloads"]:
        runs = best(workload)
        own = runs.pop("deeplimit")
        slower += [f"{name} at {name_of(workload)} {workload['dtype']}" for name, run in runs.items() if run["ms"] < own["ms"]]
    if slower:
        return "deeplimit is slower than " + ", ".join(slower) + " (bold above)."
    return "deeplimit is slower than a peer in none of these."


def rounds_of(run, rounds):
    """The median of each round; deeplimit is timed several times in one."""
    visits = len(run["all_ms"]) // rounds
    return [statistics.median(run["all_ms"][i * visits : (i + 1) * visits]) for i in range(rounds)]


def compare(what, own, peer, wanted, rounds):
    """A row of checks on how many times as long as deeplimit a peer takes."""
    ratios = [theirs / ours for ours, theirs in zip(rounds_of(own, rounds), rounds_of(peer, rounds))]
    ratio = peer["ms"] / own["ms"]
    return what, f"{number(ratio)}×", f"{number(min(ratios))} – {number(max(ratios))}", f"≥ {wanted:g}×", ratio >= wanted


def checks(workload, rounds):
    """Rows (what, measured, range over rounds, wanted, reached) of a workload's targets."""
    target = target_of(workload)
    if target is None:
        return
    runs, lenience = best(workload), 1 if "job" in workload else LENIENCE[workload["dtype"]]
    own = runs.pop("deeplimit")
    eager = runs.pop(EAGER, None)
    if target.eager is not None and eager is not None:
        yield compare(EAGER, own, eager, target.eager * lenience, rounds)
    if runs:
        name, fastest = min(runs.items(), key=lambda item: item[1]["ms"])
        yield compare(f"best other peer ({name})", own, fastest, target.others * lenience, rounds)
    if target.peak is not None:
        share = own["peak_fraction"]
        cores = "1 core" if own["used"] == 1 else f"{own['used']} cores"
        shares = [100 * share * own["ms"] / ms for ms in rounds_of(own, rounds)]
        span = f"{min(shares):.0f} – {max(shares):.0f}"
        yield f"FMA peak of {cores}", f"{100 * share:.0f} %", span, f"≥ {100 * target.peak:.0f} %", share >= target.peak


def target_table(workloads, rounds):
    lines = head("(d,N,L)", "against", "measured", "rounds", "wanted", "")
    for workload in workloads:
        for *cells, reached in checks(workload, rounds):
            lines.append(row(name_of(workload), *cells, verdict(reached)))
    return lines


def other_table(result):
    """Growth, memory and start-up."""
    lines = head("what", "measured", "wanted", "")
    for growth in result["growth"]:
        first, last = growth["steps"][0], growth["steps"][-1]
        what = f"time ∝ {growth['variable']}^e, {first['dtype']}, {name_of(first)} to {name_of(last)}"
        reached = abs(growth["exponent"] - 1) <= EXPONENT
        lines.append(row(what, f"e = {growth['exponent']:.3f}", f"1 ± {EXPONENT}", verdict(reached)))
    memory = result["memory"]
    what = f"peak resident memory of {name_of(memory)}, float32"
    lines.append(row(what, f"{memory['bytes'] / 1e6:.0f} MB", f"< {MEMORY / 1e6:.0f} MB", verdict(memory["bytes"] < MEMORY)))
    for command, ms in result["start"].items():
        lines.append(row(f"`deeplimit {command}`, start to end", f"{ms:.1f} ms", f"< {START} ms", verdict(ms < START)))
    return lines


def tables(result):
    """All tables, as printed at the end of a run."""
    parts = []
    for dtype, workloads in by_dtype(result).items():
        parts += [[f"## {dtype}"], time_table(workloads), target_table(workloads, result["rounds"])]
    parts += [[losses(result)], other_table(result)]
    return "\n\n".join("\n".join(lines) for lines in parts)


def peak(result):
    """The FMA peak of one core by dtype, as the runs with one worker saw it."""
    peaks = {}
    for workload in result["workloads"]:
        for run in workload["runs"]:
            if run.get("used") == 1:
                peaks[workload["dtype"]] = max(run["peak_gflops"], peaks.get(workload["dtype"], 0))
    return ", ".join(f"{value:.0f} GFLOP/s in {dtype}" for dtype, value in peaks.items())


def tier(result):
    return best(result["workloads"][0])["deeplimit"]["label"]


def choices(result):
    """Which variant of each peer was timed, and how exactly it agreed."""
    lines = head("(d,N,L)", "dtype", "program", "threads", "fastest variant", "relative error")
    for workload in result["workloads"]:
        for name, run in best(workload).items():
            if name != "deeplimit":
                lines.append(row(name_of(workload), workload["dtype"], name, run["threads"], run["label"], f"{run['error']:.0e}"))
    return lines


def left_out(result):
    lines = []
    for workload in result["workloads"]:
        lines += [f"- {name} at {name_of(workload)} {workload['dtype']}: {why}." for name, why in workload["left_out"].items()]
    return lines


INTRO = """\
# Performance

For whoever wants to know how long a step takes, here and with NumPy, PyTorch and JAX: times, the share of the machine's
peak, how both grow, and memory. Written by `make peers` from one run; do not edit it by hand, notes go into `experiments/peers/notes.md`.

A step is loss, gradient and update of full-batch gradient descent: tanh, block `inner`, no bias,
squared loss. Every program gets the same data and weights in the same element type. Its gradient
and the losses of three steps must agree with those of deeplimit, to 1e-4 in float32 and 1e-10 in
float64, before it is timed. Programs are timed in alternation (deeplimit, peer, deeplimit, peer, …),
{rounds} rounds of at least {visit} ms a visit, with 1 thread and with as many as there are cores. What
counts is the median over rounds with the better number of threads, for deeplimit as for its peers.
Ratios travel between machines; milliseconds do not.

Each peer is tried in every variant that follows, and the fastest for the workload is timed:

- *PyTorch eager*: autograd, states as (d,N) or (N,d).
- *torch.compile*: the same in graphs of at most 20 layers, in the faster of these layouts.
- *PyTorch* and *NumPy by hand*: forward and backward pass written out with every buffer and view made
  once, the scale folded into weights and states; (d,N) or (N,d); derivative and weight gradient layer by
  layer, or of all layers in one call at the end.
- *JAX*: `jit` of a `lax.scan`, differentiated by JAX or with a backward scan by hand; (d,N) or (N,d);
  unrolled 1 or 4 times.
"""


JOBS_INTRO = """\
## What people train

The studies of `experiments/peers/jobs`: other blocks, activations, losses, methods and mini-batches, timed by `deeplimit bench STUDY.yaml` and
compared as above, with the shape (d,N,L) for N the samples of a step. *PyTorch eager* and *torch.compile* use `torch.optim` (Adam fused), *JAX
scan* one `jit` of loss, derivative and update, *NumPy by hand* a backward pass written out and SciPy's erf. `make peers PEERS_FLAGS=--jobs`
measures these alone. Wanted: 3 times eager, 1.5 times the best other, and 40 % of the peak at width 64 in float32.
"""
BEGIN, END = "<!-- studies -->", "<!-- end of studies -->"


def job_tables(result):
    parts = []
    for dtype, workloads in by_dtype(result).items():
        parts += [[f"### {dtype}"], time_table(workloads), ["Targets:"], target_table(workloads, result["rounds"])]
    parts += [[losses(result)], choices(result)]
    return "\n\n".join("\n".join(lines) for lines in parts)


def jobs_section(result):
    return "\n\n".join([BEGIN, JOBS_INTRO.strip(), facts(result), job_tables(result), END])


def write_jobs(result):
    """Puts the section into the page, in the place of the one before."""
    text = PAGE.read_text()
    if BEGIN in text:
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
    else:
        before, rest = text.split("## Growth, memory, start", 1)
        after = "\n\n## Growth, memory, start" + rest
    PAGE.write_text(before + jobs_section(result) + after)


def facts(result):
    """The machine and the versions."""
    m, v, own = result["machine"], result["versions"], result["deeplimit"]
    lines = [
        f"- {result['date']}; deeplimit {(own['commit'] or own['version'])[:12]}"
        + (" with uncommitted changes" if own["modified"] else "") + f", {own['go']}, {tier(result)} kernels",
        f"- {m['cpu']}, {m['cores']} cores, {', '.join(m['features'])}; {m['caches']}; {m['memory_gib']} GiB; {m['system']}",
        f"- measured peak of a core: {peak(result)} (fused multiply-adds on registers, two operations each)",
        "- " + ", ".join(f"{name} {version}" for name, version in v.items()) + f", Python {m['python']}, {m['compiler']}",
        f"- load average {m['load_before']:.1f} before, {result['load_after']:.1f} after (the run itself makes about 1 to {m['cores']})",
    ]
    if result.get("busy"):
        lines.append("- **Other programs kept the machine busy: all times are the processor's, each program with one thread.**")
    elif m["load_before"] > QUIET and result["load_after"] > m["cores"]:
        lines.append("- **The machine was busy with other work: times with several threads say little, and the others are rough.**")
    return "\n".join(lines)


def page(result):
    parts = [INTRO.format(rounds=result["rounds"], visit=f"{1e3 * result['seconds']:.0f}"), "## Machine and versions", facts(result)]
    for dtype, workloads in by_dtype(result).items():
        parts += [f"## {dtype}", "Time of a step (threads): ratio to deeplimit.", "\n".join(time_table(workloads))]
        parts += ["Targets:", "\n".join(target_table(workloads, result["rounds"]))]
    parts += ["## Losses", losses(result)]
    omitted = left_out(result)
    if omitted:
        parts += ["Not timed:", "\n".join(omitted)]
    parts += ["## Growth, memory, start", "\n".join(other_table(result))]
    parts += ["## Variants timed", "\n".join(choices(result))]
    if NOTES.exists():
        parts.append(NOTES.read_text())
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def write(result):
    """Writes the page but for the section of the studies, which it keeps."""
    old = PAGE.read_text()
    new = page(result)
    if BEGIN in old:
        section = BEGIN + old.split(BEGIN)[1].split(END)[0] + END
        new = new.replace("## Growth, memory, start", section + "\n\n## Growth, memory, start")
    PAGE.write_text(new)


if __name__ == "__main__":
    for name, put in (("results.json", write), ("results-jobs.json", write_jobs)):
        if (HERE / name).exists():
            put(json.loads((HERE / name).read_text()))
