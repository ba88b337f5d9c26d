"""A slide of known truth: its segmentation lies on the slide's own tiles for other projects' readers too."""
from __future__ import annotations

import json
import subprocess
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image

import hspsam_run
import readers
from hspsam_run import Run

LEAST_DICE = 0.75


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = tmp_path_factory.mktemp("phantom") / "slide"
    assert hspsam_run.call("phantom", "slide", "--out", study, "--seed", 3).status == 0
    return study.with_name("slide.truth")


@pytest.fixture(scope="module")
def slide(truth: Path) -> Run:
    return hspsam_run.run([truth.with_name("slide")], truth.with_name("out"))


def test_one_level_is_segmented_and_the_others_are_skipped_as_such(slide: Run) -> None:
    assert slide.call.status == 0, slide.call.errors
    codes = {Path(row["path"]).name: row.get("code") for row in slide.record["inputs"]}
    assert codes == {"level-1.dcm": None, "level-2.dcm": "SEL-LEVEL", "label.dcm": "IN-NOTIMAGE"}


def test_inspect_says_before_a_run_which_level_it_would_take(truth: Path, slide: Run) -> None:
    told = subprocess.run(
        [hspsam_run.program(), "inspect", "--json", truth.with_name("slide")], capture_output=True, check=True)
    files = {Path(row["path"]).name: row["code"] for row in json.loads(told.stdout)["files"]}
    assert files == {Path(row["path"]).name: row.get("code") for row in slide.record["inputs"]}


def test_the_segmentation_is_valid(slide: Run) -> None:
    (path,) = slide.segmentations()
    assert readers.dciodvfy_errors(path) == []


def test_its_tiles_lie_where_the_slides_do(truth: Path, slide: Run) -> None:
    (path,) = slide.segmentations()
    result, source = pydicom.dcmread(path), pydicom.dcmread(truth.with_name("slide") / "level-1.dcm")
    for name in ("TotalPixelMatrixRows", "TotalPixelMatrixColumns", "FrameOfReferenceUID", "ImageOrientationSlide", "Rows", "Columns"):
        assert result[name].value == source[name].value
    assert result.DimensionOrganizationType == "TILED_SPARSE"
    for groups in result.PerFrameFunctionalGroupsSequence:
        image = groups.DerivationImageSequence[0].SourceImageSequence[0]
        assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID
        theirs = source.PerFrameFunctionalGroupsSequence[image.ReferencedFrameNumber - 1].PlanePositionSlideSequence[0]
        ours = groups.PlanePositionSlideSequence[0]
        for name in (
                "XOffsetInSlideCoordinateSystem", "YOffsetInSlideCoordinateSystem", "ColumnPositionInTotalImagePixelMatrix",
                "RowPositionInTotalImagePixelMatrix"):
            assert float(ours[name].value) == pytest.approx(float(theirs[name].value), abs=1e-6)


def test_highdicom_joins_the_tiles_to_the_truth(truth: Path, slide: Run) -> None:
    (path,) = slide.segmentations()
    matrix = highdicom.seg.segread(path).get_total_pixel_matrix(combine_segments=True) > 0
    known = np.asarray(Image.open(truth / "level-1.png")) > 127
    assert matrix.shape == known.shape
    both = 2 * float((matrix & known).sum()) / float(matrix.sum() + known.sum())
    assert both >= LEAST_DICE
    (result,) = slide.record["results"]
    assert result["segments"][0]["pixels"] == int(matrix.sum())
    assert json.loads((truth / "truth.json").read_text())["images"][0]["pixels"] == int(known.sum())
