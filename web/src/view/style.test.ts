import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const css = readFileSync(new URL("./style.css", import.meta.url), "utf8");

/** The colours that the block after this selector sets. */
function colours(selector: string): Record<string, string> {
  const begin = css.indexOf("{", css.indexOf(selector));
  const block = css.slice(begin, css.indexOf("}", begin));
  return Object.fromEntries(
    [...block.matchAll(/(--[\w-]+): (#[0-9a-f]{6}|rgb[^;]+);/g)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>;
}

/** WCAG 2.2: relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const light = colours(":root {");
const dark = colours(':root:not([data-theme="light"])');

describe("the colours", () => {
  it("are the same whether the system or the user chose dark", () => {
    expect(Object.keys(dark).sort()).toEqual(Object.keys(light).sort());
    expect(colours(':root[data-theme="dark"]')).toEqual(dark);
  });

  it.each([
    ["light", light],
    ["dark", dark],
  ])("can be read in %s: 4.5 to 1 for text, 3 to 1 for borders of fields", (_, theme) => {
    for (const surface of [theme["--background"]!, theme["--surface"]!]) {
      for (const name of Object.keys(theme).filter((each) => each.startsWith("--code-")))
        expect(contrast(theme[name]!, surface), name).toBeGreaterThanOrEqual(4.5);
      for (const name of ["--text", "--muted", "--accent", "--danger"])
        expect(contrast(theme[name]!, surface), name).toBeGreaterThanOrEqual(4.5);
      expect(contrast(theme["--line-strong"]!, surface)).toBeGreaterThanOrEqual(3);
    }
    expect(contrast(theme["--accent-text"]!, theme["--accent"]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme["--danger"]!, theme["--danger-surface"]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(theme["--text"]!, theme["--danger-surface"]!)).toBeGreaterThanOrEqual(4.5);
  });
});
