"""OpenSSF model signatures, by key or certificate and without a network: who vouches for which bytes.

The card is left out, since people go on writing it after the push, and so is what the Hub adds.
"""

import logging
from importlib import import_module
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.extras import require
from zoo.files import inside
from zoo.hub.file_names import fault_of, shown
from zoo.hub.selection import SIGNATURE_FILE as SIGNATURE_FILE
from zoo.hub.selection import select, signed_in

_UNSIGNED = ("README.md", ".eval_results", ".gitattributes", SIGNATURE_FILE)


def sign_folder(folder: Path, key: Path) -> None:
    """Sign a weights folder by a private key on an elliptic curve (PEM), into model.sig."""
    signing, hashing = _library("signing"), _library("hashing")
    if not key.is_file():
        raise NotFoundError(f"no key {key}; make one: openssl ecparam -name prime256v1 -genkey -noout -out {key}")
    (folder / SIGNATURE_FILE).unlink(missing_ok=True)
    files = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    unsigned = [*map(Path, _UNSIGNED), *(path for path in files if fault_of(path.as_posix()))]  # those are not pushed
    hashed = (
        hashing.Config()
        .use_file_serialization(hashing_algorithm="sha256", ignore_paths=unsigned)
        .set_ignored_paths(paths=unsigned)
    )
    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=key).set_hashing_config(hashed)
        signer.sign(folder, folder / SIGNATURE_FILE)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{key} cannot sign: {error}; give a private key on an elliptic curve, as PEM") from error


def never_written(folder: Path) -> tuple[str, ...]:
    """Return the names that a folder's signature lists and that no pull writes, as far as they are not here."""
    forbidden = select(sorted(signed_in(folder / SIGNATURE_FILE)), (), everything=True).forbidden
    return tuple(name for name in forbidden if (path := inside(folder, name)) is None or not path.exists())


def check_signature(folder: Path, key: Path) -> None:
    """Check a weights folder against its model.sig by a public key or a certificate (PEM). Raise IntegrityError."""
    verifying = _library("verifying")
    signature = folder / SIGNATURE_FILE
    if not key.is_file():
        raise NotFoundError(f"no key or certificate {key}; ask the signer for it")
    if not signature.is_file():
        raise IntegrityError(f"{folder} has no {SIGNATURE_FILE}: it is not signed; omit --signature")
    if names := never_written(folder):
        raise IntegrityError(
            f"{folder} lacks {shown(names[0])}, which was signed: no pull writes a name that other programs would run "
            "or confuse; ask whoever signed to sign without it"
        )
    config = verifying.Config()
    if any(path.is_symlink() for path in folder.rglob("*")):
        # the cache is made of links; which of its ways to hash was used, the library then no longer finds out by itself
        config.set_hashing_config(_library("hashing").Config().set_allow_symlinks(True))
    try:
        if b"BEGIN CERTIFICATE" in key.read_bytes():
            config.use_certificate_verifier(certificate_chain=[key])
        else:
            config.use_elliptic_key_verifier(public_key=key)
        config.verify(folder, signature)
    except Exception as error:  # the library raises whatever the signature's parts make it raise
        reason = str(error) or type(error).__name__
        raise IntegrityError(f"{folder} is not what the owner of {key} signed: {reason}; do not use it") from error


def _library(name: str) -> Any:
    require("a signature", "model_signing")
    try:
        return import_module(f"model_signing.{name}")
    finally:
        logging.getLogger("model_signing").setLevel(logging.WARNING)
