"""As much of Google's storage as gcsfs asks for when it lists, reads, writes and removes small files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

_PATH = re.compile(r"^(?:/upload|/download)?/storage/v1/b/([^/]+)(?:/o(?:/(.*))?)?$")


class Handler(BaseHTTPRequestHandler):
    """Answers from a dict of (bucket, name) to bytes, which the class carries; buckets "closed..." refuse."""

    held: dict[tuple[str, str], bytes]

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        bucket, name, asked = self._asked()
        if bucket.startswith("closed"):
            self._answer({"error": {"code": 403, "message": "no access"}}, 403)
        elif name is None:
            begin = asked.get("prefix", "")
            names = [one for box, one in sorted(self.held) if box == bucket and one.startswith(begin)]
            below = [one for one in names if asked.get("delimiter") and "/" in one[len(begin) :]]
            folders = sorted({begin + one[len(begin) :].partition("/")[0] + "/" for one in below})
            items = [self._info(bucket, one) for one in names if one not in below]
            self._answer({"items": items, "prefixes": folders})
        elif (bucket, name) not in self.held:
            self._answer({"error": {"code": 404, "message": "Not Found"}}, 404)
        else:
            media = asked.get("alt") == "media"
            self._answer(self.held[bucket, name] if media else self._info(bucket, name))

    def do_POST(self) -> None:
        """A multipart upload: what it is, then its bytes."""
        bucket, _, _ = self._asked()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mark = re.search(r'boundary="?([^";]+)', self.headers["Content-Type"])
        line = b"\r\n" if body.startswith(b"--" + mark[1].encode() + b"\r") else b"\n"
        parts = body.split(b"--" + mark[1].encode())[1:3]
        told, data = (part.split(line + line, 1)[1].removesuffix(line) for part in parts)
        name = json.loads(told)["name"]
        self.held[bucket, name] = data
        self._answer(self._info(bucket, name))

    def do_DELETE(self) -> None:
        bucket, name, _ = self._asked()
        there = self.held.pop((bucket, name), None) is not None
        self._answer(b"", 204 if there else 404)

    def _asked(self) -> tuple[str, str | None, dict[str, str]]:
        parts = urlsplit(self.path)
        bucket, name = _PATH.match(parts.path).groups()
        return unquote(bucket), unquote(name) if name else None, dict(parse_qsl(parts.query))

    def _info(self, bucket: str, name: str) -> dict[str, str]:
        data = self.held[bucket, name]
        digest = hashlib.md5(data).digest()
        return {
            "kind": "storage#object", "bucket": bucket, "name": name, "size": str(len(data)),
            "md5Hash": base64.b64encode(digest).decode(), "etag": digest.hex(),
            "updated": "2026-01-01T00:00:00.000Z", "generation": "1",
        }  # fmt: skip

    def _answer(self, what: object, status: int = 200) -> None:
        data = what if isinstance(what, bytes) else json.dumps(what).encode()
        with suppress(BrokenPipeError):  # who asks for one name more than it needs hangs up
            self.send_response(status)
            self.send_header(
                "Content-Type", "application/octet-stream" if data is what else "application/json"
            )
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


@contextmanager
def fake_gcs() -> Iterator[str]:
    """Runs the server meanwhile; yields its address."""
    handler = type("Own", (Handler,), {"held": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
