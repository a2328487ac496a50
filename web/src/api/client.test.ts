import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ChatEvent, Client } from "./client";
import { ProblemError } from "./problem";

const access = { key: "sk-1", language: "zh-CN" };
const request = { model: "m", messages: [{ role: "user" as const, content: "hi" }], sampling: {} };

/** A response whose body comes in these pieces; an Error in their place breaks the connection. */
function streamed(...pieces: (string | Uint8Array | Error)[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else if (piece instanceof Error) controller.error(piece);
        else controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
      },
    }),
  );
}

async function hear(response: Response): Promise<ChatEvent[]> {
  const client = new Client(() => Promise.resolve(response));
  const events: ChatEvent[] = [];
  for await (const event of client.chat(request, access, new AbortController().signal))
    events.push(event);
  return events;
}

async function problemIn(promise: Promise<unknown>): Promise<unknown> {
  const error: unknown = await promise.catch((caught: unknown) => caught);
  return error instanceof ProblemError ? error.problem : error;
}

const word = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`;

describe("a chat", () => {
  it("asks as the API wants it, key and language in the headers", async () => {
    const asked: [string, RequestInit][] = [];
    const client = new Client((url, init) => {
      asked.push([String(url), init ?? {}]);
      return Promise.resolve(streamed("data: [DONE]\n\n"));
    });
    const chat = { ...request, sampling: { top_k: 5 } };
    for await (const _ of client.chat(chat, access, new AbortController().signal));
    const [url, init] = asked[0]!;
    expect(url).toBe("/v1/chat/completions");
    expect(init.headers).toEqual({
      "Accept-Language": "zh-CN",
      "Content-Type": "application/json",
      Authorization: "Bearer sk-1",
    });
    expect(JSON.parse(String(init.body))).toEqual({
      model: "m",
      messages: [{ role: "user", content: "hi" }],
      top_k: 5,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("gives words, the end and the counts", async () => {
    const events = await hear(
      streamed(
        word("Hel"),
        word("") + 'data: {"choices":[{"delta":{},"finish_reason":"length"}],"usage":null}\n\n',
        'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
      ),
    );
    expect(events).toEqual([
      { type: "text", text: "Hel" },
      { type: "finish", reason: "length" },
      { type: "usage", promptTokens: 3, completionTokens: 2 },
    ]);
  });

  it("puts characters together whose bytes come in two pieces", async () => {
    const bytes = new TextEncoder().encode(word("海边"));
    const cut = bytes.length - 14;
    const events = await hear(streamed(bytes.slice(0, cut), bytes.slice(cut), "data: [DONE]\n\n"));
    expect(events).toEqual([{ type: "text", text: "海边" }]);
  });

  it("reads what the server's own encoder writes", async () => {
    const recorded = (name: string) =>
      readFileSync(new URL(`../../../tests/golden/api/${name}`, import.meta.url), "utf8");
    const events = await hear(streamed(recorded("chat.sse")));
    expect(events.filter(({ type }) => type === "text").length).toBeGreaterThan(1);
    expect(events.at(-1)).toEqual({ type: "usage", promptTokens: 7, completionTokens: 5 });
    expect(await problemIn(hear(streamed(recorded("chat_failed.sse"))))).toEqual({
      kind: "failed",
      detail: "it broke",
    });
  });

  it("is cut where the stream ends without its end", async () => {
    expect(await problemIn(hear(streamed(word("a"))))).toEqual({ kind: "cut" });
    expect(await problemIn(hear(streamed(word("a"), new TypeError("reset"))))).toEqual({
      kind: "cut",
    });
  });

  it("is strange where an event is not JSON", async () => {
    expect(await problemIn(hear(streamed("data: <html>\n\n")))).toEqual({ kind: "strange" });
  });

  it("passes over chunks that say nothing it knows", async () => {
    const odd = ["null", "7", "[]", '{"choices":7}', '{"choices":[null]}', '{"usage":{}}'];
    const text = odd.map((each) => `data: ${each}\n\n`).join("");
    expect(await hear(streamed(text + "data: [DONE]\n\n"))).toEqual([]);
  });

  it("tells a refusal with what the server said and when to come back", async () => {
    const body = JSON.stringify({ error: { message: "too many", code: "rate_limit_exceeded" } });
    const before = Date.now();
    const problem = await problemIn(
      hear(new Response(body, { status: 429, headers: { "Retry-After": "9" } })),
    );
    expect(problem).toMatchObject({ kind: "limit", detail: "too many" });
    const { retryAt } = problem as { retryAt: number };
    expect(retryAt).toBeGreaterThanOrEqual(before + 9000);
  });

  it("throws the abort of the caller as it is", async () => {
    const controller = new AbortController();
    controller.abort();
    const client = new Client((_, init) => Promise.reject(init?.signal?.reason as Error));
    const chat = client.chat(request, access, controller.signal);
    expect(await problemIn(chat.next())).toMatchObject({ name: "AbortError" });
  });
});

describe("the models", () => {
  const models = (response: Response | Error) =>
    new Client(() =>
      response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
    ).models({ key: "", language: "en" });

  it("are told with their context", async () => {
    const list = { data: [{ id: "a", context_length: 9 }, { id: "b" }, null, { id: 7 }] };
    expect(await models(Response.json(list))).toEqual([{ id: "a", contextLength: 9 }, { id: "b" }]);
  });

  it.each([
    [new TypeError("refused"), "unreachable"],
    [new Response("<html>"), "strange"],
    [Response.json({}), "strange"],
    [new Response("", { status: 401 }), "key_missing"],
  ])("%s: %s", async (response, kind) => {
    expect(await problemIn(models(response))).toEqual({ kind });
  });
});
