"""What was said when, as SubRip and WebVTT."""

from collections.abc import Sequence


def subtitles(lines: Sequence[tuple[float, float, str]]) -> dict[str, str]:
    """Return the files of lines (start, end, text), in seconds, by their suffix."""
    srt = [f"{n}\n{_time(a, ',')} --> {_time(b, ',')}\n{_line(text)}\n" for n, (a, b, text) in enumerate(lines, 1)]
    vtt = ["WEBVTT\n", *(f"{_time(a, '.')} --> {_time(b, '.')}\n{_line(text)}\n" for a, b, text in lines)]
    return {".srt": "\n".join(srt), ".vtt": "\n".join(vtt)}


def _time(seconds: float, point: str) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 3_600_000:02}:{whole // 60_000 % 60:02}:{whole // 1000 % 60:02}{point}{whole % 1000:03}"


def _line(text: str) -> str:
    """Return a text in one line; an arrow in it would end a cue's times in WebVTT."""
    return " ".join(text.split()).replace("-->", "->")
