import { describe, expect, it } from "vitest";
import { problemOf, readRetryAfter } from "./problem";

function body(code: string, message = "said"): string {
  return JSON.stringify({ error: { message, type: "x", param: null, code } });
}

describe("problemOf", () => {
  it.each([
    [401, "invalid_api_key", false, "key_missing"],
    [401, "invalid_api_key", true, "key_wrong"],
    [401, "expired_api_key", true, "key_expired"],
    [403, "missing_scope", true, "forbidden"],
    [403, "forbidden_origin", false, "origin"],
    [400, "context_length_exceeded", true, "too_long"],
    [400, "invalid_value", true, "refused"],
    [404, "model_not_found", true, "model_gone"],
    [413, "bad_http", true, "too_large"],
    [429, "rate_limit_exceeded", true, "limit"],
    [503, "queue_full", true, "busy"],
    [500, "generation_failed", true, "server"],
    [502, "", true, "server"],
    [304, "", true, "strange"],
  ] as const)("%i %s (key sent: %s) is %s", (status, code, keySent, kind) => {
    expect(problemOf(status, body(code), null, keySent)).toEqual({ kind, detail: "said" });
  });

  it("keeps to the status where the body is not the API's", () => {
    for (const text of ["", "<html>Bad gateway</html>", "null", "[]", '{"error":"x"}'])
      expect(problemOf(503, text, "5", false, 1_000)).toEqual({ kind: "busy", retryAt: 6_000 });
  });
});

describe("readRetryAfter", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it.each([
    [null, undefined],
    ["", undefined],
    ["soon", undefined],
    ["0", 0],
    [" 12 ", 12],
    ["999999999", 86_400],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30],
    ["Wed, 31 Dec 2025 23:59:30 GMT", 0],
  ])("of %j is %j", (value, seconds) => {
    expect(readRetryAfter(value, now)).toBe(seconds);
  });
});
