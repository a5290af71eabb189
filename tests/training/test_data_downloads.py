"""Downloads from a server on this machine that breaks off, lies, forgets ranges or is not there."""

import hashlib
import http.client
import io
import ssl
import tarfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tiny_sets import packed, write_cifar, write_idx_folder

from convlab.errors import ConvlabError
from convlab.progress import finished
from convlab.training.data import cifar, fashion_mnist, fetching
from convlab.training.data.cifar import CIFAR10
from convlab.training.data.fetching import Remote, fetched_all
from convlab.training.data.registry import dataset, known

CONTENT = bytes(range(256)) * 4096


@contextmanager
def server(files, *, ranges=True, break_after=None):
    """Serve these contents by their names; ``asked`` lists (path, range). ``break_after`` ends every answer after so many bytes."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            range_ = self.headers.get("Range")
            asked.append((self.path, range_))
            content = files.get(self.path.rpartition("/")[2])
            if content is None:
                self.send_error(404)
                return
            start = int(range_[6:-1]) if range_ and ranges else 0
            self.send_response(206 if range_ and ranges else 200)
            self.send_header("Content-Length", str(len(content) - start))
            if range_ and ranges:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked may have enough
                self.wfile.write(content[start:][:break_after])

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/", asked
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def remote(*hosts, content=CONTENT, name="set.bin"):
    return Remote(
        tuple(f"{host}{name}" for host in hosts), name, f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)
    )


def refused(work):
    with pytest.raises(ConvlabError) as raised:
        finished(work)
    return raised.value.problems[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_a_download(tmp_path):
    steps = []
    with server({"set.bin": CONTENT}) as (host, asked):
        folder = finished(fetched_all([remote(host)], tmp_path / "new" / "folder"), steps.append)
        assert (folder / "set.bin").read_bytes() == CONTENT
        assert names(folder) == ["set.bin"]
        assert finished(fetched_all([remote(host)], folder)) == folder
    assert asked == [("/set.bin", None)], "what is there is not downloaded again"
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total) == (len(CONTENT), len(CONTENT))
    assert "set.bin" in steps[-1].what


def test_a_download_that_breaks_off_goes_on_later(tmp_path):
    with server({"set.bin": CONTENT}, break_after=300_000) as (host, _):
        problem = refused(fetched_all([remote(host)], tmp_path))
        assert problem.code == "data-not-fetched"
        assert "300,000 of 1,048,576 bytes" in problem.message
        assert names(tmp_path) == ["set.bin.part"]
    with server({"set.bin": CONTENT}) as (host, asked):
        finished(fetched_all([remote(host)], tmp_path))
    assert asked == [("/set.bin", "bytes=300000-")]
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["set.bin"]


def test_a_download_that_is_stopped_goes_on_later(tmp_path):
    with server({"set.bin": CONTENT}) as (host, asked):
        work = fetched_all([remote(host)], tmp_path)
        while next(work).done < len(CONTENT) // 2:
            pass
        work.close()
        assert names(tmp_path) == ["set.bin.part"]
        finished(fetched_all([remote(host)], tmp_path))
    assert asked[1][1] is not None
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(tmp_path):
    (tmp_path / "set.bin.part").write_bytes(CONTENT[:5000])
    with server({"set.bin": CONTENT}, ranges=False) as (host, asked):
        finished(fetched_all([remote(host)], tmp_path))
    assert asked == [("/set.bin", "bytes=5000-")]
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("there", [CONTENT, CONTENT + b"more", b"x" * len(CONTENT)])
def test_a_part_that_is_whole_or_wrong(tmp_path, there):
    """A whole part needs no network; a wrong one of full length is found out, and the next try begins anew."""
    (tmp_path / "set.bin.part").write_bytes(there)
    with server({"set.bin": CONTENT}) as (host, asked):
        if there == b"x" * len(CONTENT):
            assert "checksum differs" in refused(fetched_all([remote(host)], tmp_path)).message
            assert names(tmp_path) == []
        finished(fetched_all([remote(host)], tmp_path))
    assert (tmp_path / "set.bin").read_bytes() == CONTENT
    assert (asked == []) == (there == CONTENT)


def test_another_file_than_the_published_one(tmp_path):
    with server({"set.bin": CONTENT[::-1]}) as (host, _):
        problem = refused(fetched_all([remote(host)], tmp_path))
    assert "checksum differs" in problem.message
    assert names(tmp_path) == [], "a wrong file would never be mended by going on"


def test_a_file_without_end_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "PIECE", 1000)
    endless = CONTENT * 8
    seen = []
    with server({"set.bin": endless}) as (host, _):
        work = fetched_all([remote(host)], tmp_path)
        with pytest.raises(ConvlabError, match="checksum differs"):
            finished(work, lambda step: seen.append((tmp_path / "set.bin.part").stat().st_size))
    assert max(seen) <= len(CONTENT) + 1


def test_a_second_address_is_tried(tmp_path):
    with server({}) as (first, asked_first), server({"set.bin": CONTENT}) as (second, asked_second):
        finished(fetched_all([remote(first, second)], tmp_path))
    assert len(asked_first) == len(asked_second) == 1
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_all_reasons_are_told(tmp_path):
    with server({}) as (host, _):
        pass
    with server({}) as (other, _):
        problem = refused(fetched_all([remote(host, other)], tmp_path))
    assert "HTTP 404" in problem.message
    assert "Connection refused" in problem.message
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "error", [TimeoutError("timed out"), OSError(113, "No route to host"), ssl.SSLError("record layer failure")]
)
def test_what_the_network_does_is_not_told_of_the_disk(tmp_path, monkeypatch, error):
    def broken(*_):
        raise error

    with server({"set.bin": CONTENT}) as (host, _), monkeypatch.context() as patched:
        patched.setattr(http.client.HTTPResponse, "read", broken)
        problem = refused(fetched_all([remote(host)], tmp_path))
    assert problem.message.startswith("set.bin could not be downloaded")
    assert str(error) in problem.message
    assert names(tmp_path) == [], "nothing had come"


def test_a_target_that_is_there_and_wrong_is_replaced(tmp_path):
    (tmp_path / "set.bin").write_bytes(b"wrong")
    with server({"set.bin": CONTENT[::-1]}) as (host, _):
        refused(fetched_all([remote(host)], tmp_path))
    assert (tmp_path / "set.bin").read_bytes() == b"wrong", "until the right one has come"
    with server({"set.bin": CONTENT}) as (host, _):
        finished(fetched_all([remote(host)], tmp_path))
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_two_downloads_at_once(tmp_path):
    with server({"set.bin": CONTENT}) as (host, _):
        first = fetched_all([remote(host)], tmp_path)
        next(first)
        assert "another process is downloading" in refused(fetched_all([remote(host)], tmp_path)).message
        finished(first)
    assert (tmp_path / "set.bin").read_bytes() == CONTENT


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    problem = refused(fetched_all([remote("http://127.0.0.1:9/")], tmp_path / "file"))
    assert problem.code == "data-not-fetched"
    assert "cannot write" in problem.message


def test_more_than_the_disk_holds(tmp_path):
    huge = replace(remote("http://127.0.0.1:9/"), size=10**18)
    assert "are free" in refused(fetched_all([huge], tmp_path)).message


def test_getting_fashion_mnist(tmp_path, monkeypatch):
    """Get, then load by name: every step but the published checksums, which a tiny set cannot have."""
    monkeypatch.setenv("CONVLAB_DATA_FOLDER", str(tmp_path / "data"))
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "nowhere")
    write_idx_folder(tmp_path / "published")
    files = {path.name: path.read_bytes() for path in (tmp_path / "published").iterdir()}
    of_files = [files[f"{stem}.gz"] for stem in fashion_mnist.STEMS]
    published = tuple((f"md5:{hashlib.md5(content).hexdigest()}", len(content)) for content in of_files)
    monkeypatch.setattr(fashion_mnist, "PUBLISHED", published)
    arrays = fashion_mnist._arrays(tmp_path / "published")
    monkeypatch.setattr(fashion_mnist, "CONTENT", tuple(array.sha256 for array in arrays))
    assert not known("fashion_mnist").where()
    with server(files) as (host, asked):
        monkeypatch.setattr(fashion_mnist, "HOSTS", (host,))
        place = finished(known("fashion_mnist").get())
    assert len(asked) == 4
    assert known("fashion_mnist").where() == str(place) == str(tmp_path / "data" / "fashion_mnist")
    assert dataset("fashion_mnist").classes == fashion_mnist.CLASSES


def archive_of(kind, content, host):
    """The kind with an archive of this content on this host."""
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    return replace(kind, archive=Remote((f"{host}cifar.tar.gz",), "cifar.tar.gz", checksum, len(content)))


def test_getting_cifar(tmp_path, monkeypatch):
    """Only the batches leave the archive, wherever its other members would like to go."""
    monkeypatch.setenv("CONVLAB_DATA_FOLDER", str(tmp_path / "data"))
    place = tmp_path / CIFAR10.folder
    write_cifar(place, CIFAR10)
    strange = [("../escaped", b"x"), ("/tmp/escaped-too", b"x"), (f"{CIFAR10.folder}/readme.html", b"x")]
    content = packed(place, CIFAR10.files, extra=strange)
    with server({"cifar.tar.gz": content}) as (host, _):
        found = finished(cifar.get(archive_of(CIFAR10, content, host)))
    assert found == tmp_path / "data" / CIFAR10.folder
    assert sorted(path.name for path in found.iterdir()) == sorted(CIFAR10.files)
    assert names(tmp_path / "data") == [CIFAR10.folder]
    assert not (tmp_path / "escaped").exists()
    assert len(dataset(found).train) == 90


@pytest.mark.parametrize("kind", ["a link", "a folder", "missing", "cut off"])
def test_an_archive_that_is_none(tmp_path, monkeypatch, kind):
    """Were it published so, it would be refused too: a batch is a file."""
    monkeypatch.setenv("CONVLAB_DATA_FOLDER", str(tmp_path / "data"))
    place = tmp_path / CIFAR10.folder
    write_cifar(place, CIFAR10)
    content = packed(place, CIFAR10.files[1:] if kind == "missing" else CIFAR10.files)
    if kind == "cut off":
        content = content[: len(content) // 2]
    elif kind != "missing":
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            member = tarfile.TarInfo(f"{CIFAR10.folder}/{CIFAR10.files[0]}")
            member.type, member.linkname = (
                (tarfile.SYMTYPE, "/etc/passwd") if kind == "a link" else (tarfile.DIRTYPE, "")
            )
            archive.addfile(member)
        content = stream.getvalue()
    with server({"cifar.tar.gz": content}) as (host, _):
        problem = refused(cifar.get(archive_of(CIFAR10, content, host)))
    assert problem.code == "damaged-data"
    assert names(tmp_path / "data") == ["cifar.tar.gz"], "nothing half is left"


def test_a_disk_that_is_full_is_not_a_damaged_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVLAB_DATA_FOLDER", str(tmp_path / "data"))
    place = tmp_path / CIFAR10.folder
    write_cifar(place, CIFAR10)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CIFAR10.folder).write_text("in the way")
    content = packed(place, CIFAR10.files)
    with server({"cifar.tar.gz": content}) as (host, _):
        problem = refused(cifar.get(archive_of(CIFAR10, content, host)))
    assert problem.code == "data-not-fetched"
    assert "cannot write" in problem.message
    assert names(tmp_path / "data") == [CIFAR10.folder, "cifar.tar.gz"]
