"""What an unmodified client reads of a Hub that fetches it from another one, where it was pushed.

    HF_ENDPOINT=UPSTREAM HF_TOKEN=… python through_a_cache.py FOLDER push
    HF_ENDPOINT=CACHE HF_TOKEN=… python through_a_cache.py FOLDER read

What datasets, transformers and timm have pushed to upstream is read too where ZOO_LIBRARIES is set, by those of them
that are installed.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem, hf_hub_download, snapshot_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

folder, mode = Path(sys.argv[1]), sys.argv[2]
endpoint = os.environ["HF_ENDPOINT"]
api = HfApi(endpoint=endpoint)
content = bytes(range(256)) * 20_000
card = b"---\nlicense: mit\ntags: [one]\npipeline_tag: fill-mask\n---\n# Thing\n"
files = {"model.safetensors": content, "sub/config.json": b'{"a": 1}', "README.md": card, "empty.txt": b""}


def push() -> None:
    api.create_repo("cached/thing")
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    api.create_commit("cached/thing", operations, commit_message="first")
    api.create_tag("cached/thing", tag="v1")
    api.create_repo("cached/data", repo_type="dataset")
    upload = {"repo_id": "cached/data", "repo_type": "dataset"}
    api.upload_file(path_or_fileobj=b"a,b\n1,2\n", path_in_repo="a.csv", **upload)


def read() -> None:
    info = api.model_info("cached/thing", files_metadata=True)
    assert (info.pipeline_tag, info.card_data.license) == ("fill-mask", "mit")
    sizes = {item.rfilename: item.size for item in info.siblings or []}
    assert {path: sizes[path] for path in files} == {path: len(data) for path, data in files.items()}
    for revision in (None, "v1", info.sha):
        target = Path(snapshot_download("cached/thing", revision=revision, endpoint=endpoint))
        assert target.name == info.sha
        assert all((target / path).read_bytes() == data for path, data in files.items())
    print("  snapshot_download", flush=True)
    plain = hf_hub_download("cached/thing", "sub/config.json", local_dir=folder / "plain", endpoint=endpoint)
    assert Path(plain).read_bytes() == files["sub/config.json"]
    try:
        hf_hub_download("cached/thing", "no.txt", endpoint=endpoint)
    except EntryNotFoundError:
        print("  hf_hub_download", flush=True)
    if hasattr(api, "verify_repo_checksums"):
        checked = api.verify_repo_checksums("cached/thing", revision="v1")
        assert checked.checked_count >= 4 and not checked.mismatches
        print("  verify", flush=True)
    system = HfFileSystem(endpoint=endpoint)
    with system.open("cached/thing/model.safetensors", block_size=65_536) as opened:
        opened.seek(1_000_000)
        assert opened.read(1000) == content[1_000_000:1_001_000]
    assert "cached/thing/README.md" in system.ls("cached/thing", detail=False)
    print("  in parts", flush=True)
    assert [ref.name for ref in api.list_repo_refs("cached/thing").tags] == ["v1"]
    assert [item.title for item in api.list_repo_commits("cached/thing")] == ["first", "initial commit"]
    assert "cached/thing" in [item.id for item in api.list_models(search="thing")]
    data = hf_hub_download("cached/data", "a.csv", repo_type="dataset", endpoint=endpoint)
    assert Path(data).read_bytes() == b"a,b\n1,2\n"
    print("  refs, history, lists, data sets", flush=True)
    try:
        api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="cached/thing")
    except HfHubHTTPError as error:
        assert "is a copy" in str(error)
        print("  nothing is written", flush=True)


def read_by_libraries() -> None:
    if find_spec("datasets"):
        import datasets

        datasets.disable_progress_bars()
        loaded = datasets.load_dataset("org/data", cache_dir=str(folder / "datasets"))
        assert (loaded["train"].num_rows, loaded["test"].num_rows) == (1, 100)
        print("  load_dataset", flush=True)
    if find_spec("transformers"):
        from transformers import AutoModelForCausalLM

        assert AutoModelForCausalLM.from_pretrained("org/llama").config.hidden_size == 64
        print("  transformers", flush=True)
    if find_spec("timm"):
        import timm

        assert timm.create_model("hf-hub:org/resnet18.test", pretrained=True).num_classes == 7
        print("  timm", flush=True)


if __name__ == "__main__":
    print(f"through a cache: {mode}", flush=True)
    if mode == "push":
        push()
    else:
        read()
        if os.environ.get("ZOO_LIBRARIES"):
            read_by_libraries()
    print("all steps passed")
