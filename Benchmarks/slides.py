"""What large pictures and slides need: seconds, seconds a megapixel, peak memory.

    python Benchmarks/slides.py PROGRAM FOLDER [--only NAME ...] [--pipeline nuclei] [--pipelines pipelines] [--out DIR]

FOLDER is a data set as for mosaics.py, whose pictures are laid side by side. Made and run, each by itself:

    fluorescence  6000 × 4000 grey, 16 bit, one strip a row
    grey, colour  8192 × 8192, 8 bit
    slide         20,000 × 20,000 RGB in tiles of 256, 0.5 µm a pixel, most of it glass, with a level of a quarter
    frames        a DICOM object of 2 GB: 8,192 frames of 512 × 512, 8 bit, of which the pipeline takes eight

Needs numpy, pillow and pydicom (Tests/Interop/requirements.txt).
"""
from __future__ import annotations

import argparse
import re
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from mosaics import mosaic, pictures

TILE = 256


def laid(parts: list, rows: int, columns: int) -> np.ndarray:
    return mosaic(parts, -(-max(rows, columns) // TILE) * TILE)[0][:rows, :columns]


def directory(entries: list[tuple[int, int, list[int]]], at: int, following: int) -> bytes:
    """A directory of a TIFF (little-endian); types 3, 4 and 5 (pairs of numbers), values behind it."""
    sizes = {3: ("H", 2, 1), 4: ("I", 4, 1), 5: ("I", 4, 2)}
    head, values = b"", b""
    place = at + 2 + 12 * len(entries) + 4
    for tag, kind, numbers in sorted(entries):
        letter, size, each = sizes[kind]
        data = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        head += struct.pack("<HHI", tag, kind, len(numbers) // each)
        if len(data) <= 4:
            head += data.ljust(4, b"\0")
        else:
            head += struct.pack("<I", place + len(values))
            values += data + b"\0" * (len(data) % 2)
    return struct.pack("<H", len(entries)) + head + struct.pack("<I", following) + values


def slide(path: Path, patch: np.ndarray, side: int) -> None:
    """White glass with `patch` here and there; equal tiles stand in the file once."""
    with path.open("wb") as file:
        file.write(b"II*\0\0\0\0\0")
        link, known = 4, {}
        for factor in (1, 4):
            size, step = side // factor, TILE * factor
            small = patch[::factor, ::factor]
            across = -(-size // TILE)
            offsets = []
            for row in range(across):
                for column in range(across):
                    tile = np.full((TILE, TILE, 3), 255, np.uint8)
                    if (row * factor // 4) % 9 == 4 and (column * factor // 4) % 9 == 4:
                        y, x = row * TILE % small.shape[0], column * TILE % small.shape[1]
                        part = small[y:y + TILE, x:x + TILE]
                        tile[:part.shape[0], :part.shape[1]] = part[..., None]
                    data = tile.tobytes()
                    if data not in known:
                        known[data] = file.tell()
                        file.write(data)
                    offsets.append(known[data])
            at = file.tell()
            entries = [
                (256, 4, [size]), (257, 4, [size]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]), (277, 3, [3]),
                (282, 5, [20000 // factor, 1]), (283, 5, [20000 // factor, 1]), (296, 3, [3]), (322, 4, [TILE]), (323, 4, [TILE]),
                (324, 4, offsets), (325, 4, [TILE * TILE * 3] * len(offsets)),
            ]
            file.write(directory(entries, at, 0))
            end = file.tell()
            file.seek(link)
            file.write(struct.pack("<I", at))
            file.seek(end)
            link = at + 2 + 12 * len(entries)


def frames(path: Path, frame: np.ndarray, count: int) -> None:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7.2"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.PatientID, data.PatientName, data.Modality = "1", "A^B", "OT"
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.NumberOfFrames, data.Rows, data.Columns = count, *frame.shape
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = frame.tobytes() * count
    data.save_as(path, enforce_file_format=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", default=["fluorescence", "grey", "colour", "slide", "frames"])
    parser.add_argument("--pipeline", default="nuclei")
    parser.add_argument("--pipelines", type=Path, default=Path("pipelines"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = pictures(options.folder, None)
    work = options.out or Path(tempfile.mkdtemp())
    print("what, megapixels, seconds, seconds a megapixel, peak GB")
    for name in options.only:
        place = work / name
        place.mkdir(parents=True)
        pixels = 8192 * 8192
        if name == "fluorescence":
            pixels = 4000 * 6000
            Image.fromarray(laid(parts, 4000, 6000).astype(np.uint16) * 257).save(place / "a.tif")
        elif name == "grey":
            Image.fromarray(laid(parts, 8192, 8192)).save(place / "a.tif")
        elif name == "colour":
            Image.fromarray(np.repeat(laid(parts, 8192, 8192)[..., None], 3, axis=2)).save(place / "a.tif")
        elif name == "slide":
            pixels = 20_000 * 20_000
            slide(place / "a.tif", 255 - laid(parts, 1024, 1024), 20_000)
        else:
            pixels = 8192 * 512 * 512
            frames(place / "a.dcm", laid(parts, 512, 512), 8192)
        chosen = [options.pipelines, "--pipeline", options.pipeline]
        if name == "frames":
            # Eight frames are segmented; what counts is the object that they lie in.
            rules = work / "rules" / options.pipeline
            shutil.copytree(options.pipelines / options.pipeline, rules)
            text = re.sub(r"(?ms)^selection:.*?(?=^\w)", "selection:\n  - {modality: [OT], frames: {every: 1024}}\n",
                          (rules / "pipeline.yaml").read_text())
            (rules / "pipeline.yaml").write_text(text)
            chosen = [rules.parent]
        began = time.monotonic()
        run = subprocess.run(
            ["/usr/bin/env", "python3", "-c",
             "import resource, subprocess, sys; "
             "code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode; "
             "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
             options.program, "run", place, "--out", work / f"{name}-out", "--pipelines", *chosen],
            check=True, capture_output=True, text=True)
        seconds = time.monotonic() - began
        code, peak = map(int, run.stdout.split())
        print(f"{name}\t{pixels / 1e6:.0f}\t{seconds:.0f}\t{seconds * 1e6 / pixels:.2f}\t{peak / 2**20:.2f}"
              + ("" if code == 0 else f"\texit status {code}"), flush=True)
        shutil.rmtree(work / f"{name}-out", ignore_errors=True)
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
