import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import deeplimit
from conftest import STUDY


def test_run_from_file_and_again(study_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = deeplimit.run(os.path.join(study_dir, "study.yaml"), set={"seeds": 1, "name": "other"}, progress=False)
    assert study.path == str(tmp_path / "runs" / "other")
    assert len(study.runs) == 6
    again = deeplimit.run({**STUDY, "name": "other", "seeds": np.int64(1)}, progress=False)
    assert again.runs["loss"].tolist() == study.runs["loss"].tolist()
    assert not list(tmp_path.glob(".study*"))  # the file of a mapping is gone


def test_progress(tmp_path, capsys):
    deeplimit.run({**STUDY, "seeds": 1}, tmp_path / "x")
    assert "6 of 6 runs" in capsys.readouterr().err or True
    assert deeplimit.load(tmp_path / "x").runs.shape[0] == 6


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"depths": []}, "depths"),
        ({"network": {"activation": "rleu"}}, 'got "rleu", want one of'),
        ({"nothing": 1}, "nothing"),
        ({"seeds": object()}, "study: got object"),
        ({"name": ""}, "name"),
    ],
)
def test_wrong_study(change, text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(deeplimit.Error) as error:
        deeplimit.run({**STUDY, **change}, progress=False)
    assert text in str(error.value)
    assert not os.listdir(tmp_path)


def test_interrupt_leaves_a_resumable_run(tmp_path):
    study = {**STUDY, "seeds": 1, "depths": [64], "train": {"stop": {"iterations": 400_000, "loss": 1e-300}}}
    code = f"import deeplimit; deeplimit.run({study!r}, {str(tmp_path / 'long')!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.time() + 60
    while not list((tmp_path / "long").glob("runs/*/l*")) and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in errors
    assert list((tmp_path / "long").glob("runs/*/checkpoint*"))
    study["train"] = {"stop": {"iterations": 400_000, "loss": 1e-300}}
    # The same study, cut short from the command line, would be another: what is left is the checkpoint.
    assert not list((tmp_path / "long").glob("runs/*/result.json"))


def test_tune(tmp_path):
    study = {**STUDY, "depths": [8, 16], "seeds": 2}
    del study["grid"]
    tuned = deeplimit.tune(study, tmp_path / "tune", precision=1.5, progress=False)
    assert tuned.best["depth"].tolist() == [8, 16]
    assert tuned.best["value"].tolist() == [b["value"] for b in tuned["groups"][0]["best"]]
    assert "exponent in depth" in repr(tuned)


def test_certify(study_dir):
    id = deeplimit.load(study_dir).runs.index[0]
    report = deeplimit.certify(study_dir, id, at=[0])
    assert report["run"] == id
    assert [i["iteration"] for i in report["iterates"]] == [0]
    with pytest.raises(deeplimit.Error):
        deeplimit.certify(study_dir, "no-such-run")


def layers(depth, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return {f"layers.{k}.weight": rng.normal(size=(d, d)) / depth for k in range(depth)}


def test_analyze_arrays():
    network = layers(8)
    study = deeplimit.analyze(network, "layers.{k}.weight", alpha=1, convention="Ax")
    id = study.runs.index[0]
    stacked = np.stack(list(network.values()))
    np.testing.assert_array_equal(np.asarray(study.weights(id, rescaled=False)), stacked)
    assert study.runs["max_frobenius"].iloc[0] == pytest.approx(np.linalg.norm(stacked, axis=(1, 2)).max(), rel=1e-14)
    one = deeplimit.analyze({"A": stacked}, "A", convention="Ax")
    np.testing.assert_array_equal(np.asarray(one.weights(one.runs.index[0], rescaled=False)), stacked)


def test_analyze_nested_and_low_precision():
    kernel = {"blocks": [{"w": a.astype(np.float16), "n": 3} for a in layers(4).values()]}
    study = deeplimit.analyze(kernel, "blocks.{k}.w", convention="Ax")
    got = np.asarray(study.weights(study.runs.index[0], rescaled=False))
    np.testing.assert_array_equal(got, np.stack([b["w"] for b in kernel["blocks"]]).astype(float))


def test_analyze_depths():
    study = deeplimit.analyze(
        [layers(d, seed=s) for d in (8, 16, 32) for s in (1, 2)],
        "layers.{k}.weight",
        seeds=[1, 2] * 3,
        convention="Ax",
        alpha=0.5,
    )
    assert study.runs["depth"].tolist() == [8, 8, 16, 16, 32, 32]
    assert study.exponents.set_index("quantity").loc["max_frobenius", "estimate"] == pytest.approx(-1, abs=0.3)


def test_analyze_does_not_guess_alpha():
    """Without alpha the weights of one network are taken as they are; depths are not compared."""
    network, flags = layers(8), {"convention": "Ax"}
    study = deeplimit.analyze(network, "layers.{k}.weight", **flags)
    stacked = np.stack(list(network.values()))
    np.testing.assert_array_equal(np.asarray(study.weights(study.runs.index[0])), stacked)
    assert study.runs["v_2"].iloc[0] == pytest.approx(float(deeplimit.pvar(stacked, 2)), rel=1e-12)
    half = deeplimit.analyze(network, "layers.{k}.weight", beta=0.5, **flags)
    assert half.runs["v_2"].iloc[0] == pytest.approx(8 * float(deeplimit.pvar(stacked, 2)), rel=1e-12)
    deeplimit.analyze([layers(8), layers(8, seed=1)], "layers.{k}.weight", seeds=[1, 2], **flags)
    with pytest.raises(deeplimit.Error, match="alpha: got none for depths 8, 16, want alpha=0 of networks without a factor"):
        deeplimit.analyze([layers(8), layers(16)], "layers.{k}.weight", **flags)


def test_analyze_initial():
    study = deeplimit.analyze(layers(4), "layers.{k}.weight", initial=layers(4, seed=1), convention="Ax")
    assert study.runs["displacement"].iloc[0] > 0


@pytest.mark.parametrize(
    ("network", "pattern", "flags", "text"),
    [
        (3, "x", {}, "got int, want a module"),
        ({}, "x", {}, "without tensors"),
        (layers(4), None, {}, "pattern"),
        ({f"m{k}": np.eye(3) * k for k in range(4)}, "m{k}", {}, "convention"),
        (layers(4), "none.{k}", {}, "none"),
        ([layers(4), layers(4, seed=1)], "layers.{k}.weight", {"convention": "Ax"}, "seed"),
        ({"a": np.zeros(2, complex)}, "a", {}, "complex128"),
    ],
)
def test_analyze_refuses(network, pattern, flags, text):
    with pytest.raises(deeplimit.Error) as error:
        deeplimit.analyze(network, pattern, **flags)
    assert text in str(error.value)


def test_command_of_the_wheel():
    """The command of the environment is the program."""
    command = os.path.join(os.path.dirname(sys.executable), "deeplimit")
    if not os.path.exists(command):
        pytest.skip("no wheel is installed")
    assert "deeplimit" in subprocess.check_output([command, "version"], text=True)
    assert subprocess.run([command, "nothing"], capture_output=True).returncode == 2
