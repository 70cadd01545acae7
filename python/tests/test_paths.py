import json
import math
import pickle
import subprocess

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import deeplimit
from deeplimit._program import program

numbers = st.floats(-1e6, 1e6, allow_nan=False, width=64)


def brute(points, p):
    """V_p by the definition: the best sum that ends at each point."""
    best = [0.0] * len(points)
    for j in range(1, len(points)):
        best[j] = max(best[i] + np.linalg.norm(points[j] - points[i]) ** p for i in range(j))
    return best[-1]


@given(st.lists(numbers, min_size=1, max_size=25), st.sampled_from([1, 1.5, 2, 3]))
@settings(deadline=None, max_examples=60)
def test_equals_definition(path, p):
    points = np.asarray(path)[:, None]
    v = deeplimit.pvar(path, p)
    if math.isnan(v):  # the sum of tiny steps is no normal number
        assert brute(points, p) < 1e-290
        return
    assert v == pytest.approx(brute(points, p), rel=1e-9, abs=1e-300)
    steps = np.linalg.norm(np.diff(points[v.partition], axis=0), axis=1)
    assert float(np.sum(steps**p)) == pytest.approx(float(v), rel=1e-9, abs=1e-300)
    assert v.norm == pytest.approx(float(v) ** (1 / p), rel=1e-9, abs=1e-300)


@given(st.integers(2, 12), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_equals_command(tmp_path, n, d, seed):
    """The numbers are those of `deeplimit pvar --json`, bit for bit."""
    path = np.random.default_rng(seed).normal(size=(n, d, d))
    np.save(tmp_path / "path.npy", path)
    for metric in ("frobenius", "spectral", "l1", "sup"):
        args = [program(), "pvar", str(tmp_path / "path.npy"), "--p", "1,2.5", "--metric", metric, "--json"]
        want = json.loads(subprocess.check_output(args))
        got = deeplimit.pvar(path, [1, 2.5], metric=metric)
        assert [float(v) for v in got] == [w["value"] for w in want]
        assert [v.norm for v in got] == [w["norm"] for w in want]
        assert [v.partition.tolist() for v in got] == [w["partition"] for w in want]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.int64, np.uint32, ">f8"])
def test_types_and_layouts(dtype):
    path = np.random.default_rng(0).integers(0, 100, (6, 4)).astype(dtype)
    want = deeplimit.pvar(path.astype(float), 2)
    assert float(want) == pytest.approx(brute(path.astype(float), 2), rel=1e-12)
    for same in (path, np.asfortranarray(path), np.repeat(path, 2, axis=1)[:, ::2], path[::-1].copy()[::-1]):
        assert float(deeplimit.pvar(same, 2)) == float(want)
        assert deeplimit.pvar(same, 2).partition.tolist() == want.partition.tolist()
    for view in (path.T, path[:, ::-1], path[1::2]):
        assert float(deeplimit.pvar(view, 2)) == float(deeplimit.pvar(np.array(view.tolist()), 2))


@pytest.mark.parametrize(
    ("path", "p", "text"),
    [
        ([0.0, math.nan], 2, "point 1, entry 0: got NaN"),
        ([0.0, 1.0], 0.5, "got 0.5"),
        ([0.0, 1.0], math.nan, "got [nan], want finite"),
        ([0.0, 1.0], [2, 2], "want each exponent once"),
        (np.zeros((2, 2, 2, 2)), 2, "got shape (2, 2, 2, 2), want (n), (n,D) or (n,r,c)"),
        (np.zeros(()), 2, "got shape ()"),
        ([1j, 2j], 2, "dtype complex128"),
        (["a", "b"], 2, "dtype <U1"),
        ([2**60, 1], 2, "beyond 2^53"),
        ([True, False], 2, "dtype bool"),
        (np.ma.masked_array([0.0, 1.0], mask=[0, 1]), 2, "pvar: path: got an array with masked entries"),
        ([[0.0, 1.0], [2.0]], 2, "pvar: path: "),
        ([0.0, 1.0], None, "pvar: p: got None"),
        ([0.0, 1.0], ["x"], "pvar: p: got ['x']"),
    ],
)
def test_refuses(path, p, text):
    with pytest.raises(deeplimit.Error) as error:
        deeplimit.pvar(path, p)
    assert text in str(error.value)


def test_float_like():
    v = deeplimit.pvar([0, 1, 0], 2)
    assert isinstance(v, float)
    assert v + 1 == 3.0
    assert f"{v:.2f}" == "2.00"
    again = pickle.loads(pickle.dumps(v))
    assert (again, again.norm, again.partition.tolist()) == (v, v.norm, [0, 1, 2])
    assert deeplimit.pvar([5.0], 2) == 0.0
    huge = deeplimit.pvar([0.0, 1e200], 2)
    assert math.isnan(huge)
    assert huge.norm == 1e200


def test_variation_index():
    rng = np.random.default_rng(3)
    assert deeplimit.variation_index(np.linspace(0, 1, 500)) == pytest.approx(1, abs=1e-9)
    assert math.isinf(deeplimit.variation_index(rng.normal(size=5000)))
    walk = deeplimit.variation_index(rng.normal(size=(4096, 3)).cumsum(axis=0))
    assert walk.low < 2 < walk.high
    paths = [
        np.sin(np.arange(1, L + 1) / L)[:, None] * np.ones(4) + rng.normal(size=(L, 4)) / L**0.5
        for L in (16, 32, 64, 128)
        for _ in range(2)
    ]
    limit = deeplimit.variation_index(paths)
    assert limit.low <= 2 <= limit.high
    assert limit.runs == 8
    assert limit.seeds == [1, 2]
    with pytest.raises(deeplimit.Error, match="two seeds"):
        deeplimit.variation_index(paths[::2])
    with pytest.raises(deeplimit.Error, match="want 33"):
        deeplimit.variation_index(np.zeros(5))


@given(st.floats(-3, 3), st.floats(0.01, 100))
@settings(deadline=None, max_examples=20)
def test_scaling(slope, factor):
    depths = np.asarray([8, 16, 32, 64, 128])
    fitted = deeplimit.scaling(depths, factor * depths.astype(float) ** slope)
    assert fitted == pytest.approx(slope, abs=1e-9)
    two = deeplimit.scaling({8: [factor, 1.01 * factor], 80: [factor, 1.02 * factor]})
    assert two.low <= two <= two.high
    assert two.runs == 4


@pytest.mark.parametrize(
    ("depths", "values", "text"),
    [
        ([8, 16], [1.0], "got 2 depths"),
        ([8, 16], [1.0, -1.0], "got value -1"),
        ([8, 16], [1.0, math.nan], "not finite"),
        ([8.5, 16], [1.0, 2.0], "want whole numbers"),
        ([8], [1.0], "depth"),
    ],
)
def test_scaling_refuses(depths, values, text):
    with pytest.raises(deeplimit.Error) as error:
        deeplimit.scaling(depths, values)
    assert text in str(error.value)


def test_scaling_refuses_seeds_and_level():
    for seeds in ([1.5, 1.2], [-1, 1], [None, 1]):
        with pytest.raises(deeplimit.Error, match=r"scaling: seeds: got .* want whole numbers"):
            deeplimit.scaling([8, 16], [1.0, 2.0], seeds=seeds)
    for level in (math.nan, 1.0, "x"):
        with pytest.raises(deeplimit.Error, match=r"scaling|values of the call"):
            deeplimit.scaling([8, 16], [1.0, 2.0], level=level)
