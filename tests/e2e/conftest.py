"""Marks of these tests; `pytest -m "not soak"` leaves the slow one out."""


def pytest_configure(config):
    config.addinivalue_line("markers", "soak: takes some 30 seconds")
