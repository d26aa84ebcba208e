"""`zoo recipes`."""

from typing import Any

DEFAULTS = """\
# Paint what is seen
recipe = "painting"

[settings]
epochs = 10
minimum_steps = 0
batch_size = 4
sync_batch_norm = false
optimizer = "adamw"
learning_rate = 0.001
weight_decay = 0.0
momentum = 0.9
betas = [0.9, 0.999]
schedule = "cosine"
warmup = 0.05
clip = 0.0
accumulate = 1
precision = "fp32"
ema = 0.0
export_ema = true
channels_last = true
compile = false
activation_checkpointing = false
evaluations = 20
validation = 0.0
seed = 0
"""


def test_list_has_a_line_a_recipe(painter: None, says: Any) -> None:
    head, *_, last = says("recipes", "list").splitlines()
    assert head.split() == ["NAME", "STAGE", "SCORE", "SUMMARY"]
    assert last.split(maxsplit=3) == ["painting", "pretrain", "mse", "Paint what is seen"]


def test_show_prints_toml_that_is_read_back(painter: None, says: Any, tmp_path: Any) -> None:
    assert says("recipes", "show", "painting") == DEFAULTS
    (tmp_path / "own.toml").write_text(DEFAULTS.replace("epochs = 10", "epochs = 1"))
    said = says("pretrain", "painter", "--data", "photos", "--recipe", "own.toml", "--out", "run")
    assert said.startswith("run: test mse # · N s")
