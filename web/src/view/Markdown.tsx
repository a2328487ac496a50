import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { renderMarkdown } from "../markdown/render";
import { copyText } from "./CopyButton";
import { type Say, useSay } from "./hooks";

/** An answer's text as Markdown, each block of code with a button that copies it. */
export function Markdown({ text }: { text: string }) {
  const say = useSay();
  const container = useRef<HTMLDivElement>(null);
  const html = useMemo(() => renderMarkdown(text), [text]);
  useLayoutEffect(() => {
    for (const block of container.current?.querySelectorAll("pre") ?? []) frameCode(block, say);
  }, [html, say("copy")]);
  return <div ref={container} class="markdown" dangerouslySetInnerHTML={{ __html: html }} />;
}

/** Puts a block under a line with its language and the button; again for another language. */
function frameCode(block: HTMLPreElement, say: Say): void {
  block.tabIndex = 0; // a long line can then be scrolled to by keyboard
  const code = block.querySelector("code");
  const language = /\blanguage-([\w+#.-]+)/.exec(code?.className ?? "")?.[1] ?? "";
  let head = block.previousElementSibling;
  if (head?.className !== "code-head") {
    head = document.createElement("div");
    head.className = "code-head";
    block.before(head);
  }
  const name = document.createElement("span");
  name.textContent = language;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = say("copy");
  button.setAttribute("aria-label", say("copyCode"));
  button.addEventListener("click", () => {
    void copyText(code?.textContent ?? "").then((done) => {
      button.textContent = say(done ? "copied" : "copyFailed");
      setTimeout(() => (button.textContent = say("copy")), 2000);
    });
  });
  head.replaceChildren(name, button);
}
