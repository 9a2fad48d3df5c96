# SPDX-License-Identifier: GPL-3.0-or-later
"""The package cache in front of a real mirror on the loopback."""

from __future__ import annotations

import http.client
import http.server
import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from eyrie.lab import package_cache
from eyrie.lab.package_store import Store, locate

DEB = "/debian/pool/main/h/hello/hello_2.10-5_amd64.deb"
INDEX = "/debian/dists/trixie/InRelease"


class Mirror(http.server.ThreadingHTTPServer):
    """A mirror that counts what it is asked and can be told to misbehave."""

    def __init__(self, root: Path) -> None:
        self.root, self.asked, self.mood = root, Counter[str](), ""
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/debian"


class Handler(http.server.SimpleHTTPRequestHandler):
    server: Mirror

    def translate_path(self, path: str) -> str:
        return str(self.server.root) + super().translate_path(path).removeprefix(str(Path.cwd()))

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        match self.server.mood:
            case "broken":
                self.send_error(503)
            case "short":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"only this")
            case "elsewhere":
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{self.server.server_port}{self.path}")
                self.end_headers()
            case "moved" if not self.path.startswith("/debian/moved"):
                self.send_response(302)
                self.send_header("Location", self.path.replace("/debian/", "/debian/moved/"))
                self.end_headers()
            case _:
                super().do_GET()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """No connection here is encrypted, and httpx reads all authorities anew for every client."""
    context = ssl.create_default_context()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", lambda **_: context)
        yield


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    root = tmp_path / "mirror"
    for path, text in ((DEB, "a package"), (INDEX, "an index")):
        (root / path[1:]).parent.mkdir(parents=True)
        (root / path[1:]).write_text(text)
    server = Mirror(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def serving(archives: dict[str, str], store: Path) -> Iterator[httpx.Client]:
    """The cache as it runs in a lab: uvicorn on a socket that is already bound."""
    config = uvicorn.Config(package_cache.make_app(archives, store), log_level="warning")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=10) as client:
            yield client
        server.should_exit = True
        thread.join()


@pytest.fixture
def cache(mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr(package_cache, "TRY_AGAIN_SECONDS", 0.01)
    with serving({"debian": mirror.address}, tmp_path / "store") as client:
        yield client


def test_a_package_is_fetched_once(cache: httpx.Client, mirror: Mirror) -> None:
    assert [cache.get(DEB).text for _ in range(3)] == ["a package"] * 3
    assert mirror.asked[DEB] == 1


def test_three_hosts_at_once_share_one_download(cache: httpx.Client, mirror: Mirror) -> None:
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: cache.get(DEB).text, range(3)))
    assert answers == ["a package"] * 3
    assert mirror.asked[DEB] == 1


def test_a_package_damaged_on_disk_is_fetched_again(
    cache: httpx.Client, mirror: Mirror, tmp_path: Path
) -> None:
    cache.get(DEB)
    (tmp_path / "store" / DEB[1:]).write_text("bit rot")
    assert cache.get(DEB).text == "a package"
    assert mirror.asked[DEB] == 2


def test_an_index_is_revalidated(cache: httpx.Client, mirror: Mirror) -> None:
    assert [cache.get(INDEX).text for _ in range(2)] == ["an index"] * 2
    assert mirror.asked[INDEX] == 2
    (mirror.root / INDEX[1:]).write_text("a newer index")
    os.utime(mirror.root / INDEX[1:], (4e9, 4e9))
    assert cache.get(INDEX).text == "a newer index"


def test_a_host_that_has_the_index_is_told_so(cache: httpx.Client) -> None:
    stamp = cache.get(INDEX).headers["last-modified"]
    assert cache.get(INDEX, headers={"If-Modified-Since": stamp}).status_code == 304


@pytest.mark.parametrize("mood", ["broken", "short", "elsewhere"])
def test_without_the_mirror_the_last_index_serves(cache: httpx.Client, mirror: Mirror, mood: str) -> None:
    cache.get(INDEX)
    (mirror.root / INDEX[1:]).touch()
    mirror.mood = mood
    assert cache.get(INDEX).text == "an index"


@pytest.mark.parametrize(
    ("mood", "said"),
    [("broken", "status 503"), ("short", "peer closed"), ("elsewhere", "sent to another host")],
)
def test_a_failing_mirror_is_said_so_and_nothing_is_kept(
    cache: httpx.Client, mirror: Mirror, tmp_path: Path, mood: str, said: str
) -> None:
    mirror.mood = mood
    answer = cache.get(DEB)
    assert (answer.status_code, said in answer.text) == (502, True), answer.text
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    mirror.mood = ""
    assert cache.get(DEB).text == "a package"


def test_a_mirror_may_move_things_within_itself(cache: httpx.Client, mirror: Mirror) -> None:
    target = mirror.root / DEB[1:].replace("debian/", "debian/moved/", 1)
    target.parent.mkdir(parents=True)
    target.write_text("moved")
    mirror.mood = "moved"
    assert cache.get(DEB).text == "moved"


def test_an_unreachable_mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_cache, "TRY_AGAIN_SECONDS", 0.01)
    with serving({"debian": "http://127.0.0.1:1/debian"}, tmp_path) as client:
        assert client.get(DEB).status_code == 502


REFUSED = [
    "/",
    "/debian",
    "/debian/",
    "/debian/dists",
    "/etc/passwd",
    "/debian/../etc/passwd",
    "/debian/pool/../../secret",
    "/debian/pool/..%2f..%2fsecret",
    "/debian/pool/%2e%2e/%2e%2e/secret",
    "/debian/pool//secret",
    "/debian/pool/a%00b",
    "/debian/project/trace",
    "/http://127.0.0.1/debian/pool/x",
    "/debian-security/pool/x.deb",
]


def ask(cache: httpx.Client, target: str, method: str = "GET") -> tuple[int, str]:
    """Send a request target as it is: clients tidy paths up before they send them."""
    connection = http.client.HTTPConnection("127.0.0.1", cache.base_url.port, timeout=10)
    connection.putrequest(method, target, skip_host=True)
    connection.putheader("Host", "192.0.2.1")
    connection.endheaders()
    response = connection.getresponse()
    try:
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_nothing_else_is_reached(cache: httpx.Client, mirror: Mirror) -> None:
    assert {path: ask(cache, path)[0] for path in REFUSED} == dict.fromkeys(REFUSED, 404)
    assert not mirror.asked


def test_it_is_no_proxy_for_other_hosts(cache: httpx.Client, mirror: Mirror) -> None:
    status, text = ask(cache, f"http://192.0.2.1{DEB}")
    assert (status, text) in [(200, "a package"), (404, text)]
    assert set(mirror.asked) <= {DEB}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_get(cache: httpx.Client, mirror: Mirror, method: str) -> None:
    assert ask(cache, DEB, method)[0] == 405
    assert not mirror.asked


@given(st.text())
def test_no_path_leads_out_of_the_store(path: str) -> None:
    location = locate("/debian/pool/" + path, {"debian": "http://m"})
    if location is not None:
        assert (Store(Path("/s")).path(location.key)).resolve().is_relative_to("/s/debian/pool")
        assert location.url.startswith("http://m/pool/")


@pytest.mark.parametrize(
    ("path", "immutable"),
    [
        (DEB, True),
        ("/debian/pool/main/g/g++/g++_12%2b1~deb13u1_amd64.deb".replace("%2b", "+"), True),
        ("/debian/dists/trixie/main/binary-amd64/by-hash/SHA256/" + "ab" * 32, True),
        (INDEX, False),
        ("/debian/dists/trixie/main/binary-amd64/Packages.xz", False),
    ],
)
def test_what_never_changes(path: str, immutable: bool) -> None:
    location = locate(path, {"debian": "http://m"})
    assert location is not None
    assert location.immutable is immutable
