"""Marks and fixtures of these tests; `pytest -m "not soak"` leaves the slow one out."""

import pytest

import tiny_model
from serving import CONTEXT, Server


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes some 30 seconds")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(tiny_model.model_bytes())
    return path


@pytest.fixture(scope="module")
def server(tiny, tmp_path_factory):
    """On loopback, without keys, with 4 places for requests of CONTEXT tokens."""
    server = Server(tmp_path_factory.mktemp("home"), tiny, "--context", CONTEXT, "--parallel", 4,
                    "--threads", 2)
    assert server.port, server.said
    yield server
    assert server.stop()[0] == 0


@pytest.fixture(scope="module")
def model(server):
    return server.json("GET", "/v1/models")["data"][0]["id"]
