"""Trains HSP-SAM from the same weights on the same picture with our program and with the oracle, and compares the losses.

Example: python Benchmarks/peers/oracle_curve.py .build/release/hspsam PICTURE.jpg MASK.png FOLDER

The official shapes by default: ViT-B at 1024, frozen encoder, LoRA of rank 32, 20 steps of AdamW, whose rate falls by a cosine after two
steps of warm-up. The weights are the oracle's, drawn with a seed. The picture's and the mask's middle square is what both see, without
augmentation. FOLDER must not exist; it keeps the start, the data, the plan and our run. Prints a table and one line of JSON.
"""
from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import os
import resource
import subprocess
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from pytorch_peer import ROOT, load_oracle

PLAN = """\
model: {{size: {vit}, configuration: hsp_sam, input_size: {side}, segments: 1, segment_labels: [part], start_from: start}}
windowing: {{mode: color}}
data: [{{folder: data}}]
stages: [{{input_size: {side}, epochs: {steps}, batch: 1, learning_rate: {rate}}}]
optimiser: {{warmup: {warmup}, schedule: cosine}}
augment: {{preset: none}}
"""


def middle(path: Path, side: int) -> Image.Image:
    image = Image.open(path)
    if min(image.size) < side:
        raise SystemExit(f"{path}: {image.size[0]} x {image.size[1]} pixels, less than {side}. Name a larger picture.")
    left, top = ((length - side) // 2 for length in image.size)
    return image.crop((left, top, left + side, top + side))


def write_start(folder: Path, model: torch.nn.Module, configuration: object, oracle: object) -> None:
    folder.mkdir()
    description = {
        **dataclasses.asdict(configuration), "format_version": 1, "configuration": "hsp_sam", "precision": "F32",
        "pixel_mean": oracle.PIXEL_MEAN, "pixel_std": oracle.PIXEL_STD, "segment_labels": ["part"], "provenance": {}}
    (folder / "config.json").write_text(json.dumps(description, indent=1))
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, folder / "weights.safetensors")
    (folder / "SHA256SUMS").write_text("".join(
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in ("config.json", "weights.safetensors")))


def rate_of(step: int, options: argparse.Namespace) -> float:
    if step < options.warmup:
        return options.rate * (step + 1) / options.warmup
    return options.rate * (1 + math.cos(math.pi * (step - options.warmup) / (options.steps - options.warmup))) / 2


def oracle_losses(oracle: object, model: torch.nn.Module, image: Image.Image, mask: np.ndarray,
                  options: argparse.Namespace) -> list[float]:
    side = options.input_size
    pixels = torch.from_numpy(np.asarray(image, dtype=np.float32)).permute(2, 0, 1)
    mean, deviation = (torch.tensor(values)[:, None, None] for values in (oracle.PIXEL_MEAN, oracle.PIXEL_STD))
    x, label, valid = ((pixels - mean) / deviation)[None], torch.from_numpy(mask)[None], torch.ones(1, side, side)
    optimiser = torch.optim.AdamW(oracle.parameter_groups(model), lr=options.rate, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    for step in range(options.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_of(step, options)
        optimiser.zero_grad(set_to_none=True)
        loss = model.loss(model(x), label, valid)["loss"]
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("mask", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--vit", default="vit_b", choices=["vit_t", "vit_b", "vit_l", "vit_h"])
    parser.add_argument("--input-size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--warmup", type=int, default=2)
    options = parser.parse_args()
    oracle = load_oracle(Path(os.environ.get("HSPSAM_SHARED", ROOT / "../shared")) / "oracle/hspsam_oracle.py")
    side = options.input_size
    image, mask = middle(options.picture, side).convert("RGB"), middle(options.mask, side).convert("L")
    label = (np.asarray(mask) > 127).astype(np.int64)
    if not 0 < label.mean() < 1:
        raise SystemExit(f"{options.mask}: its middle shows one class alone. Name another.")
    torch.manual_seed(1)
    configuration = oracle.Config(
        **{**oracle.SIZES[options.vit], **oracle.CONFIGURATIONS["ablation_3"], "input_size": side})
    model = oracle.HSPSAM(configuration)
    for part in ("images", "masks"):
        (options.folder / "data" / part).mkdir(parents=True)
    image.save(options.folder / "data/images/a.png")
    Image.fromarray((label * 255).astype(np.uint8)).save(options.folder / "data/masks/a.png")
    write_start(options.folder / "start", model, configuration, oracle)
    (options.folder / "train.yaml").write_text(PLAN.format(
        vit=options.vit, side=side, steps=options.steps, rate=f"{options.rate:.8f}", warmup=options.warmup))
    start = time.perf_counter()
    subprocess.run([options.program, "train", "--config", options.folder / "train.yaml",
                    "--out", options.folder / "model"], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    lines = [json.loads(line) for line in (options.folder / "model/metrics.jsonl").read_text().splitlines()]
    ours = [line["loss"] for line in lines if line["kind"] == "step"]
    start = time.perf_counter()
    theirs = oracle_losses(oracle, model, image, label, options)
    print("| step | ours | oracle | difference |\n|---|---|---|---|")
    for step, (a, b) in enumerate(zip(ours, theirs, strict=True), 1):
        print(f"| {step} | {a:.6f} | {b:.6f} | {abs(a - b):.1e} |")
    print(json.dumps({
        "largest_difference": max(abs(a - b) for a, b in zip(ours, theirs)), "steps": options.steps,
        "seconds": seconds, "peak_rss_bytes": peak, "oracle_seconds": time.perf_counter() - start,
        "oracle_peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
