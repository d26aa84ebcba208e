"""Push a run or a weights folder: check it as a reader would, renew its card, send one commit."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from zoo.errors import IntegrityError, UsageError
from zoo.files import storage_errors
from zoo.hub.push import PlannedFile, Target, files_of, push_target
from zoo.hub.records import PushedRepo
from zoo.hub.revisions import check_tag_name
from zoo.publishing.convert import write_for, write_in_dtype
from zoo.publishing.eval_results import recorded_scores, write_results
from zoo.publishing.licences import chosen_licence
from zoo.publishing.model_card import README_FILE, RECORD, record_of_run, write_card
from zoo.publishing.readme_merge import choose_base, metadata_of, without_key
from zoo.publishing.signing import SIGNATURE_FILE, sign_folder
from zoo.publishing.verify import check_values
from zoo.redaction import token_in, without_secrets_in
from zoo.registry.loading import load_modality
from zoo.registry.registry import default_registry
from zoo.specs.records import ModelSpec
from zoo.strict_json import parse_json
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import weights_of
from zoo.weights.folder import described_model, load_weights
from zoo.weights.stored import split_weights

WEIGHT_FILES = ("model*.safetensors", "model.safetensors.index.json", SIGNATURE_FILE)
"""What a push replaces as a whole: shards of an earlier one must not stay beside the new file."""
_BINARY = (".safetensors", ".png", ".onnx")
_MAX_READ = 64 * 1024 * 1024


@dataclass(frozen=True)
class PushOptions:
    """How weights are pushed. `private` says who may see a repo that is made; None takes one that is there.

    With `adapter` what a run has learnt by LoRA is pushed alone.
    """

    hub: str | Path | None = None
    private: bool | None = None
    tag: str | None = None
    message: str | None = None
    license: str | None = None
    max_shard_size: int | None = None
    create_pr: bool = False
    readme: str | None = None
    sign: Path | None = None
    library: str | None = None
    dtype: str | None = None
    adapter: bool = False
    progress: bool = False


@dataclass(frozen=True)
class PushPlan:
    """What a push would do: where, whether the repo would be made, every file, and the card."""

    repo: str
    url: str
    exists: bool
    files: list[PlannedFile]
    card: str


def push_weights(source: Path, repo: str, options: PushOptions) -> PushedRepo:
    """Push what a run has exported, or a weights folder, in one commit.

    Raise UsageError or IntegrityError, before anything is sent, for weights that nobody could use or trust.
    """
    with _prepared(source, repo, options, dry_run=False) as (target, staged, block):
        files = files_of(staged)
        return target.push(
            staged,
            files,
            target.plan(staged, files, WEIGHT_FILES),
            message=options.message or f"Push {block.architecture}",
            private=options.private,
            tag=options.tag,
            create_pr=options.create_pr,
            progress=options.progress,
        )


def plan_push(source: Path, repo: str, options: PushOptions) -> PushPlan:
    """Return what `push_weights` would do, after the same checks."""
    with _prepared(source, repo, options, dry_run=True) as (target, staged, _):
        files = target.plan(staged, files_of(staged), WEIGHT_FILES)
        target.check_tag(options.tag, changes=any(file.change != "unchanged" for file in files))
        url = target.url or str(options.hub)
        return PushPlan(repo, url, target.head is not None, files, (staged / README_FILE).read_text(encoding="utf-8"))


def check_source(source: Path, repo: str) -> None:
    """Raise UsageError for the two the wrong way round, and NotFoundError where a path holds no weights."""
    if not source.exists() and Path(repo).exists():
        raise UsageError(f"{source} is not here, and {repo} is; the run comes first: zoo push {repo} {source}")
    weights_of(source)


def repo_exists(repo: str, hub: str | Path | None) -> bool:
    """Tell whether a repo is there, so that nobody has to be asked who may see it."""
    with push_target(repo, hub, dry_run=True) as target:
        return target.head is not None


@contextmanager
def _prepared(
    source: Path, repo: str, options: PushOptions, *, dry_run: bool
) -> Iterator[tuple[Target, Path, WeightsDescription]]:
    """Check the weights, and put together in a temporary folder what the repo is to hold."""
    if options.tag is not None:
        check_tag_name(options.tag)
    check_source(source, repo)
    folder = _adapter_of(source) if options.adapter else weights_of(source)
    if folder.is_file():
        raise UsageError(
            f"{folder} is one file of weights, and a push takes a folder of Zoo's own; write one: "
            f"zoo.save(zoo.load({str(source)!r}), FOLDER), or send the file as it is: hf upload {repo} {folder}"
        )
    block = read_config(folder)
    spec = described_model(block, str(folder / "config.json"))
    model = load_weights(folder, block)
    check_publishable(folder, block, spec, model)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    del model
    with storage_errors("preparing the push"), tempfile.TemporaryDirectory(prefix="zoo-push-") as temporary:
        staged = Path(temporary) / "repo"
        shutil.copytree(folder, staged, copy_function=_link)
        if options.library:
            write_for(options.library, folder, staged, options.dtype)
        elif options.dtype:
            block = write_in_dtype(folder, staged, block, options.dtype)
        if options.max_shard_size:
            split_weights(staged, options.max_shard_size)
        _clean_record(staged)
        with push_target(repo, options.hub, dry_run=dry_run) as target:
            _renew_card(staged, block, parameters, repo, options, target)
            check_no_token(staged)
            # a Hub on this machine has no address that others, or this one tomorrow, could follow
            url = None if target.local else f"{target.url}/{repo}"
            write_results(staged, block, recorded_scores(staged), url)
            if options.sign:
                sign_folder(staged, options.sign)
            yield target, staged, block


def _adapter_of(run: Path) -> Path:
    folder = run / "adapter"
    if not (folder / "config.json").is_file():
        raise UsageError(
            f"{run} holds no adapter, which --method lora makes of weights on a Hub (a name, or hf://org/name); leave "
            "--adapter out to push the run as a whole"
        )
    return folder


def check_publishable(folder: Path, block: WeightsDescription, spec: ModelSpec, model: nn.Module) -> None:
    """Raise IntegrityError for weights that nobody could use: no labels, unknown inputs, NaN, another output.

    Those of text without their tokenizer raise NotFoundError.
    """
    task = default_registry().known_task(block.task)
    if task is not None and task.spec.needs_labels and not block.labels:
        raise IntegrityError(f"{folder} has no labels, which {block.task} needs; add them to config.json")
    load_modality(spec.modality).check_publishable(folder, block)
    check_values(folder, model, spec)


def check_no_token(folder: Path) -> None:
    """Raise UsageError where a file that others would read holds a token, or a password that is in use."""
    for path in sorted(folder.rglob("*")):
        readable = path.is_file() and path.suffix not in _BINARY and path.stat().st_size <= _MAX_READ
        if readable and token_in(path.read_bytes().decode("latin-1")):
            name = path.relative_to(folder)
            raise UsageError(f"{name} contains a token or a password; remove it, revoke it at its Hub, then push again")


def _clean_record(staged: Path) -> None:
    """Take secrets out of the record of a run: an earlier zoo wrote the command down as it was typed."""
    path = staged / RECORD
    if not path.is_file():
        return
    record = parse_json(path.read_bytes(), str(path))
    if (clean := without_secrets_in(record)) != record:
        path.unlink()  # it may be a link to the run's own file
        path.write_text(json.dumps(clean, indent=1) + "\n", encoding="utf-8")


def _renew_card(
    staged: Path, block: WeightsDescription, parameters: int, repo: str, options: PushOptions, target: Target
) -> None:
    path = staged / README_FILE
    here = path.read_bytes().decode("utf-8", "surrogateescape") if path.is_file() else None
    there = target.read(README_FILE)
    base = choose_base(here, there.decode("utf-8", "surrogateescape") if there else None, options.readme)
    known = metadata_of(base).get("license") or metadata_of(choose_base(here, None)).get("license")
    record = record_of_run(staged)
    data = None if block.data is None else block.data.license
    license = chosen_licence(options.license, str(known) if known else None, data, record)
    if options.license:
        base = without_key(base, "license")
    path.unlink(missing_ok=True)  # it may be a link to the run's own file
    write_card(staged, block, parameters=parameters, repo=repo, license=license, base=base, library=options.library)


def _link(source: str, target: str) -> None:
    """Link a file rather than copy it, where the file system can."""
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copyfile(source, target)
