// Server-sent events out of text that comes in any pieces (WHATWG HTML, section 9.2.6).
//
// The browser's own EventSource can neither POST nor send a key, so the stream is read with fetch()
// and taken apart here. Of the format's fields only `event` and `data` matter: a chat is not
// resumed, so `id` and `retry` are passed over, as are comments.

export interface SseEvent {
  name: string; // "message" where the stream names none
  data: string;
}

export class SseParser {
  private rest = ""; // the beginning of a line whose end has not come
  private atStart = true;
  private name = "";
  private data: string[] = [];

  /** The events that this piece completes. An event that the stream never completes is dropped. */
  feed(piece: string): SseEvent[] {
    let text = this.rest + piece;
    if (this.atStart && text.length > 0) {
      if (text.startsWith("\uFEFF")) text = text.slice(1);
      this.atStart = false;
    }
    const events: SseEvent[] = [];
    let begin = 0;
    for (;;) {
      const end = lineEnd(text, begin);
      if (end === null) break;
      const event = this.take(text.slice(begin, end.at));
      if (event !== null) events.push(event);
      begin = end.next;
    }
    this.rest = text.slice(begin);
    return events;
  }

  private take(line: string): SseEvent | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") this.data.push(value);
    if (field === "event") this.name = value;
    return null;
  }

  private dispatch(): SseEvent | null {
    const event = { name: this.name || "message", data: this.data.join("\n") };
    const empty = this.data.length === 0;
    this.name = "";
    this.data = [];
    return empty ? null : event;
  }
}

/** A line ends with LF, CR or CR LF; a CR at the very end may yet become CR LF. */
function lineEnd(text: string, from: number): { at: number; next: number } | null {
  for (let i = from; i < text.length; ++i) {
    const c = text[i];
    if (c === "\n") return { at: i, next: i + 1 };
    if (c === "\r") {
      if (i + 1 === text.length) return null;
      return { at: i, next: text[i + 1] === "\n" ? i + 2 : i + 1 };
    }
  }
  return null;
}
