"""A result belongs to the patient and the study of its images by every byte, whatever the images say there.

Archives file by these bytes: one that was decoded, cut or emptied makes a second patient. Each case is a study whose
identity is odd (a wrong character set, an ID of 80 characters, blanks, UIDs with leading zeros).
"""
from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

import hspsam_run
import readers
from hspsam_run import Run
from model_makers import make_pipeline

CASES = (
    "seg/patient-id-emptied", "seg/patient-id-leading-blanks", "seg/patient-name-emptied-gb2312-no-escape",
    "seg/patient-name-emptied-no-charset", "seg/patient-name-emptied-wrong-charset", "dicom/24-character-set-wrong/iso-ir-100",
    "dicom/24-character-set-wrong/korean", "dicom/24-character-set-wrong/none", "dicom/18-uids-with-leading-zero/agfa-real",
    "dicom/18-uids-with-leading-zero/frame-of-reference", "dicom/18-uids-with-leading-zero/sop")
PATIENT_AND_STUDY = (
    "SpecificCharacterSet", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber", "ReferringPhysicianName")


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Run]:
    """The images of a case, and what a run made of them."""
    source = shared / "data/cases" / request.param
    if not source.is_dir():
        pytest.skip(f"no {source}")
    folder = tmp_path_factory.mktemp("identity")
    make_pipeline(folder / "pipelines/geometry", shared / "golden/nano-paper", geometry=True)
    images = [path for path in hspsam_run.files_below(source) if not path.name.startswith("README")]
    return images, hspsam_run.run(images, folder / "out", "--pipelines", folder / "pipelines", "--pipeline", "geometry")


def raw(path: Path, keyword: str) -> bytes | None:
    """The value field as it stands in the file."""
    element = pydicom.dcmread(path, stop_before_pixels=True).get_item(keyword)
    return None if element is None else element.value


def test_patient_and_study_are_the_sources_by_every_byte(case) -> None:
    images, run = case
    assert run.call.status == 0, run.call.errors
    assert run.segmentations()
    for path in run.objects():
        for keyword in PATIENT_AND_STUDY:
            wanted = raw(images[0], keyword)
            assert raw(path, keyword) == (b"" if wanted is None and keyword in type2() else wanted), keyword


def type2() -> set[str]:
    """Present in every result, empty where the source lacks them."""
    return {
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber",
        "ReferringPhysicianName"}


def test_dciodvfy_objects_to_nothing_but_what_the_images_say_themselves(case) -> None:
    images, run = case
    assert {path.name: found for path in run.objects() if (found := readers.objections_beyond(path, images))} == {}


def test_other_readers_find_the_masks(case, tmp_path: Path) -> None:
    _, run = case
    for number, (result, path) in enumerate(run.results()):
        planes = readers.planes(path)
        assert sum(int(plane.mask.sum()) for plane in planes) == sum(s["pixels"] for s in result["segments"])
        assert len(readers.highdicom_by_source(path, planes)) == len(planes)
        assert readers.dcmqi_volumes(path, tmp_path / str(number))
