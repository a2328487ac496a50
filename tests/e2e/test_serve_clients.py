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
