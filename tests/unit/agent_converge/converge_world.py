# SPDX-License-Identifier: GPL-3.0-or-later
"""A depot that speaks https, and a desktop whose facts a test sets; the rest is real, on a real disk."""

from __future__ import annotations

import hashlib
import io
import json
import ssl
import threading
import zipfile
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eyrie.agent.converge.apply import Place
from eyrie.agent.converge.command import converge
from eyrie.credentials.authority import WantedCertificate, issue, new_authority

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJsYWIifQ.c2VjcmV0"


@cache
def authority(pool: str = "lab") -> Any:
    return new_authority(pool, datetime.now(UTC))


class Depot:
    """Files by name, over TLS; `cut` ends an answer early, as a lost connection does."""

    def __init__(self, folder: Path, days: int = 2) -> None:
        self.files: dict[str, bytes] = {}
        self.cut = 0
        self.ranges: list[str] = []
        pem = issue(authority(), WantedCertificate(("127.0.0.1",), days), datetime.now(UTC))
        (folder / "depot.pem").write_text(pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "depot.pem")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, name: str, data: bytes, unpack: str = "zip") -> dict[str, Any]:
        sha256 = hashlib.sha256(data).hexdigest()
        self.files[f"/{sha256}.{unpack}"] = data
        url = f"https://127.0.0.1:{self._server.server_port}/{sha256}.{unpack}"
        return {"name": name, "sha256": sha256, "size": len(data), "url": url, "unpack": unpack}


def _handler(depot: Depot) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = depot.files.get(self.path)
            if data is None:
                self.send_error(404)
                return
            asked = self.headers.get("Range", "")
            depot.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.wfile.write(data[start : depot.cut or None])

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_dot_", ".")), text)
    return stream.getvalue()


class Told:
    """A desktop's facts."""

    def __init__(self, **changes: Any) -> None:
        self.facts = {
            "windows": {"version": "10.0.19045", "product": "Windows 10 Pro"},
            "architecture": "AMD64",
            "memory_mib": 8192,
            "processors": 4,
            "virtualisation": {"hypervisor": False, "firmware": True, "whpx": "absent"},
            "pae": True,
            "dep": True,
            **changes,
        }

    def about(self) -> dict[str, Any]:
        return dict(self.facts)

    def sessions(self) -> list[dict[str, Any]]:
        return []

    def boot_id(self) -> str:
        return "boot-1"

    def reboot_pending(self) -> bool:
        return False

    def agent_state(self) -> str:
        return "busy"


def configuration(**changes: Any) -> dict[str, Any]:
    """The configuration of a Linux desktop: the agent's own rules for paths hold where the tests run."""
    return {
        "version": 1,
        "name": "pc-1",
        "idle": {
            "seconds": 900,
            "poll_seconds": 0.5,
            "sources": ["load"],
            "foreign_cpu_percent": 30,
            "calendar": [],
            "ignored_users": [],
        },
        "evict": {"grace_seconds": 5},
        "backoff": {"first_seconds": 10, "max_seconds": 600},
        "lease_seconds": 60,
        "start_timeout_seconds": 120,
        "guest": {
            "backend": "qemu",
            "image": "{item:guest-image}",
            "image_id": "abc",
            "memory_mib": 256,
            "cpus": 1,
            "cpu_percent": 100,
            "user": "eyrie-guest",
            "token": "/etc/eyrie/token",
            "accel": "auto",
        },
        "pool": {"name": "lab", "engine": "htcondor", "master": "192.0.2.10", "port": 9618},
        **changes,
    }


class Desktop:
    """A desktop's folder, brought to specs."""

    def __init__(self, folder: Path, depot: Depot) -> None:
        self.depot = depot
        self.told: list[str] = []
        self.trouble = ""
        self.running = "running"
        self.before_telling = lambda: None
        self.place = Place(folder / "data", service=self)
        self.items = [depot.publish("guest-image", zipped(kernel="k", sub__disk="d" * 5000))]
        self.system = Told()

    def state(self) -> str:
        return self.running

    def start(self) -> str:
        self.running = "running"
        return self.reread()

    def reread(self) -> str:
        self.before_telling()
        self.told.append((self.place.data / "agent.json").read_text())
        return self.trouble

    def spec(self, **changes: Any) -> dict[str, Any]:
        return {
            "version": 1,
            "agent_version": "",
            "agent": configuration(),
            "token": TOKEN,
            "items": self.items,
            "ca": authority().certificate,
            "firewall": False,
            **changes,
        }

    def bring(self, check: bool = False, **changes: Any) -> dict[str, Any]:
        return converge(json.dumps(self.spec(**changes)), check, self.place, self.system)

    def item(self, number: int = 0) -> Path:
        item = self.items[number]
        return self.place.data / "items" / f"{item['name']}-{item['sha256'][:16]}"

    def everything(self) -> dict[str, bytes]:
        data = self.place.data
        return {
            path.relative_to(data).as_posix(): path.read_bytes()
            for path in sorted(data.rglob("*"))
            if path.is_file()
        }
