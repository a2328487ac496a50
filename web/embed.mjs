// embed.mjs DIST OUT.cpp: the built page as a table of C++ (serve/page/page_file.h).
//
// Files become string literals: GCC reads the page's half megabyte in that form in 0.2 s, where an
// array of numbers takes several. Each file is there as it is and, where that is smaller, compressed
// once and for all by the strongest gzip, so that a request costs no computing.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { gzipSync } from "node:zlib";

const types = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/** Every byte that is not plain ASCII as three octal digits, which no digit after them can extend. */
function literal(bytes) {
  let out = '"';
  let length = 0;
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c && byte !== 0x3f;
    const text = plain ? String.fromCharCode(byte) : "\\" + byte.toString(8).padStart(3, "0");
    out += text;
    length += text.length;
    if (length > 4000) {
      out += '"\n    "';
      length = 0;
    }
  }
  return out + '"';
}

const view = (bytes) => `{${literal(bytes)}, ${bytes.length}}`;

function entry(folder, path) {
  const type = types[extname(path)];
  if (type === undefined) throw new Error(`${path}: no content type is known for this kind of file`);
  const bytes = readFileSync(path);
  const gzip = gzipSync(bytes, { level: 9 });
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  const url = path.slice(folder.length).replaceAll("\\", "/");
  const compressed = gzip.length < bytes.length ? view(gzip) : '{"", 0}';
  return `  {"${url}", "${type}", "${hash}",\n    ${view(bytes)},\n    ${compressed}},\n`;
}

const [folder, out] = process.argv.slice(2);
const entries = filesBelow(folder).map((path) => entry(folder, path));
writeFileSync(
  out,
  `// Written by web/embed.mjs from the built page.
#include "serve/page/page_file.h"

namespace premise {
namespace {
constexpr PageFile files[] = {
${entries.join("")}};
}  // namespace

extern const std::span<const PageFile> embedded_page;
constinit const std::span<const PageFile> embedded_page{files};
}  // namespace premise
`,
);
