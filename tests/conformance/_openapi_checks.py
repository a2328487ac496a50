"""What openapi.py adds to Schemathesis: our own rules for 5xx, and a model that exists.

Loaded by Schemathesis through SCHEMATHESIS_HOOKS, not by make conformance.
"""

import schemathesis

# RFC 9110 names these; of any other a server says 501 (section 15.6.2).
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


@schemathesis.hook
def map_body(_context, body):
    """Names the served model where some name is given, but for every fourth length of a name."""
    if isinstance(body, dict) and isinstance(body.get("model"), str) and len(body["model"]) % 4:
        return {**body, "model": "tiny"}
    return body


@schemathesis.check
def no_server_error(_context, response, case):
    """No 5xx but 503, and that only with Retry-After; 501 for methods that nobody has to know."""
    status = response.status_code
    if status == 501 and case.method.upper() not in METHODS:
        return
    if status >= 500 and status != 503:
        raise AssertionError(f"status {status}")
    if status == 503 and "retry-after" not in response.headers:
        raise AssertionError("status 503 without Retry-After")


@schemathesis.check
def undeclared_method(_context, response, case):
    """A method that a path does not have is a 405 that names those it has."""
    declared = {each.upper() for each in case.operation.schema[case.operation.path]}
    if case.method.upper() not in METHODS - {"OPTIONS", "HEAD"} or case.method.upper() in declared:
        return
    if response.status_code != 405 or not response.headers.get("allow"):
        raise AssertionError(f"status {response.status_code} for an undeclared {case.method}")
