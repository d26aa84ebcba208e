"""The table that ships with the plugin, read without transformers."""

import subprocess
import sys

import pytest
from zoo_transformers import layouts
from zoo_transformers.table import family, table

import zoo
from zoo.registry.registry import default_registry


def test_the_hook_counts_what_the_table_holds() -> None:
    (offer,) = [offer for offer in default_registry().families() if offer.spec.name == "transformers"]
    assert (offer.spec.models, offer.spec.weights) == (len(family.models()), 0)


def test_listing_imports_neither_transformers_nor_torch() -> None:
    code = """if True:
    import sys
    from zoo.cli import main
    try:
        main(["list", "--family", "transformers"])
    except SystemExit as done:
        assert not done.code
    assert not {"transformers", "torch", "numpy"} & set(sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "deberta-v2" in done.stdout, done.stderr


def test_every_kind_has_a_spec_and_a_layout() -> None:
    for name, row in table().encoders.items():
        spec = family.model(name)
        assert spec.fallback and spec.modality == "text" and spec.parameters == row.parameters
        (layout,) = getattr(layouts, name.replace("-", "_"))
        assert layout.models == {name: {"model_type": name}} and layout.stem == f"base.{row.stem}"
    with pytest.raises(AttributeError):
        _ = layouts.nothing_of_theirs


def test_a_name_that_zoo_transformer_has_is_reached_with_the_familys() -> None:
    known = default_registry()
    assert known.model("bert").plugin.distribution == "zoo-transformer"
    assert known.model("transformers/bert").plugin.distribution == "zoo-transformers"
    assert known.model("albert").plugin.distribution == "zoo-transformers"


def test_without_transformers_the_line_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers.models.auto.configuration_auto", None)
    with pytest.raises(zoo.UsageError, match=r"need transformers, .*: pip install 'zoo-transformers\[transformers\]'"):
        zoo.create("transformers/roberta")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"model_type": "gpt2"}, "model_type must be one of"),
        ({"config": {"hidden_size": 10**9}}, "beyond its limit"),
        ({"config": {"rope_parameters": {"theta": 10**12}}}, "beyond its limit"),
    ],
)
def test_what_is_absurd_is_refused_before_anything_is_built(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(zoo.UsageError, match=reason):
        zoo.create("transformers/roberta", **arguments)
