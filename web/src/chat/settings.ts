// What a user may set for the answers: kept as typed, so that a field can be empty or half written,
// and read as numbers when a question is sent.
import type { Sampling } from "../api/client";

export interface SettingField {
  name: keyof Sampling;
  least: number;
  most: number;
  step: number; // 1: whole numbers
}

/** The ranges are those of the API (docs/api.md). */
export const settingFields: readonly SettingField[] = [
  { name: "temperature", least: 0, most: 2, step: 0.1 },
  { name: "top_p", least: 0, most: 1, step: 0.05 },
  { name: "top_k", least: 0, most: 2_147_483_647, step: 1 },
  { name: "max_tokens", least: 1, most: 2_147_483_647, step: 1 },
  { name: "seed", least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER, step: 1 },
];

export interface Settings {
  system: string;
  sampling: Record<keyof Sampling, string>; // "": the server's choice
}

export const usualSettings: Settings = {
  system: "",
  sampling: { temperature: "", top_p: "", top_k: "", max_tokens: "1024", seed: "" },
};

/** The number that a field holds; undefined where it is empty; "wrong" where it is no such number. */
export function readField(field: SettingField, typed: string): number | undefined | "wrong" {
  const text = typed.trim();
  if (text === "") return undefined;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return "wrong";
  const value = Number(text);
  if (!(value >= field.least && value <= field.most)) return "wrong";
  return field.step === 1 && !Number.isInteger(value) ? "wrong" : value;
}

/** What the fields say, or the first of them that is wrong. */
export function readSampling(settings: Settings): Sampling | { wrong: SettingField } {
  const sampling: Sampling = {};
  for (const field of settingFields) {
    const value = readField(field, settings.sampling[field.name]);
    if (value === "wrong") return { wrong: field };
    if (value !== undefined) sampling[field.name] = value;
  }
  return sampling;
}

export function restoreSettings(stored: unknown): Settings {
  const { system, sampling } = (stored ?? {}) as { system?: unknown; sampling?: unknown };
  const restored: Settings = { system: "", sampling: { ...usualSettings.sampling } };
  if (typeof system === "string") restored.system = system;
  for (const { name } of settingFields) {
    const value = (sampling as Record<string, unknown> | undefined)?.[name];
    if (typeof value === "string") restored.sampling[name] = value;
  }
  return restored;
}
