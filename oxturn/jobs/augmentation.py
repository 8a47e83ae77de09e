"""Augmented copies of samples on disk, by the same draws as in training; the labels stay what they are."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import torch

from perception import augment, data_processor
from perception.sample_format import Sample

JPEG_QUALITY = 95


def augmented(samples: Iterable[Sample], seed: int, copies: int) -> Iterator[Sample]:
    """`copies` of each sample under another light; draws depend on the seed and the sample's name alone."""
    for sample in samples:
        image = data_processor.decode(sample.image, sample.sample_id)  # (H, W, 3)
        for number in range(1, copies + 1):
            name = f"{sample.sample_id}~{number}"
            generator = torch.Generator().manual_seed(_number(seed, name))
            batch = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)
            drawn = augment.photometric(batch, generator)[0].permute(1, 2, 0)
            pixels = (drawn * 255).round().to(torch.uint8).numpy()
            _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
            draws = json.dumps({**json.loads(sample.draws or "{}"), "augmented": {"seed": seed, "copy": number}})
            yield replace(sample, sample_id=name, image=jpeg.tobytes(), draws=draws)


def _number(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:7], "big")
