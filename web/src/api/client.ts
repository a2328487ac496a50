// The two calls that the page makes: which models there are, and a conversation's next message.
import { ProblemError, problemOf, readError, type Problem } from "./problem";
import { SseParser } from "./sse";

export interface Model {
  id: string;
  contextLength?: number; // tokens of prompt and answer together
}

export interface Message {
  role: "system" | "user" | "assistant";
  content: string;
}

/** Absent values are the server's choice. */
export interface Sampling {
  temperature?: number;
  top_p?: number;
  top_k?: number;
  max_tokens?: number;
  seed?: number;
}

export interface ChatRequest {
  model: string;
  messages: Message[];
  sampling: Sampling;
}

export type Finish = "stop" | "length" | "content_filter";

export type ChatEvent =
  | { type: "text"; text: string }
  | { type: "finish"; reason: Finish }
  | { type: "usage"; promptTokens: number; completionTokens: number };

export interface Access {
  key: string; // "": none
  language: string; // of the server's messages
}

export class Client {
  constructor(private readonly http: typeof fetch = (...call) => fetch(...call)) {}

  async models(access: Access, signal?: AbortSignal): Promise<Model[]> {
    const response = await this.ask("/v1/models", access, signal ? { signal } : {});
    const list: unknown = await response.json().catch(() => null);
    const data = (list as { data?: unknown } | null)?.data;
    if (!Array.isArray(data)) throw new ProblemError({ kind: "strange" });
    return data.flatMap((card: { id?: unknown; context_length?: unknown } | null) => {
      if (typeof card?.id !== "string") return [];
      const length = card.context_length;
      return [{ id: card.id, ...(typeof length === "number" ? { contextLength: length } : {}) }];
    });
  }

  /** Throws a ProblemError for whatever the server or the network does, the DOM's AbortError for
   *  what the caller aborts. Ends without a throw only after the stream's own end. */
  async *chat(request: ChatRequest, access: Access, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    const response = await this.ask("/v1/chat/completions", access, {
      method: "POST",
      body: JSON.stringify({
        model: request.model,
        messages: request.messages,
        ...request.sampling,
        stream: true,
        stream_options: { include_usage: true },
      }),
      signal,
    });
    if (response.body === null) throw new ProblemError({ kind: "strange" });
    for await (const data of dataOf(response.body, signal)) {
      if (data === "[DONE]") return;
      yield* readChunk(data);
    }
    throw new ProblemError({ kind: "cut" });
  }

  private async ask(path: string, access: Access, init: RequestInit): Promise<Response> {
    const headers: Record<string, string> = { "Accept-Language": access.language };
    if (init.body !== undefined) headers["Content-Type"] = "application/json";
    if (access.key !== "") headers["Authorization"] = `Bearer ${access.key}`;
    let response: Response;
    try {
      response = await this.http(path, { ...init, headers, cache: "no-store", redirect: "error" });
    } catch (error) {
      throw init.signal?.aborted ? error : new ProblemError({ kind: "unreachable" });
    }
    if (response.ok) return response;
    const body = await response.text().catch(() => "");
    const retryAfter = response.headers.get("Retry-After");
    throw new ProblemError(problemOf(response.status, body, retryAfter, access.key !== ""));
  }
}

/** The `data` of every event, until the connection ends or breaks. */
async function* dataOf(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  const parser = new SseParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = done ? decoder.decode() : decoder.decode(value, { stream: true });
      for (const event of parser.feed(text)) yield event.data;
      if (done) return;
    }
  } catch (error) {
    throw signal.aborted ? error : new ProblemError({ kind: "cut" });
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

interface Chunk {
  error?: unknown;
  choices?: { delta?: { content?: unknown } | null; finish_reason?: unknown }[];
  usage?: { prompt_tokens?: unknown; completion_tokens?: unknown } | null;
}

function* readChunk(data: string): Generator<ChatEvent> {
  let chunk: Chunk | null;
  try {
    chunk = JSON.parse(data) as Chunk | null;
  } catch {
    throw new ProblemError({ kind: "strange" });
  }
  if (chunk?.error != null) throw new ProblemError(failureOf(data));
  const choice = Array.isArray(chunk?.choices) ? chunk.choices[0] : undefined;
  const text = choice?.delta?.content;
  if (typeof text === "string" && text !== "") yield { type: "text", text };
  const reason = choice?.finish_reason;
  if (reason === "stop" || reason === "length" || reason === "content_filter")
    yield { type: "finish", reason };
  const { prompt_tokens: prompt, completion_tokens: completion } = chunk?.usage ?? {};
  if (typeof prompt === "number" && typeof completion === "number")
    yield { type: "usage", promptTokens: prompt, completionTokens: completion };
}

function failureOf(data: string): Problem {
  const { message } = readError(data);
  return { kind: "failed", ...(message !== undefined ? { detail: message } : {}) };
}
