"""What the shipped pipelines make of the samples is read alike by other projects' programs."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

import hspsam_run
import readers
from hspsam_run import ROOT, Run
from placement import TOLERANCE_MM, differences


@pytest.fixture(scope="module")
def segmentations(samples: Run) -> list[tuple[dict, Path, list[readers.Plane]]]:
    found = [(result, path, readers.planes(path)) for result, path in samples.results()]
    assert found, "the samples gave no segmentation"
    return found


@pytest.fixture(scope="module")
def images(samples: Run) -> dict[str, pydicom.Dataset]:
    """The images that were segmented by SOP Instance UID: samples, and what TIFF files became."""
    found = {}
    for path in hspsam_run.files_below(ROOT / "samples", samples.folder):
        if path.suffix == ".dcm":
            image = pydicom.dcmread(path, stop_before_pixels=True)
            if image.Modality != "SEG":
                found[str(image.SOPInstanceUID)] = image
    return found


def test_all_three_kinds_of_samples_give_a_segmentation(samples: Run) -> None:
    assert samples.call.status == 0, samples.call.errors
    assert {result["pipeline"] for result, _ in samples.results()} == {"skin-lesion", "nuclei", "phantom-body"}
    assert {entry["status"] for entry in samples.record["inputs"]} == {"processed", "skipped"}


def test_dciodvfy_finds_no_error_in_segmentations_and_images(samples: Run) -> None:
    written = [path for path in hspsam_run.files_below(samples.folder, ROOT / "samples") if path.suffix == ".dcm"]
    problems = {path.name: errors for path in written if (errors := readers.dciodvfy_errors(path))}
    assert not problems


def test_pydicom_counts_the_pixels_that_the_run_reported(segmentations) -> None:
    for result, path, planes in segmentations:
        counted: dict[str, int] = {}
        for plane in planes:
            counted[plane.label] = counted.get(plane.label, 0) + int(plane.mask.sum())
        reported = {segment["label"]: segment["pixels"] for segment in result["segments"] if segment["pixels"]}
        assert counted == reported, path.name


def test_areas_and_volumes_are_those_of_the_pixels(segmentations, images) -> None:
    for result, path, planes in segmentations:
        for segment in result["segments"]:
            frames = [plane for plane in planes if plane.label == segment["label"]]
            image = images[frames[0].source]
            if "PixelSpacing" in image:
                square = float(np.prod([float(value) for value in image.PixelSpacing]))
                largest = max(int(plane.mask.sum()) for plane in frames)
                assert segment["area_mm2"] == pytest.approx(largest * square, rel=1e-4), path.name
            if segment["volume_ml"] is not None:
                places = np.unique([np.round(plane.corners[0], 4) for plane in frames], axis=0)
                step = min(np.linalg.norm(np.diff(places, axis=0), axis=1))
                assert segment["volume_ml"] == pytest.approx(segment["pixels"] * square * step / 1000, rel=1e-3), path.name


def test_each_frame_lies_on_the_image_that_it_names(segmentations, images) -> None:
    for _, path, planes in segmentations:
        for plane in planes:
            image = images[plane.source]
            assert plane.mask.shape == (image.Rows, image.Columns), path.name
            if "ImagePositionPatient" in image:
                place = readers.plane_corners(
                    image.ImagePositionPatient, image.ImageOrientationPatient, image.PixelSpacing, plane.mask.shape)
                assert np.abs(place - plane.corners).max() <= TOLERANCE_MM, path.name


def test_highdicom_puts_every_voxel_where_the_file_says(segmentations) -> None:
    for _, path, planes in segmentations:
        assert not differences(planes, readers.highdicom_volumes(path)), path.name


def test_highdicom_finds_each_mask_by_its_source_image(segmentations) -> None:
    for _, path, planes in segmentations:
        masks = readers.highdicom_by_source(path, planes)
        assert all(np.array_equal(mask, plane.mask) for mask, plane in zip(masks, planes, strict=True)), path.name


def test_dcmqi_puts_every_voxel_where_the_file_says(segmentations, tmp_path: Path) -> None:
    for number, (_, path, planes) in enumerate(segmentations):
        assert not differences(planes, readers.dcmqi_volumes(path, tmp_path / str(number))), path.name


@pytest.mark.parametrize("threads", [1, 2])
def test_a_repeated_run_writes_the_same_bytes(samples: Run, tmp_path: Path, threads: int) -> None:
    again = hspsam_run.run([ROOT / "samples"], tmp_path / "out", "--threads", threads)
    first = {path.relative_to(samples.folder): path.read_bytes() for path in samples.folder.rglob("*.dcm")}
    second = {path.relative_to(again.folder): path.read_bytes() for path in again.folder.rglob("*.dcm")}
    assert first.keys() == second.keys()
    assert [str(name) for name in first if first[name] != second[name]] == []
