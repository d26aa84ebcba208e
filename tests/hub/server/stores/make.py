"""Write a store with something of everything: `python tests/hub/server/stores/make.py version_2.tar.gz`.

version_2.tar.gz was written by the code at 71c82d7, the last one of that layout; a later one cannot write it again.
Its tokens are good for nothing else.
"""

import hashlib
import json
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants

from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store

WEIGHTS = b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "
TERMS = "ab" * 32


def fill(hub: Any) -> None:
    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("org/kept")
    card = b"---\nlicense: mit\ntags: [tiny]\n---\n# Kept\n"
    for files in ({"README.md": card, "model.safetensors": WEIGHTS}, {"deep/er/a.txt": b"in a folder"}):
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        api.create_commit("org/kept", operations, commit_message=f"put {len(files)}", num_threads=1)
    api.create_tag("org/kept", tag="v1")
    api.create_branch("org/kept", branch="other")
    api.create_commit("org/kept", [CommitOperationDelete("deep/er/a.txt")], commit_message="drop", revision="other")
    api.create_repo("alice/secret", private=True)
    api.upload_file(path_or_fileobj=b"private bytes", path_in_repo="a.bin", repo_id="alice/secret")
    api.create_repo("org/gated")
    api.update_repo_settings("org/gated", gated="manual")
    api.upload_file(path_or_fileobj=b"gated bytes", path_in_repo="a.bin", repo_id="org/gated")
    api.grant_access("org/gated", "bob")
    api.create_repo("org/rows", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n1,2\n", path_in_repo="rows.csv", repo_id="org/rows", repo_type="dataset")
    send_by_xet(hub, b"sent by xet")
    for name in ("org/between", "org/gone"):  # the second has the highest id of all
        api.create_repo(name)
        api.upload_file(path_or_fileobj=name.encode(), path_in_repo="a.bin", repo_id=name)
    api.delete_repo("org/between")
    api.delete_repo("org/gone")


def send_by_xet(hub: Any, content: bytes) -> None:
    """Send a file by one xorb, and another xorb that no file takes."""
    bearer = {"Authorization": f"Bearer {hub.token}"}
    ask = urllib.request.Request(f"{hub.url}/api/models/org/kept/xet-write-token/main", headers=bearer)
    answer = json.loads(urllib.request.urlopen(ask).read())
    bearer = {"Authorization": f"Bearer {answer['accessToken']}"}

    def raw(text: str) -> bytes:
        return b"".join(int(text[place : place + 16], 16).to_bytes(8, "little") for place in range(0, 64, 16))

    def number(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little") for value in values)

    def post(route: str, body: bytes) -> None:
        request = urllib.request.Request(f"{answer['casUrl']}{route}", body, bearer, method="POST")
        urllib.request.urlopen(request).close()

    length = len(content).to_bytes(3, "little")
    chunk = b"\0" + length + b"\0" + length + content
    for xorb in (TERMS, "cd" * 32):
        post(f"/v1/xorbs/default/{xorb}", chunk)
    sha256 = hashlib.sha256(content).hexdigest()
    head = bytes(48) + raw("ef" * 32) + number(1 << 30, 1, 0, 0)
    term = raw(TERMS) + number(0, len(content), 0, 1)
    post("/shards", head + term + raw(sha256) + bytes(16) + b"\xff" * 32 + bytes(16))


def main(target: Path) -> None:
    constants.HF_HUB_DISABLE_XET = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "hub"
        Store(folder).close()
        store = Store(folder)
        store.users.add("alice", ("team",))
        store.users.add("bob")
        for user, label, role in (("alice", "laptop", "write"), ("bob", "reader", "read")):
            found = store.users.find(user)
            assert found is not None
            store.users.admit(f"zoo_fixture_of_{user}", found, label, role)
        store.users.add("carol")
        store.users.remove("carol")
        store.close()
        with serve_folder(folder) as hub:
            fill(hub)
        with tarfile.open(target, "w:gz") as archive:
            archive.add(folder, "hub")
        print(f"{target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
