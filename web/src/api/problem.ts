// What can go wrong between this page and the server, as kinds that the page has a sentence for.

export type ProblemKind =
  | "key_missing" // 401, and no key was sent
  | "key_wrong" // 401
  | "key_expired" // 401
  | "forbidden" // 403: the key may not do this
  | "origin" // 403: this page's address is not one of the server's
  | "model_gone" // 404
  | "too_long" // 400: over the context
  | "too_large" // 413
  | "refused" // 400 and its kin, for a reason that only the server's message tells
  | "limit" // 429
  | "busy" // 503
  | "server" // 5xx
  | "unreachable" // no answer at all
  | "cut" // the stream broke off without its end
  | "failed" // the stream ended with an error of the server
  | "strange"; // an answer that is not in the API's words

export interface Problem {
  kind: ProblemKind;
  detail?: string; // what the server said, in the language that it was asked in
  retryAt?: number; // milliseconds since 1970: from then on it may go better
}

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.kind);
  }
}

/** The fields of {"error": {"message", "code"}}, whatever else the text may be. */
export function readError(body: string): { message?: string; code?: string } {
  try {
    const error: unknown = (JSON.parse(body) as { error?: unknown } | null)?.error;
    if (typeof error !== "object" || error === null) return {};
    const { message, code } = error as { message?: unknown; code?: unknown };
    return {
      ...(typeof message === "string" && message !== "" ? { message } : {}),
      ...(typeof code === "string" ? { code } : {}),
    };
  } catch {
    return {};
  }
}

function kindOf(status: number, code: string | undefined, keySent: boolean): ProblemKind {
  if (status === 401) {
    if (!keySent) return "key_missing";
    return code === "expired_api_key" ? "key_expired" : "key_wrong";
  }
  if (status === 403) return code === "forbidden_origin" ? "origin" : "forbidden";
  if (status === 404 && code === "model_not_found") return "model_gone";
  if (status === 413) return "too_large";
  if (status === 429) return "limit";
  if (status === 503) return "busy";
  if (status >= 500) return "server";
  if (code === "context_length_exceeded") return "too_long";
  return status >= 400 ? "refused" : "strange";
}

/** Retry-After as seconds; it may also be a date (RFC 9110, 10.2.3). At most a day is believed. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const seconds = /^\s*\d+\s*$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  if (!Number.isFinite(seconds)) return undefined;
  return Math.min(Math.max(Math.ceil(seconds), 0), 86_400);
}

export function problemOf(
  status: number,
  body: string,
  retryAfter: string | null,
  keySent: boolean,
  now = Date.now(),
): Problem {
  const { message, code } = readError(body);
  const wait = readRetryAfter(retryAfter, now);
  return {
    kind: kindOf(status, code, keySent),
    ...(message !== undefined ? { detail: message } : {}),
    ...(wait !== undefined ? { retryAt: now + wait * 1000 } : {}),
  };
}
