"""Augmentation of training batches: light, colour, noise, blur, cut-out, mirror. Every draw comes from a generator.

In and out: float images (B, 3, h, w) BGR in 0..1. Geometry beyond the mirror (pitch, roll, height) is varied where it
is exact, in the simulator.
"""

import torch
from torch import Tensor


def photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """What cameras, lamps and lenses do to the same scene; one draw an image."""
    count = len(images)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)

    def some(share: float) -> Tensor:
        return (torch.rand(count, 1, 1, 1, generator=generator) < share).float()

    gain = draw(0.65, 1.4) * draw(0.88, 1.12, 3)  # exposure, then white balance
    images = images * gain
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = (images - mean) * draw(0.7, 1.35) + mean + draw(-0.07, 0.07)
    grey = images.mean(dim=1, keepdim=True)
    images = grey + (images - grey) * draw(0.3, 1.5)
    images = _swapped_colours(images, generator, share=0.25)
    blurred = torch.nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    images = images + (blurred - images) * some(0.3) * draw(0.2, 1.0)
    rate = draw(0.0, 0.04) * some(0.6)
    images = images + torch.randn(images.shape, generator=generator) * rate
    return images.clamp(0, 1)


def _swapped_colours(images: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """Some images with their colour channels in another order: any hue may appear on any thing."""
    order = torch.stack([torch.randperm(3, generator=generator) for _ in range(len(images))])  # (B, 3)
    swapped = torch.gather(images, 1, order[:, :, None, None].expand(images.shape))
    chosen = torch.rand(len(images), 1, 1, 1, generator=generator) < share
    return torch.where(chosen, swapped, images)


def cut_out(images: Tensor, generator: torch.Generator, share: float, side_px: int) -> Tensor:
    """A square of one colour on some images."""
    count, _, height, width = images.shape
    tops = torch.randint(0, height - side_px + 1, (count,), generator=generator)
    lefts = torch.randint(0, width - side_px + 1, (count,), generator=generator)
    colours = torch.rand(count, 3, 1, 1, generator=generator)
    images = images.clone()
    for index in torch.nonzero(torch.rand(count, generator=generator) < share)[:, 0].tolist():
        top, left = int(tops[index]), int(lefts[index])
        images[index, :, top : top + side_px, left : left + side_px] = colours[index]
    return images
