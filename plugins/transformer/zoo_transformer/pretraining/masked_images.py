"""Masked autoencoder (He et al., CVPR 2022): most patches are hidden, and a small decoder gives them back.

L = mean over hidden patches of (x - x')^2, with x a patch's pixels minus their mean, over their standard deviation.

The encoder sees the other patches alone, which makes it cheap. As published, but for sizes; table 3 of the paper has a
ViT-L that was so pretrained and finetuned on ImageNet-1K at 85.9 %.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import zoo
from zoo_transformer.pretraining.settings import MaskedImageSettings
from zoo_transformer.vit import Block, ViT

_SHOWN = 12


class MaskedAutoencoder(nn.Module):
    """A vision transformer without a classifier, and the decoder that gives back what it did not see."""

    def __init__(self, backbone: ViT, settings: MaskedImageSettings) -> None:
        super().__init__()
        width, heads = settings.decoder_width, settings.decoder_heads
        if width % heads:
            raise zoo.UsageError(f"decoder_heads={heads} must divide decoder_width={width}; choose others")
        self.backbone = backbone
        # the blocks by their names here: they are sharded and compiled one by one, and not the backbone as a whole
        self.feature_info = [stage._replace(module=f"backbone.{stage.module}") for stage in backbone.feature_info]
        table = backbone.pos_embed.shape[1]
        self.norm = nn.LayerNorm(backbone.num_features) if backbone.pooling == "avg" else nn.Identity()
        self.narrow = nn.Linear(backbone.num_features, width)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, table, width))
        self.decoder = nn.Sequential(
            *(Block(width, heads, 4 * width, (0.0, 0.0, 0.0), True, 1e-6) for _ in range(settings.decoder_depth)),
            nn.LayerNorm(width),
            nn.Linear(width, _pixels(backbone)),
        )
        for parameter in (self.mask_token, self.positions):
            nn.init.trunc_normal_(parameter, std=0.02)

    def forward(self, images: Tensor, order: Tensor, seen: int) -> Tensor:
        """Return what all patches (batch, patches, pixels) may be, from the first `seen` of each picture's `order`."""
        backbone, first = self.backbone, self.backbone.num_prefix_tokens
        tokens, _ = backbone.embed_patches(images)
        kept = order[:, :seen, None] + first
        x = torch.cat([tokens[:, :first], tokens.gather(1, kept.expand(-1, -1, tokens.shape[2]))], 1)
        x = self.narrow(self.norm(backbone.norm(backbone.blocks(x))))
        whole = self.mask_token.to(x.dtype).expand(len(x), order.shape[1], -1)
        patches = whole.scatter(1, order[:, :seen, None].expand(-1, -1, x.shape[2]), x[:, first:])
        decoded: Tensor = self.decoder(torch.cat([x[:, :first], patches], 1) + self.positions)
        return decoded[:, first:]

    def no_weight_decay(self) -> set[str]:
        return {"mask_token", "positions"}


class MaskedImageModelling(zoo.OneNetwork):
    """Give back the patches of pictures that were hidden."""

    settings: MaskedImageSettings

    def __init__(
        self,
        settings: MaskedImageSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        if not isinstance(model, ViT):
            raise zoo.UsageError(
                "recipe masked_image_modelling masks patches of a vision transformer; use another for this model"
            )
        sides = tuple(rows * model.patch_size for rows in model.grid)
        if tuple(preprocessing.image_size) != sides:
            raise zoo.UsageError(
                f"pictures of {preprocessing.image_size} do not match the model's {sides}; "
                "create it for them: --arg image_size=N"
            )
        model.reset_classifier(0)
        network = MaskedAutoencoder(model, settings).to(next(model.parameters()).device)
        super().__init__(settings, network, classes)
        self.preprocessing = preprocessing
        self.patches = model.grid[0] * model.grid[1]
        self.seen = max(1, round(self.patches * (1 - settings.masked)))
        if self.seen == self.patches:
            raise zoo.UsageError(f"masked={settings.masked} of {self.patches} patches masks none; set it higher")

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        area = (self.settings.crop_area, 1.0)
        images = zoo.random_resized_crop(batch["images"], draws, area=area)
        if self.settings.mirrored != "no":
            images = zoo.random_flip(images, draws)
        yield zoo.Loss("model", self._loss(zoo.normalize(images, self.preprocessing), draws))

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the loss on hidden patches; which those are is the same each time."""
        total, count = torch.zeros((), dtype=torch.float64), 0
        with zoo.evaluating(self.model):
            for batch in batches:
                images = zoo.normalize(batch["images"], self.preprocessing)
                draws = zoo.Draws(self.settings.seed, -1, batch["index"])
                total += len(images) * self._loss(images, draws).double().cpu()
                count += len(images)
        return {"loss": float(total) / count}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        """Write pictures, what of them was seen, and what the model made of the rest."""
        batch = {name: tensor[:_SHOWN] for name, tensor in next(iter(batches)).items()}
        images = zoo.normalize(batch["images"], self.preprocessing)
        with zoo.evaluating(self.model):
            order = self._order(zoo.Draws(self.settings.seed, -1, batch["index"]))
            said = self.model(images, order, self.seen)
        shown = batch["images"]
        patches = self._cut(shown)
        mean, std = _statistics(patches)
        hidden = torch.ones(len(shown), self.patches, 1, device=shown.device).scatter(1, order[:, : self.seen, None], 0)
        seen = self._joined(torch.where(hidden > 0, 0.5, patches), shown)
        made = self._joined(torch.where(hidden > 0, said.float() * std + mean, patches), shown)
        rows = [shown, seen, made.clamp(0, 1)]
        captions = ("pictures", "seen", "given back")
        return [zoo.image_grid(rows, folder / "reconstructions.png", captions=captions, limit=_SHOWN)]

    def export(self) -> nn.Module:
        backbone: nn.Module = self.model.backbone.eval()
        return backbone

    def _loss(self, images: Tensor, draws: zoo.Draws) -> Tensor:
        order = self._order(draws)
        hidden = order[:, self.seen :, None]
        patches = self._cut(images)
        mean, std = _statistics(patches)
        said: Tensor = self.model(images, order, self.seen)
        wanted = ((patches - mean) / std).gather(1, hidden.expand(-1, -1, patches.shape[2]))
        off = said.gather(1, hidden.expand(-1, -1, said.shape[2])).float() - wanted
        return off.square().mean()

    def _order(self, draws: zoo.Draws) -> Tensor:
        """Return the places of patches, (batch, patches), in an order of each picture's own."""
        return draws.uniform("patches", self.patches).argsort(dim=1)

    def _cut(self, images: Tensor) -> Tensor:
        """Return the pixels of each patch, (batch, patches, pixels)."""
        backbone = self.model.backbone
        rows, columns = backbone.grid
        size, channels = backbone.patch_size, images.shape[1]
        cut = images.reshape(-1, channels, rows, size, columns, size).permute(0, 2, 4, 3, 5, 1)
        return cut.reshape(-1, rows * columns, size * size * channels)

    def _joined(self, patches: Tensor, like: Tensor) -> Tensor:
        """Return the pictures that patches are of."""
        backbone = self.model.backbone
        rows, columns = backbone.grid
        size = backbone.patch_size
        return patches.view(-1, rows, columns, size, size, like.shape[1]).permute(0, 5, 1, 3, 2, 4).reshape(like.shape)


def _pixels(backbone: ViT) -> int:
    kernel = backbone.get_parameter("patch_embed.proj.weight")
    return backbone.patch_size**2 * kernel.shape[1]


def _statistics(patches: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation of each patch's pixels."""
    return patches.mean(2, keepdim=True), (patches.var(2, keepdim=True) + 1e-6).sqrt()
