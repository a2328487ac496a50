// A conversation and what may happen to it: plain data and pure functions, no network and no clock.
import type { Finish, Message } from "../api/client";
import type { Problem } from "../api/problem";

export interface Figures {
  firstTokenSeconds?: number;
  tokens?: number; // of the answer, as the server counted them
  tokensPerSecond?: number; // from the first token to the last
}

export interface Question {
  role: "user";
  id: number;
  text: string;
}

const answerStates = ["running", "done", "stopped", "failed"] as const;

export interface Answer {
  role: "assistant";
  id: number;
  text: string;
  model: string;
  state: (typeof answerStates)[number];
  finish?: Finish;
  problem?: Problem;
  figures?: Figures;
}

export type Turn = Question | Answer;

/** Questions and answers take turns, a question first; only the last answer can be running. */
export interface Conversation {
  turns: readonly Turn[];
  nextId: number;
}

export const emptyConversation: Conversation = { turns: [], nextId: 1 };

export function lastAnswer(conversation: Conversation): Answer | undefined {
  const last = conversation.turns.at(-1);
  return last?.role === "assistant" ? last : undefined;
}

export function lastQuestion(conversation: Conversation): Question | undefined {
  return conversation.turns.findLast((turn): turn is Question => turn.role === "user");
}

export function isRunning(conversation: Conversation): boolean {
  return lastAnswer(conversation)?.state === "running";
}

export function ask(conversation: Conversation, text: string, model: string): Conversation {
  const { turns, nextId } = conversation;
  const question: Question = { role: "user", id: nextId, text };
  return answerAgain({ turns: [...turns, question], nextId: nextId + 1 }, model);
}

/** Drops the last answer, if there is one, and begins another. Nothing to answer: no change. */
export function answerAgain(conversation: Conversation, model: string): Conversation {
  const kept = withoutLastAnswer(conversation.turns);
  if (kept.length === 0) return conversation;
  const id = conversation.nextId;
  const answer: Answer = { role: "assistant", id, text: "", model, state: "running" };
  return { turns: [...kept, answer], nextId: id + 1 };
}

/** The last question in other words, and a new answer to it. */
export function askDifferently(
  conversation: Conversation,
  text: string,
  model: string,
): Conversation {
  const kept = withoutLastAnswer(conversation.turns);
  if (kept.length === 0) return conversation;
  return ask({ ...conversation, turns: kept.slice(0, -1) }, text, model);
}

/** The last answer changed; an answer that has ended stays as it is. */
export function continueAnswer(
  conversation: Conversation,
  change: (answer: Answer) => Answer,
): Conversation {
  const answer = lastAnswer(conversation);
  if (answer?.state !== "running") return conversation;
  return { ...conversation, turns: [...conversation.turns.slice(0, -1), change(answer)] };
}

function withoutLastAnswer(turns: readonly Turn[]): readonly Turn[] {
  return turns.at(-1)?.role === "assistant" ? turns.slice(0, -1) : turns;
}

/**
 * What is sent for the running answer. A question whose answer failed before its first word is left
 * out with it: many chat templates refuse two questions in a row.
 */
export function messagesOf(conversation: Conversation, system: string): Message[] {
  const messages: Message[] = [];
  if (system.trim() !== "") messages.push({ role: "system", content: system });
  const { turns } = conversation;
  turns.forEach((turn, index) => {
    if (turn.role !== "user") return;
    const answer = turns[index + 1];
    if (answer?.role !== "assistant" || answer.state === "running") {
      messages.push({ role: "user", content: turn.text });
    } else if (answer.text !== "") {
      messages.push({ role: "user", content: turn.text });
      messages.push({ role: "assistant", content: answer.text });
    }
  });
  return messages;
}

/** A conversation out of what was stored, or nothing. A running answer was cut by leaving. */
export function restoreConversation(stored: unknown): Conversation | undefined {
  const turns = (stored as { turns?: unknown } | null)?.turns;
  if (!Array.isArray(turns)) return undefined;
  const restored: Turn[] = [];
  for (const turn of turns as (Turn | null)[]) {
    const id = restored.length + 1;
    const role = restored.length % 2 === 0 ? "user" : "assistant";
    if (turn?.role !== role || typeof turn.text !== "string") return undefined;
    if (turn.role === "user") {
      restored.push({ role: "user", id, text: turn.text });
    } else {
      if (!answerStates.includes(turn.state)) return undefined;
      restored.push({ ...turn, id, state: turn.state === "running" ? "stopped" : turn.state });
    }
  }
  return { turns: restored, nextId: restored.length + 1 };
}
