import { describe, expect, it } from "vitest";
import { readField, readSampling, restoreSettings, settingFields, usualSettings } from "./settings";

const field = (name: string) => settingFields.find((each) => each.name === name)!;

describe("readField", () => {
  it.each([
    ["temperature", "", undefined],
    ["temperature", " 0.7 ", 0.7],
    ["temperature", ".5", 0.5],
    ["temperature", "2", 2],
    ["temperature", "2.1", "wrong"],
    ["temperature", "-0.1", "wrong"],
    ["temperature", "hot", "wrong"],
    ["temperature", "0x1", "wrong"],
    ["temperature", "Infinity", "wrong"],
    ["top_p", "1e-2", 0.01],
    ["top_k", "40", 40],
    ["top_k", "1.5", "wrong"],
    ["max_tokens", "0", "wrong"],
    ["max_tokens", "2147483648", "wrong"],
    ["seed", "-3", -3],
    ["seed", "9007199254740993", "wrong"],
  ])("%s of %j is %j", (name, typed, value) => {
    expect(readField(field(name), typed)).toBe(value);
  });
});

describe("readSampling", () => {
  it("sends no field that is empty", () => {
    const sampling = { temperature: "", top_p: "", top_k: "", max_tokens: "", seed: "" };
    expect(readSampling({ system: "", sampling })).toEqual({});
    expect(readSampling({ system: "", sampling: { ...sampling, seed: "7" } })).toEqual({ seed: 7 });
  });

  it("names the first field that is wrong", () => {
    const sampling = { ...usualSettings.sampling, top_k: "x", seed: "y" };
    expect(readSampling({ system: "", sampling })).toEqual({ wrong: field("top_k") });
  });
});

describe("restoreSettings", () => {
  it("takes what is a text and the usual for the rest", () => {
    const stored = { system: "s", sampling: { top_k: "5", seed: 7, other: "x" } };
    expect(restoreSettings(stored)).toEqual({
      system: "s",
      sampling: { ...usualSettings.sampling, top_k: "5" },
    });
    for (const nothing of [null, 1, "x", [], { sampling: null }])
      expect(restoreSettings(nothing)).toEqual(usualSettings);
  });
});
