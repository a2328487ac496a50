// The page's one object with state: models, conversation, key and settings, and the request that
// runs. Views subscribe and draw; everything that happens goes through its methods.
import { type Access, type ChatEvent, Client, type Model, type Sampling } from "../api/client";
import { type Problem, ProblemError } from "../api/problem";
import {
  type Answer,
  answerAgain,
  ask,
  askDifferently,
  continueAnswer,
  type Conversation,
  emptyConversation,
  isRunning,
  messagesOf,
  restoreConversation,
} from "./conversation";
import { readSampling, restoreSettings, type SettingField, type Settings } from "./settings";
import { readKey, type Storage, type StoredKey, writeKey } from "./storage";

export interface SessionState {
  conversation: Conversation;
  settings: Settings;
  access: StoredKey;
  models: readonly Model[];
  model: string; // "": none is known
  modelsState: "loading" | "ready" | "failed";
  modelsProblem?: Problem;
}

export interface SessionParts {
  client: Client;
  storage: Storage;
  language: () => string;
  now: () => number; // milliseconds that only grow
}

export class ChatSession {
  private listeners = new Set<() => void>();
  private running: AbortController | undefined;
  private current: SessionState;

  constructor(private readonly parts: SessionParts) {
    const { tab } = parts.storage;
    const model = tab.read("model");
    this.current = {
      conversation: restoreConversation(tab.read("conversation")) ?? emptyConversation,
      settings: restoreSettings(tab.read("settings")),
      access: readKey(parts.storage),
      models: [],
      model: typeof model === "string" ? model : "",
      modelsState: "loading",
    };
  }

  get state(): SessionState {
    return this.current;
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async loadModels(): Promise<void> {
    this.set({ modelsState: "loading" });
    try {
      const models = await this.parts.client.models(this.access());
      const known = models.some((each) => each.id === this.current.model);
      const model = known ? this.current.model : (models[0]?.id ?? "");
      const { modelsProblem: _, ...rest } = this.current;
      this.replace({ ...rest, models, model, modelsState: "ready" });
    } catch (error) {
      this.set({ modelsState: "failed", modelsProblem: problemIn(error) });
    }
  }

  chooseModel(model: string): void {
    this.set({ model });
    this.parts.storage.tab.write("model", model);
  }

  /** `change` is given what stands now, which may be newer than what was drawn last. */
  changeSettings(change: (settings: Settings) => Settings): void {
    const settings = change(this.state.settings);
    this.set({ settings });
    this.parts.storage.tab.write("settings", settings);
  }

  /** Keeps the key and asks for the models with it. */
  async useKey(access: StoredKey): Promise<void> {
    this.set({ access });
    writeKey(this.parts.storage, access);
    await this.loadModels();
  }

  /** The setting that stands in the way of asking, if there is one. */
  wrongSetting(): SettingField | undefined {
    const sampling = readSampling(this.current.settings);
    return "wrong" in sampling ? sampling.wrong : undefined;
  }

  send(text: string): Promise<void> {
    return this.answer((conversation, model) => ask(conversation, text, model));
  }

  regenerate(): Promise<void> {
    return this.answer(answerAgain);
  }

  editLast(text: string): Promise<void> {
    return this.answer((conversation, model) => askDifferently(conversation, text, model));
  }

  stop(): void {
    this.running?.abort();
  }

  clear(): void {
    this.stop();
    // Ids go on: what still comes for the old answer must find no new one of the same id.
    this.set({ conversation: { ...emptyConversation, nextId: this.current.conversation.nextId } });
    this.save();
  }

  /** The page goes: an answer that is running stops here, before the browser breaks its connection. */
  leave(): void {
    this.stop();
    this.save();
  }

  private save(): void {
    this.parts.storage.tab.write("conversation", this.current.conversation);
  }

  /** Begins an answer and ends with it, never with a throw. Does nothing while one is running. */
  private async answer(
    begin: (conversation: Conversation, model: string) => Conversation,
  ): Promise<void> {
    const sampling = readSampling(this.current.settings);
    if (isRunning(this.current.conversation) || "wrong" in sampling) return;
    const conversation = begin(this.current.conversation, this.current.model);
    if (conversation === this.current.conversation) return;
    this.set({ conversation });
    this.save();
    await this.run(sampling, lastId(conversation));
  }

  private async run(sampling: Sampling, id: number): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    const watch = new Stopwatch(this.parts.now);
    const change = (by: (answer: Answer) => Answer): void => {
      if (lastId(this.current.conversation) !== id) return; // the conversation was cleared
      this.set({ conversation: continueAnswer(this.current.conversation, by) });
    };
    try {
      const { model, conversation, settings } = this.current;
      const messages = messagesOf(conversation, settings.system);
      const request = { model, messages, sampling };
      for await (const event of this.parts.client.chat(request, this.access(), controller.signal)) {
        watch.hear(event);
        change((answer) => withEvent(answer, event));
      }
      change((answer) => ({ ...answer, state: "done", figures: watch.figures() }));
    } catch (error) {
      const figures = watch.figures();
      if (controller.signal.aborted)
        change((answer) => ({ ...answer, state: "stopped", figures }));
      else
        change((answer) => ({ ...answer, state: "failed", problem: problemIn(error), figures }));
    } finally {
      if (this.running === controller) this.running = undefined;
      this.save();
    }
  }

  private access(): Access {
    return { key: this.current.access.key, language: this.parts.language() };
  }

  private set(change: Partial<SessionState>): void {
    this.replace({ ...this.current, ...change });
  }

  private replace(state: SessionState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}

function lastId(conversation: Conversation): number {
  return conversation.turns.at(-1)?.id ?? 0;
}

function problemIn(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  return { kind: "strange", detail: String(error) };
}

function withEvent(answer: Answer, event: ChatEvent): Answer {
  if (event.type === "text") return { ...answer, text: answer.text + event.text };
  if (event.type === "finish") return { ...answer, finish: event.reason };
  return answer;
}

/** Times and counts one answer. */
class Stopwatch {
  private readonly begun: number;
  private first: number | undefined;
  private last: number | undefined;
  private tokens: number | undefined;

  constructor(private readonly now: () => number) {
    this.begun = now();
  }

  hear(event: ChatEvent): void {
    if (event.type === "text") {
      this.last = this.now();
      this.first ??= this.last;
    } else if (event.type === "usage") {
      this.tokens = event.completionTokens;
    }
  }

  figures(): { firstTokenSeconds?: number; tokens?: number; tokensPerSecond?: number } {
    const { first, last, tokens } = this;
    const seconds = first === undefined || last === undefined ? 0 : (last - first) / 1000;
    return {
      ...(first !== undefined ? { firstTokenSeconds: (first - this.begun) / 1000 } : {}),
      ...(tokens !== undefined ? { tokens } : {}),
      ...(tokens !== undefined && tokens > 1 && seconds > 0
        ? { tokensPerSecond: (tokens - 1) / seconds }
        : {}),
    };
  }
}
