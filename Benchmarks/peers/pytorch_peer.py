"""Times HSP-SAM's oracle in PyTorch, the peer that our own core is measured against.

Example: python Benchmarks/peers/pytorch_peer.py --vit vit_t --what train --input-size 256 --batch 16

The oracle is ../shared/oracle/hspsam_oracle.py (HSPSAM_SHARED, or --oracle FILE). The same work as `hspsam bench` of these
options: random weights; for inference LoRA is merged, that is, absent; a training step is forward, loss, backward, AdamW.
Prints one JSON object with the keys of `hspsam bench --json`.
"""
from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]


def load_oracle(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location("hspsam_oracle", path)
    if specification is None or specification.loader is None or not path.exists():
        sys.exit(f"{path}: no oracle. Name it with --oracle, or its folder's parent with HSPSAM_SHARED.")
    module = importlib.util.module_from_spec(specification)
    sys.modules["hspsam_oracle"] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def fuse_attention(oracle: ModuleType) -> None:
    """Replaces the encoder's attention by PyTorch's fused one: a peer that tries harder. Its heat maps are not made."""

    def forward(self, x, side_h, side_w, prompts=None):
        n = side_h * side_w
        q, k, v = self.project(x if prompts is None else torch.cat([x, prompts], 1))
        image_q = q[:, :, :n].reshape(*q.shape[:2], side_h, side_w, -1)
        rel_h = torch.einsum("bnhwc,hkc->bnhwk", image_q, oracle.relative_table(self.rel_pos_h, side_h))
        rel_w = torch.einsum("bnhwc,wkc->bnhwk", image_q, oracle.relative_table(self.rel_pos_w, side_w))
        bias = (rel_h[..., :, None] + rel_w[..., None, :]).reshape(*q.shape[:2], n, n)
        extra = k.shape[2] - n
        out = F.scaled_dot_product_attention(q[:, :, :n], k, v, attn_mask=F.pad(bias, (0, extra)) if extra else bias)
        return self.proj(out.transpose(1, 2).flatten(2)), None

    oracle.EncoderAttention.forward = forward


def make_step(oracle: ModuleType, options: argparse.Namespace) -> Callable[[], None]:
    """One forward pass, or one training step, as something to call."""
    def autocast() -> torch.autocast:
        return torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16")

    torch.manual_seed(1)
    named = "scratch" if options.vit == "vit_t" else "ablation_3"
    config = oracle.Config(**{
        **oracle.SIZES[options.vit], **oracle.CONFIGURATIONS[named], "input_size": options.input_size,
        "stem": "conv" if options.vit == "vit_t" else "patch",
        **({"lora_rank": 0, "freeze_encoder": False} if options.what == "infer" else {})})
    model = oracle.HSPSAM(config)
    side = options.input_size
    image = torch.randn(options.batch, 3, side, side)
    if options.what == "infer":
        model.eval()

        def infer() -> None:
            with torch.inference_mode(), autocast():
                model(image)

        return infer
    label = (torch.rand(options.batch, side, side) > 0.5).long()
    valid = torch.ones(options.batch, side, side)
    optimiser = torch.optim.AdamW(oracle.parameter_groups(model), lr=1e-4)

    def train() -> None:
        optimiser.zero_grad(set_to_none=True)
        with autocast():
            loss = model.loss(model(image), label, valid)["loss"]
        loss.backward()
        optimiser.step()

    return train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--oracle", type=Path, help="the oracle's file")
    parser.add_argument("--vit", default="vit_b", choices=["vit_t", "vit_b", "vit_l", "vit_h"])
    parser.add_argument("--what", default="infer", choices=["infer", "train"])
    parser.add_argument("--input-size", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--runs", type=int, default=5, help="counted runs, after one that is not")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"], help="bf16: under autocast")
    parser.add_argument("--attention", default="oracle", choices=["oracle", "fused"])
    options = parser.parse_args()
    shared = Path(os.environ.get("HSPSAM_SHARED", ROOT / "../shared"))
    oracle = load_oracle(options.oracle or shared / "oracle/hspsam_oracle.py")
    torch.set_num_threads(options.threads)
    if options.attention == "fused":
        fuse_attention(oracle)
    step = make_step(oracle, options)
    step()
    seconds = []
    for _ in range(options.runs):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({
        "engine": f"PyTorch {torch.__version__} {options.precision}, attention: {options.attention}",
        "vit": options.vit, "what": options.what, "input_size": options.input_size, "batch": options.batch,
        "threads": options.threads, "runs": options.runs, "seconds_min": min(seconds),
        "seconds_median": statistics.median(seconds), "seconds_max": max(seconds),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
