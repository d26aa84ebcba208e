"""The conformance suite lets a good citizen pass, and catches one that is not."""

import inspect
from typing import Any

import pytest
import torch

from zoo.testing import ModelTests

HEAD = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="odd", family="cnn", summary="odd", target="zoo_odd:make")

def make(*, width: int = 3):
    import torch
    {statement}
    return torch.nn.Linear(width, width)
"""


class Odd(ModelTests):
    name = "odd"

    def inputs(self) -> torch.Tensor:
        return torch.rand(2, 3)


@pytest.mark.parametrize(
    ("statement", "test"),
    [
        ("torch.manual_seed(0)", "test_creation_seeds_nothing"),
        ("torch.set_num_threads(1)", "test_creation_leaves_threads_alone"),
    ],
)
def test_071_global_state_is_left_alone(site: Any, statement: str, test: str) -> None:
    site.install("zoo-odd", HEAD.format(statement=statement))
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(AssertionError, match="a model does not"):
            getattr(Odd(), test)()
    finally:
        torch.set_num_threads(threads)


def test_a_model_that_touches_nothing_passes(site: Any) -> None:
    site.install("zoo-odd", HEAD.format(statement="pass"))
    Odd().test_creation_seeds_nothing()
    Odd().test_creation_leaves_threads_alone()
    Odd().test_forward_is_finite()


def test_importing_torch_on_offer_is_caught(site: Any) -> None:
    site.install("zoo-odd", "import torch\n" + HEAD.format(statement="pass"))
    with pytest.raises(AssertionError, match="import torch inside"):
        Odd().test_offered_without_torch()


WORDS = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="words", family="bag", summary="a word knows of those before it", modality="text",
        capabilities=("features", "language-model", "generate"), target="zoo_words_model:Words")
"""

MODEL = """
import torch
import zoo
from torch import nn

class Cache:
    def __init__(self, capacity):
        self.capacity, self.length, self.sum, self.seen = capacity, 0, 0, None

    def select(self, rows):
        self.sum, self.seen = self.sum[rows], self.seen[rows]

class Words(zoo.BackboneModule):
    def __init__(self, *, vocab_size: int = 30, width: int = 6, num_classes: int = 0, sees_padding: bool = False,
                 forgets: bool = False):
        super().__init__()
        self.num_features, self.context = width, 1000
        self.sees_padding, self.forgets = sees_padding, forgets
        self.table = nn.Embedding(vocab_size, width)
        self.reset_classifier(num_classes)

    def new_cache(self, capacity):
        return Cache(capacity)

    def forward_features(self, input_ids, attention_mask=None, *, cache=None):
        mask = torch.ones_like(input_ids) if attention_mask is None or self.sees_padding else attention_mask
        words = self.table(input_ids)
        alike = (mask[:, :, None] == mask[:, None, :]).tril().to(words.dtype)
        sums = alike @ words
        if cache is not None:
            sums = sums + cache.sum
            cache.sum = 0 if self.forgets else sums[:, -1:]
            cache.seen = mask
            cache.length += input_ids.shape[1]
        return sums

    def forward_head(self, x, pre_logits=False, attention_mask=None):
        mask = torch.ones(x.shape[:2]) if attention_mask is None else attention_mask
        last = (torch.arange(x.shape[1]) * (mask != 0)).argmax(1)
        pooled = x[torch.arange(len(x)), last]
        return pooled if pre_logits else self.head(pooled)

    def forward(self, input_ids, attention_mask=None):
        return self.forward_head(self.forward_features(input_ids, attention_mask), attention_mask=attention_mask)

    def lm_logits(self, features):
        return features @ self.table.weight.t()

    def group_matcher(self, coarse=False):
        return {"stem": "^table", "blocks": "^head"}
"""


class Words(ModelTests):
    name = "words"
    changes: dict[str, Any] = {}

    def arguments(self) -> dict[str, Any]:
        return self.changes

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"input_ids": torch.randint(1, 30, (2, 7), generator=torch.Generator().manual_seed(0))}


@pytest.fixture
def words(site: Any) -> Any:
    """Return the suite for a stranger's text model, which is installed."""
    site.install("zoo-words", WORDS)
    (site.folder / "zoo_words_model.py").write_text(MODEL)
    return Words()


def test_a_strangers_text_model_is_tested(words: Any, tmp_path: Any, monkeypatch: Any) -> None:
    given = {"tmp_path": tmp_path, "monkeypatch": monkeypatch}
    tests = [name for name in dir(words) if name.startswith("test_")]
    assert len(tests) > 15
    for name in tests:
        test = getattr(words, name)
        test(**{key: given[key] for key in inspect.signature(test).parameters})


@pytest.mark.parametrize(
    ("changes", "test", "message"),
    [
        ({"sees_padding": True}, "test_padding_changes_nothing", "changes no text"),
        ({"sees_padding": True}, "test_documents_in_a_row_do_not_see_each_other", "is alone"),
        ({"forgets": True}, "test_a_cache_changes_nothing", "what they are without"),
    ],
)
def test_a_text_model_that_is_none_is_caught(words: Any, changes: dict[str, Any], test: str, message: str) -> None:
    words.changes = changes
    with pytest.raises(AssertionError, match=message):
        getattr(words, test)()


SAMPLER = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="odd", family="gan", summary="odd", target="zoo_odd:make", capabilities=("sample",))

def make(*, width: int = 3):
    import torch

    class Odd(torch.nn.Linear):
        def sample(self, n, *, generator=None):
            return {statement}

    return Odd(width, width)
"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("torch.rand(n, 3)", "comes from its generator"),
        ("torch.full((n, 3), 0.5)", "another generator gives other pictures"),
        ("torch.rand(n, 3, generator=generator) * 3 - 1", r"pixels in \[0, 1\]"),
        ("torch.rand(n, 4, generator=generator)", "of the shape that the model takes"),
    ],
)
def test_samples_that_are_not_what_was_asked_for_are_caught(site: Any, statement: str, said: str) -> None:
    site.install("zoo-odd", SAMPLER.format(statement=statement))
    with pytest.raises(AssertionError, match=said):
        Odd().test_samples_by_its_generator()


def test_samples_by_the_generator_pass(site: Any) -> None:
    site.install("zoo-odd", SAMPLER.format(statement="torch.rand(n, 3, generator=generator)"))
    Odd().test_samples_by_its_generator()


def test_without_pytest_the_line_for_pip_is_said() -> None:
    import subprocess
    import sys

    code = "import sys; sys.modules['pytest'] = None; import zoo.testing"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr.splitlines()[-1] == "ImportError: zoo.testing needs pytest: pip install 'zoo-hub[test]'"
