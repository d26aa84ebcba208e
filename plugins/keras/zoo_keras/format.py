"""The format that `zoo.load` and `zoo export --to keras` ask. Keeps zoo.Format and zoo.WritesFolders."""

from pathlib import Path

from zoo_keras.container import KerasFile, open_file


class Keras:
    """`.keras` archives and HDF5 files of Keras 2 and 3."""

    def recognizes(self, path: Path) -> bool:
        """Take every file of these names for one: `open` says what is wrong with it."""
        return True

    def open(self, path: Path) -> KerasFile:
        """Read what a file holds. Raise IntegrityError for a broken one."""
        return open_file(path)

    def write(self, weights: Path, out: Path) -> None:
        """Write a weights folder as a `.keras` file. Raise UsageError for a model that Keras has no layers for."""
        import zoo
        from zoo_keras.hub_models import kind_of

        if kind_of(zoo.describe(weights).architecture) is not None:
            from zoo_keras.hub_writing import write_hub_archive

            return write_hub_archive(weights, out)
        from zoo_keras.writing import write_archive

        write_archive(weights, out)

    def write_folder(self, weights: Path, folder: Path) -> None:
        """Write a weights folder as a preset of KerasHub. Raise UsageError for a model that it has not."""
        from zoo_keras.hub_writing import write_preset

        write_preset(weights, folder)


keras = Keras()
