"""Watch a generator while it trains: scores of what it makes, and pictures."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_gan import scores
from zoo_gan.features import FeatureSpace
from zoo_gan.memory import Film, PictureBank
from zoo_gan.settings import AdversarialSettings

_AT_ONCE = 256
_FRAMES = 32
_COLUMNS = 8
_SHOWN = 64
_SHOWN_OF_LARGE = 16
_LARGE = 3 * 32 * 32


class Observer:
    """What is remembered and said of a generator. Made pictures come from latents that the seed decides."""

    def __init__(
        self,
        settings: AdversarialSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        self.settings = settings
        self.model: Any = model
        self.classes = classes
        self.device = next(model.parameters()).device
        shape = (preprocessing.channels, *preprocessing.image_size)
        count = _SHOWN if torch.Size(shape).numel() <= _LARGE else _SHOWN_OF_LARGE
        self.film = Film(_FRAMES, (count, *shape)).to(self.device)
        self.bank = PictureBank(settings.bank_size, shape).to(self.device)
        self.space: FeatureSpace | None = None
        self._missing: zoo.ZooError | None = None
        if settings.feature_weights:
            try:
                self.space = FeatureSpace(settings.feature_weights, self.device)
            except zoo.NotFoundError as error:  # weights are scored where these may be gone; training stops at `check`
                self._missing = error

    def check(self) -> None:
        """Raise NotFoundError where the weights for scores are not there."""
        if self._missing is not None:
            raise self._missing

    def modules(self) -> Mapping[str, nn.Module]:
        return {"film": self.film, "picture_bank": self.bank}

    def observe(self, images: Tensor) -> None:
        """Take in the real pictures of a training step."""
        self.film.advance()
        self.bank.push(images)

    @torch.no_grad()
    def scores(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return distances; `samples/compared` says of how many pictures of the split to as many made ones."""
        real = drawn_pictures(batches, self.settings.score_samples, self.settings.seed)
        made, labels = self.made(len(real), "score")
        self.film.take(self.made(self.film.shape[0], "film")[0])
        found = {"sliced_wasserstein": scores.sliced_wasserstein(real.flatten(1), made.flatten(1))}
        if self.space is not None:
            found |= self._feature_scores(self.space, real, made, labels)
        return {**found, "samples/compared": float(len(real))}

    @torch.no_grad()
    def pictures(self, folder: Path) -> list[Path]:
        """Draw samples, how they came about, ways between latents, classes, and training pictures nearest to some."""
        count = self.film.shape[0]
        written = [zoo.image_grid(_rows(self.made(count, "film")[0]), folder / "samples.png")]
        if frames := self.film.shown():
            captions = [f"step {parts // self.settings.accumulate:,}" for parts, _ in frames]
            grids = [_rows(pictures) for _, pictures in frames]
            path = folder / "training.png"
            written.append(zoo.image_animation(grids, path, captions=captions))
            chosen = sorted({round(place * (len(frames) - 1) / 9) for place in range(10)})
            rows = [frames[place][1][:16] for place in chosen]
            named = [captions[place] for place in chosen]
            written.append(zoo.image_grid(rows, folder / "steps.png", captions=named))
        written.append(zoo.image_grid(self._ways(), folder / "interpolation.png"))
        if self.model.classes:
            written.append(self._class_grid(folder / "classes.png"))
        if int(self.bank.seen):
            written.append(self._nearest(folder / "nearest.png"))
        return written

    def made(self, count: int, name: str, labels: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Return made pictures and their classes: those asked for, or each in turn."""
        places = torch.arange(count, device=self.device)
        latents = zoo.Draws(self.settings.seed, 0, places).normal(f"{name} latents", self.model.latent_size)
        if labels is None and self.model.classes:
            labels = places % self.model.classes
        return self._made(latents, labels), labels

    def _made(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        parts = []
        with zoo.evaluating(self.model.generator):
            for start in range(0, len(latents), _AT_ONCE):
                rows = slice(start, start + _AT_ONCE)
                pictures = self.model.generator(latents[rows], None if labels is None else labels[rows])
                parts.append(pictures.float().clamp(0, 1))
        return torch.cat(parts)

    def _feature_scores(
        self, space: FeatureSpace, real: Tensor, made: Tensor, labels: Tensor | None
    ) -> dict[str, float]:
        features, _ = space(real)
        made_features, seen = space(made)
        precision, recall = scores.precision_recall(features, made_features)
        found = {
            "frechet": scores.frechet_distance(features, made_features),
            "kid": scores.kernel_distance(features, made_features),
            "precision": precision,
            "recall": recall,
        }
        if space.num_classes:
            found["modes"] = float(scores.covered_modes(scores.class_shares(seen, space.num_classes)))
            if labels is not None and space.num_classes == self.model.classes:
                found["as_asked"] = 100 * float((seen == labels).double().mean())
        return {f"{name}@{space.name}": value for name, value in found.items()}

    def _ways(self, rows: int = 6, steps: int = 12) -> list[Tensor]:
        """Return rows of pictures on the way from one latent to another, along the sphere that normal ones lie on."""
        places = torch.arange(2 * rows, device=self.device)
        ends = zoo.Draws(self.settings.seed, 0, places).normal("ways", self.model.latent_size)
        labels = (torch.arange(rows, device=self.device) % self.model.classes) if self.model.classes else None
        shares = torch.linspace(0, 1, steps, device=self.device)
        way = along_sphere(ends[:rows], ends[rows:], shares)
        flat = None if labels is None else labels.repeat_interleave(steps)
        return list(torch.split(self._made(way.flatten(0, 1), flat), steps))

    def _class_grid(self, path: Path, columns: int = 12) -> Path:
        classes = self.model.classes
        labels = torch.arange(classes, device=self.device).repeat_interleave(columns)
        pictures, _ = self.made(len(labels), "classes", labels)
        named = len(self.classes) == classes
        captions = [self.classes[place] if named else f"class {place}" for place in range(classes)]
        return zoo.image_grid(torch.split(pictures, columns), path, captions=captions)

    def _nearest(self, path: Path, count: int = 16) -> Path:
        """Draw made pictures over the nearest of the training pictures last seen, by features where there are any."""
        made, _ = self.made(count, "film")
        seen = self.bank.filled()
        if self.space is None:
            places = scores.nearest(made.flatten(1), seen.flatten(1))
        else:
            places = scores.nearest(self.space(made)[0], self.space(seen)[0])
        return zoo.image_grid([made, seen[places]], path, captions=("made", "in training"))


def drawn_pictures(batches: Iterable[zoo.Batch], count: int, seed: int) -> Tensor:
    """Return `count` of the pictures, or all of fewer, drawn by the seed wherever they lie in the split."""
    kept, keys = None, None
    for batch in batches:
        numbers = zoo.Draws(seed, 0, batch["index"]).uniform("scored")
        pictures = batch["images"]
        kept = pictures if kept is None else torch.cat([kept, pictures])
        keys = numbers if keys is None else torch.cat([keys, numbers])
        if len(kept) > count:
            chosen = keys.topk(count, largest=False).indices
            kept, keys = kept[chosen], keys[chosen]
    if kept is None:
        raise zoo.DataError("there are no images to compare with; give a split that has some")
    return kept


def along_sphere(start: Tensor, end: Tensor, shares: Tensor) -> Tensor:
    """Return (rows, steps, size): from start to end (rows, size) at these shares of the angle (Shoemake, 1985)."""
    cosine = torch.cosine_similarity(start, end, dim=1).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = cosine.acos()[:, None, None]
    weight = shares[None, :, None]
    parts = ((1 - weight) * angle).sin() * start[:, None] + (weight * angle).sin() * end[:, None]
    return parts / angle.sin()


def _rows(pictures: Tensor) -> list[Tensor]:
    return list(torch.split(pictures, _COLUMNS))
