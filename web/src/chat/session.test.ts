import { describe, expect, it } from "vitest";
import type { Access, ChatEvent, ChatRequest, Client, Model } from "../api/client";
import { type Problem, ProblemError } from "../api/problem";
import { lastAnswer } from "./conversation";
import { ChatSession } from "./session";
import { Drawer, type Storage } from "./storage";
import { MapShelf } from "./storage_testing";

/** A server that says what it is told to, and remembers what it was asked. */
class ScriptedClient {
  asked: { request: ChatRequest; access: Access }[] = [];
  answers: (ChatEvent | Problem | "wait")[][] = [];
  list: Model[] | Problem = [{ id: "a" }, { id: "b" }];
  now = 0;

  models(): Promise<Model[]> {
    return Array.isArray(this.list)
      ? Promise.resolve(this.list)
      : Promise.reject(new ProblemError(this.list));
  }

  async *chat(request: ChatRequest, access: Access, signal: AbortSignal) {
    this.asked.push({ request, access });
    for (const step of this.answers.shift() ?? []) {
      this.now += 100;
      if (step === "wait") await aborted(signal);
      else if ("kind" in step) throw new ProblemError(step);
      else yield step;
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason as Error)),
  );
}

const word = (text: string): ChatEvent => ({ type: "text", text });

function makeStorage(): Storage {
  return { tab: new Drawer(new MapShelf()), kept: new Drawer(new MapShelf()) };
}

async function makeSession(storage = makeStorage()) {
  const client = new ScriptedClient();
  const session = new ChatSession({
    client: client as unknown as Client,
    storage,
    language: () => "en",
    now: () => client.now,
  });
  await session.loadModels();
  return { client, session, storage };
}

describe("a session", () => {
  it("answers, counts and times", async () => {
    const { client, session } = await makeSession();
    const usage: ChatEvent = { type: "usage", promptTokens: 2, completionTokens: 3 };
    client.answers = [[word("a"), word("b"), word("c"), { type: "finish", reason: "stop" }, usage]];
    await session.send("hi");
    expect(lastAnswer(session.state.conversation)).toMatchObject({
      text: "abc",
      state: "done",
      model: "a",
      finish: "stop",
      figures: { firstTokenSeconds: 0.1, tokens: 3, tokensPerSecond: 10 },
    });
  });

  it("keeps what was written when it is stopped", async () => {
    const { client, session } = await makeSession();
    client.answers = [[word("half"), "wait"]];
    const running = session.send("hi");
    await new Promise((resolve) => setTimeout(resolve));
    await session.send("ignored while one is running");
    session.stop();
    await running;
    expect(lastAnswer(session.state.conversation)).toMatchObject({ text: "half", state: "stopped" });
    expect(client.asked.length).toBe(1);
  });

  it("says why an answer failed, and answers again", async () => {
    const { client, session } = await makeSession();
    client.answers = [[word("ha"), { kind: "cut" }], [word("whole")]];
    await session.send("hi");
    expect(lastAnswer(session.state.conversation)).toMatchObject({
      text: "ha",
      state: "failed",
      problem: { kind: "cut" },
    });
    await session.regenerate();
    expect(lastAnswer(session.state.conversation)).toMatchObject({ text: "whole", state: "done" });
    expect(client.asked[1]?.request.messages).toEqual([{ role: "user", content: "hi" }]);
  });

  it("asks the edited question with model, settings and key of now", async () => {
    const { client, session } = await makeSession();
    client.answers = [[word("1")], [word("2")]];
    await session.send("one");
    session.chooseModel("b");
    session.changeSettings(() => ({
      system: "Be brief.",
      sampling: { temperature: "0.5", top_p: "", top_k: "", max_tokens: "", seed: "" },
    }));
    await session.useKey({ key: "sk-1", remember: false });
    await session.editLast("two");
    expect(client.asked[1]).toEqual({
      request: {
        model: "b",
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "two" },
        ],
        sampling: { temperature: 0.5 },
      },
      access: { key: "sk-1", language: "en" },
    });
  });

  it("asks nothing while a setting is wrong", async () => {
    const { client, session } = await makeSession();
    session.changeSettings((settings) => ({
      ...settings,
      sampling: { ...settings.sampling, seed: "x" },
    }));
    expect(session.wrongSetting()?.name).toBe("seed");
    await session.send("hi");
    expect(client.asked).toEqual([]);
    expect(session.state.conversation.turns).toEqual([]);
  });

  it("lets an answer of a cleared conversation end unheard", async () => {
    const { client, session } = await makeSession();
    client.answers = [[word("old"), "wait"], [word("new")]];
    const running = session.send("one");
    await new Promise((resolve) => setTimeout(resolve));
    session.clear();
    await session.send("two");
    await running;
    expect(session.state.conversation.turns.map(({ text }) => text)).toEqual(["two", "new"]);
  });

  it("is the same after the page is loaded again", async () => {
    const { client, session, storage } = await makeSession();
    client.answers = [[word("1")]];
    await session.send("one");
    session.chooseModel("b");
    const again = await makeSession(storage);
    expect(again.session.state.conversation.turns.map(({ text }) => text)).toEqual(["one", "1"]);
    expect(again.session.state.model).toBe("b");
  });

  it("takes the first model where the chosen one is gone, and says when there are none", async () => {
    const { client, session } = await makeSession();
    session.chooseModel("b");
    client.list = [{ id: "c" }];
    await session.loadModels();
    expect(session.state).toMatchObject({ model: "c", modelsState: "ready" });
    client.list = { kind: "key_missing" };
    await session.loadModels();
    expect(session.state).toMatchObject({
      modelsState: "failed",
      modelsProblem: { kind: "key_missing" },
    });
  });
});
