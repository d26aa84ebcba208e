"""Which names may be written, told by the name alone."""

import pytest

from zoo.hub.file_names import Fault, clashing, fault_of, is_usual, shown
from zoo.hub.revisions import is_revision

GIT = [
    ".git/config", ".GIT/config", "a/.Git/hooks/post-checkout", ".g\u200cit/config", ".\uff47it/HEAD", "\uff0egit/HEAD",
    ".git./config", ".git /config", ".git::$INDEX_ALLOCATION/config", "git~1/config", "GIT~2", ".gitmodules",
    "sub/.gitattributes", ".GITATTRIBUTES", ".gitignore", ".github/workflows/run.yml", "\u200e.git/config",
    ".g\u0131t/config", "a\uff0f.git/config", ".gi\u034ft/config",
]  # fmt: skip
UNPORTABLE = [
    "con", "NUL.txt", "a/Com1.json", "lpt\u00b9.md", "aux .txt", "CONOUT$", "config.json ", "a./b.json",
    "config.json...", "a\x1b]0;title\x07.md", "a\nb.md", "a\x85.md", "\u202etxt.exe", "a\u2066.md", "\ud800.json",
    "config.json::$DATA", "x" * 256, "/".join(["é" * 100] * 6), "a\u2028b.md",
]  # fmt: skip
FOREIGN = [
    ".envrc", ".ENV", "a/.vscode/tasks.json", ".idea/workspace.xml", ".devcontainer/devcontainer.json", ".bashrc",
    ".npmrc", ".pypirc", ".pre-commit-config.yaml", ".hg/hgrc", ".svn/entries", ".direnv/x", ".mise.toml",
    ".tool-versions", "\u2024envrc", "__pycache__/a.cpython-311.pyc", "a/b.PYC", "evil.pth", "sitecustomize.py",
    "SiteCustomize.so", "usercustomize/__init__.py", "tests/conftest.py", "Conftest.py", "pip.conf", "Makefile",
    "GNUmakefile", "pyproject.toml", "setup.cfg", "pytest.ini", "mypy.ini", "x.dist-info/entry_points.txt",
    "zoo_evil.egg-info/entry_points.txt", "node_modules/x/index.js", "package.json", "desktop.ini", "autorun.inf",
    "Photos.lnk", "jupyter_notebook_config.py", "rust-toolchain.toml", "ansible.cfg", ".eval_results/.envrc",
]  # fmt: skip
USUAL = [
    "model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json", "config.json", "README.md",
    "tokenizer.json", "tokenizer.model", "1_Pooling/config.json", "vocab.txt", "merges.txt", "recipe.toml", "LICENSE",
    "LICENSE-MIT", "metrics.jsonl", ".eval_results/cifar10.yaml", "pictures/grid.png", "model.sig",
    "chat_template.jinja",     "selftest.safetensors", "CITATION.cff", "日本語.md",
]  # fmt: skip


@pytest.mark.parametrize("name", GIT)
def test_115_what_git_would_take_for_its_own(name: str) -> None:
    assert fault_of(name) is Fault.GIT


@pytest.mark.parametrize("name", UNPORTABLE, ids=ascii)
def test_115_118_what_no_disk_keeps_as_it_stands(name: str) -> None:
    assert fault_of(name) is Fault.UNPORTABLE
    assert shown(name).isprintable()


@pytest.mark.parametrize("name", FOREIGN)
def test_115_what_other_programs_run_or_read(name: str) -> None:
    assert fault_of(name) is Fault.FOREIGN


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../b", "a//b", "a/", "", "./a", "a\\..\\b", "C:/x", "a\0b"])
def test_115_what_could_leave_its_folder(name: str) -> None:
    assert fault_of(name) is Fault.OUTSIDE


@pytest.mark.parametrize("name", USUAL)
def test_what_models_come_with(name: str) -> None:
    assert fault_of(name) is None
    assert is_usual(name)


@pytest.mark.parametrize("name", ["modeling.py", "pytorch_model.bin", "model.onnx", "run.sh", "a.ipynb", "tf_model.h5"])
def test_what_may_be_written_and_is_not_usual(name: str) -> None:
    assert fault_of(name) is None
    assert not is_usual(name)


def test_115_names_that_one_disk_takes_for_another() -> None:
    assert clashing(["a.md", "A.md", "b.md"]) == {"a.md", "A.md"}
    assert clashing(["e\u0301.md", "\u00c9.md", "b.md"]) == {"e\u0301.md", "\u00c9.md"}
    assert clashing(["a", "A/b.md", "b.md"]) == {"a", "A/b.md"}
    assert clashing(["Data/a.md", "data/b.md"]) == set()


@pytest.mark.parametrize("name", ["main", "v1.0", "refs/pr/1", "refs/convert/parquet", "feature/a-b", "é", "c" * 40])
def test_what_git_takes_for_a_revision(name: str) -> None:
    assert is_revision(name)


@pytest.mark.parametrize(
    "name",
    ["", "..", "a/../b", "/etc/passwd", "a/", "a//b", "-x", "a@{0}", "@", "a.lock", "a.lock/b", ".a", "a/.b", "a.",
     "a b", "a\tb", "a\x7f", "a\x1b[2J", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a\0", "\ud800", "x" * 256,
     "é" * 128, "a\u202eb", "c" * 40 + "\n", "C:/x"],
    ids=ascii,
)  # fmt: skip
def test_116_what_git_does_not_take_for_a_revision(name: str) -> None:
    assert not is_revision(name)
