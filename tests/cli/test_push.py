"""`zoo push`."""

from typing import Any


def test_pushed_and_then_unchanged(tiny: None, says: Any) -> None:
    get_it = "get it:  zoo pull hf://me/tiny --hub hub"
    sent = "me/tiny at COMMIT on hub, 7 files, 0.0 MB, verified"
    assert says("push", "weights", "me/tiny", "--hub", "hub", "--public").splitlines() == [f"pushed: {sent}", get_it]
    assert says("push", "weights", "me/tiny", "--hub", "hub").splitlines() == [f"unchanged: {sent}", get_it]


def test_a_dry_run_shows_files_and_the_card(tiny: None, says: Any, tmp_path: Any) -> None:
    said = says("push", "weights", "me/tiny", "--hub", "hub", "--private", "--dry-run")
    files, card = said.split("\n\n", maxsplit=1)
    assert [line.split() for line in files.splitlines()] == [
        "would create me/tiny (private) on hub: 7 files, 0.0 MB, 1 commit".split(),
        ["FILE", "BYTES", "CHANGE"],
        [".eval_results/fashion_mnist.yaml", "115", "new"],
        ["README.md", f"{len(card.replace('SHA256', 'f' * 64).encode()):,}", "new"],
        ["config.json", f"{(tmp_path / 'weights' / 'config.json').stat().st_size:,}", "new"],
        ["metrics.jsonl", "61", "new"],
        ["model.safetensors", "504", "new"],
        ["recipe.toml", "26", "new"],
        ["selftest.safetensors", "1,544", "new"],
    ]
    assert card.startswith("---\nlibrary_name: zoo\n") and card.endswith("<!-- zoo:end -->\n")
    assert not (tmp_path / "hub").exists()
