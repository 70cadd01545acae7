import json
import math
import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

import deeplimit
from deeplimit._frames import typed
from deeplimit._program import program


@pytest.fixture(scope="module")
def printed(study_dir):
    return json.loads(subprocess.check_output([program(), "analyze", study_dir, "--json"]))


def same(got, want):
    return (want is None and (got is None or math.isnan(got))) or got == want


def test_runs_are_those_of_json(study_dir, printed):
    study = deeplimit.load(study_dir)
    assert study.result == printed
    runs = study.runs
    assert list(runs.index) == [r["id"] for r in printed["runs"]] == list(runs["id"])
    for want in printed["runs"]:
        row = runs.loc[want["id"]]
        for key in ("depth", "seed", "loss", "max_frobenius", "displacement", "quadratic_variation", "hoelder"):
            assert same(row[key], want[key]), key
        assert row["v_2"] == want["p_variation"]["2"]
        assert row["network.alpha"] == float(want["settings"]["network.alpha"]) == want["alpha"]
    assert runs["network.alpha"].dtype == float
    assert runs["depth"].dtype == "int64"
    assert sorted(runs["label"].unique()) == ["separated, alpha=0.5", "separated, alpha=1"]


def test_exponents_are_those_of_json(study_dir, printed):
    exponents = deeplimit.load(study_dir).exponents
    for group in printed["groups"]:
        rows = exponents[exponents["group"] == group["group"]].set_index("quantity")
        for key, slope in group["exponents"].items():
            assert same(rows.loc[key, "estimate"], slope["slope"])
            assert same(rows.loc[key, "low"], slope["low"])
            assert same(rows.loc[key, "high"], slope["high"])
            assert rows.loc[key, "runs"] == slope["runs"]
        for p, slope in group["variation_slopes"].items():
            assert same(rows.loc[f"v_{p}", "estimate"], slope["slope"])
        assert rows.loc["alpha_plus_beta", "estimate"] == group["alpha_plus_beta"]


def test_settings_as_numbers():
    assert typed(["8", "16"]).dtype == np.int64
    assert typed(["0.5", "1"]).tolist() == [0.5, 1.0]
    assert math.isnan(typed(["1", None])[1])
    assert typed(["true", None]) == [True, None]
    for texts in (["010", "020"], ["nan", "1"], ["1_0", "2"], [" 1", "2"], ["9223372036854775808", "9223372036854775809"]):
        assert typed(texts) == texts


def test_groups(study_dir, printed):
    groups = deeplimit.load(study_dir).groups
    assert groups["network.alpha"].tolist() == [0.5, 1.0]
    assert groups["alpha_plus_beta"].tolist() == [g["alpha_plus_beta"] for g in printed["groups"]]
    assert groups["depths"].tolist() == ["8 16 32"] * 2


def test_iterations_are_the_traces(study_dir):
    study = deeplimit.load(study_dir)
    rows = study.iterations
    assert set(rows["run"]) == set(study.runs.index)
    for id, run in study.runs.iterrows():
        own = rows[rows["run"] == id]
        assert own["iteration"].tolist() == list(range(run["iterations"] + 1))
        assert own["loss"].iloc[-1] == run["loss"]


def test_polars_has_the_same(study_dir):
    pl = pytest.importorskip("polars")
    one, other = deeplimit.load(study_dir), deeplimit.load(study_dir, frame="polars")
    for name in ("runs", "iterations", "exponents", "groups", "certificates"):
        a, b = getattr(one, name), getattr(other, name)
        assert isinstance(b, pl.DataFrame), name
        assert list(a.columns) == b.columns
        for column in b.columns:
            left, right = a[column].tolist(), b[column].to_list()
            assert [None if pd.isna(x) else x for x in left] == right, (name, column)
    assert "id" in other.runs.columns


def test_weights(study_dir):
    study = deeplimit.load(study_dir)
    id = study.runs.index[-1]
    depth, alpha = study.runs.loc[id, "depth"], study.runs.loc[id, "alpha"]
    a, scaled = study.weights(id, rescaled=False), study.weights(id)
    assert a.shape == (depth, 4, 4)
    np.testing.assert_array_equal(np.asarray(scaled), np.asarray(a) * float(depth) ** (1 - alpha))
    np.testing.assert_array_equal(scaled.positions, np.arange(1, depth + 1) / depth)
    assert a.part == "A"
    assert np.sqrt((np.asarray(a) ** 2).sum((1, 2))).max() == pytest.approx(study.runs.loc[id, "max_frobenius"], rel=1e-12)
    assert float(deeplimit.pvar(scaled, 2)) == study.runs.loc[id, "v_2"]
    for bad in (dict(part="nothing"), dict(id="nothing"), dict(id="../x")):
        with pytest.raises(deeplimit.Error, match=r"nothing|\.\./x"):
            study.weights(**{"id": id, **bad})


def test_norms(study_dir):
    study = deeplimit.load(study_dir)
    id = study.runs.index[0]
    norms = study.norms(id)
    assert norms["A"].shape == (len(norms["iterations"]), study.runs.loc[id, "depth"])
    assert norms["A"][-1].max() == pytest.approx(study.runs.loc[id, "max_frobenius"], rel=1e-6)


def test_certificates(study_dir):
    study = deeplimit.load(study_dir)
    rows = study.certificates
    id = study.runs.index[0]
    report = deeplimit.certify(study_dir, id)
    own = rows[rows["run"] == id]
    assert set(own["run_verdict"]) == {report["verdict"]}
    assert (own["kind"] == "hypothesis").sum() == len(report["hypotheses"])
    assert (own["kind"] == "bound").sum() == sum(len(i["bounds"]) for i in report["iterates"])


def test_texts(study_dir, printed):
    study = deeplimit.load(study_dir)
    assert printed["groups"][0]["words"][0] in study.summary()
    assert "<table>" in study._repr_html_()
    assert "12 runs, 2 groups" in repr(study)


def test_markup_in_names(tmp_path):
    data = {"kind": "separated", "name": "<b>&", "width": 4, "samples": 2, "distance": 0.3}
    described = {"name": "x", "depths": [8], "data": data, "train": {"stop": {"iterations": 2}}}
    deeplimit.run(described, tmp_path / "x", progress=False)
    study = deeplimit.load(tmp_path / "x")
    assert "<b>" not in study._repr_html_()
    assert study.runs["data"].tolist() == ["<b>&"]


def test_one_run_folder(study_dir):
    id = deeplimit.load(study_dir).runs.index[0]
    alone = deeplimit.load(os.path.join(study_dir, "runs", id))
    assert list(alone.runs.index) == [id]
    assert len(alone.iterations) == 21
    assert alone.weights(id).shape[0] == alone.runs.loc[id, "depth"]


def test_damaged_run_is_named(study_dir, tmp_path):
    shutil.copytree(study_dir, tmp_path / "copy")
    id = deeplimit.load(study_dir).runs.index[0]
    file = tmp_path / "copy" / "runs" / id / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.warns(UserWarning, match=id):
        study = deeplimit.load(tmp_path / "copy")
    assert len(study.runs) == 11


def test_no_study(tmp_path):
    with pytest.raises(deeplimit.Error, match="got no folder"):
        deeplimit.load(tmp_path / "none")
    with pytest.raises(deeplimit.Error):
        deeplimit.load(tmp_path)
    with pytest.raises(deeplimit.Error, match="want one of pandas, polars"):
        deeplimit.load(tmp_path, frame="arrow")


def test_glossary():
    assert deeplimit.glossary["max_frobenius"]["meaning"]
    assert len(deeplimit.glossary) > 50
    with pytest.raises(KeyError, match="glossary: got"):
        deeplimit.glossary["no such word"]
