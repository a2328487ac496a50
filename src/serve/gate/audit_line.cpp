#include "serve/gate/audit_line.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/hash.h"
#include "base/printable.h"

namespace premise {
namespace {

constexpr std::size_t audit_word_bytes_max = 1024;
constexpr std::size_t audit_text_bytes_max = 4 << 20;

bool is_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes, left, &point);
    if (length <= 0) return false;
    bytes += length;
    left -= length;
  }
  return true;
}

/// At most `most` bytes, ending on a character's border, and a note of what is missing.
void cut(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  const std::string note = fmt::format(" [cut: {} bytes]", text.size());
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += note;
}

void keep_word(std::string& word) {
  cut(word, audit_word_bytes_max);
  word = printable(word);
  std::ranges::replace_if(word, [](char c) { return c == '\n' || c == '\t' || c == '\r'; }, ' ');
}

void keep_text(std::string& text) {
  cut(text, audit_text_bytes_max);
  if (!is_utf8(text)) text = printable(text);
}

}  // namespace

Result<std::string> audit_hash(std::string_view previous, const AuditLine& line) {
  PREMISE_TRY(Hasher hasher, Hasher::create(HashKind::sha256));
  const auto add = [&hasher](std::string_view field) {
    hasher.update(fmt::format("{}:", field.size()));
    hasher.update(field);
    hasher.update(",");
  };
  const auto add_number = [&add](std::int64_t number) { add(fmt::format("{}", number)); };
  add("premise audit 1");
  add(previous);
  add_number(line.id);
  add_number(line.time_ms);
  add(line.request);
  add_number(line.key_id);
  add(line.key_name);
  add(line.client);
  add(line.action);
  add(line.model);
  add_number(line.prompt_tokens);
  add_number(line.output_tokens);
  add(line.outcome);
  add(line.reason);
  add(line.prompt);
  add(line.answer);
  return hasher.hex();
}

AuditEntry kept_form(AuditEntry entry) {
  for (std::string* word : {&entry.request, &entry.key_name, &entry.client, &entry.action,
                            &entry.model, &entry.outcome, &entry.reason})
    keep_word(*word);
  keep_text(entry.prompt);
  keep_text(entry.answer);
  return entry;
}

}  // namespace premise
