"""GGUF files of llama.cpp for zoo, and chats with the template that came with a tokenizer."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_formats() -> Iterator[zoo.FormatSpec]:
    yield zoo.FormatSpec(
        name="gguf",
        summary="GGUF of llama.cpp (.gguf): quantized files are read, F16 is written",
        target="zoo_gguf.format:half",
        suffixes=(".gguf",),
    )
    yield zoo.FormatSpec(
        name="gguf-q8_0",
        summary="GGUF of llama.cpp, written in 8 bits (Q8_0)",
        target="zoo_gguf.format:eight_bits",
        suffixes=(),
    )


@zoo.hookimpl
def zoo_layouts() -> Iterator[zoo.LayoutSpec]:
    yield zoo.LayoutSpec(
        name="gguf",
        summary="How llama.cpp stores Llama and GPT-2",
        target="zoo_gguf.layouts:LAYOUTS",
    )


@zoo.hookimpl
def zoo_abilities() -> Iterator[zoo.AbilitySpec]:
    yield zoo.AbilitySpec(
        name="chat",
        summary="Answer messages by the template that came with the tokenizer",
        target="zoo_gguf.chat:Chat",
        modality="text",
        requires=("generate",),
    )


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="chat",
        summary="Chat with weights that were made to answer",
        target="zoo_gguf.command:command",
    )
