// Colours for code, in the languages that answers are mostly in. highlight.js knows 190; these
// weigh 22 kB compressed. A block in another language stays plain: guessing would colour wrongly.
import highlighter from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import diff from "highlight.js/lib/languages/diff";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const languages = {
  bash, cpp, diff, go, ini, java, javascript, json, python, rust, sql, typescript, xml, yaml,
};
for (const [name, language] of Object.entries(languages))
  highlighter.registerLanguage(name, language);
highlighter.registerAliases(["console", "shell"], { languageName: "bash" });
highlighter.registerAliases(["c"], { languageName: "cpp" });

/** Longer code is left plain: colouring it anew with every piece of a stream would stutter. */
const charactersMax = 20_000;

/** HTML with classes, or "" where there is nothing to colour. */
export function highlightCode(code: string, language: string): string {
  if (code.length > charactersMax || highlighter.getLanguage(language) === undefined) return "";
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}
