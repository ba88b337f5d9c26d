"""Pipelines around the tiny models of the recorded references: everything but the network's size is real.

Their weights are random, so their masks are ragged, overlap where they may, and touch every edge: harder on writers and
readers than a trained model, and a thousand images take minutes.
"""
from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

SEGMENT = """\
  - key: part-{number}
    label: Part {number}
    category: [123037004, SCT, Anatomical Structure]
    type: [{type}]
    color: [{color}]
"""
TYPES = ("39937001, SCT, Skin", "10200004, SCT, Liver", "78961009, SCT, Spleen")
COLORS = ("221, 130, 101", "80, 174, 128", "144, 238, 20")


def make_pipeline(folder: Path, reference: Path, geometry: bool) -> None:
    """`folder`/pipeline.yaml and model/ around the weights of `reference`, a directory of ../shared/golden."""
    configuration = json.loads((reference / "config.json").read_text())
    count = configuration["segments"]
    segments = "".join(
        SEGMENT.format(number=index + 1, type=TYPES[index], color=COLORS[index]) for index in range(count))
    model = folder / "model"
    model.mkdir(parents=True)
    (folder / "pipeline.yaml").write_text(
        f'pipeline: {{name: {folder.name}, version: "1.0"}}\n'
        "selection:\n  - series_description: never by itself\n"
        f"segments:\n{segments}"
        f"outputs: {{synthetic_geometry: {str(geometry).lower()}, sr: {{enabled: true}}, sc: {{mode: always, max: 1}}}}\n")
    described = configuration | {
        "format_version": 1, "configuration": "hsp_sam", "pixel_mean": [123.675, 116.28, 103.53],
        "pixel_std": [58.395, 57.12, 57.375], "segment_labels": [f"part-{index + 1}" for index in range(count)],
        "precision": "F32", "provenance": {}}
    (model / "config.json").write_text(json.dumps(described))
    shutil.copyfile(reference / "weights.safetensors", model / "weights.safetensors")
    (model / "SHA256SUMS").write_text("".join(
        f"{hashlib.sha256((model / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("config.json", "weights.safetensors")))
