import gc
import os
import resource
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import deeplimit
from deeplimit import _pipe


def test_import_is_fast():
    """Importing loads nothing: below 150 ms of processor time, which other work does not change."""
    code = (
        "import time; t = time.process_time(); import deeplimit, sys; print(time.process_time() - t, 'numpy' in sys.modules)"
    )
    out = [subprocess.check_output([sys.executable, "-c", code], text=True).split() for _ in range(3)]
    assert min(float(seconds) for seconds, _ in out) < 0.15
    assert out[0][1] == "False"


def test_overhead():
    path = np.zeros((4, 2))
    deeplimit.pvar(path, 1)
    times = []
    for _ in range(200):
        start = time.perf_counter()
        deeplimit.pvar(path, 1)
        times.append(time.perf_counter() - start)
    print(f"a call: {1e3 * float(np.median(times)):.2f} ms")
    assert np.median(times) < 5e-3


def test_thousand_calls_leak_nothing():
    path = np.random.default_rng(0).normal(size=(2000, 4))

    def state():
        gc.collect()
        with open(f"/proc/{_pipe._child.process.pid}/status") as file:
            (child,) = (int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return len(os.listdir("/proc/self/fd")), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, child

    for _ in range(50):
        deeplimit.pvar(path, 1)
    before = state()
    for _ in range(1000):
        deeplimit.pvar(path, 1)
    after = state()
    assert after[0] == before[0]
    assert after[1] - before[1] < 20_000  # kB; the arrays of all calls are 64 MB
    assert after[2] - before[2] < 40_000


def keep_calling(path):
    """Be in a call, with hardly a break, for longer than it takes the signal to come."""
    for _ in range(50):
        deeplimit.pvar(path, 2)


def test_killed_child():
    assert deeplimit.pvar([0, 1], 1) == 1
    child = _pipe._child.process
    child.kill()
    child.wait()
    assert deeplimit.pvar([0, 1], 1) == 1  # between calls, nobody sees it
    big = np.random.default_rng(0).normal(size=(200_000, 8)).cumsum(axis=0)
    child = _pipe._child.process
    threading.Timer(0.3, child.send_signal, [signal.SIGKILL]).start()
    with pytest.raises(deeplimit.Error, match=r"ended in a call .signal 9.; the next call starts it anew"):
        keep_calling(big)
    assert deeplimit.pvar([0, 1], 1) == 1


def test_interrupt():
    """An interrupt in a call ends it at once, and the next call is answered."""
    big = np.random.default_rng(0).normal(size=(400_000, 8))
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        keep_calling(big)
    assert deeplimit.pvar([0, 1], 1) == 1


def test_threads():
    out = {}

    def work(i):
        out[i] = [float(deeplimit.pvar([0, i], 1)) for _ in range(50)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert out == {i: [float(i)] * 50 for i in range(4)}


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_fork():
    """A child of this process starts a program of its own."""
    deeplimit.pvar([0, 1], 1)
    pid = os.fork()
    if pid == 0:
        ok = deeplimit.pvar([0, 3], 1) == 3
        _pipe.close()
        os._exit(0 if ok else 1)
    assert deeplimit.pvar([0, 2], 1) == 2
    assert os.waitpid(pid, 0)[1] == 0


def test_wrong_program(monkeypatch, tmp_path):
    _pipe.close()
    monkeypatch.setenv("DEEPLIMIT_PROGRAM", str(tmp_path / "none"))
    with pytest.raises(deeplimit.Error, match="starting the program"):
        deeplimit.pvar([0, 1], 1)
    monkeypatch.setenv("DEEPLIMIT_PROGRAM", "/bin/false")
    with pytest.raises(deeplimit.Error, match="ended in a call"):
        deeplimit.pvar([0, 1], 1)
    monkeypatch.undo()
    assert deeplimit.pvar([0, 1], 1) == 1
