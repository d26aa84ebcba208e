"""Prompts made of messages by the template that came with a tokenizer, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zoo

Message = Mapping[str, Any]
"""What was said: `role`, such as user, and `content`."""

_PROGRAM = Path(__file__).with_name("template_program.py")
_SECONDS = 5
_CLOCK = 60
_MAX_TEMPLATE = 256 << 10
_MAX_MESSAGES = 10_000
_MAX_TEXT = 4 << 20
_ROLES = {"begin": "bos", "end": "eos", "unknown": "unk", "pad": "pad"}
_PASSED = ("PATH", "LD_LIBRARY_PATH", "TZ", "SYSTEMROOT")


def prompt_of(messages: Sequence[Message], tokenizer: zoo.Tokenizer, *, answers: bool = True) -> str:
    """Return the text by which a model is asked for what comes next; without `answers`, the messages alone.

    Raise UsageError for messages that are none, or where no template came with the tokenizer, and IntegrityError for a
    template that fails.
    """
    template = tokenizer.chat_template
    if template is None:
        raise zoo.UsageError(
            "no template of chats came with these weights (chat_template.jinja, or chat_template in "
            "tokenizer_config.json); use `generate`, or weights that were made to answer"
        )
    if len(template) > _MAX_TEMPLATE:
        raise zoo.IntegrityError(f"the template of chats has {len(template):,} characters; get another tokenizer")
    special = {f"{theirs}_token": tokenizer.roles[role] for role, theirs in _ROLES.items() if role in tokenizer.roles}
    values = {
        **special,
        "messages": checked(messages),
        "tools": None,
        "documents": None,
        "add_generation_prompt": answers,
    }
    answer = _run(json.dumps({"template": template, "values": values}))
    if "refused" in answer:
        raise zoo.UsageError(f"the template of chats refuses these messages: {_line(answer['refused'])}")
    if "broken" in answer:
        raise zoo.IntegrityError(f"the template of chats fails: {_line(answer['broken'])}; get another tokenizer")
    return str(answer["text"])


def checked(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return messages as the template gets them. Raise UsageError for what are none."""
    found = [dict(message) for message in messages if isinstance(message, Mapping)]
    if isinstance(messages, (str, Mapping)) or len(found) != len(messages) or not found or len(found) > _MAX_MESSAGES:
        raise zoo.UsageError('messages are a list such as [{"role": "user", "content": "Hello"}]; give one')
    for message in found:
        if not isinstance(message.get("role"), str) or not isinstance(message.get("content"), str):
            raise zoo.UsageError("each message has a role and a content that are text; give both")
    try:
        size = len(json.dumps(found))
    except (TypeError, ValueError):
        raise zoo.UsageError("messages hold something that JSON has not; give text") from None
    if size > _MAX_TEXT:
        raise zoo.UsageError(f"the messages have more than {_MAX_TEXT >> 20} MiB; begin a new chat")
    return found


def _run(request: str) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-S", str(_PROGRAM)],
            input=request.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
            timeout=_CLOCK,  # of a clock; the program's seconds are those of a processor
        )
        found = zoo.parse_json(done.stdout, "what the template writes", max_bytes=8 * _MAX_TEXT) if done.stdout else {}
    except subprocess.TimeoutExpired:
        found = {}
    return found or {"broken": f"it takes more than {_SECONDS} s, or more memory than a prompt does"}


def _line(said: str) -> str:
    return " ".join(said.split())
