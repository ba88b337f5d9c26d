"""A synthetic body of known truth, in oblique planes numbered backwards, comes back where it is."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hspsam_run
import readers
from hspsam_run import Run
from placement import TOLERANCE_MM, differences

# Not one of the seeds that the pipeline's model was trained on.
SEED = 20261124
LEAST_DICE = 0.9
VOLUME_TOLERANCE = 0.08


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the truth; the study lies beside it."""
    study = tmp_path_factory.mktemp("phantom") / "body"
    assert hspsam_run.call("phantom", "body", "--out", study, "--seed", SEED).status == 0
    return study.with_name("body.truth")


@pytest.fixture(scope="module")
def body(truth: Path) -> Run:
    return hspsam_run.run([truth.with_name("body")], truth.with_name("out"))


def masks(truth: Path) -> dict[str, tuple[np.ndarray, list[float]]]:
    """Mask and position of each slice by its SOP Instance UID."""
    facts = json.loads((truth / "truth.json").read_text())
    return {
        image["sop_instance_uid"]: (np.asarray(Image.open(truth / image["mask"])) > 127, image["position_mm"])
        for image in facts["images"]}


def dice(a: np.ndarray, b: np.ndarray) -> float:
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def test_the_study_and_its_segmentation_are_valid(truth: Path, body: Run) -> None:
    assert body.call.status == 0, body.call.errors
    written = [*truth.with_name("body").glob("*.dcm"), *body.segmentations()]
    assert {path.name: errors for path in written if (errors := readers.dciodvfy_errors(path))} == {}


def test_the_body_is_found_in_its_slices_and_nowhere_else(truth: Path, body: Run) -> None:
    (path,) = body.segmentations()
    known = masks(truth)
    found = {uid: np.zeros_like(mask) for uid, (mask, _) in known.items()}
    for plane in readers.planes(path):
        assert np.abs(plane.corners[0] - known[plane.source][1]).max() <= TOLERANCE_MM
        found[plane.source] |= plane.mask
    order = sorted(known, key=lambda uid: known[uid][1][2])
    ours, true = (np.stack([source[uid] for uid in order]) for source in (found, {u: m for u, (m, _) in known.items()}))
    assert dice(ours, true) >= LEAST_DICE
    for axis in range(3):  # the body has no symmetry: a turned result would show
        assert dice(np.flip(ours, axis), true) < LEAST_DICE - 0.1


def test_its_volume_is_reported(truth: Path, body: Run) -> None:
    facts = json.loads((truth / "truth.json").read_text())
    (result,) = body.record["results"]
    assert result["segments"][0]["volume_ml"] == pytest.approx(facts["volume_ml"], rel=VOLUME_TOLERANCE)


def test_readers_agree_on_oblique_voxels(body: Run, tmp_path: Path) -> None:
    (path,) = body.segmentations()
    planes = readers.planes(path)
    assert differences(planes, readers.highdicom_volumes(path)) == []
    assert differences(planes, readers.dcmqi_volumes(path, tmp_path / "dcmqi")) == []
