import pytest

import deeplimit

STUDY = {
    "name": "small",
    "depths": [8, 16, 32],
    "seeds": 2,
    "data": {"kind": "separated", "width": 4, "samples": 2, "distance": 0.3},
    "grid": {"network.alpha": [0.5, 1]},
    "train": {"stop": {"iterations": 20}},
}


@pytest.fixture(scope="session")
def study_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("runs") / "small"
    deeplimit.run(STUDY, out, progress=False)
    return str(out)


@pytest.fixture(autouse=True)
def _doctest_folder(doctest_namespace: dict, request: pytest.FixtureRequest) -> None:
    """Doctests find a study in demo_dir."""
    if "doctest" in type(request.node).__name__.lower():
        doctest_namespace["demo_dir"] = request.getfixturevalue("study_dir")
