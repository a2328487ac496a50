"""A client of OpenAI-compatible completions that keeps one connection and notes when tokens came.

Written on bare sockets of asyncio: libraries for HTTP keep their own pools, retry behind one's back
and cost more processor time a token than the servers that are to be compared. It reads what it must
of HTTP/1.1 (RFC 9112: lengths and chunks) and of server-sent events, and nothing else. A request
that ends in anything but a whole answer is a lost request, whoever is to blame.
"""

import asyncio
import dataclasses
import json
import time

REQUEST_LIMIT_SECONDS = 600.0
LINE_BYTES = 1 << 20


class BadAnswer(Exception):
    """The server's answer is not what HTTP, server-sent events or OpenAI's API promise."""


@dataclasses.dataclass
class Outcome:
    """One request. Times are time.perf_counter()'s seconds."""
    sent: float
    token_times: list = dataclasses.field(default_factory=list)  # of events that brought text
    ended: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    text: str = ""
    lost: str = ""  # why; empty: it was answered whole

    @property
    def first_token_seconds(self):
        return self.token_times[0] - self.sent

    @property
    def gaps(self):
        return [after - before for before, after in zip(self.token_times, self.token_times[1:])]


async def read_head(reader):
    """(status, headers in lower case)."""
    line = (await reader.readline()).decode("latin-1")
    words = line.split()
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise BadAnswer("the connection was closed" if not line else f"no status line: {line!r}")
    headers = {}
    while (line := (await reader.readline()).decode("latin-1")) not in ("\r\n", "\n"):
        name, colon, value = line.partition(":")
        if not colon:
            raise BadAnswer(f"no header: {line!r}")
        headers[name.lower()] = value.strip()
    return int(words[1]), headers


async def read_pieces(reader, headers):
    """The body as it comes, piece by piece."""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        while True:
            line = await reader.readline()
            if not line:
                raise BadAnswer("the connection was closed within an answer")
            size = int(line.split(b";")[0], 16)
            if size:
                yield await reader.readexactly(size)
            if await reader.readexactly(2) != b"\r\n":
                raise BadAnswer("a chunk does not end where its size says")
            if not size:
                return
    elif "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
    else:
        raise BadAnswer("neither a length nor chunks: the connection cannot be kept")


async def read_events(pieces):
    """The data of each server-sent event."""
    rest = b""
    async for piece in pieces:
        rest += piece
        *events, rest = rest.replace(b"\r\n", b"\n").split(b"\n\n")
        for event in events:
            data = b"\n".join(line[5:].lstrip() for line in event.split(b"\n")
                              if line.startswith(b"data:"))
            if data:
                yield data
    if rest.strip():
        raise BadAnswer(f"the stream ends within an event: {rest[:80]!r}")


class Client:
    """One keep-alive connection; opened again when the server closed it."""

    def __init__(self, port):
        self._port = port
        self._streams = None
        self.connections = 0

    async def _open(self):
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=LINE_BYTES)
            self.connections += 1
        return self._streams

    def close(self):
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def request(self, method, path, body=None):
        """(status, headers, whole body)"""
        reader, writer = await self._open()
        await self._send(writer, method, path, body)
        status, headers = await read_head(reader)
        content = b"".join([piece async for piece in read_pieces(reader, headers)])
        self._close_if_asked(headers)
        return status, headers, content

    async def _send(self, writer, method, path, body):
        content = b"" if body is None else json.dumps(body).encode()
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                     "Content-Type: application/json\r\n"
                     f"Content-Length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()

    def _close_if_asked(self, headers):
        if headers.get("connection", "").lower() == "close":
            self.close()

    async def complete(self, body, on_token=None):
        """Streams a completion; never raises for what the server does."""
        outcome = Outcome(time.perf_counter())
        try:
            async with asyncio.timeout(REQUEST_LIMIT_SECONDS):
                await self._stream(body, outcome, on_token)
        except (OSError, BadAnswer, TimeoutError, EOFError, ValueError, KeyError,
                TypeError) as error:
            outcome.lost = f"{type(error).__name__}: {error}"
        if outcome.lost:
            self.close()
        outcome.ended = time.perf_counter()
        return outcome

    async def _stream(self, body, outcome, on_token):
        reader, writer = await self._open()
        outcome.sent = time.perf_counter()
        await self._send(writer, "POST", "/v1/completions",
                         {**body, "stream": True, "stream_options": {"include_usage": True}})
        status, headers = await read_head(reader)
        pieces = read_pieces(reader, headers)
        if status != 200:
            said = b"".join([piece async for piece in pieces])
            raise BadAnswer(f"status {status}: {said[:200].decode(errors='replace')}")
        done, finished, finished_at, texts = False, False, 0.0, []
        async for data in read_events(pieces):
            if data == b"[DONE]":
                done = True
                continue
            event = json.loads(data)
            if event.get("error"):
                raise BadAnswer(f"error in the stream: {event['error']}")
            for choice in event.get("choices", ()):
                if choice.get("finish_reason"):
                    finished = True
                    finished_at = time.perf_counter()
                if choice.get("text"):
                    outcome.token_times.append(time.perf_counter())
                    texts.append(choice["text"])
                    if on_token:
                        on_token()
            if event.get("usage"):
                self._note_usage(event["usage"], outcome)
        self._close_if_asked(headers)
        outcome.text = "".join(texts)
        if not (done and finished):
            raise BadAnswer(f"the stream ended early: [DONE] {done}, finish_reason {finished}")
        if not outcome.token_times:  # tokens without text, as the end of half a character
            outcome.token_times.append(finished_at)

    @staticmethod
    def _note_usage(usage, outcome):
        outcome.prompt_tokens = usage["prompt_tokens"]
        outcome.completion_tokens = usage["completion_tokens"]
        details = usage.get("prompt_tokens_details") or {}
        outcome.cached_tokens = details.get("cached_tokens") or 0
