// Markdown into HTML that is safe to show, whatever the model wrote.
//
// A model's answer is untrusted text: it may repeat what a hostile document told it to write. Two
// walls stand between it and the page. markdown-it escapes all HTML and refuses javascript: and data:
// links; DOMPurify then lets only the elements and attributes listed here through. The server's
// Content-Security-Policy is the third, and demands that this is the only way to HTML (Trusted Types).
//
// Images are not loaded, but shown as links: an image's address can carry what was said in the
// conversation to another server without anybody's click.
import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";
import { highlightCode } from "./highlight";

const markdown = new MarkdownIt({
  html: false,
  linkify: true,
  breaks: false,
  highlight: highlightCode,
});
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
markdown.validateLink = (url) => /^(https?:|mailto:)/i.test(url.trim());

markdown.renderer.rules["image"] = (tokens, index) => {
  const token = tokens[index]!;
  const { escapeHtml } = markdown.utils;
  const address = escapeHtml(token.attrGet("src") ?? "");
  return `<a href="${address}">${escapeHtml(token.content) || address}</a>`;
};

// Columns are aligned by a class: a style in HTML is what the Content-Security-Policy forbids.
markdown.core.ruler.push("align_by_class", ({ tokens }) => {
  for (const token of tokens) {
    const alignment = /^text-align:(left|center|right)$/.exec(token.attrGet("style") ?? "");
    if (alignment !== null) token.attrs = [["class", `align-${alignment[1]}`]];
  }
});

const allowed = {
  ALLOWED_TAGS: [
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "strong", "em", "s", "blockquote", "ul",
    "ol", "li", "code", "pre", "a", "span", "table", "thead", "tbody", "tr", "th", "td",
  ],
  ALLOWED_ATTR: ["href", "title", "class", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  ADD_URI_SAFE_ATTR: ["start"], // a number, not an address
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
};

let hooked = false;

/** Once, and not at import: the tests need a document first. */
function addHook(): void {
  if (hooked) return;
  hooked = true;
  DOMPurify.addHook("afterSanitizeAttributes", (element) => {
    if (element.tagName !== "A") return;
    element.setAttribute("target", "_blank");
    element.setAttribute("rel", "noopener noreferrer nofollow");
  });
}

/** Trusted HTML where the browser knows such a thing, else a string: for innerHTML alone. */
export function renderMarkdown(text: string): string {
  addHook();
  const html = markdown.render(text);
  return DOMPurify.sanitize(html, {
    ...allowed,
    RETURN_TRUSTED_TYPE: "trustedTypes" in globalThis,
  }) as unknown as string;
}
