"""Make a tokenizer for texts: of bytes or characters, or one whose pieces are learnt (BPE, WordPiece, Unigram)."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from zoo.errors import DataError, UsageError
from zoo.weights.tokenizer import Tokenizer

if TYPE_CHECKING:
    import tokenizers

KINDS = ("bytes", "characters", "bpe", "wordpiece", "unigram")
REPRODUCIBLE = ("bytes", "characters", "bpe", "wordpiece")
"""Those that come out the same each time; Unigram sums its counts in the order of the library's hash map."""
_SPECIAL = ["<pad>", "<unk>", "<s>", "</s>", "<mask>"]
_BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_LETTERS = 1000
"""The most letters that WordPiece knows, as the library has it."""
_SMALLEST = 300
"""The fewest pieces that are learnt: each byte, or each letter, is one already."""
DEFAULT_SIZE = 8000
_LEAST_FITTING, _MOST_FITTING = 1000, 32_000
_A_ROOT = 5
"""So many pieces for each root of a character: text of n words has about as many other words as the root of n."""


def make_tokenizer(kind: str, texts: Iterable[str], *, size: int = DEFAULT_SIZE, lower: bool = True) -> Tokenizer:
    """Return a tokenizer of a kind.

    `bytes` learns nothing, and `characters` which ones there are. `bpe` (bytes; Sennrich et al., 2016; Radford et al.,
    2019), `wordpiece` (Devlin et al., 2019) and `unigram` (Kudo, 2018) learn `size` tokens at most; the last two know
    nothing of letters that they have not seen. With `lower` wordpiece makes capitals and accents plain letters.
    """
    if kind not in KINDS:
        raise UsageError(f"no tokenizer of kind {kind!r}; choose one of {', '.join(KINDS)}")
    if kind in ("bpe", "wordpiece", "unigram") and size < _SMALLEST:
        raise UsageError(f"a {kind} tokenizer of {size} tokens is too small; ask for {_SMALLEST} or more")
    if kind == "bytes":
        made = _bytes()
    elif kind == "characters":
        made = _characters(texts)
    elif kind == "bpe":
        made = _byte_pairs(texts, size)
    elif kind == "wordpiece":
        made = _word_pieces(list(texts), size, lower)
    else:
        made = _unigrams(texts, size)
    return Tokenizer.of(made.to_str(), f"a {kind} tokenizer")


def fitting_size(texts: Iterable[str]) -> int:
    """Return how many pieces to learn from texts, in hundreds: 5 times the root of their characters, 1,000 to 32,000.

    Of more each would be seen too seldom to be learnt.
    """
    pieces = _A_ROOT * math.sqrt(sum(len(text) for text in texts))
    return min(_MOST_FITTING, max(_LEAST_FITTING, 100 * round(pieces / 100)))


def _bytes() -> "tokenizers.Tokenizer":
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*_SPECIAL, *alphabet])}
    made = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.add_special_tokens(_SPECIAL)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    return made


def _characters(texts: Iterable[str]) -> "tokenizers.Tokenizer":
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    seen = sorted(set().union(*texts))
    vocabulary = {token: place for place, token in enumerate([*_SPECIAL, *seen])}
    made = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.add_special_tokens(_SPECIAL)
    made.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex(r"[\s\S]"), "isolated")
    made.decoder = decoders.Fuse()
    return made


def _byte_pairs(texts: Iterable[str], size: int) -> "tokenizers.Tokenizer":
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers

    made = tokenizers.Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=_SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    _learn(made, texts, trainer)
    return made


def _word_pieces(texts: list[str], size: int, lower: bool) -> "tokenizers.Tokenizer":
    """Learn WordPiece, the same pieces each time.

    The library numbers the letters within words (`##a`) as its hash map gives them out, and those numbers decide
    between pieces that are as frequent; given as special tokens first, they have an order.
    """
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors, trainers

    normaliser = normalizers.BertNormalizer(lowercase=lower)
    counts = Counter(letter for text in texts for letter in normaliser.normalize_str(text) if not letter.isspace())
    letters = sorted(sorted(counts), key=lambda letter: -counts[letter])[:_LETTERS]
    inside = [f"##{letter}" for letter in letters]

    def empty(model: models.WordPiece) -> tokenizers.Tokenizer:
        made = tokenizers.Tokenizer(model)
        made.normalizer, made.pre_tokenizer = normaliser, pre_tokenizers.BertPreTokenizer()
        made.decoder = decoders.WordPiece()
        return made

    learning = empty(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, special_tokens=[*_BERT_SPECIAL, *inside], limit_alphabet=_LETTERS, show_progress=False
    )
    _learn(learning, texts, trainer)
    made = empty(models.WordPiece(learning.get_vocab(with_added_tokens=True), unk_token="[UNK]"))
    made.add_special_tokens(_BERT_SPECIAL)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")],
    )
    return made


def _unigrams(texts: Iterable[str], size: int) -> "tokenizers.Tokenizer":
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=size, special_tokens=_SPECIAL, unk_token="<unk>", show_progress=False)
    _learn(made, texts, trainer)
    return made


def _learn(made: "tokenizers.Tokenizer", texts: Iterable[str], trainer: Any) -> None:
    made.train_from_iterator((text for text in texts if text), trainer)
    if made.get_vocab_size() <= len(trainer.special_tokens):
        raise DataError("there is no text to train a tokenizer on; give some")
