"""Pictures in the rows of parquet files: read a row group at a time, which is quick in order, or unpacked once, to be quick in any."""

from __future__ import annotations

import os
import shutil
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from convlab.errors import ConvlabError, Problem, quote
from convlab.progress import Progress, Work
from convlab.training.data.datasets import Contents
from convlab.training.data.pictures import damaged
from convlab.training.data.shelf import cache_folder

MOST_BYTES = 2**31 - 1
"""A row group of more is refused unread: Arrow takes no more bytes for one array of pictures."""

NUMBER = 8
"""Bytes of an offset."""


@final
@dataclass(frozen=True)
class Rows:
    """The files of a split, their column of pictures, and in which row of all each row group begins."""

    files: tuple[str, ...]
    column: str
    groups: tuple[tuple[int, int], ...]
    """Number of the file, and of the group in it."""
    starts: tuple[int, ...]

    def locate(self, row: int) -> tuple[str, int, int]:
        """The file, the group in it, and the row in that."""
        number = bisect_right(self.starts, row) - 1
        file, group = self.groups[number]
        return self.files[file], group, row - self.starts[number]

    def name(self, row: int) -> str:
        """What messages call the picture of a row."""
        file, group, within = self.locate(row)
        return f"{Path(file).name}, row {within} of group {group}"


@final
@dataclass(frozen=True, eq=False)
class RowGroups(Contents):
    """Some rows of parquet files; a row group stays in memory until the next but one is asked for."""

    rows: Rows
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.chosen)

    def name(self, index: int) -> str:
        """File, row and group."""
        return self.rows.name(self.chosen[index])

    def read(self, index: int) -> bytes:
        """The picture's bytes. Raises ConvlabError where the file is damaged or has none in this row."""
        file, group, row = self.rows.locate(self.chosen[index])
        with _LOCK:
            found = _pictures(file, group, self.rows.column)
        content = found[row].as_py()
        if not isinstance(content, bytes):
            raise damaged(file, f"row {row} of group {group} holds no picture")
        return content

    def listing(self) -> Iterator[str]:
        """Name and bytes of each file, and the rows."""
        yield from (f"{Path(file).name}\0{Path(file).stat().st_size}" for file in self.rows.files)
        yield from map(str, self.chosen)

    def stamps(self) -> Iterator[str]:
        """When each file was changed."""
        return (str(Path(file).stat().st_mtime_ns) for file in self.rows.files)

    def in_any_order(self) -> Work[Contents]:
        """The pictures one after the other in a file of the cache folder. Raises ConvlabError where there is no room for it."""
        key = sha256(
            "\0".join(
                (*map(str, (Path(file).resolve() for file in self.rows.files)), *self.listing(), *self.stamps())
            ).encode()
        )
        path = cache_folder() / f"{key.hexdigest()}.pictures"
        if not path.is_file():
            yield from _unpack(self, path)
        return Unpacked(str(path), self.rows, self.chosen)


@final
@dataclass(frozen=True, eq=False)
class Unpacked(Contents):
    """Pictures one after the other in a file, which ends with where each begins."""

    path: str
    rows: Rows
    chosen: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.chosen)

    def name(self, index: int) -> str:
        """File, row and group that it came from."""
        return self.rows.name(self.chosen[index])

    def read(self, index: int) -> bytes:
        """The picture's bytes. Raises ConvlabError where the file was taken away or cut off."""
        try:
            with Path(self.path).open("rb") as file:
                file.seek(-NUMBER * (len(self) + 1 - index), os.SEEK_END)
                ends = file.read(2 * NUMBER)
                start, end = (int.from_bytes(ends[at : at + NUMBER]) for at in (0, NUMBER))
                file.seek(start)
                content = file.read(end - start)
        except OSError as error:
            raise damaged(self.path, error.strerror or error) from None
        if len(content) != end - start:
            raise damaged(self.path, "it is cut off; delete it, and it is made again")
        return content

    def listing(self) -> Iterator[str]:
        """As of the rows."""
        return RowGroups(self.rows, self.chosen).listing()

    def stamps(self) -> Iterator[str]:
        """As of the rows."""
        return RowGroups(self.rows, self.chosen).stamps()

    def in_any_order(self) -> Work[Contents]:
        """They are."""
        yield from ()
        return self


def rows_of(files: tuple[str, ...], column: str) -> Rows:
    """The row groups of files. Raises ConvlabError for a damaged file."""
    groups, starts, row = [], [], 0
    for number, file in enumerate(files):
        metadata = opened(file).metadata
        for group in range(metadata.num_row_groups):
            if metadata.row_group(group).total_byte_size > MOST_BYTES:
                help = "write it with smaller row groups, of some hundred pictures"
                raise damaged(file, f"row group {group} is over {MOST_BYTES:,} bytes", help=help)
            groups.append((number, group))
            starts.append(row)
            row += metadata.row_group(group).num_rows
    return Rows(files, column, tuple(groups), tuple(starts))


def opened(file: str) -> Any:
    """The parquet file. Raises ConvlabError for a damaged one."""
    import pyarrow
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file)
    except (pyarrow.ArrowException, OSError, MemoryError) as error:
        raise damaged(file, error) from None


_LOCK = threading.Lock()


@lru_cache(maxsize=2)
def _pictures(file: str, group: int, column: str) -> Any:
    """The encoded pictures of a row group, an Arrow array of bytes."""
    import pyarrow

    try:
        found = opened(file).read_row_group(group, columns=[column]).column(0).combine_chunks()
        return found.field("bytes") if pyarrow.types.is_struct(found.type) else found
    except (pyarrow.ArrowException, OSError, MemoryError, KeyError) as error:
        raise damaged(file, error) from None


def _unpack(contents: RowGroups, path: Path) -> Work[None]:
    """Write the pictures one after the other, whole or not at all."""
    help = "make room, or unpack the pictures into a folder a class and name that"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    ends, count, start = [0], len(contents), time.monotonic()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = sum(Path(file).stat().st_size for file in contents.rows.files)
        free = shutil.disk_usage(path.parent).free
        if free < size:
            place = quote(str(path.parent))
            message = (
                f"to read these pictures in any order takes {size / 1e9:.1f} GB in {place}; {free / 1e9:.1f} are free"
            )
            raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2)
        with temporary.open("wb") as file:
            for index in range(count):
                ends.append(ends[-1] + file.write(contents.read(index)))
                done, passed = index + 1, time.monotonic() - start
                yield Progress(done, count, "unpacking pictures", passed, passed / done * (count - done))
            for end in ends:
                file.write(end.to_bytes(NUMBER))
        temporary.replace(path)
    except OSError as error:
        message = f"cannot write {quote(str(path))}: {error.strerror or error}"
        raise ConvlabError(Problem("unfit-data", message, help=help), exit_code=2) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
