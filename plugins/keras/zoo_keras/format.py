"""The format that `zoo.load` and `zoo export --to keras` ask. Keeps zoo.Format."""

from pathlib import Path

from zoo_keras.container import KerasFile, open_file

_BEGINNINGS = (b"PK\x03\x04", b"\x89HDF\r\n\x1a\n")


class Keras:
    """`.keras` archives and HDF5 files of Keras 2 and 3."""

    def recognizes(self, path: Path) -> bool:
        """Tell by a file's first bytes whether it is one."""
        with open(path, "rb") as file:
            return file.read(8).startswith(_BEGINNINGS)

    def open(self, path: Path) -> KerasFile:
        """Read what a file holds. Raise IntegrityError for a broken one."""
        return open_file(path)

    def write(self, weights: Path, out: Path) -> None:
        """Write a weights folder as a `.keras` file. Raise UsageError for a model that Keras has no layers for."""
        from zoo_keras.writing import write_archive

        write_archive(weights, out)


keras = Keras()
