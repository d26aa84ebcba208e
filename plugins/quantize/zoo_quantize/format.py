"""The format that `zoo.load` and `zoo export --to int8` ask. Keeps zoo.Format."""

from pathlib import Path

from zoo_quantize.container import EightBits, open_file


class Int8:
    """`.int8.safetensors` files."""

    def recognizes(self, path: Path) -> bool:
        """Take every file of this name for one: `open` says what is wrong with it."""
        return True

    def open(self, path: Path) -> EightBits:
        """Read what a file holds. Raise IntegrityError for a broken one."""
        return open_file(path)

    def write(self, weights: Path, out: Path) -> None:
        """Write weights as a file, without measuring what that costs."""
        from zoo_quantize.quantizing import Source, write

        with Source.opened(weights) as source:
            write(source, out, kept=())


int8 = Int8()
