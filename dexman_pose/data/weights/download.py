"""One file over the network, resumed where it was cut off, kept only when it is what was expected."""

from __future__ import annotations

import os
import re
import shutil
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from dexman_pose.data.files import sha256_of
from dexman_pose.data.weights.card import Part
from dexman_pose.errors import MissingModelError
from dexman_pose.progress import progress

TOKEN_VARIABLE = "HF_TOKEN"
_BLOCK = 1 << 20
_TIMEOUT = 60.0
"""Seconds without a byte after which a download has failed; what came is kept."""
_HUB_HASH = "X-Linked-Etag"
"""Header in which a hub announces the sha256 of a large file, on its answer that sends on to the store."""
_SHA256 = re.compile(r'^(?:W/)?"?([0-9a-f]{64})"?$')
_ALL_HERE = 416
_PARTIAL = 206
_REFUSED = (401, 403)


@dataclass(frozen=True)
class Fetched:
    """What a download brought.

    Attributes:
        sha256: of the file.
        announced: the sha256 that the source itself named, or None.
    """

    sha256: str
    announced: str | None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows, and keeps the hash that is announced on the way. A token is for the hub, not for its store."""

    def __init__(self) -> None:
        self.announced: str | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        self.announced = self.announced or _announced(headers)
        sent_on = super().redirect_request(req, fp, code, msg, headers, newurl)
        if sent_on is not None and urlsplit(newurl).hostname != urlsplit(req.full_url).hostname:
            sent_on.remove_header("Authorization")
        return sent_on


def download(name: str, part: Part, path: Path, terms_page: str = "") -> Fetched:
    """Fetch one file to a path. What was cut off lies beside it as ``.part`` and is resumed.

    Args:
        name: of the network, for messages.
        part: where it comes from, and what is known of it.
        path: where it is going to lie; folders are made.
        terms_page: where its licence can be accepted.

    Raises:
        MissingModelError: it could not be had, or is not what the card or the source describes; nothing is kept of a
            file whose hash is wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    redirects = _Redirects()
    try:
        announced = _receive(part, partial, redirects)
    except urllib.error.HTTPError as error:
        raise _refused(name, part, error, terms_page) from error
    except (OSError, HTTPException, ValueError) as error:
        had = partial.stat().st_size if partial.exists() else 0
        raise MissingModelError(
            f"the model {name!r} could not be fetched: {part.url}: {' '.join(str(error).split())}; {had} bytes "
            f"are kept, and fetched no second time. Try again with: dexman-pose models fetch {name}"
        ) from error
    return _keep(name, part, partial, path, announced)


def copy_in(name: str, part: Part, source: Path, path: Path) -> Fetched:
    """Take one file from this machine instead of the network, under the same checks.

    Raises:
        MissingModelError: no such file, or it is not what the card describes.
    """
    if not source.is_file():
        raise MissingModelError(
            f"the model {name!r}: there is no file {source}, which is needed as {part.path}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    shutil.copyfile(source, partial)
    return _keep(name, part, partial, path, None)


def _receive(part: Part, partial: Path, redirects: _Redirects) -> str | None:
    had = partial.stat().st_size if partial.exists() else 0
    headers: dict[str, str] = {"Range": f"bytes={had}-"} if had else {}
    token = os.environ.get(TOKEN_VARIABLE)
    if token:
        headers["Authorization"] = f"Bearer {token}"
    opener = urllib.request.build_opener(redirects)
    try:
        answer = opener.open(urllib.request.Request(part.url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if had and error.code == _ALL_HERE:
            return redirects.announced
        raise
    with answer:
        resumed = answer.status == _PARTIAL
        if had and not resumed:
            had = 0  # the source cannot resume: from the beginning
        total = _length(answer.headers)
        with partial.open("ab" if resumed else "wb") as out:
            _pour(answer, out, part.path, total)
        if total is not None and partial.stat().st_size != had + total:
            raise OSError(f"cut off after {partial.stat().st_size} of {had + total} bytes")
        return redirects.announced or _announced(answer.headers)


def _pour(answer: Any, out: IO[bytes], title: str, total: int | None) -> None:
    blocks = None if total is None else -(-total // _BLOCK)
    for block in progress(iter(lambda: answer.read(_BLOCK), b""), f"fetch {title} (MB)", total=blocks):
        out.write(block)


def _keep(name: str, part: Part, partial: Path, path: Path, announced: str | None) -> Fetched:
    found, size = sha256_of(partial), partial.stat().st_size
    expected = part.sha256 or announced
    told_by = "its card" if part.sha256 else "its source"
    if expected is not None and found != expected:
        partial.unlink()
        raise MissingModelError(
            f"the model {name!r}: {part.path} has sha256 {found}, but {expected} was expected by {told_by}; "
            f"nothing was stored. Fetch it again with: dexman-pose models fetch {name}"
        )
    if part.size is not None and size != part.size:
        partial.unlink()
        raise MissingModelError(
            f"the model {name!r}: {part.path} has {size} bytes, but its card says {part.size}; nothing was stored. "
            f"Fetch it again with: dexman-pose models fetch {name}"
        )
    os.replace(partial, path)
    return Fetched(found, announced)


def _refused(name: str, part: Part, error: urllib.error.HTTPError, terms_page: str) -> MissingModelError:
    if error.code in _REFUSED:
        where = f" at {terms_page}" if terms_page else ""
        return MissingModelError(
            f"the model {name!r} is not handed out without consent ({part.url}: {error.code}): accept its "
            f"licence{where}, make an access token there, then: {TOKEN_VARIABLE}=... dexman-pose models fetch {name} "
            "--accept-licence"
        )
    return MissingModelError(
        f"the model {name!r} could not be fetched: {part.url}: {error.code} {error.reason}. With the file at hand: "
        f"dexman-pose models fetch {name} --from FOLDER"
    )


def _length(headers: HTTPMessage) -> int | None:
    said = headers.get("Content-Length")
    return int(said) if said is not None and said.isdigit() else None


def _announced(headers: HTTPMessage) -> str | None:
    match = _SHA256.match(headers.get(_HUB_HASH) or "")
    return match[1] if match else None
