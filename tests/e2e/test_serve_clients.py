"""Clients that leave, in the ways in which sockets can be left."""

import json
import socket
import struct
import threading

import pytest

from serving import CONTEXT, completion


def sent(server, path, body, half=False):
    """A connection on which a request was sent; `half`: and on which nothing more will be."""
    body = json.dumps(body).encode()
    client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    client.sendall(b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % (path.encode(), len(body)) + body)
    if half:
        client.shutdown(socket.SHUT_WR)
    return client


def read_all(client):
    with client:
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_client_that_leaves_frees_its_place(server, model, abruptly):
    for _ in range(8):
        with sent(server, "/v1/completions",
                  completion(model, max_tokens=CONTEXT - 16, stream=True)) as client:
            client.recv(64)
            if abruptly:  # a reset instead of a farewell
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.comes_to_rest()
    assert server.json("POST", "/v1/completions", completion(model))["choices"]


def test_clients_that_leave_at_every_moment_free_their_places(server, model):
    """Also before the head, when the request has just been handed to the model."""
    def leave(index):
        with sent(server, "/v1/completions", completion(
                model, max_tokens=CONTEXT - 16, stream=index % 2 == 0)) as client:
            threading.Event().wait(index * 0.0005)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    clients = [threading.Thread(target=leave, args=(index,)) for index in range(40)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    server.comes_to_rest()
    assert server.json("POST", "/v1/completions", completion(model))["choices"]


def test_a_client_that_has_said_everything_still_gets_what_is_there(server, model):
    """shutdown(SHUT_WR) after the request, as `nc -N` does it."""
    for path in ("/health", "/v1/models", "/metrics", "/nowhere"):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        client.sendall(b"GET %b HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode())
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).startswith(b"HTTP/1.1 "), path
    refused = read_all(sent(server, "/v1/completions", {"model": "no-such", "prompt": "x"}, half=True))
    assert b" 404 " in refused


@pytest.mark.parametrize("stream", [False, True])
def test_nothing_is_computed_for_a_client_that_may_have_gone(server, model, stream):
    name = f'premise_tokens_total{{kind="completion",model="{model}",key="none"}}'
    before = server.metric(name)
    answers = [read_all(sent(server, "/v1/completions", completion(
        model, max_tokens=CONTEXT - 16, stream=stream), half=True)) for _ in range(8)]
    server.comes_to_rest()
    assert not any(b"[DONE]" in answer or b"finish_reason\":\"length" in answer for answer in answers)
    assert server.metric(name) - before < 8 * (CONTEXT - 16) / 2
