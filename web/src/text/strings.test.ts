import { describe, expect, it } from "vitest";
import { languageOf, say, textTable, type TextKey } from "./strings";

const chinese = /[\u3400-\u9fff]/;
const keys = Object.keys(textTable) as TextKey[];
// These name the other language, in that language.
const crossed = new Set<TextKey>(["otherLanguage", "otherLanguageLabel"]);
const names = new Set<TextKey>(["welcomeNoModel"]);

function placeholders(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();
}

describe("the table of texts", () => {
  it.each(keys)("%s stands in both languages", (key) => {
    const [english, zh] = textTable[key];
    expect(english.trim()).not.toBe("");
    expect(zh.trim()).not.toBe("");
    expect(placeholders(zh)).toEqual(placeholders(english));
    if (names.has(key)) return;
    expect(chinese.test(english)).toBe(crossed.has(key));
    expect(chinese.test(zh)).toBe(!crossed.has(key));
  });

  it("has no half-width punctuation after a Chinese character", () => {
    for (const key of keys) expect(textTable[key][1]).not.toMatch(/[\u3400-\u9fff][,.;:!?]/);
  });
});

describe("say", () => {
  it("fills in what is named", () => {
    expect(say("en", "retryIn", { seconds: 7 })).toBe("Try again in 7 s");
    expect(say("zh", "retryIn", { seconds: 7 })).toBe("7 秒后可重试");
  });

  it("does not fill in what a value looks like", () => {
    expect(say("en", "serverSays", { detail: "{detail} $&" })).toBe("The server says: {detail} $&");
  });
});

describe("languageOf", () => {
  it.each([
    [["zh-CN", "en"], "zh"],
    [["en-GB", "zh"], "en"],
    [["de-DE", "zh-TW"], "zh"],
    [["de"], "en"],
    [[], "en"],
    [["zhx"], "en"],
  ])("of %j is %s", (preferred, language) => {
    expect(languageOf(preferred)).toBe(language);
  });
});
