"""Text models against transformers: generation from a cache, forward, training step; equal weights, in turn, one run.

make peers' environment first (benchmarks/peers.sh), then, with [--rounds 5] [--only llama] [--memory]
PYTHONPATH=.:plugins/transformer /tmp/zoo-peers/bin/python benchmarks/generation.py

Times are processor seconds of one thread, which other programs on the machine disturb little.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

import zoo
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.output_rows import Row
from zoo.inference.text.token_loop import generate_ids, write
from zoo.weights.folder import save_weights

GPT2 = {"vocab_size": 16_384, "context": 1024, "width": 512, "depth": 8, "num_heads": 8}
LLAMA = {"vocab_size": 16_384, "context": 2048, "width": 288, "depth": 15, "num_heads": 9, "num_kv_heads": 3}
MODELS: dict[str, dict[str, Any]] = {"gpt2": GPT2, "llama": {**LLAMA, "mlp_width": 768}}
"""A smaller GPT-2, and SmolLM2-135M at half its width and depth."""
PROMPT = 32
NEW = 64
NEVER = 16_383
"""The id that ends texts, of which transformers is asked for none."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=MODELS)
    parser.add_argument("--memory", action="store_true", help="show what generation takes besides the cache")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    for name in [asked.only] if asked.only else MODELS:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
            ours, theirs = both(name, Path(folder))
        if asked.memory:
            show_memory(name, ours)
            continue
        parameters = sum(parameter.numel() for parameter in ours.parameters())
        print(f"{name}, {parameters / 1e6:.1f} M parameters, one thread, medians of {asked.rounds} rounds, tokens/s")
        for batch in (1, 16):
            measure(ours, theirs, batch, asked.rounds * (4 if batch == 1 else 1))


def measure(ours: Any, theirs: Any, batch: int, rounds: int) -> None:
    """Compare the two models at all that is measured."""
    ids = torch.randint(5, NEVER, (batch, 128), generator=torch.Generator().manual_seed(0))
    full = torch.ones(batch, PROMPT, dtype=torch.long)
    padded = (torch.arange(PROMPT) >= torch.arange(batch)[:, None]).long()
    for what, mask in (("generation", full), ("generation, padded", padded))[: 1 if batch == 1 else 2]:
        mine, other = partial(generate, ours, ids, mask), partial(generate_theirs, theirs, ids, mask)
        compare(f"{what}, batch {batch}", batch * NEW, rounds, mine, other)
    forward = partial(logits, ours, ids), partial(logits_theirs, theirs, ids)
    compare(f"forward, batch {batch}", batch * 128, rounds, *forward)
    step = partial(train, ours, ids, loss), partial(train, theirs, ids, loss_theirs)
    compare(f"training step, batch {batch}", batch * 128, rounds, *step)


def both(name: str, folder: Path) -> tuple[Any, Any]:
    """Return our model and transformers', with one set of weights."""
    torch.manual_seed(0)
    save_weights(folder / "zoo", zoo.create(name, **MODELS[name]), model_name=name, arguments=MODELS[name])
    zoo.export(folder / "zoo", to="transformers", out=folder / "transformers")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder / "transformers").eval()
    ours: Any = zoo.load(folder / "zoo", dtype="float32")
    return own_memory(ours), theirs


def own_memory(model: Any) -> Any:
    """Copy the weights out of the file that they are mapped from, so that none is read while times are taken."""
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    return model


def compare(what: str, tokens: int, rounds: int, ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
    """Print tokens a second of both and their ratio; they take turns, each first in every other round."""
    equal(ours(), theirs())
    times: dict[str, list[float]] = {"zoo": [], "transformers": []}
    for place in range(rounds):
        order = [("zoo", ours), ("transformers", theirs)]
        for name, run in order if place % 2 else order[::-1]:
            start = time.process_time()
            run()
            times[name].append(time.process_time() - start)
    mine, other = (tokens / statistics.median(found) for found in times.values())
    ratio = statistics.median(b / a for a, b in zip(*times.values(), strict=True))
    print(f"  {what:28} zoo {mine:8,.0f}  transformers {other:8,.0f}  {ratio:.2f} times as fast", flush=True)


def equal(mine: Any, other: Any) -> None:
    if isinstance(mine, Tensor):
        assert torch.allclose(mine, other, rtol=1e-3, atol=1e-4), float((mine - other).abs().max())
    else:
        assert mine == other


def generate(model: Any, ids: Tensor, mask: Tensor) -> list[list[int]]:
    return generate_ids(model, ids[:, :PROMPT], mask, Decoding(max_new_tokens=NEW), end=frozenset(), pad=NEVER)


def generate_theirs(model: Any, ids: Tensor, mask: Tensor) -> list[list[int]]:
    asked = {"max_new_tokens": NEW, "min_new_tokens": NEW, "do_sample": False}
    ends = {"eos_token_id": NEVER, "pad_token_id": NEVER}
    found: Tensor = model.generate(ids[:, :PROMPT], attention_mask=mask, **asked, **ends)
    told: list[list[int]] = found[:, PROMPT:].tolist()
    return told


@torch.inference_mode()
def logits(model: Any, ids: Tensor) -> Tensor:
    found: Tensor = model.lm_logits(model.forward_features(ids))
    return found


@torch.inference_mode()
def logits_theirs(model: Any, ids: Tensor) -> Tensor:
    found: Tensor = model(ids, use_cache=False).logits
    return found


def loss(model: Any, ids: Tensor) -> Tensor:
    found = model.lm_logits(model.forward_features(ids[:, :-1]))
    return torch.nn.functional.cross_entropy(found.flatten(0, 1), ids[:, 1:].flatten())


def loss_theirs(model: Any, ids: Tensor) -> Tensor:
    found = model(ids[:, :-1], use_cache=False).logits
    return torch.nn.functional.cross_entropy(found.flatten(0, 1), ids[:, 1:].flatten())


def train(model: Any, ids: Tensor, lossy: Callable[[Any, Tensor], Tensor]) -> Tensor:
    """Compute gradients and forget them; return the loss. No optimizer: it would be the same one."""
    found = lossy(model, ids)
    found.backward()
    model.zero_grad(set_to_none=True)
    return found.detach()


def show_memory(name: str, model: Any) -> None:
    """Print by how much memory has grown while a text was written, and what of it the cache is."""
    sizes, batch = MODELS[name], 16
    heads = sizes.get("num_kv_heads", sizes["num_heads"])
    token = 2 * 4 * batch * sizes["depth"] * heads * sizes["width"] // sizes["num_heads"]
    ids = torch.randint(5, NEVER, (batch, PROMPT), generator=torch.Generator().manual_seed(0))
    rows = [Row(frozenset()) for _ in range(batch)]
    seen = [resident() for _ in write(model, ids, None, Decoding(max_new_tokens=400), rows)]
    steps = len(seen) - 1 - 100
    print(
        f"{name}, batch {batch}: from token 100 to {len(seen)} memory grew by {(seen[-1] - seen[100]) / 1e6:.1f} MB, "
        f"the cache by {steps * token / 1e6:.1f} MB"
    )


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main()
