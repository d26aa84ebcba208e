"""Give every reader of a file that a stranger may have written files that are almost right.

In a process of its own, since what is not Python can end one: `python tests/attacks/file_readers.py --each 20`. It
prints as JSON how many were read and refused, and every exception that is no ZooError.
"""

import argparse
import hashlib
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from safetensors.torch import save_file

from tests.attacks.spoil import spoilt
from tests.fuzz.readers import TARGETS, framed, memory
from zoo.engine.checkpoint import newest_checkpoint, read_checkpoint
from zoo.engine.history import differences, read_metrics, read_run
from zoo.engine.run import Run
from zoo.errors import ZooError
from zoo.publishing.eval_results import recorded_scores
from zoo.publishing.signing import check_signature, sign_folder
from zoo.registry.recipe_settings import recipe_settings
from zoo.weights.foreign.text_files import read_text_files
from zoo.weights.tokenizer import read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

SECONDS = 5  # of computing; nothing here takes a tenth of one
RESOLVED = {
    "kind": "pretrain", "model": "tiny", "arguments": {"widths": [1, 2]}, "recipe": "reconstruction",
    "settings": {"epochs": 4}, "data": {"name": "pictures", "fingerprint": "00"}, "command": "zoo pretrain tiny",
}  # fmt: skip
METRICS = b'{"event": "train", "step": 1, "loss": 0.5}\n{"event": "test", "step": 2, "accuracy": 87.5}\n'
STATE = {"format_version": 3, "loop": {"step": 2, "epoch": 0}, "identity": {"recipe": "a", "data": "b"}}
RECIPE = b'recipe = "text_denoising"\n\n[settings]\nepochs = 2\nlearning_rate = 0.001\nbatch_size = 4\n'
MODULES = b'[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]'  # noqa: E501
POOLING = b'{"word_embedding_dimension": 4, "pooling_mode_mean_tokens": true, "pooling_mode_cls_token": false}'
ROLES = b'{"pad_token": "[PAD]", "cls_token": {"content": "[CLS]"}, "model_max_length": 512}'
Target = tuple[Callable[[Path], object], bytes]


def run_record(folder: Path) -> None:
    """Read run.json as `zoo runs` and --resume do."""
    shutil.copyfile(folder / "input", folder / "run.json")
    run = read_run(folder)
    _ = run.known, run.state, run.checkpoints, run.pictures
    differences([run, run])
    Run.resume(folder, dict(RESOLVED), override=True)


def run_metrics(folder: Path) -> None:
    """Read metrics.jsonl as `zoo runs` and push do."""
    (folder / "run.json").write_text(json.dumps(RESOLVED))
    shutil.copyfile(folder / "input", folder / "metrics.jsonl")
    read_run(folder)
    read_metrics(folder)
    recorded_scores(folder)


def manifest(folder: Path) -> None:
    """Read a checkpoint whose manifest is another."""
    _checkpoint(folder)
    shutil.copyfile(folder / "input", folder / "step-00000002" / "manifest.json")
    found = newest_checkpoint(folder)
    assert found is not None
    read_checkpoint(found)


def state(folder: Path) -> None:
    """Read a checkpoint that verifies and holds something else."""
    path = _checkpoint(folder)
    shutil.copyfile(folder / "input", path / "state.json")
    read_checkpoint(path)


def _checkpoint(folder: Path) -> Path:
    path = folder / "step-00000002"
    path.mkdir(exist_ok=True)
    save_file({"a": torch.zeros(2)}, path / "model.safetensors")
    (path / "state.json").write_text(json.dumps(STATE))
    listed = {name: _known(path / name) for name in ("model.safetensors", "state.json")}
    (path / "manifest.json").write_text(json.dumps(listed))
    return path


def _known(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def tokenizer(folder: Path) -> None:
    """Read a tokenizer and use it."""
    shutil.copyfile(folder / "input", folder / "tokenizer.json")
    made = read_tokenizer(folder)
    _ = made.num_tokens, made.special, made.identity
    ids = made.encode(["to be or not", "", "ä\u0130 \U0001f600" * 20])[0].ids
    made.decode(ids)


def roles(folder: Path) -> None:
    """Read what transformers says of a tokenizer."""
    (folder / "tokenizer.json").write_text(make_tokenizer("characters", ["abc"]).json)
    shutil.copyfile(folder / "input", folder / "tokenizer_config.json")
    read_tokenizer(folder)


def modules(folder: Path) -> None:
    """Read how sentence-transformers makes vectors."""
    shutil.copyfile(folder / "input", folder / "modules.json")
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_bytes(POOLING)
    read_text_files(folder)


def pooling(folder: Path) -> None:
    """Read the pooling that modules.json speaks of."""
    (folder / "modules.json").write_bytes(MODULES)
    (folder / "1_Pooling").mkdir(exist_ok=True)
    shutil.copyfile(folder / "input", folder / "1_Pooling" / "config.json")
    shutil.copyfile(folder / "input", folder / "sentence_bert_config.json")
    read_text_files(folder)


def recipe(folder: Path) -> None:
    """Read a recipe."""
    shutil.copyfile(folder / "input", folder / "recipe.toml")
    recipe_settings(str(folder / "recipe.toml"), None, {})


def signature(keys: Path) -> Target:
    """Return the reader of signatures, and a right one."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    (keys / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (keys / "key.pub").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    signed = keys / "signed"
    signed.mkdir()
    (signed / "a.txt").write_text("a")
    sign_folder(signed, keys / "key")

    def read(folder: Path) -> None:
        shutil.copyfile(folder / "input", signed / "model.sig")
        check_signature(signed, keys / "key.pub")

    return read, (signed / "model.sig").read_bytes()


def targets(keys: Path) -> dict[str, Target]:
    """Return every reader, and a file that it takes."""
    words = make_tokenizer("wordpiece", ["to be or not to be that is the question"] * 3, size=300).json.encode()
    pairs = make_tokenizer("bpe", ["to be or not to be that is the question"] * 3, size=300).json.encode()
    return {
        **TARGETS,
        "run.json": (run_record, json.dumps(RESOLVED).encode()),
        "metrics.jsonl": (run_metrics, METRICS),
        "manifest": (manifest, (_checkpoint(keys) / "manifest.json").read_bytes()),
        "state.json": (state, json.dumps(STATE).encode()),
        "words": (tokenizer, words),
        "byte pairs": (tokenizer, pairs),
        "roles": (roles, ROLES),
        "modules": (modules, MODULES),
        "pooling": (pooling, POOLING),
        "recipe": (recipe, RECIPE),
        "signature": signature(keys),
    }


def read_all(each: int, seed: int) -> dict[str, Any]:
    """Spoil every file so many times; return what came of it."""
    logging.disable(logging.CRITICAL)
    draw, counts, faults = random.Random(f"readers {seed}"), {}, []
    with tempfile.TemporaryDirectory() as temporary:
        keys = Path(temporary) / "keys"
        keys.mkdir()
        before = 0
        for name, (target, right) in targets(keys).items():
            seen = counts[name] = Counter[str]()
            for number in range(each + 1):
                content = right if number == 0 else spoilt(right, draw, [right])
                if name == "header" and number and draw.random() < 0.7:
                    content = framed(content[8:], b"")
                folder = Path(temporary) / "case"
                folder.mkdir()
                (folder / "input").write_bytes(content)
                outcome = one(target, folder)
                shutil.rmtree(folder)
                if outcome not in ("read", "refused"):
                    faults.append(f"{name} {number}: {outcome} for {content[:200]!r}")
                seen[outcome if outcome in ("read", "refused") else "fault"] += 1
            before = before or memory()
    return {"counts": counts, "faults": faults, "grown": memory() - before}


def one(target: Callable[[Path], object], folder: Path) -> str:
    """Read one file; return how that ended."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        target(folder)
        return "read"
    except ZooError:
        return "refused"
    except BaseException as error:  # a panic of Rust is no Exception
        return f"{type(error).__module__}.{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"more than {SECONDS} s of computing")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(json.dumps(read_all(chosen.each, chosen.seed)))
