"""The files that torchvision publishes: each takes pictures of its own size, cut and scaled in its own way."""

from typing import Any


def prepared(resized: int, size: int, interpolation: str = "bilinear") -> dict[str, Any]:
    """Return what a layout says of pictures whose short side is scaled to `resized`, with a middle of `size` cut out.

    Mean and standard deviation are ImageNet's for all of them, as a layout has them.
    """
    return {
        "image_size": (size, size),
        "crop": size / resized,
        "crop_mode": "center",
        "interpolation": interpolation,
    }


RESNET = {
    name: prepared(resized, 224)
    for resized, names in (
        (256, ("resnet18-f37072fd", "resnet34-b627a593", "resnet50-0676ba61", "resnet101-63fe2227")),
        (256, ("resnet18-5c106cde", "resnet34-333f7ec4", "resnet50-19c8e357", "resnet101-5d3b4d8f")),
        (232, ("resnet50-11ad3fa6", "resnet101-cd907fc2")),
    )
    for name in names
}
"""Those of IMAGENET1K_V1, as they are and as they were before 2021, and of IMAGENET1K_V2."""

VGG = {
    "vgg16_features-amdegroot-88682ab5": {
        **prepared(256, 224),
        "mean": (0.48235, 0.45882, 0.40784),
        "std": (1 / 255, 1 / 255, 1 / 255),
    }
}
MOBILENETV2 = {"mobilenet_v2-b0353104": prepared(256, 224), "mobilenet_v2-7ebf99e0": prepared(232, 224)}
MOBILENETV3 = {
    "mobilenet_v3_small-047dcff4": prepared(256, 224),
    "mobilenet_v3_large-8738ca79": prepared(256, 224),
    "mobilenet_v3_large-5c1a4163": prepared(232, 224),
}
EFFICIENTNET_SIZES = {"b0": (256, 224), "b1": (256, 240), "b2": (288, 288), "b3": (320, 300)}
"""What the pictures of IMAGENET1K_V1 are scaled and cut to; its one B1 of IMAGENET1K_V2 has others."""
EFFICIENTNET = {"efficientnet_b1-c27df63c": prepared(255, 240)}
