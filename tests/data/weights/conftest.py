"""A small web server on this machine that resumes, redirects, cuts off, and refuses, as hubs do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from dexman_pose.data import model_store

CONTENT = bytes(range(256)) * 5000


@dataclass
class Hub:
    """What the server holds, and what it was asked."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: list[str | None] = field(default_factory=list)
    cut_at: int | None = None
    token: str | None = None
    announced: str | None = None
    tokens_at_store: list[str | None] = field(default_factory=list)


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.startswith("/store/"):
                hub.tokens_at_store.append(self.headers.get("Authorization"))
                self._send(hub.files[self.path.removeprefix("/store")])
            elif hub.token is not None and self.headers.get("Authorization") != f"Bearer {hub.token}":
                self.send_error(401)
            elif self.path not in hub.files:
                self.send_error(404)
            elif hub.announced is not None:
                self.send_response(302)
                self.send_header("X-Linked-Etag", f'"{hub.announced}"')
                # Another name of the same machine, as the store of a hub is another host.
                self.send_header("Location", f"{hub.url.replace('127.0.0.1', 'localhost')}/store{self.path}")
                self.end_headers()
            else:
                self._send(hub.files[self.path])

        def _send(self, content: bytes) -> None:
            asked = self.headers.get("Range")
            hub.ranges.append(asked)
            start = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            if start >= len(content) and asked:
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            stop = len(content) if hub.cut_at is None else hub.cut_at
            self.wfile.write(content[start:stop])

    return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    served = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield served
    server.shutdown()
    server.server_close()


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> Path:
    """Cards of made-up networks that the server holds: one of one file, one of a hub, one that asks for consent."""
    folder = tmp_path / "cards"
    folder.mkdir()
    hub.files = {
        "/net.pth": CONTENT,
        "/who/net/resolve/main/config.json": b"{}",
        "/who/net/resolve/main/model.safetensors": CONTENT,
    }
    known = {"bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
    url = {"kind": "url", "url": f"{hub.url}/net.pth", "home": "their page", **known}
    files = [{"path": "config.json"}, {"path": "model.safetensors"}]
    hubbed = {"kind": "hub", "repository": "who/net", "home": "their page", "files": files}
    for name, more in {
        "single": {"file": "net.pth", "source": url, "licence": "MIT"},
        "several": {"source": hubbed, "licence": "MIT"},
        "asking": {"source": hubbed, "licence": "CC-BY-NC-4.0", "non_commercial": True, "gated": True},
        "byhand": {"source": {"kind": "hand", "home": "their page"}, "licence": "MIT"},
    }.items():
        card = {"name": name, "title": name, "used_by": "tests", **more}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(card))
    monkeypatch.setattr(model_store, "_card_folder", lambda: folder)
    monkeypatch.setenv("DEXMAN_POSE_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return folder


@pytest.fixture
def content() -> bytes:
    return CONTENT
