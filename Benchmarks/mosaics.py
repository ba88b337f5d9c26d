"""Whether a pipeline finds the same in a picture of any size: pictures of a data set are joined to mosaics, and the Dice told for each side.

    python Benchmarks/mosaics.py PROGRAM FOLDER [--sides 256 512 1024] [--repeat NAME] [--pipeline nuclei] [--out DIR]

FOLDER holds images/, masks/ (same names, PNG) and split.csv (name,split), as docs/data-sets.md says. Pictures of 256 × 256 of the split
`test` are stretched each between its 0.5th and 99.5th percentile, so that a mosaic has one exposure, and laid side by side until the side
is full, in as many mosaics as hold every picture; with --repeat one picture is. Needs numpy, pillow and pydicom (Tests/Interop/requirements.txt). Prints a table: side, Dice, seconds, peak memory.
"""
from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

TILE = 256


def pictures(folder: Path, repeat: str | None) -> list[tuple[np.ndarray, np.ndarray]]:
    with (folder / "split.csv").open() as file:
        names = [row["name"] for row in csv.DictReader(file) if row["split"] == "test"]
    if repeat:
        names = [name for name in names if name.startswith(repeat)]
    found = []
    for name in sorted(names):
        image = np.asarray(Image.open(folder / "images" / f"{name}.png").convert("L"))
        if image.shape != (TILE, TILE):
            continue
        low, high = np.percentile(image, [0.5, 99.5])
        stretched = np.clip((image - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
        found.append((stretched, np.asarray(Image.open(folder / "masks" / f"{name}.png").convert("L")) > 0))
    return found


def mosaic(parts: list[tuple[np.ndarray, np.ndarray]], side: int) -> tuple[np.ndarray, np.ndarray]:
    count = side // TILE
    rows = [
        [parts[(row * count + column) % len(parts)] for column in range(count)] for row in range(count)]
    return np.block([[part[0] for part in row] for row in rows]), np.block([[part[1] for part in row] for row in rows])


def segmentations(folder: Path) -> dict[str, Path]:
    """The segmentation of each picture by its file's name; pictures in which nothing was found are missing."""
    record = json.loads((folder / "run.json").read_text())
    studies = {row["study"]: Path(row["path"]).name for row in record["inputs"]}
    return {studies[result["study"]]: folder / result["file"] for result in record["results"] if result.get("file")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512, 1024, 2048, 4096, 8192])
    parser.add_argument("--repeat")
    parser.add_argument("--pipeline", default="nuclei")
    parser.add_argument("--pipelines", type=Path, default=Path("pipelines"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    parts = pictures(options.folder, options.repeat)
    print(f"{len(parts)} pictures; side, Dice, seconds, peak GB")
    work = options.out or Path(tempfile.mkdtemp())
    for side in options.sides:
        # As many mosaics as it takes for every picture to be in one.
        count = (side // TILE) ** 2
        starts = range(0, len(parts), count)
        pairs = [mosaic(parts[start:] + parts[:start], side) for start in starts]
        place = work / str(side)
        place.mkdir(parents=True)
        for number, (image, _) in enumerate(pairs):
            Image.fromarray(image).save(place / f"{number}.tif")
        began = time.monotonic()
        subprocess.run(
            [options.program, "run", place, "--out", work / f"{side}-out", "--pipelines", options.pipelines,
             "--pipeline", options.pipeline], check=True, capture_output=True)
        files = segmentations(work / f"{side}-out")
        both = total = 0
        for number, (_, truth) in enumerate(pairs):
            found = np.zeros(truth.shape, bool)
            if file := files.get(f"{number}.tif"):
                found = pydicom.dcmread(file).pixel_array.reshape(-1, *truth.shape).any(axis=0)
            both += 2 * int((found & truth).sum())
            total += int(found.sum()) + int(truth.sum())
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        print(f"{side}\t{both / total:.4f}\t{time.monotonic() - began:.0f}\t{peak:.2f}", flush=True)


if __name__ == "__main__":
    main()
