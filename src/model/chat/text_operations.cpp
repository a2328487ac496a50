#include "model/chat/text_operations.h"

#include "model/chat/text_search.h"

namespace premise {
namespace {

bool is_line_break(char32_t code) {
  return (code >= 10 && code <= 13) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
         code == 0x2028 || code == 0x2029;
}

std::vector<MarkedString> split_at_spaces(Budget& budget, const MarkedString& text,
                                          std::int64_t most) {
  std::vector<MarkedString> parts;
  const std::string_view bytes = text.bytes();
  for (std::size_t at = strip_spaces(bytes, true, false).begin; at < bytes.size();) {
    std::size_t end = at;
    if (most >= 0 && static_cast<std::int64_t>(parts.size()) == most) {
      end = strip_spaces(bytes, false, true).end;
      parts.push_back(text.part(at, end));
      break;
    }
    while (end < bytes.size() && !is_space(character_at(bytes, end)))
      end += character_bytes(bytes, end);
    budget.take(sizeof(MarkedString) + 32);
    parts.push_back(text.part(at, end));
    at = end + strip_spaces(bytes.substr(end), true, false).begin;
  }
  return parts;
}

// The same from the right, which differs where the number of cuts is limited.
std::vector<MarkedString> rsplit_at_spaces(Budget& budget, const MarkedString& text,
                                           std::int64_t most) {
  std::vector<MarkedString> parts;
  const std::string_view bytes = text.bytes();
  std::size_t end = strip_spaces(bytes, false, true).end;
  while (end > 0) {
    std::size_t begin = 0;
    if (static_cast<std::int64_t>(parts.size()) == most) {
      begin = strip_spaces(bytes.substr(0, end), true, false).begin;
    } else {
      begin = end;
      while (begin > 0) {
        std::size_t at = begin - 1;
        while (at > 0 && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80) --at;
        if (is_space(character_at(bytes, at))) break;
        begin = at;
      }
    }
    budget.take(sizeof(MarkedString) + 32);
    parts.push_back(text.part(begin, end));
    end = static_cast<std::int64_t>(parts.size()) > most
              ? 0
              : strip_spaces(bytes.substr(0, begin), false, true).end;
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

}  // namespace

MarkedString stripped(const MarkedString& text, const MarkedString* characters, bool left,
                      bool right) {
  const std::string_view bytes = text.bytes();
  TextRange span;
  if (!characters) {
    span = strip_spaces(bytes, left, right);
  } else {
    const std::string_view set = characters->bytes();
    const auto stripped_at = [&](std::size_t at, std::size_t end) {
      return find_bytes(set, bytes.substr(at, end - at), 0) != set.npos;
    };
    span.end = bytes.size();
    while (left && span.begin < span.end) {
      const std::size_t next = span.begin + character_bytes(bytes, span.begin);
      if (!stripped_at(span.begin, next)) break;
      span.begin = next;
    }
    while (right && span.end > span.begin) {
      std::size_t at = span.end - 1;
      while (at > span.begin && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80) --at;
      if (!stripped_at(at, span.end)) break;
      span.end = at;
    }
  }
  if (span.begin == 0 && span.end == text.size()) return text;
  return text.part(span.begin, span.end);
}

MarkedString replaced(Budget& budget, const MarkedString& text, const MarkedString& old,
                      const MarkedString& with, std::int64_t count) {
  MarkedString out;
  budget.take(text.size());
  std::size_t copied = 0;
  const auto put = [&](std::size_t at) {
    budget.take(with.size() + 1);
    out.append(text, copied, at);
    out.append(with);
    copied = at + old.size();
  };
  if (old.empty()) {
    for (std::size_t at = 0; count != 0; --count) {
      put(at);
      if (at >= text.size()) break;
      at += character_bytes(text.bytes(), at);
    }
  } else {
    for (; count != 0; --count) {
      const std::size_t at = find_bytes(text.bytes(), old.bytes(), copied);
      if (at == std::string_view::npos) break;
      put(at);
    }
  }
  out.append(text, copied, text.size());
  return out;
}

std::vector<MarkedString> split(Budget& budget, const MarkedString& text,
                                const MarkedString* separator, std::int64_t most, bool from_right) {
  budget.take(text.size());
  if (!separator)
    return from_right && most >= 0 ? rsplit_at_spaces(budget, text, most)
                                   : split_at_spaces(budget, text, most);
  if (separator->empty()) fail({"split at an empty separator", "分隔符为空"});
  std::vector<std::size_t> cuts;
  const std::string_view bytes = text.bytes();
  for (std::size_t at = 0; (at = find_bytes(bytes, separator->bytes(), at)) != bytes.npos;
       at += separator->size()) {
    if (!from_right && most >= 0 && static_cast<std::int64_t>(cuts.size()) == most) break;
    budget.take(sizeof(MarkedString) + 32);
    cuts.push_back(at);
  }
  if (from_right && most >= 0) {
    // Overlapping separators are matched from the right.
    cuts.clear();
    for (std::size_t end = bytes.size();
         end >= separator->size() && static_cast<std::int64_t>(cuts.size()) < most;) {
      const std::size_t at = end - separator->size();
      if (bytes.substr(at, separator->size()) == separator->bytes()) {
        cuts.push_back(at);
        end = at;
      } else {
        --end;
      }
      budget.read(separator->size());
    }
    std::reverse(cuts.begin(), cuts.end());
  }
  std::vector<MarkedString> parts;
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    parts.push_back(text.part(begin, cut));
    begin = cut + separator->size();
  }
  parts.push_back(text.part(begin, text.size()));
  return parts;
}

std::vector<MarkedString> split_lines(Budget& budget, const MarkedString& text, bool keep_ends) {
  budget.take(text.size());
  std::vector<MarkedString> lines;
  const std::string_view bytes = text.bytes();
  std::size_t begin = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t count = character_bytes(bytes, at);
    if (!is_line_break(character_at(bytes, at))) {
      at += count;
      continue;
    }
    const bool pair = bytes.substr(at, 2) == "\r\n";
    const std::size_t next = at + (pair ? 2 : count);
    budget.take(sizeof(MarkedString) + 32);
    lines.push_back(text.part(begin, keep_ends ? next : at));
    begin = at = next;
  }
  if (begin < bytes.size()) lines.push_back(text.part(begin, bytes.size()));
  return lines;
}

MarkedString padded(Budget& budget, const MarkedString& text, std::int64_t width,
                    const MarkedString& fill, int where) {
  if (count_characters(fill.bytes()) != 1)
    fail({"the character to fill with must be one character", "填充字符必须是单个字符"});
  const auto length = static_cast<std::int64_t>(count_characters(text.bytes()));
  if (width <= length) return text;
  const std::int64_t pad = width - length;
  const std::int64_t left = where < 0 ? 0 : where > 0 ? pad : pad / 2 + (pad & width & 1);
  if (pad > static_cast<std::int64_t>(budget.limits().memory_bytes / 4)) budget.take(SIZE_MAX);
  budget.take(text.size() + static_cast<std::size_t>(pad) * fill.size());
  MarkedString out;
  for (std::int64_t i = 0; i < left; ++i) out.append(fill);
  out.append(text);
  for (std::int64_t i = left; i < pad; ++i) out.append(fill);
  return out;
}

MarkedString escaped_for_html(Budget& budget, const MarkedString& text) {
  constexpr std::pair<char, std::string_view> entities[] = {
      {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'\'', "&#39;"}, {'"', "&#34;"}};
  budget.take(text.size() * 5);
  MarkedString out;
  text.visit_runs(0, text.size(), [&](std::string_view run, bool trusted) {
    for (const char& c : run) {
      std::string_view written(&c, 1);
      for (const auto& [plain, entity] : entities)
        if (c == plain) written = entity;
      out.append(written, trusted);
    }
  });
  return out;
}

MarkedString reversed(const MarkedString& text) {
  MarkedString out;
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < text.size(); at += character_bytes(text.bytes(), at))
    offsets.push_back(at);
  std::size_t end = text.size();
  for (auto at = offsets.rbegin(); at != offsets.rend(); ++at) {
    out.append(text, *at, end);
    end = *at;
  }
  return out;
}

}  // namespace premise
