"""Price list and customers from two CSV files, as Excel, Google Sheets or an editor saves them.

The embedded default reads the sample company's files beside this module.
"""

import asyncio
import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.catalogue import Catalogue
from core.connector import Connector, refuse_unknown
from core.errors import Permanent
from core.price_table import Problem, Table, build_catalogue
from core.words import Words

SAMPLES = Path(__file__).parent / "samples"

# A file changed twice within one tick of the file system's clock looks unchanged; so a file that
# was touched this recently is read again the next time.
_SETTLED = timedelta(seconds=2)

NOT_READABLE = Words(
    ja="「{path}」を開けません（{reason}）。設定のパスと読み取り権限を確かめてください",
    en='Can\'t open "{path}" ({reason}). Check the path in the settings and who may read the file',
    zh="无法打开“{path}”（{reason}）。请检查设置中的路径和读取权限",
)
NOT_TEXT = Words(
    ja="文字コードが読めません。UTF-8かShift_JIS（Excelの「CSV」）で保存してください",
    en="is not readable text; save it as UTF-8 or, in a Japanese Excel, as CSV",
    zh="无法识别文字编码，请保存为UTF-8或日文Excel的CSV格式",
)
NOT_CSV = Words(
    ja='CSVとして読めません。引用符（"）の閉じ忘れがないか確かめてください（{reason}）',
    en='is not readable as CSV; look for a quotation mark (") that is not closed ({reason})',
    zh='无法按CSV读取，请检查是否有未闭合的引号（"）（{reason}）',
)
TOO_WIDE = Words(
    ja='見出しより列が多い行です。カンマを含む値は"32,800"のように引用符で囲んでください',
    en='has more cells than the header; a value with a comma needs quotation marks: "32,800"',
    zh='列数多于标题行；含逗号的值请加引号，如"32,800"',
)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes whenever a file is written anew."""

    modified_ns: int
    size: int
    inode: int

    def settled(self, now: datetime) -> bool:
        return now - datetime.fromtimestamp(self.modified_ns / 1e9, UTC) > _SETTLED


class CsvFiles:
    """Reads both files when either has changed since, else gives what was read before."""

    def __init__(self, catalog: Path, customers: Path) -> None:
        self._paths = (catalog, customers)
        self._read: tuple[tuple[_Stamp, ...], Catalogue] | None = None

    async def read(self) -> Catalogue:
        """The catalogue of the files as they are now.

        Raises `Permanent` where a file can't be opened or has something to mend, also where an
        earlier reading went well: an old price is never given for a new one.
        """
        return await asyncio.to_thread(self._read_changed)

    def _read_changed(self) -> Catalogue:
        # The stamps come first: what is written while we read is then read again next time.
        stamps = tuple(_stamp(path) for path in self._paths)
        if self._read is not None and self._read[0] == stamps:
            return self._read[1]
        self._read = None
        now = datetime.now(UTC)
        prices, customers = (_table(path) for path in self._paths)
        catalogue = build_catalogue(prices, customers, now)
        if all(stamp.settled(now) for stamp in stamps):
            self._read = (stamps, catalogue)
        return catalogue


def open_files(settings: Mapping[str, str]) -> CsvFiles:
    """Settings `catalog` and `customers` are paths; what is left out is the sample company's."""
    refuse_unknown(settings, frozenset({"catalog", "customers"}))
    return CsvFiles(
        Path(settings.get("catalog") or SAMPLES / "catalog.csv"),
        Path(settings.get("customers") or SAMPLES / "customers.csv"),
    )


def csv_table(name: str, data: bytes) -> Table:
    """Cut the bytes of a CSV file into rows; what stands in the way becomes a problem."""
    text = _decoded(data)
    if text is None:
        return Table(name, (), (Problem(name, NOT_TEXT),))
    rows: list[list[str]] = []
    problems: list[Problem] = []
    try:
        # Strict: a quotation mark left open would silently swallow the rest of the price list.
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            rows.append(row)
            if any(cell.strip() for cell in row[len(rows[0]) :]):
                problems.append(Problem(name, TOO_WIDE, len(rows)))
    except csv.Error as error:
        problems.append(Problem(name, NOT_CSV.fill(reason=error), len(rows) + 1))
    return Table(name, rows, tuple(problems))


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        # A workbook or a UTF-16 file can pass for cp932, but not without a zero byte.
        return None if "\0" in text else text
    return None


def _table(path: Path) -> Table:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _not_readable(path, error) from error
    return csv_table(path.name, data)


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise _not_readable(path, error) from error
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def _not_readable(path: Path, error: OSError) -> Permanent:
    return Permanent(NOT_READABLE.fill(path=path, reason=error.strerror or type(error).__name__))


connector = Connector(name="csv", open=open_files)
