# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's package cache: GET only, only its own archives; packages are kept, indexes revalidated."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from eyrie.lab.package_store import Entry, Location, Store, locate

REDIRECTS = 3
TRIES = 3
TRY_AGAIN_SECONDS = 0.5
TIMEOUT = httpx.Timeout(30, connect=10)


class MirrorError(Exception):
    """The mirror cannot be reached, or does not answer as a mirror should."""


class AbsentError(Exception):
    """The mirror says that it has no such file."""


@dataclass
class PackageCache:
    """Fetches through to the mirror, one download of a file at a time."""

    archives: Mapping[str, str]
    store: Store
    client: httpx.AsyncClient
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def answer(self, request: Request) -> Response:
        """Serve one file."""
        location = locate(request.scope["path"], self.archives)
        if location is None:
            served = ", ".join(f"/{name}/{{dists,pool}}/..." for name in self.archives)
            return PlainTextResponse(f"not served here; wanted {served}\n", HTTPStatus.NOT_FOUND)
        try:
            async with self.locks[location.key]:
                entry = await self._entry(location)
        except AbsentError:
            return PlainTextResponse("the mirror has no such file\n", HTTPStatus.NOT_FOUND)
        except MirrorError as error:
            return PlainTextResponse(f"mirror: {error}\n", HTTPStatus.BAD_GATEWAY)
        if entry.last_modified and request.headers.get("if-modified-since") == entry.last_modified:
            return Response(status_code=HTTPStatus.NOT_MODIFIED)
        headers = {"last-modified": entry.last_modified} if entry.last_modified else {}
        return FileResponse(self.store.path(location.key), headers=headers, media_type=entry.content_type)

    async def _entry(self, location: Location) -> Entry:
        """Return the entry of a file that lies in the store, fetched or revalidated as its kind demands."""
        kept = await asyncio.to_thread(self.store.entry, location.key)
        if kept is not None and location.immutable:
            return kept
        try:
            return await self._fetch_patiently(location, kept)
        except MirrorError:
            if kept is None:
                raise
            return kept

    async def _fetch_patiently(self, location: Location, kept: Entry | None) -> Entry:
        """Mirrors hiccup: try a few times, unless an older copy will do."""
        for attempt in range(1, TRIES + 1):
            try:
                return await self._fetch(location, kept)
            except MirrorError:
                if kept is not None or attempt == TRIES:
                    raise
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        raise AssertionError("the last try returns or raises")

    async def _fetch(self, location: Location, kept: Entry | None) -> Entry:
        conditions = {}
        if kept is not None and kept.etag:
            conditions["If-None-Match"] = kept.etag
        if kept is not None and kept.last_modified:
            conditions["If-Modified-Since"] = kept.last_modified
        try:
            async with self._opened(location.url, conditions) as response:
                if response.status_code == HTTPStatus.NOT_MODIFIED and kept is not None:
                    return kept
                if response.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
                    raise AbsentError
                if response.status_code != HTTPStatus.OK:
                    raise MirrorError(f"{location.url}: status {response.status_code}")
                return await self._download(location, response)
        except httpx.HTTPError as error:
            raise MirrorError(f"{location.url}: {error or type(error).__name__}") from error

    @asynccontextmanager
    async def _opened(self, url: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        """Open the mirror's answer, following it only within its own host: this is no door to others."""
        for _ in range(REDIRECTS):
            async with self.client.stream("GET", url, headers=headers) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                target = urljoin(url, response.headers["location"])
            if urlsplit(target).hostname != urlsplit(url).hostname:
                raise MirrorError(f"{url}: sent to another host ({target})")
            url = target
        raise MirrorError(f"{url}: too many redirections")

    async def _download(self, location: Location, response: httpx.Response) -> Entry:
        part, digest, size = self.store.part(location.key), hashlib.sha256(), 0
        try:
            with part.open("wb") as file:
                async for chunk in response.aiter_raw():
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            expected = response.headers.get("content-length")
            if expected is not None and int(expected) != size:
                raise MirrorError(f"{location.url}: {size} of {expected} bytes")
            entry = Entry(
                digest.hexdigest(),
                response.headers.get("etag", ""),
                response.headers.get("last-modified", ""),
                response.headers.get("content-type", "application/octet-stream"),
            )
            self.store.keep(location.key, part, entry)
            return entry
        finally:
            part.unlink(missing_ok=True)


def make_app(archives: Mapping[str, str], directory: Path) -> Starlette:
    """Return the application; `archives` maps the first part of a path to a mirror's address."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        directory.mkdir(parents=True, exist_ok=True)
        store = Store(directory)
        store.sweep()
        # Answers are kept as they come: no transfer compression that Content-Length would not count.
        async with httpx.AsyncClient(timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as client:
            app.state.cache = PackageCache(archives, store, client)
            yield

    async def serve(request: Request) -> Response:
        cache: PackageCache = request.app.state.cache
        return await cache.answer(request)

    return Starlette(routes=[Route("/{path:path}", serve, methods=["GET"])], lifespan=lifespan)
