import numpy as np
import pytest

import deeplimit

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: figures are not tested")
matplotlib.use("Agg")


@pytest.fixture(scope="module")
def study(study_dir):
    return deeplimit.load(study_dir)


@pytest.mark.parametrize("name", ["loss", "weights", "variation"])
def test_axes_in_axes_out(study, name):
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    label = study.groups["label"].iloc[0]
    assert getattr(study.plot, name)(ax, group=label) is ax
    assert ax.lines
    assert ax.get_xlabel()
    ax.figure.canvas.draw()
    with pytest.raises(deeplimit.Error, match=r"want one of 'separated, alpha=0.5'"):
        getattr(study.plot, name)()
    plt.close("all")


def test_figures_hold_the_numbers(study):
    label = study.groups["label"].iloc[0]
    ax = study.plot.loss(group=label)
    runs = study.runs[study.runs["label"] == label]
    assert sorted(line.get_ydata()[-1] for line in ax.lines) == sorted(runs["loss"])
    assert ax.get_yscale() == "log"
    ax = study.plot.weights(group=label)
    id = runs.sort_values(["depth", "seed"]).index[0]
    norms = np.linalg.norm(np.asarray(study.weights(id)), axis=(1, 2))
    assert any(len(line.get_ydata()) == len(norms) and np.allclose(line.get_ydata(), norms) for line in ax.lines)
    marks = [y for line in study.plot.variation(group=label).lines for y in line.get_ydata()]
    assert set(runs["v_2"]) <= set(marks)


def test_exponents_and_heat(study):
    marks = {float(x) for line in study.plot.exponents().lines for x in np.atleast_1d(line.get_xdata())}
    shown = study.exponents["estimate"].dropna()
    assert set(shown) <= marks
    ax = study.plot.heat()
    assert ax.collections
    ax.figure.canvas.draw()


def test_step_transfer(study, tmp_path):
    with pytest.raises(deeplimit.Error, match=r"does not vary train.step.value"):
        study.plot.step_transfer()
    data = {"kind": "separated", "width": 4, "samples": 2, "distance": 0.3}
    grid = {"train.step.value": [0.25, 0.5, 1], "network.alpha": [0.5, 1]}
    described = {"name": "x", "depths": [8, 16], "data": data, "grid": grid, "train": {"stop": {"iterations": 5}}}
    steps = deeplimit.run(described, tmp_path / "x", progress=False)
    with pytest.raises(deeplimit.Error, match=r"several network.alpha"):
        steps.plot.step_transfer()
    ax = steps.plot.step_transfer(where={"network.alpha": 0.5})
    assert ax.lines[0].get_xdata().tolist() == [0.25, 0.5, 1]
    matplotlib.pyplot.close("all")
