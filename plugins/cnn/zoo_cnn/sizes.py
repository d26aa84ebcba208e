"""The sizes of the families, as data."""

# block, depths, parameters
RESNETS: dict[str, tuple[str, list[int], int]] = {
    "resnet18": ("basic", [2, 2, 2, 2], 11_689_512),
    "resnet34": ("basic", [3, 4, 6, 3], 21_797_672),
    "resnet50": ("bottleneck", [3, 4, 6, 3], 25_557_032),
    "resnet101": ("bottleneck", [3, 4, 23, 3], 44_549_160),
}

# depths, parameters
RESNETV2S: dict[str, tuple[list[int], int]] = {
    "resnetv2_50": ([3, 4, 6, 3], 25_549_352),
    "resnetv2_101": ([3, 4, 23, 3], 44_541_480),
}

# norm, parameters
VGGS = {"vgg16": (False, 138_357_544), "vgg16_bn": (True, 138_365_992)}

# layers: blocks in each of three stages, parameters
CIFAR_RESNETS = {20: (3, 269_722), 32: (5, 464_154), 44: (7, 658_586), 56: (9, 853_018)}

# depths, widths, parameters
CONVNEXTS: dict[str, tuple[list[int], list[int], int]] = {
    "atto": ([2, 2, 6, 2], [40, 80, 160, 320], 3_695_520),
    "femto": ([2, 2, 6, 2], [48, 96, 192, 384], 5_217_784),
    "pico": ([2, 2, 6, 2], [64, 128, 256, 512], 9_045_672),
    "nano": ([2, 2, 8, 2], [80, 160, 320, 640], 15_593_560),
    "tiny": ([3, 3, 9, 3], [96, 192, 384, 768], 28_589_128),
    "small": ([3, 3, 27, 3], [96, 192, 384, 768], 50_223_688),
    "base": ([3, 3, 27, 3], [128, 256, 512, 1024], 88_591_464),
}

# variant: parameters
MOBILENETS = {"small": 2_542_856, "large": 5_483_032}

# width, depth, parameters
EFFICIENTNETS = {
    "b0": (1.0, 1.0, 5_288_548),
    "b1": (1.0, 1.1, 7_794_184),
    "b2": (1.1, 1.2, 9_109_994),
    "b3": (1.2, 1.4, 12_233_232),
}
