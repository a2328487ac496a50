import { describe, expect, it } from "vitest";
import {
  type Answer,
  answerAgain,
  ask,
  askDifferently,
  continueAnswer,
  type Conversation,
  emptyConversation,
  isRunning,
  lastAnswer,
  messagesOf,
  restoreConversation,
} from "./conversation";

function answered(conversation: Conversation, change: Partial<Answer>): Conversation {
  return continueAnswer(conversation, (answer) => ({ ...answer, state: "done", ...change }));
}

function contents(conversation: Conversation, system = ""): string[] {
  return messagesOf(conversation, system).map(({ role, content }) => `${role[0]}:${content}`);
}

const one = answered(ask(emptyConversation, "one", "m"), { text: "1" });

describe("a conversation", () => {
  it("answers a question once at a time", () => {
    const asked = ask(emptyConversation, "one", "m");
    expect(isRunning(asked)).toBe(true);
    expect(contents(asked)).toEqual(["u:one"]);
    expect(isRunning(one)).toBe(false);
    expect(contents(ask(one, "two", "m"))).toEqual(["u:one", "a:1", "u:two"]);
  });

  it("sends a system prompt first, and none that is blank", () => {
    expect(contents(one, "Be brief.")).toEqual(["s:Be brief.", "u:one", "a:1"]);
    expect(contents(one, "  \n")).toEqual(["u:one", "a:1"]);
  });

  it("makes the last answer anew from what came before it", () => {
    const again = answerAgain(answered(ask(one, "two", "m"), { text: "2" }), "other");
    expect(contents(again)).toEqual(["u:one", "a:1", "u:two"]);
    expect(lastAnswer(again)).toMatchObject({ model: "other", state: "running", text: "" });
    expect(answerAgain(emptyConversation, "m")).toBe(emptyConversation);
  });

  it("replaces the last question and its answer by an edited one", () => {
    const edited = askDifferently(answered(ask(one, "two", "m"), { text: "2" }), "zwei", "m");
    expect(contents(edited)).toEqual(["u:one", "a:1", "u:zwei"]);
    expect(askDifferently(emptyConversation, "x", "m")).toBe(emptyConversation);
  });

  it("gives no two turns of its history the same id", () => {
    const ids = new Set<number>();
    let conversation = one;
    for (let i = 0; i < 5; ++i) {
      conversation = answered(answerAgain(conversation, "m"), { text: "x" });
      const { id } = lastAnswer(conversation)!;
      expect(ids.has(id)).toBe(false);
      ids.add(id);
    }
  });

  it("leaves out a question that got no word of an answer, and keeps what was cut", () => {
    const failed = answered(ask(one, "two", "m"), { state: "failed" });
    expect(contents(ask(failed, "three", "m"))).toEqual(["u:one", "a:1", "u:three"]);
    const cut = answered(ask(one, "two", "m"), { state: "stopped", text: "2, but" });
    expect(contents(ask(cut, "three", "m"))).toEqual(["u:one", "a:1", "u:two", "a:2, but", "u:three"]);
  });

  it("changes no answer that has ended", () => {
    expect(continueAnswer(one, (answer) => ({ ...answer, text: "late" }))).toBe(one);
  });
});

describe("restoreConversation", () => {
  it("gives back what was stored, a running answer as a stopped one", () => {
    const stored: unknown = JSON.parse(JSON.stringify(ask(one, "two", "m")));
    const restored = restoreConversation(stored)!;
    expect(contents(restored)).toEqual(["u:one", "a:1"]);
    expect(lastAnswer(restored)?.state).toBe("stopped");
    expect(new Set(restored.turns.map(({ id }) => id)).size).toBe(4);
  });

  it.each([
    null,
    7,
    {},
    { turns: 7 },
    { turns: [null] },
    { turns: [{ role: "assistant", text: "x" }] },
    { turns: [{ role: "user" }] },
    { turns: [{ role: "user", text: "a" }, { role: "user", text: "b" }] },
    { turns: [{ role: "user", text: "a" }, { role: "assistant", text: "b", state: "odd" }] },
  ])("takes nothing that is no conversation: %j", (stored) => {
    expect(restoreConversation(stored)).toBeUndefined();
  });
});
