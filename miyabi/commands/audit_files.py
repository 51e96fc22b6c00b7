"""Files that the commands below `miyabi audit` are given or asked for: keys, anchors, proofs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from core.errors import Refused
from core.words import Words

if TYPE_CHECKING:
    from audit.verifier.notes import Keys
    from audit.verifier.stamps import Stamps

_NO_KEY = Words(
    ja="「{text}」は公開鍵（vkey）でも、公開鍵のファイルでもありません。",
    en="“{text}” is neither a public key (vkey) nor a file of them.",
    zh="“{text}”既不是公钥（vkey），也不是公钥文件。",
)
NO_FILE = Words(
    ja="{path} を読み書きできません: {why}",
    en="{path} can't be read or written: {why}",
    zh="无法读写 {path}: {why}",
)


@dataclass(frozen=True, slots=True)
class Anchored:
    """What was kept elsewhere, read; `unread` time stamps, for want of a certificate."""

    notes: Sequence[str] | None = None
    stamps: "Stamps | None" = None
    unread: int = 0


def read_anchors(paths: Sequence[Path] | None, authority: Path | None) -> Anchored:
    """The anchors of the command line. Raises Refused where they can't be read."""
    if not paths:
        return Anchored()
    from audit.verifier.kept import read_kept
    from audit.verifier.stamps import Stamps, read_certificates

    files = [
        file
        for path in paths
        for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
        if not file.is_dir()
    ]
    kept = read_kept((file.name, read_file(file, at_most=-1)) for file in files)
    if authority is None:
        return Anchored(kept.notes, None, len(kept.stamps))
    try:
        certificates = read_certificates(read_file(authority))
    except ValueError as error:
        raise Refused(NO_FILE.fill(path=authority, why=str(error))) from error
    return Anchored(kept.notes, Stamps(kept.stamps, certificates))


def given_keys(given: Sequence[str]) -> "Keys":
    """The keys of the command line. Raises Refused for what is none."""
    from audit.verifier.notes import read_keys

    found: dict[tuple[str, bytes], object] = {}
    for text in given:
        try:
            content = Path(text).read_text("utf-8") if Path(text).is_file() else text
            keys = read_keys(content)
        except (ValueError, OSError) as error:
            raise Refused(_NO_KEY.fill(text=text)) from error
        if not keys:
            raise Refused(_NO_KEY.fill(text=text))
        found |= keys
    return found  # type: ignore[return-value]


def read_file(path: Path, at_most: int = 64 * 1024 * 1024) -> bytes:
    """The beginning of a file. Raises Refused where it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(at_most)
    except OSError as error:
        raise Refused(NO_FILE.fill(path=path, why=str(error))) from error


def write_file(path: Path | None, content: bytes) -> None:
    """Write a file, or to stdout. Raises Refused where it can't be written."""
    if path is None:
        typer.echo(content.decode(), nl=False)
        return
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Refused(NO_FILE.fill(path=path, why=str(error))) from error
