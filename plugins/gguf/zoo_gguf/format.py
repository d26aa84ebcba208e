"""The formats that `zoo.load` and `zoo export` ask: read the same, written in 16 bits or in 8. They keep zoo.Format."""

from pathlib import Path

from zoo_gguf.container import GGUFFile, open_file


class GGUF:
    """GGUF files; `kind` is the type in which matrices are written, by llama.cpp's name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def recognizes(self, path: Path) -> bool:
        """Take every file of this name for one: `open` says what is wrong with it."""
        return True

    def open(self, path: Path) -> GGUFFile:
        """Read what a file holds. Raise IntegrityError for a broken one."""
        return open_file(path)

    def write(self, weights: Path, out: Path) -> None:
        """Write a weights folder as a file. Raise UsageError for a model that llama.cpp has not."""
        from zoo_gguf.writing import write_file

        write_file(weights, out, self.kind)


half = GGUF("F16")
eight_bits = GGUF("Q8_0")
