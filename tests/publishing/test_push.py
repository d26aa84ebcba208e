"""Push as people do: refused where nobody could use it, else one commit, a card with their words, read back."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from huggingface_hub import HfApi, constants
from safetensors.torch import load_file, save_file

import zoo
from tests.tiny import install, make_weights
from zoo.api.transfer import plan_push
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.push import push_folder
from zoo.hub.server.serving import ServedHub
from zoo.weights.config import read_config


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Path:
    install(site)
    make_weights(tmp_path / "weights")
    return tmp_path / "weights"


@pytest.fixture
def api(served_hub: ServedHub) -> HfApi:
    return HfApi(endpoint=served_hub.url, token=served_hub.token)


def readme(api: HfApi) -> str:
    path = api.hf_hub_download("me/tiny", "README.md", cache_dir=constants.HF_HUB_CACHE)
    return Path(path).read_bytes().decode()


def test_pushed_weights_come_back_with_card_and_results(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    pushed = zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, tag="v1")
    assert [commit.title for commit in api.list_repo_commits("me/tiny")] == ["Push tiny", "initial commit"]
    assert [ref.name for ref in api.list_repo_refs("me/tiny").tags] == ["v1"]
    info = api.model_info("me/tiny")
    assert (info.pipeline_tag, info.library_name, info.private) == ("image-classification", "zoo", False)
    card = info.card_data
    assert card is not None and (card.license, card.datasets) == ("mit", ["zalando-datasets/fashion_mnist"])
    assert 'zoo.load("hf://me/tiny")' in readme(api) and "| accuracy | 87.5 |" in readme(api)
    pulled = zoo.pull("hf://me/tiny", hub=served_hub.url, revision="v1")
    (result,) = yaml.safe_load((pulled.folder / ".eval_results" / "fashion_mnist.yaml").read_text())
    assert result["dataset"] == {"id": "zalando-datasets/fashion_mnist", "task_id": "accuracy"}
    assert result["value"] == 87.5
    assert pulled.commit == pushed.commit


def test_what_is_unchanged_is_not_sent_again(weights: Path, served_hub: ServedHub) -> None:
    first = zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    assert not zoo.push(weights, "me/tiny", hub=served_hub.url).changed
    (weights / "metrics.jsonl").write_text('{"event": "test", "accuracy": 88.0}\n')
    changes = {file.name: file.change for file in plan_push(weights, "me/tiny", hub=served_hub.url).files}
    assert changes["model.safetensors"] == changes["config.json"] == "unchanged"
    assert changes["metrics.jsonl"] == changes["README.md"] == "changed"
    assert zoo.push(weights, "me/tiny", hub=served_hub.url).commit != first.commit


def test_dry_run_sends_and_makes_nothing(weights: Path, served_hub: ServedHub, api: HfApi, tmp_path: Path) -> None:
    plan = plan_push(weights, "me/tiny", hub=served_hub.url)
    assert not plan.exists and {file.change for file in plan.files} == {"new"}
    assert "library_name: zoo" in plan.card
    assert not api.repo_exists("me/tiny")
    assert not plan_push(weights, "me/tiny", hub=tmp_path / "no-hub").exists
    assert not (tmp_path / "no-hub").exists()


def test_an_edited_card_survives_three_pushes_byte_for_byte(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    head, block = readme(api).split("\n---\n\n")
    mine = head + "\nauthor: me  # really\n---\n\n# Words of mine\r\n\n" + block + "\n## More\tof mine  \n"
    api.upload_file(path_or_fileobj=mine.encode(), path_in_repo="README.md", repo_id="me/tiny")
    for accuracy in (88, 89, 90):
        (weights / "metrics.jsonl").write_text(f'{{"event": "test", "accuracy": {accuracy}}}\n')
        zoo.push(weights, "me/tiny", hub=served_hub.url)
        text = readme(api)
        assert f"| accuracy | {accuracy} |" in text and "author: me  # really\n" in text
        assert text.partition("\n---\n")[2].startswith("\n# Words of mine\r\n\n<!-- zoo:begin")
        assert text.endswith("<!-- zoo:end -->\n\n## More\tof mine  \n")
    (weights / "README.md").write_text("other words\n")
    with pytest.raises(UsageError, match="--readme here or --readme hub"):
        zoo.push(weights, "me/tiny", hub=served_hub.url)


def test_who_may_see_it_must_be_said_for_a_new_repo(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    with pytest.raises(UsageError, match="--private or --public"):
        zoo.push(weights, "me/tiny", hub=served_hub.url)
    assert not api.repo_exists("me/tiny")
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=True)
    with pytest.raises(UsageError, match="is private already"):
        zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)


def refused(error: type[Exception], match: str, weights: Path, hub: ServedHub, **options: Any) -> None:
    with pytest.raises(error, match=match):
        zoo.push(weights, "me/tiny", hub=hub.url, private=False, **options)
    assert not HfApi(endpoint=hub.url, token=hub.token).repo_exists("me/tiny")


def test_without_a_licence(weights: Path, served_hub: ServedHub) -> None:
    (weights / "README.md").unlink()
    refused(UsageError, "that of the data is MIT; choose one, for example --license mit", weights, served_hub)
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, license="BSD-3-Clause")


@pytest.mark.parametrize("lacking", ["labels", "inputs"])
def test_without_labels_or_inputs(weights: Path, served_hub: ServedHub, lacking: str) -> None:
    config = json.loads((weights / "config.json").read_text())
    del config["zoo"][lacking]
    (weights / "config.json").write_text(json.dumps(config))
    refused(IntegrityError, f"{lacking}|inputs", weights, served_hub)


def test_038_with_nan(weights: Path, served_hub: ServedHub) -> None:
    tensors = load_file(weights / "model.safetensors")
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    tensors["stem.weight"][0, 0, 1, 1] = torch.nan
    save_file(tensors, weights / "model.safetensors")
    refused(IntegrityError, r"NaN or infinity in 1 tensor, such as stem.weight", weights, served_hub)


def test_with_a_self_test_that_fails(weights: Path, served_hub: ServedHub) -> None:
    tensors = {name: tensor.clone() for name, tensor in load_file(weights / "model.safetensors").items()}
    tensors["stem.bias"] += 0.01
    save_file(tensors, weights / "model.safetensors")
    refused(IntegrityError, "fails its self-test at features.00", weights, served_hub)


def test_shards_replace_the_one_file_and_back(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    zoo.push(weights, "me/tiny", hub=served_hub.url, max_shard_size=150)
    names = api.list_repo_files("me/tiny")
    assert "model.safetensors" not in names and "model.safetensors.index.json" in names
    model = zoo.load("hf://me/tiny", hub=served_hub.url)
    assert torch.equal(model.stem.weight, load_file(weights / "model.safetensors")["stem.weight"])
    zoo.push(weights, "me/tiny", hub=served_hub.url)
    assert [name for name in api.list_repo_files("me/tiny") if name.startswith("model")] == ["model.safetensors"]


def test_what_the_hub_then_serves_is_read_back(
    weights: Path, served_hub: ServedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zoo.hub.push.Target._bytes", lambda *_: b"something else")
    with pytest.raises(IntegrityError, match="begins with other bytes"):
        push_folder(weights, "me/tiny", hub=served_hub.url, message="first")


def test_a_commit_can_be_proposed(weights: Path, served_hub: ServedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public Hub answers with the pull request's address; a Hub of one's own has none, so that is put in here."""
    really, asked = HfApi.create_commit, []

    def proposing(api: HfApi, *arguments: Any, create_pr: bool, **options: Any) -> Any:
        asked.append(create_pr)
        made = really(api, *arguments, **options)
        return SimpleNamespace(oid=made.oid, pr_url=f"{served_hub.url}/me/tiny/discussions/1" if create_pr else None)

    monkeypatch.setattr(HfApi, "create_commit", proposing)
    pushed = zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, create_pr=True)
    assert asked == [True]
    assert pushed.pull_request == f"{served_hub.url}/me/tiny/discussions/1"


def test_119_what_an_earlier_zoo_wrote_down_is_not_pushed(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    hub = "http://me:s3cret@hub.example.org"
    record = {"hub": hub, "source": {"hub": hub}, "command": f"zoo pretrain tiny --hub {hub} --data x"}
    (weights / "training.json").write_text(json.dumps(record))
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    pulled = zoo.pull("hf://me/tiny", hub=served_hub.url)
    assert not [file.name for file in pulled.files if b"s3cret" in (pulled.folder / file.name).read_bytes()]
    assert json.loads((pulled.folder / "training.json").read_text())["hub"] == "http://hub.example.org"
    assert "--hub http://hub.example.org" in readme(api)
    assert "s3cret" in (weights / "training.json").read_text(), "what is here stays as it is"


@pytest.mark.parametrize("name", ["README.md", "recipe.toml", "notes/use.txt"])
def test_119_a_token_in_a_file_is_refused(weights: Path, served_hub: ServedHub, name: str) -> None:
    (weights / name).parent.mkdir(exist_ok=True)
    with open(weights / name, "a") as file:
        file.write(f"# run with HF_TOKEN={served_hub.token}\n")
    with pytest.raises(UsageError, match=f"{name} contains a token") as caught:
        zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    assert served_hub.token not in str(caught.value)


def test_a_tag_is_checked_before_anything_is_sent(weights: Path, served_hub: ServedHub, api: HfApi) -> None:
    with pytest.raises(UsageError, match="--tag 'bad tag' is no name that git takes"):
        zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, tag="bad tag")
    with pytest.raises(UsageError, match="--tag 'bad tag' is no name that git takes"):
        plan_push(weights, "me/tiny", hub=served_hub.url, tag="bad tag")
    assert not api.repo_exists("me/tiny")


def test_an_equal_tag_is_no_error_and_another_is_one_before_anything_is_sent(
    weights: Path, served_hub: ServedHub, api: HfApi
) -> None:
    first = zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, tag="v1")
    again = zoo.push(weights, "me/tiny", hub=served_hub.url, tag="v1")
    assert (again.commit, again.changed) == (first.commit, False)
    (weights / "metrics.jsonl").write_text('{"event": "test", "accuracy": 88.0}\n')
    for push in (zoo.push, plan_push):
        with pytest.raises(UsageError, match=f"the tag v1 at {first.commit[:7]} already"):
            push(weights, "me/tiny", hub=served_hub.url, tag="v1")
    assert len(api.list_repo_commits("me/tiny")) == 2


@pytest.mark.parametrize("names", [("pytorch_model.bin", "config.json"), ("model.npz",), ("notes.txt",)])
def test_a_repo_without_weights(names: tuple[str, ...], tmp_path: Path, served_hub: ServedHub, capsys: Any) -> None:
    from zoo.cli import run

    (tmp_path / "repo").mkdir()
    for name in names:
        (tmp_path / "repo" / name).write_bytes(b"{}")
    push_folder(tmp_path / "repo", "me/none", hub=served_hub.url, message="first", private=False)
    told = f"zoo convert FOLDER/{names[0]} --out" if names[0] != "notes.txt" else "no weights among them"
    assert run(["pull", "hf://me/none", "--hub", served_hub.url]) == 0
    said = capsys.readouterr().out
    assert told in said and "load it" not in said
    with pytest.raises(NotFoundError, match=told):
        zoo.load("hf://me/none", hub=served_hub.url)


def test_142_pushed_in_half_precision_it_comes_back_so(weights: Path, served_hub: ServedHub) -> None:
    before = zoo.load(weights).state_dict()
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, dtype="bfloat16")
    pulled = zoo.pull("hf://me/tiny", hub=served_hub.url).folder
    assert read_config(pulled).dtype == "bfloat16"
    loaded = zoo.load(pulled).state_dict()
    assert all(torch.equal(tensor, before[name].to(tensor.dtype)) for name, tensor in loaded.items())
    assert {tensor.dtype for tensor in loaded.values()} >= {torch.bfloat16}
    tested = zoo.verify("hf://me/tiny", hub=served_hub.url).selftest
    assert tested is not None and tested.first_off is None
    assert zoo.load(weights).state_dict().keys() == before.keys() and read_config(weights).dtype is None
