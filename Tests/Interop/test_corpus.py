"""Some seven hundred real, odd and broken files end as a result or as a reason, and every result is readable elsewhere.

The whole corpus goes through the shipped pipelines as they select, and through a tiny model (`model_makers`) with every
step real but the network's size. A selection that spans transfer syntaxes and kinds of pixels goes through the shipped
skin-lesion model, and through another tiny one whose results have no place in space. HSPSAM_FULL=1 sends all of it
everywhere, which takes half an hour on two cores.
"""
from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest

import hspsam_run
import readers
from hspsam_run import Run
from model_makers import make_pipeline
from placement import differences, is_even

MEMORY_BYTES = 4 << 30
WAYS = ("as it is", "with geometry", "without geometry", "skin-lesion")


def spread(shared: Path) -> list[Path]:
    """The smallest good image of each transfer syntax, and of each kind of TIFF pixels."""
    chosen: dict[tuple[str, ...], tuple[int, str]] = {}
    with (shared / "data/index.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            is_good = "yes" in (row["dcmtk_decodes"], row["gdcm_decodes"], row["libtiff_decodes"])
            if is_good and row["frames"] in ("", "1") and min(int(row["rows"] or 0), int(row["columns"] or 0)) >= 32:
                kind = row["transfer_syntax_uid"] if row["format"] == "dicom" else row["photometric"]
                chosen[row["format"], kind] = min(
                    chosen.get((row["format"], kind), (1 << 40, "")), (int(row["bytes"]), row["path"]))
    return [shared / "data" / path for _, path in sorted(chosen.values())]


def behind_file_meta(data: bytes) -> bytes:
    """What follows the elements of group 0002 (PS3.10 7.1), with or without a preamble."""
    at = 132 if data[128:132] == b"DICM" else 0
    while data[at:at + 2] == b"\x02\x00" and at + 8 <= len(data):
        if data[at + 4:at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
            at += 12 + int.from_bytes(data[at + 8:at + 12], "little")
        else:
            at += 8 + int.from_bytes(data[at + 6:at + 8], "little")
    return data[at:]


@pytest.fixture(scope="module", params=WAYS)
def given(request: pytest.FixtureRequest, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], Run]:
    """The files that a run was given, and what it came to."""
    folder = tmp_path_factory.mktemp("corpus")
    inputs = [shared / "data/dicom", shared / "data/tiff"]
    if request.param in ("without geometry", "skin-lesion") and os.environ.get("HSPSAM_FULL") != "1":
        inputs = spread(shared)
    options: tuple[object, ...] = ()
    if request.param == "skin-lesion":
        options = ("--pipeline", "skin-lesion")
    elif request.param != "as it is":
        name, reference = ("geometry", "nano-paper") if request.param == "with geometry" else ("plain", "nano-sigmoid")
        make_pipeline(folder / "pipelines" / name, shared / "golden" / reference, geometry=name == "geometry")
        options = ("--pipelines", folder / "pipelines", "--pipeline", name)
    files = [file for given in inputs for file in ([given] if given.is_file() else hspsam_run.files_below(given))]
    return files, hspsam_run.run(inputs, folder / "out", *options, timeout=5400)


def test_the_run_ends_by_itself_and_within_its_memory(given) -> None:
    _, run = given
    assert run.call.status in (0, 3, 4), run.call.errors[-2000:]
    assert run.call.peak_bytes < MEMORY_BYTES


def test_every_file_stands_once_in_the_record_with_its_reason(given) -> None:
    files, run = given
    inputs = run.record["inputs"]
    listed = Counter(str(Path(entry["path"]).resolve()) for entry in inputs)
    assert listed == Counter(str(path.resolve()) for path in files)
    for entry in inputs:
        assert len(bytes.fromhex(entry["content_sha256"])) == 32
        if entry["study"] is None:  # no image of a study: known by all of its bytes, or by those behind its file meta group
            data = Path(entry["path"]).read_bytes()
            known = {hashlib.sha256(part).hexdigest() for part in (data, behind_file_meta(data))}
            assert entry["content_sha256"] in known, entry
        assert entry["status"] in ("processed", "skipped", "refused"), entry  # failed would be ours, or the machine's
        assert entry["status"] == "processed" or (entry["code"] and entry["reason"]), entry
        assert entry["code"] != "INTERNAL", entry


def test_no_decoder_is_missing(given, shared: Path) -> None:
    """What DCMTK, GDCM or libtiff decode, we decode; all but a format of light-meters (LogLuv)."""
    _, run = given
    with (shared / "data/index.csv").open(newline="") as file:
        decodable = {
            (shared / "data" / row["path"]).resolve() for row in csv.DictReader(file)
            if "yes" in (row["dcmtk_decodes"], row["gdcm_decodes"], row["libtiff_decodes"])}
    unread = [
        entry for entry in run.record["inputs"]
        if entry["code"] == "PIX-CODEC" and Path(entry["path"]).resolve() in decodable]
    assert [entry for entry in unread if "TIFF compression 3467" not in entry["reason"]] == []


def test_dciodvfy_finds_no_error_but_what_the_images_say_themselves(given) -> None:
    files, run = given
    by_uid = {}
    for file in files:
        if (uid := sop_instance_uid(file)) is not None:
            by_uid.setdefault(uid, []).append(file)

    def objections(path: Path) -> set[str]:
        images = readers.referenced(pydicom.dcmread(path, stop_before_pixels=True))
        return readers.objections_beyond(path, [file for uid in set(images) for file in by_uid.get(uid_text(uid), [])])

    written = sorted(run.folder.rglob("*.dcm"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        errors = dict(zip(written, pool.map(objections, written), strict=True))
    assert {path.name: found for path, found in errors.items() if found} == {}


def uid_text(value: object) -> str:
    return (value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)).strip(" \0")


def sop_instance_uid(file: Path) -> str | None:
    """None for what pydicom does not read."""
    try:
        element = pydicom.dcmread(file, stop_before_pixels=True, force=True).get_item("SOPInstanceUID")
    except Exception:  # pylint: disable=broad-except  # broken files raise whatever they like
        return None
    return None if element is None or element.value is None else uid_text(element.value)


def test_patient_names_come_out_unchanged_and_are_told_nowhere(given) -> None:
    """By every byte, in every kind of object, under a character set that means the same; not a word of them on standard error."""
    files, run = given
    names: dict[str, set[tuple[bytes, str]]] = {}
    for file in [*files, *sorted(run.folder.rglob("*.image.dcm"))]:
        if (found := name(file)) is not None:
            names.setdefault(found[0], set()).add(found[1:])
    seen = set()
    for path in run.objects():
        study, raw, text = name(path)
        assert raw in {known for known, _ in names[study]} and text in {known for _, known in names[study]}, path
        seen.add(pydicom.dcmread(path, stop_before_pixels=True).Modality)
    assert seen or not run.record["results"]
    told = {raw for known in names.values() for raw, _ in known if len(raw) > 5 and b"^" in raw}
    assert [raw for raw in told if raw in run.call.errors.encode()] == []


def name(path: Path) -> tuple[str, bytes, str] | None:
    """Study, the bytes of Patient's Name without padding, and its letters; None for what pydicom does not read."""
    try:
        image = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        element = image.get_item("PatientName")
        raw = element.value if element is not None and isinstance(element.value, bytes) else b""
        return uid_text(image.get_item("StudyInstanceUID").value), raw.rstrip(b" \0"), str(image.get("PatientName", "")).rstrip(" \0")
    except Exception:  # pylint: disable=broad-except  # broken files raise whatever they like
        return None


def test_other_readers_find_our_pixels_at_our_places(given, tmp_path: Path) -> None:
    _, run = given
    results = run.results()
    assert results or not run.record["results"]
    folders = [tmp_path / str(number) for number in range(len(results))]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(problems, results, folders, chunksize=8)
        assert {path.name: texts for (_, path), texts in zip(results, found, strict=True) if texts} == {}


def problems(reported: tuple[dict, Path], folder: Path) -> list[str]:
    """What pydicom, highdicom and dcmqi do not read as the run reported it; `folder` is for dcmqi."""
    result, path = reported
    planes = readers.planes(path)
    counted = Counter[str]()
    for plane in planes:
        counted[plane.label] += int(plane.mask.sum())
    wanted = {segment["label"]: segment["pixels"] for segment in result["segments"] if segment["pixels"]}
    found = [] if counted == wanted else [f"{dict(counted)} pixels and not {wanted}"]
    masks = readers.highdicom_by_source(path, planes)
    if not all(np.array_equal(mask, plane.mask) for mask, plane in zip(masks, planes, strict=True)):
        found.append("highdicom reads other masks")
    if is_even(planes):  # a block of voxels cannot hold uneven or sheared slices
        found += [f"highdicom: {text}" for text in differences(planes, readers.highdicom_volumes(path))]
        found += [f"dcmqi: {text}" for text in differences(planes, readers.dcmqi_volumes(path, folder))]
    return found


LOSSY = {"50": "dcmdjpeg", "51": "dcmdjpeg", "53": "dcmdjpeg", "55": "dcmdjpeg", "81": "dcmdjpls", "91": None, "203": None}


def lossy_images(shared: Path) -> list[tuple[Path, str | None]]:
    """Images in a lossy transfer syntax, and the program of DCMTK's that decodes it; None: OpenJPEG through pydicom."""
    with (shared / "data/index.csv").open(newline="") as file:
        found = [(shared / "data" / row["path"], row["transfer_syntax_uid"]) for row in csv.DictReader(file)]
    jpeg = "1.2.840.10008.1.2.4."
    return [(path, LOSSY[uid.removeprefix(jpeg)]) for path, uid in found if uid.startswith(jpeg) and uid.removeprefix(jpeg) in LOSSY]


def test_lossy_pixels_are_those_of_dcmtk_and_openjpeg_bit_for_bit(shared: Path, tmp_path: Path) -> None:
    compared = Counter()
    for path, decoder in lossy_images(shared):
        told = subprocess.run([hspsam_run.program(), "inspect", "--json", path], capture_output=True, check=False)
        ours = json.loads(told.stdout)["files"][0]["pixel_sha256"]
        if ours is None:
            continue
        native = path
        if decoder is not None:
            native = tmp_path / "native.dcm"
            options = ["+cn"] if decoder == "dcmdjpeg" else []
            # What DCMTK's program cannot read whole (a frame without its end) has no opinion of its own.
            if subprocess.run([decoder, *options, path, native], capture_output=True, check=False).returncode != 0:
                continue
        image = pydicom.dcmread(native, force=True)
        pixels = pydicom.pixels.pixel_array(image, raw=True, correct_unused_bits=False)
        if image.PixelRepresentation == 0:
            # Lossy values a little beyond Bits Stored, which the decoders give as they are and pydicom would wrap round to black,
            # are the largest that the image can have.
            pixels = np.minimum(pixels, 2**image.BitsStored - 1).astype(pixels.dtype)
        theirs = hashlib.sha256(np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()).hexdigest()
        assert ours == theirs, path
        compared[decoder] += 1
    assert compared["dcmdjpeg"] >= 33 and compared["dcmdjpls"] >= 5 and compared[None] >= 13, compared
