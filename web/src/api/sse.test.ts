import { describe, expect, it } from "vitest";
import { SseParser } from "./sse";

function parse(...pieces: string[]): string[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => parser.feed(piece)).map((event) => event.data);
}

describe("SseParser", () => {
  it("gives an event at the empty line, not before", () => {
    const parser = new SseParser();
    expect(parser.feed("data: a\n")).toEqual([]);
    expect(parser.feed("\n")).toEqual([{ name: "message", data: "a" }]);
  });

  it("gives the same events however the text is cut", () => {
    const text = 'data: {"a":1}\n\n: comment\r\ndata: two\rdata:lines\r\n\r\nevent: end\ndata\n\n';
    const whole = new SseParser().feed(text);
    expect(whole).toEqual([
      { name: "message", data: '{"a":1}' },
      { name: "message", data: "two\nlines" },
      { name: "end", data: "" },
    ]);
    for (let i = 0; i <= text.length; ++i)
      for (let j = i; j <= text.length; j += 3) {
        const parser = new SseParser();
        const cut = [text.slice(0, i), text.slice(i, j), text.slice(j)];
        expect(cut.flatMap((piece) => parser.feed(piece))).toEqual(whole);
      }
  });

  it("takes one space off a value, and no more", () => {
    expect(parse("data:a\n\ndata: b\n\ndata:  c\n\n")).toEqual(["a", "b", " c"]);
  });

  it("passes over the byte order mark, unknown fields and events without data", () => {
    expect(parse("\uFEFFdata: a\n\n")).toEqual(["a"]);
    expect(parse("id: 7\nretry: 10\nnonsense\n\ndata: a\n\n")).toEqual(["a"]);
    expect(parse("event: ping\n\n")).toEqual([]);
  });

  it("drops an event that the stream does not complete", () => {
    expect(parse("data: a\n\ndata: half")).toEqual(["a"]);
    expect(parse("data: a\n\ndata: half\n")).toEqual(["a"]);
  });
});
