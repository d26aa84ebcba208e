"""Everything that an unmodified huggingface_hub asks of a Hub; run by whichever version is installed.

    HF_ENDPOINT=http://127.0.0.1:8000 HF_TOKEN=… python whole_script.py FOLDER

It prints a line a step and ends at the first that goes wrong. FOLDER takes what is pushed and pulled.
"""

import os
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    hf_hub_download,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

ENDPOINT = os.environ["HF_ENDPOINT"]
SIZE = int(os.environ.get("ZOO_CLIENT_BYTES", 5_000_000))
REPO, OTHER, DATA = "org/thing", "org/moved", "org/data"
folder = Path(sys.argv[1])
source = folder / "source"
api = HfApi(endpoint=ENDPOINT)
nobody = HfApi(endpoint=ENDPOINT, token=False)
steps: list[Callable[[], None]] = []


def step(function: Callable[[], None]) -> Callable[[], None]:
    steps.append(function)
    return function


def refused(kind: type[Exception], call: Callable[[], object], status: int | None = None) -> None:
    try:
        call()
    except kind as error:
        found = getattr(getattr(error, "response", None), "status_code", None)
        assert status in (None, found), f"status {found}, not {status}"
    else:
        raise AssertionError(f"no {kind.__name__}")


@step
def log_in() -> None:
    assert api.whoami()["name"] == "zoo"
    refused(Exception, lambda: HfApi(endpoint=ENDPOINT, token="zoo_wrong").whoami())


@step
def create() -> None:
    url = api.create_repo(REPO)
    assert (url.repo_id, url.repo_type) == (REPO, "model")
    assert api.create_repo(REPO, exist_ok=True).repo_id == REPO
    refused(HfHubHTTPError, lambda: api.create_repo(REPO), 409)
    assert api.create_repo(DATA, repo_type="dataset", private=True).repo_type == "dataset"
    assert api.repo_exists(REPO) and not api.repo_exists("org/nothing")


@step
def push_a_folder() -> None:
    (source / "sub").mkdir(parents=True)
    (source / "model.safetensors").write_bytes(os.urandom(SIZE))
    (source / "sub" / "config.json").write_text('{"a": 1}')
    (source / "empty.txt").write_bytes(b"")
    (source / "README.md").write_text("---\nlicense: mit\ntags: [one, two]\npipeline_tag: fill-mask\n---\n# Thing\n")
    info = api.upload_folder(repo_id=REPO, folder_path=source, commit_message="first")
    assert len(info.oid) == 40
    assert set(api.list_repo_files(REPO)) == {"model.safetensors", "sub/config.json", "README.md", "empty.txt"}


@step
def push_again() -> None:
    before = api.model_info(REPO).sha
    api.upload_folder(repo_id=REPO, folder_path=source, commit_message="nothing new")
    assert api.model_info(REPO).sha == before
    content = (source / "model.safetensors").read_bytes()
    (source / "model.safetensors").write_bytes(content[: SIZE // 2] + b"changed" + content[SIZE // 2 :])
    api.upload_file(path_or_fileobj=str(source / "model.safetensors"), path_in_repo="model.safetensors", repo_id=REPO)
    assert api.model_info(REPO).sha != before


@step
def from_memory() -> None:
    api.upload_file(path_or_fileobj=b"\0" * 100_000, path_in_repo="sub/zeros.bin", repo_id=REPO)


@step
def describe() -> None:
    info = api.model_info(REPO, files_metadata=True)
    assert (info.pipeline_tag, info.private, info.gated) == ("fill-mask", False, False)
    assert {"one", "two", "license:mit"} <= set(info.tags)
    assert info.card_data is not None and info.card_data.license == "mit"
    sizes = {item.rfilename: item.size for item in info.siblings or []}
    assert sizes["model.safetensors"] == SIZE + 7
    tree = {item.path: item for item in api.list_repo_tree(REPO, recursive=True, expand=True)}
    assert {"sub", "sub/zeros.bin", "README.md"} <= set(tree)
    assert tree["README.md"].last_commit["title"] == "first"
    assert [item.path for item in api.list_repo_tree(REPO, "sub")] == ["sub/config.json", "sub/zeros.bin"]
    refused(EntryNotFoundError, lambda: list(api.list_repo_tree(REPO, "none")), 404)
    assert [item.path for item in api.get_paths_info(REPO, ["sub", "README.md", "no"])] == ["sub", "README.md"]


@step
def tags_and_branches() -> None:
    api.create_tag(REPO, tag="v1", tag_message="one")
    refused(HfHubHTTPError, lambda: api.create_tag(REPO, tag="v1"), 409)
    api.create_branch(REPO, branch="dev/x")
    api.upload_file(path_or_fileobj=b"dev", path_in_repo="dev.txt", repo_id=REPO, revision="dev/x")
    refs = api.list_repo_refs(REPO)
    assert [ref.name for ref in refs.branches] == ["dev/x", "main"]
    assert [ref.name for ref in refs.tags] == ["v1"]
    assert not api.file_exists(REPO, "dev.txt") and api.file_exists(REPO, "dev.txt", revision="dev/x")
    assert api.list_repo_commits(REPO, revision="dev/x")[0].title.startswith("Upload dev.txt")
    assert [item.title for item in api.list_repo_commits(REPO)][-1] == "initial commit"
    api.delete_branch(REPO, branch="dev/x")
    refused(RevisionNotFoundError, lambda: api.model_info(REPO, revision="dev/x"), 404)


@step
def pull() -> None:
    target = Path(snapshot_download(REPO, revision="v1", endpoint=ENDPOINT))
    assert target.name == api.model_info(REPO, revision="v1").sha
    for path in ("model.safetensors", "README.md", "sub/config.json", "empty.txt"):
        assert (target / path).read_bytes() == (source / path).read_bytes(), path
    plain = hf_hub_download(REPO, "sub/config.json", local_dir=folder / "plain", endpoint=ENDPOINT)
    assert Path(plain).read_text() == '{"a": 1}'
    refused(EntryNotFoundError, lambda: hf_hub_download(REPO, "no.txt", endpoint=ENDPOINT))
    refused(RevisionNotFoundError, lambda: hf_hub_download(REPO, "README.md", revision="v9", endpoint=ENDPOINT))
    refused(RepositoryNotFoundError, lambda: hf_hub_download("org/nothing", "README.md", endpoint=ENDPOINT))


@step
def verify() -> None:
    if hasattr(api, "verify_repo_checksums"):
        checked = api.verify_repo_checksums(REPO, revision="v1")
        assert checked.checked_count >= 5 and not checked.mismatches, checked


@step
def read_in_parts() -> None:
    files = HfFileSystem(endpoint=ENDPOINT)
    with files.open(f"{REPO}/model.safetensors", block_size=65_536) as opened:
        opened.seek(SIZE - 10)
        assert opened.read() == (source / "model.safetensors").read_bytes()[SIZE - 10 :]
    assert f"{REPO}/README.md" in files.ls(REPO, detail=False)


@step
def many_changes() -> None:
    operations = [
        CommitOperationCopy("model.safetensors", "copy.safetensors"),
        CommitOperationDelete("sub/"),
        CommitOperationAdd("new.txt", b"new"),
    ]
    api.create_commit(REPO, operations, commit_message="copy, delete, add", commit_description="all at once")
    assert set(api.list_repo_files(REPO)) == {
        "copy.safetensors", "model.safetensors", "README.md", "empty.txt", "new.txt"
    }  # fmt: skip
    head = api.model_info(REPO).sha
    api.create_commit(REPO, [CommitOperationDelete("new.txt")], commit_message="delete", parent_commit=head)
    late = [CommitOperationAdd("late.txt", b"late")]
    refused(HfHubHTTPError, lambda: api.create_commit(REPO, late, commit_message="late", parent_commit=head), 412)
    gone = [CommitOperationDelete("none.txt")]
    refused(EntryNotFoundError, lambda: api.create_commit(REPO, gone, commit_message="no"))
    refused(RevisionNotFoundError, lambda: api.create_commit(REPO, late, commit_message="no", revision="none"))


@step
def lists() -> None:
    for number in range(3):
        api.create_repo(f"other/model-{number}")
    assert [item.id for item in api.list_models(search="thin")] == [REPO]
    assert [item.id for item in api.list_models(filter="one")] == [REPO]
    assert [item.id for item in api.list_models(filter=["one", "none"])] == []
    assert {item.id for item in api.list_models(author="other")} == {f"other/model-{number}" for number in range(3)}
    created = [item.id for item in api.list_models(sort="created_at" if version_of_hub() < (1,) else "createdAt")]
    assert created[:3] == ["other/model-2", "other/model-1", "other/model-0"]
    assert [item.id for item in api.list_models(author="other", limit=2)] == ["other/model-2", "other/model-1"]
    assert [item.id for item in api.list_datasets()] == [DATA]
    assert list(nobody.list_datasets()) == []
    assert next(iter(api.list_models(search="thin", full=True, cardData=True))).card_data.license == "mit"


@step
def private_and_gated() -> None:
    refused(RepositoryNotFoundError, lambda: nobody.dataset_info(DATA))
    api.upload_file(path_or_fileobj=b"a,b\n1,2\n", path_in_repo="a.csv", repo_id=DATA, repo_type="dataset")
    api.update_repo_settings(DATA, repo_type="dataset", private=False)
    assert nobody.dataset_info(DATA).siblings[0].rfilename == "a.csv"
    api.update_repo_settings(DATA, repo_type="dataset", gated="manual")
    assert nobody.dataset_info(DATA).gated == "manual"
    get = dict(filename="a.csv", repo_type="dataset", endpoint=ENDPOINT)
    refused(GatedRepoError, lambda: hf_hub_download(DATA, token=False, **get))
    assert Path(hf_hub_download(DATA, **get)).read_text() == "a,b\n1,2\n"


@step
def writes_need_a_token() -> None:
    refused(HfHubHTTPError, lambda: nobody.create_repo("org/no"), 401)
    refused(HfHubHTTPError, lambda: nobody.create_tag(REPO, tag="no"), 401)


@step
def move_and_delete() -> None:
    api.move_repo(REPO, OTHER)
    assert api.repo_exists(OTHER) and api.model_info(REPO).id == OTHER
    api.delete_tag(OTHER, tag="v1")
    api.delete_repo(OTHER)
    api.delete_repo(DATA, repo_type="dataset")
    refused(RepositoryNotFoundError, lambda: api.model_info(OTHER), 404)
    refused(RepositoryNotFoundError, lambda: api.delete_repo(OTHER))


def version_of_hub() -> tuple[int, ...]:
    return tuple(int(part) for part in version("huggingface_hub").split(".")[:2])


if __name__ == "__main__":
    try:
        xet = version("hf_xet")
    except PackageNotFoundError:
        xet = "none"
    disabled = os.environ.get("HF_HUB_DISABLE_XET", "0")
    print(f"huggingface_hub {version('huggingface_hub')}, hf_xet {xet}, HF_HUB_DISABLE_XET={disabled}", flush=True)
    for run in steps:
        run()
        print(f"  {run.__name__}", flush=True)
    print("all steps passed")
