"""Downloads: into a file beside the target, continued where they stopped, verified, and only then put in place."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from convlab.errors import ConvlabError, Problem, quote
from convlab.progress import Progress, Work

if TYPE_CHECKING:
    from http.client import HTTPResponse

PIECE = 2**18
TIMEOUT_S = 30.0
PART = ".part"


@final
@dataclass(frozen=True, slots=True)
class Remote:
    """A file to be had: its addresses (the first that answers is taken), its name here, ``sha256:...`` or ``md5:...``, and its bytes."""

    addresses: tuple[str, ...]
    name: str
    checksum: str
    size: int


@final
class NetworkError(Exception):
    """An address did not answer, or its answer broke off."""


def fetched_all(remotes: Sequence[Remote], folder: Path) -> Work[Path]:
    """Download files into a folder; those that are there and right are kept. Ends with the folder.

    Raises ConvlabError where one cannot be had: then the target is as it was, and a later call continues what had come.
    """
    total = sum(remote.size for remote in remotes)
    start = time.monotonic()
    before = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            _refuse_without_room(folder, total)
            for remote in remotes:
                target = folder / remote.name
                if not (target.is_file() and is_right(target, remote)):
                    for done, rate in _download(remote, target):
                        left = (total - before - done) / rate if rate else None
                        yield Progress(before + done, total, _told(remote, rate), time.monotonic() - start, left)
                before += remote.size
    except OSError as error:  # of the disk; those of the network are told below
        raise unwritable(folder, error) from None
    return folder


def unwritable(folder: Path, error: OSError) -> ConvlabError:
    """The error for a folder that nothing can be written to."""
    help = "look at the free space and the permissions, or set another data_folder"
    message = f"cannot write to {quote(str(folder))}: {error.strerror or error}"
    return ConvlabError(Problem("data-not-fetched", message, help=help))


def is_right(path: Path, remote: Remote) -> bool:
    """Whether a file has the bytes and the checksum that it should have."""
    return path.stat().st_size == remote.size and _checksum(path, remote) == remote.checksum


def _download(remote: Remote, target: Path) -> Iterator[tuple[int, float]]:
    """Bytes that are there, and bytes a second, again and again until the file is in place."""
    part = target.with_name(target.name + PART)
    reasons = []
    for address in remote.addresses:
        try:
            yield from _receive(address, part, remote.size)
        except NetworkError as error:
            reasons.append(f"{address}: {error}")
            if part.is_file() and not part.stat().st_size:
                part.unlink()
            continue
        if is_right(part, remote):
            _put_in_place(part, target)
            return
        part.unlink()  # to continue it would never end well
        reasons.append(f"{address}: what came is not the published file (its checksum differs)")
    help = "look at the network and run the command again: what has come is kept. Or fetch the file yourself and put it there"
    message = f"{remote.name} could not be downloaded to {target.parent}: {'; '.join(reasons)}"
    raise ConvlabError(Problem("data-not-fetched", message, help=help))


def _receive(address: str, part: Path, size: int) -> Iterator[tuple[int, float]]:
    """Append to the part what it lacks, or write it anew where the server cannot continue."""
    have = part.stat().st_size if part.is_file() else 0
    if have >= size:
        have = 0 if have > size else have
        if have:
            return
    headers = {"User-Agent": "convlab", "Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with _asked(Request(address, headers=headers)) as answer:
        have = have if _continues(answer, have) else 0
        with part.open("ab" if have else "wb") as file:
            yield from _copied(answer, file, have, size)
            file.flush()
            os.fsync(file.fileno())
    if part.stat().st_size < size:
        raise NetworkError(f"the connection ended after {part.stat().st_size:,} of {size:,} bytes")


def _asked(request: Request) -> HTTPResponse:
    with _network():
        answer: HTTPResponse = urlopen(request, timeout=TIMEOUT_S)
        return answer


@contextmanager
def _network() -> Iterator[None]:
    """What goes wrong within is the network's fault and not the disk's, although both raise OSError."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a redirection to no address
        raise NetworkError(_reason(error)) from None


def _copied(answer: HTTPResponse, file: BinaryIO, have: int, size: int) -> Iterator[tuple[int, float]]:
    start, first = time.monotonic(), have
    # One byte beyond the published size is read: enough to see that it is another file, too little to fill a disk.
    while have <= size:
        with _network():
            piece = answer.read(min(PIECE, size + 1 - have))
        if not piece:
            return
        file.write(piece)
        have += len(piece)
        yield min(have, size), (have - first) / max(time.monotonic() - start, 1e-3)


def _continues(answer: HTTPResponse, have: int) -> bool:
    """Whether the server sends what comes after the bytes that are there."""
    return answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _put_in_place(part: Path, target: Path) -> None:
    part.replace(target)
    with suppress(OSError):  # a folder cannot be synchronised everywhere
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _checksum(path: Path, remote: Remote) -> str:
    kind = remote.checksum.partition(":")[0]
    with path.open("rb") as file:
        return f"{kind}:{hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()}"


def _refuse_without_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size:
        message = f"{size / 1e6:,.0f} MB are needed in {quote(str(folder))}, and {free / 1e6:,.0f} MB are free"
        help = "make room, or set another data_folder"
        raise ConvlabError(Problem("data-not-fetched", message, help=help))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against a second download at the same time, where the system can."""
    try:
        import fcntl
    except ImportError:  # Windows: two downloads at once end in a wrong checksum, which is told
        yield
        return
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"another process is downloading to {quote(str(folder))}"
            raise ConvlabError(Problem("data-not-fetched", message, help="wait until it is done")) from None
        yield


def _reason(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(error.reason if isinstance(error, URLError) else error) or type(error).__name__


def _told(remote: Remote, rate: float) -> str:
    return f"{remote.name}, {rate / 1e6:.1f} MB/s"
