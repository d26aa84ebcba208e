"""Tokens that two tokenizers have in common."""

from zoo.weights.tokenizer import Tokenizer


def common_tokens(mine: Tokenizer, theirs: Tokenizer) -> tuple[list[int], list[int]]:
    """Return the numbers of tokens in both, in the order of the first: those of the same text, or of the same role."""
    here, there = (tokenizer.inner.get_vocab(with_added_tokens=True) for tokenizer in (mine, theirs))
    same = {here[token]: there[token] for token in here.keys() & there.keys()}
    for name in mine.roles.keys() & theirs.roles.keys():
        same[mine.needed(name)] = theirs.needed(name)
    places = sorted(same)
    return places, [same[place] for place in places]
