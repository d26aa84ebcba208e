"""`.keras` archives: a zip file of config.json, metadata.json and model.weights.h5, of which nothing is unpacked."""

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.hdf5 import Span, broken

WEIGHTS = "model.weights.h5"
MAX_JSON = 32 << 20
_MAX_MEMBERS = 10_000
_LOCAL = struct.Struct("<26xHH")


@dataclass(frozen=True)
class Archive:
    """What a `.keras` file says of its model, and where in it the weights lie."""

    config: dict[str, Any]
    metadata: dict[str, Any]
    weights: Span


def read_archive(path: Path) -> Archive:
    """Read a `.keras` file. Raise IntegrityError for one that is not as Keras writes it."""
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if len(members) > _MAX_MEMBERS or len(set(names)) != len(names):
                raise broken(path, "holds files of one name, or more than a model has")
            known = {member.filename: member for member in members}
            if missing := sorted({WEIGHTS, "config.json"} - known.keys()):
                raise broken(path, f"has no {missing[0]}")
            config, metadata = (
                zoo.parse_json(_text(archive, known[name], path), f"the {name} in {path}", max_bytes=MAX_JSON)
                if name in known
                else {}
                for name in ("config.json", "metadata.json")
            )
            return Archive(config, metadata, _place(file, known[WEIGHTS], path))
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError, ValueError, struct.error) as error:
        raise broken(path, f"is no archive of Keras, or a broken one ({type(error).__name__})") from None


def _text(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> bytes:
    if member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise broken(path, f"has its {member.filename} encrypted, or compressed as Keras does not")
    with archive.open(member) as file:
        content = file.read(MAX_JSON + 1)
    if len(content) > MAX_JSON:
        raise broken(path, f"has a {member.filename} of more than {MAX_JSON >> 20} MiB")
    return content


def _place(file: Any, member: zipfile.ZipInfo, path: Path) -> Span:
    """Return where a member lies that is stored as it is."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise broken(path, f"has its {WEIGHTS} compressed, as Keras does not")
    file.seek(member.header_offset)
    header = file.read(_LOCAL.size)
    names, extra = _LOCAL.unpack(header)
    span = Span(member.header_offset + _LOCAL.size + names + extra, member.file_size)
    size = file.seek(0, 2)
    if not header.startswith(b"PK\x03\x04") or member.file_size != member.compress_size or sum(span) > size:
        raise broken(path, f"has a {WEIGHTS} that reaches beyond its end")
    return span
