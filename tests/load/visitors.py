"""The visitors of the soak: each does one thing to the server and says what came of it.

A visitor returns the name of an outcome that is allowed for it, or raises Violation with what the
server did wrong. Most are rude on purpose. What is checked is what a client can see: the right
status, one terminal event and nothing after it, answers in the order of their requests, Retry-After
where the server asks for patience.
"""

import asyncio
import contextlib
import dataclasses
import json
import random

from load_client import BadAnswer, read_events, read_head, read_pieces

PATIENCE_SECONDS = 120.0  # for one visit: longer is a hang
LINE_BYTES = 1 << 20
BODY_LIMIT_BYTES = 256 * 1024  # as the server of the soak is configured


class Violation(Exception):
    """The server broke a promise."""


@dataclasses.dataclass
class World:
    """What visitors know. One for all; every task has its own `dice`."""
    port: int
    model: str
    key: str
    context: int
    request_ids: list  # of generating answers that came with status 200

    def completion(self, dice, **more):
        words = " ".join(dice.choice(("alpha", "beta", "gamma", "delta")) for _ in range(8))
        return {"model": self.model, "prompt": f"{dice.random()} {words}", "ignore_eos": True,
                "temperature": dice.choice((0, 1)), "max_tokens": dice.randint(1, 48), **more}


class Connection:
    """An open connection that is closed at the end, whatever happens."""

    def __init__(self, world):
        self._world = world

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self._world.port, limit=LINE_BYTES)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    def head(self, method, path, length, key=None):
        return (f"{method} {path} HTTP/1.1\r\nHost: localhost:{self._world.port}\r\n"
                f"Authorization: Bearer {self._world.key if key is None else key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n").encode()

    def send(self, method, path, body=None, key=None):
        content = b"" if body is None else (body if isinstance(body, bytes)
                                            else json.dumps(body).encode())
        self.writer.write(self.head(method, path, len(content), key) + content)

    async def answer(self):
        """(status, headers, body)"""
        status, headers = await read_head(self.reader)
        body = b"".join([piece async for piece in read_pieces(self.reader, headers)])
        return status, headers, body


def busy(status, headers):
    """Whether the server asks for patience, as it may; it must say for how long."""
    if status not in (429, 503):
        return False
    if not headers.get("retry-after", "").isdigit():
        raise Violation(f"status {status} without Retry-After")
    return True


def error_of(status, headers, body, wanted, code=None):
    """An error in OpenAI's shape, of the wanted status."""
    if busy(status, headers):
        return "busy"
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        raise Violation(f"status {status} with {body[:80]!r}, no error") from None
    if status != wanted or not error.get("message") or (code and error.get("code") != code):
        raise Violation(f"status {status}, {error}; {wanted} {code or ''} is wanted")
    return str(status)


async def read_stream(connection, world, choices=1):
    """An accepted stream up to its end: every choice finishes once, [DONE] comes once and last."""
    status, headers = await read_head(connection.reader)
    pieces = read_pieces(connection.reader, headers)
    if status != 200:
        body = b"".join([piece async for piece in pieces])
        if busy(status, headers):
            return "busy"
        raise Violation(f"status {status}: {body[:200]!r}")
    world.request_ids.append(headers.get("x-request-id", ""))
    finished, done = [], 0
    async for data in read_events(pieces):
        if done:
            raise Violation(f"an event after [DONE]: {data[:80]!r}")
        if data == b"[DONE]":
            done += 1
            continue
        event = json.loads(data)
        if "error" in event:
            raise Violation(f"an error in the stream: {event['error']}")
        finished += [choice["index"] for choice in event["choices"] if choice["finish_reason"]]
    if done != 1 or sorted(finished) != list(range(choices)):
        raise Violation(f"{done} [DONE], choices {finished} finished of {choices}")
    return "whole"


async def streams(world, dice):
    """Reads an answer to its end; another on the same connection."""
    outcome = "whole"
    async with Connection(world) as connection:
        for _ in range(2):
            choices = dice.choice((1, 1, 1, 3))
            connection.send("POST", "/v1/completions",
                            world.completion(dice, stream=True, n=choices))
            outcome = await read_stream(connection, world, choices)
    return outcome


async def chats(world, dice):
    async with Connection(world) as connection:
        connection.send("POST", "/v1/chat/completions", {
            "model": world.model, "stream": True, "max_tokens": dice.randint(1, 32),
            "messages": [{"role": "user", "content": f"hello {dice.random()}"}]})
        return await read_stream(connection, world)


async def asks_at_once(world, dice):
    """Without streaming, on a connection that is used again."""
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", world.completion(dice))
        status, headers, body = await connection.answer()
        if busy(status, headers):
            return "busy"
        answer = json.loads(body)
        if status != 200 or not answer["choices"][0]["finish_reason"]:
            raise Violation(f"status {status}: {body[:200]!r}")
        world.request_ids.append(headers.get("x-request-id", ""))
        connection.send("GET", "/v1/models")
        if (await connection.answer())[0] != 200:
            raise Violation("the second request of a connection was not answered")
    return "whole"


async def leaves(world, dice):
    """Goes away somewhere: before, during or after the answer's beginning."""
    async with Connection(world) as connection:
        stream = dice.random() < 0.7
        connection.send("POST", "/v1/completions",
                        world.completion(dice, stream=stream, max_tokens=world.context // 2))
        await connection.writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(dice.random() * 2):
                await connection.reader.read(dice.choice((1, 64, 4096)))
        if dice.random() < 0.5:
            connection.writer.transport.abort()  # a reset instead of an end
    return "left"


async def reads_slowly(world, dice):
    """Takes a long answer in sips; then goes on or leaves. The server may lose patience."""
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", world.completion(
            dice, stream=True, max_tokens=world.context // 2, n=2))
        for _ in range(dice.randint(5, 40)):
            if not await connection.reader.read(dice.randint(1, 64)):
                return "cut"
            await asyncio.sleep(0.1)
    return "left"


async def sends_too_much(world, dice):
    async with Connection(world) as connection:
        connection.writer.write(connection.head("POST", "/v1/completions", BODY_LIMIT_BYTES * 4))
        with contextlib.suppress(OSError):  # the refusal may close what is still being sent
            for _ in range(dice.randint(0, 20)):
                connection.writer.write(b" " * 16384)
                await connection.writer.drain()
        try:
            return error_of(*await connection.answer(), 413)
        except (BadAnswer, ConnectionError, asyncio.IncompleteReadError):
            return "closed"  # bytes in flight after a close: the answer may be lost to a reset


async def sends_bad_json(world, dice):
    body = dice.choice((b'{"model":', b"[]", b"\xff\xfe", b'{"a":1}{', b"[" * 5000, b"",
                        b'{"prompt": "x", "prompt": "y"}', b'{"prompt": 1e999}'))
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", body)
        return error_of(*await connection.answer(), 400)


async def has_a_bad_key(world, dice):
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", world.completion(dice),
                        key=dice.choice(("", "sk-wrong", "x" * 4000, "sk-" + "é" * 20)))
        return error_of(*await connection.answer(), 401)


async def wants_an_unknown_model(world, dice):
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", world.completion(dice, model="no-such-model"))
        return error_of(*await connection.answer(), 404, "model_not_found")


async def asks_too_long(world, dice):
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions",
                        world.completion(dice, max_tokens=world.context * 100))
        return error_of(*await connection.answer(), 400, "context_length_exceeded")


async def pipelines(world, dice):
    """Sends four requests at once; the answers come in their order."""
    async with Connection(world) as connection:
        connection.send("GET", "/v1/models")
        connection.send("POST", "/v1/completions", world.completion(dice, max_tokens=4))
        connection.send("POST", "/v1/completions", b"{")
        connection.send("GET", "/health")
        first = await connection.answer()
        if b'"object":"list"' not in first[2].replace(b" ", b""):
            raise Violation(f"the first answer of a pipeline is another's: {first[2][:80]!r}")
        second = await connection.answer()
        if not busy(*second[:2]) and b"text_completion" not in second[2]:
            raise Violation(f"the second answer of a pipeline is another's: {second[2][:80]!r}")
        error_of(*await connection.answer(), 400)
        if b"ok" not in (await connection.answer())[2]:
            raise Violation("the fourth answer of a pipeline is another's")
    return "whole"


async def half_closes(world, dice):
    """Says that it will send no more, and wants its answer all the same: all of it, or none."""
    async with Connection(world) as connection:
        connection.send("POST", "/v1/completions", world.completion(dice, stream=True))
        await connection.writer.drain()
        connection.writer.write_eof()
        try:
            return await read_stream(connection, world)
        except (BadAnswer, ConnectionError, asyncio.IncompleteReadError):
            return "closed"


async def speaks_no_http(world, dice):
    async with Connection(world) as connection:
        connection.writer.write(dice.choice((
            b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", bytes(dice.randbytes(200)),
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
            b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n")))
        with contextlib.suppress(ConnectionError):
            await connection.writer.drain()
            connection.writer.write_eof()
            while await connection.reader.read(65536):
                pass
    return "refused"


async def says_half(world, dice):
    """Stops in the middle of a head or a body; the server's clock ends it, or this visitor does."""
    async with Connection(world) as connection:
        whole = connection.head("POST", "/v1/completions", 100) + b'{"prompt": '
        connection.writer.write(whole[:dice.randint(1, len(whole))])
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(dice.random() * 8):
                while await connection.reader.read(4096):
                    pass
                return "closed"
    return "left"


# What each does, and how often.
VISITORS = {streams: 6, chats: 4, asks_at_once: 4, leaves: 6, reads_slowly: 3, sends_too_much: 2,
            sends_bad_json: 3, has_a_bad_key: 3, wants_an_unknown_model: 2, asks_too_long: 2,
            pipelines: 3, half_closes: 2, speaks_no_http: 2, says_half: 2}


async def visit(world, dice: random.Random):
    """(visitor's name, outcome); raises Violation, with the visitor's name in front."""
    visitor = dice.choices(list(VISITORS), list(VISITORS.values()))[0]
    name = visitor.__name__
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return name, await visitor(world, dice)
    except Violation as broken:
        raise Violation(f"{name}: {broken}") from None
    except TimeoutError:
        raise Violation(f"{name}: no end after {PATIENCE_SECONDS:.0f} s") from None
    except (OSError, EOFError, BadAnswer, ValueError, KeyError) as error:
        raise Violation(f"{name}: {type(error).__name__}: {error}") from None
