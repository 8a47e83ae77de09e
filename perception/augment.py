"""Augmentation of training batches: light, colour, noise, blur, cut-out. Every draw comes from a generator.

In and out: float images (B, 3, h, w) BGR in 0..1. Mirrors belong to whoever knows the labels; geometry beyond them
(pitch, roll, height) is varied where it is exact, in the simulator.
"""

import torch
from torch import Tensor


def photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """What cameras, lamps and lenses do to the same scene; one draw an image.

    Exposure, white balance, contrast, saturation and swapped colours are one matrix and one offset an image.
    """
    count, _, height, width = images.shape
    matrix, offset = colours(images.mean(dim=(2, 3)), generator)
    flat = images.permute(0, 2, 3, 1).reshape(count, height * width, 3)  # free for channels_last images
    changed = torch.baddbmm(offset[:, None, :], flat, matrix.transpose(1, 2))
    images = changed.reshape(count, height, width, 3).permute(0, 3, 1, 2)
    blurred = torch.rand(count, generator=generator) < 0.3
    share = _draw(count, 0.2, 1.0, generator)[blurred][:, None, None, None]
    if blurred.any():
        sharp = images[blurred]
        soft = torch.nn.functional.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
        images[blurred] = torch.lerp(sharp, soft, share)
    return _noisy(images, generator).clamp_(0, 1)


def lit(images: Tensor, generator: torch.Generator) -> Tensor:
    """What lamps and exposures do to one and the same material: milder than `photometric`, and no hue is swapped."""
    count = len(images)
    gain = _draw(count, 0.7, 1.3, generator)[:, None] * (0.92 + 0.16 * torch.rand(count, 3, generator=generator))
    contrast = _draw(count, 0.75, 1.3, generator)[:, None]
    saturation = _draw(count, 0.6, 1.4, generator)[:, None, None, None]
    offset = (1 - contrast) * (gain * images.mean(dim=(2, 3))).mean(dim=1, keepdim=True)
    images = images * (gain * contrast)[:, :, None, None] + offset[:, :, None, None]
    grey = images.mean(dim=1, keepdim=True)
    return torch.lerp(grey, images, saturation).clamp_(0, 1)


def colours(means: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Colour matrices (B, 3, 3) and offsets (B, 3) for images whose channel means are (B, 3)."""
    count = len(means)
    gain = _draw(count, 0.75, 1.25, generator)[:, None] * (0.88 + 0.24 * torch.rand(count, 3, generator=generator))
    contrast = _draw(count, 0.8, 1.25, generator)[:, None]
    shift = _draw(count, -0.07, 0.07, generator)[:, None]
    saturation = _draw(count, 0.3, 1.5, generator)[:, None, None]
    middle = (gain * means).mean(dim=1, keepdim=True)
    grey = torch.full((3, 3), 1 / 3)
    saturated = grey + saturation * (torch.eye(3) - grey)  # (B, 3, 3); keeps every grey as it is
    matrix = saturated * (contrast * gain)[:, None, :]
    offset = ((1 - contrast) * middle + shift).expand(count, 3)
    order = torch.argsort(torch.rand(count, 3, generator=generator), dim=1)
    kept = torch.rand(count, generator=generator) >= 0.25
    order[kept] = torch.arange(3)  # the others change their colours: any hue may appear on any thing
    return torch.gather(matrix, 1, order[:, :, None].expand(count, 3, 3)), torch.gather(offset, 1, order)


def _noisy(images: Tensor, generator: torch.Generator) -> Tensor:
    """Sensor noise of varied strength on six images in ten; one field of noise, rolled, serves a batch."""
    count, _, height, width = images.shape
    field = torch.randn(3, height, width, generator=generator).contiguous()
    rates = torch.rand(count, generator=generator) * 0.04
    chosen = torch.rand(count, generator=generator) < 0.6
    shifts = torch.randint(0, height * width, (count,), generator=generator).tolist()
    for index in torch.nonzero(chosen)[:, 0].tolist():
        images[index] += rates[index] * torch.roll(field, divmod(shifts[index], width), dims=(1, 2))
    return images


def _draw(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(count, generator=generator)


def cut_out(images: Tensor, generator: torch.Generator, share: float, side_px: int) -> Tensor:
    """A square of one colour on some images."""
    count, _, height, width = images.shape
    tops = torch.randint(0, height - side_px + 1, (count,), generator=generator)
    lefts = torch.randint(0, width - side_px + 1, (count,), generator=generator)
    fills = torch.rand(count, 3, 1, 1, generator=generator)
    images = images.clone()
    for index in torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0].tolist():
        top, left = int(tops[index]), int(lefts[index])
        images[index, :, top : top + side_px, left : left + side_px] = fills[index]
    return images
