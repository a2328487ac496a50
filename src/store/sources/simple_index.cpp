// Mirrors often serve HTML only, whatever is asked for, so that both kinds are read; the content
// type decides. An index page is a list of anchors: a scanner for tags and attributes is enough,
// and an HTML parser with its tree would be a dependency for nothing.
#include "store/sources/simple_index.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/printable.h"
#include "store/sources/url.h"

namespace premise {
namespace {

using Json = nlohmann::json;

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string last_segment(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return percent_decoded(url.substr(url.rfind('/') + 1));
}

/// What a page over the network may link to: never a file of this machine.
bool may_link(const std::string& page, const std::string& target) {
  const std::string scheme = url_scheme(target);
  if (scheme == "https" || scheme == "http") return true;
  return scheme == "file" && url_scheme(page) == "file";
}

Result<std::vector<IndexFile>> parse_json(std::string_view body, const std::string& url) {
  const Json page = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!page.is_object() || !page.contains("files") || !page["files"].is_array()) {
    return error(ErrorCode::network, {"{}: is no index page", "{}：不是有效的索引页"},
                 shown_url(url))
        .with_hint(text({"PIP_INDEX_URL must name a simple index, often ending in /simple",
                         "PIP_INDEX_URL 应指向 simple 索引，通常以 /simple 结尾"}));
  }
  std::vector<IndexFile> files;
  for (const Json& entry : page["files"]) {
    if (!entry.is_object() || !entry.contains("url") || !entry["url"].is_string()) continue;
    const Result<std::string> target = resolve_url(url, entry["url"].get<std::string>());
    if (!target.ok() || !may_link(url, *target)) continue;
    IndexFile file{.file_name = last_segment(*target), .url = *target, .sha256 = {}, .bytes = {}};
    if (entry.contains("filename") && entry["filename"].is_string()) {
      file.file_name = entry["filename"].get<std::string>();
    }
    if (entry.contains("hashes") && entry["hashes"].is_object() &&
        entry["hashes"].contains("sha256") && entry["hashes"]["sha256"].is_string()) {
      file.sha256 = lowered(entry["hashes"]["sha256"].get<std::string>());
      if (!is_hash(HashKind::sha256, file.sha256)) continue;
    }
    if (entry.contains("size") && entry["size"].is_number_unsigned()) {
      file.bytes = entry["size"].get<std::uint64_t>();
    }
    files.push_back(std::move(file));
  }
  return files;
}

/// The references that hrefs of index pages hold; others stay as they are.
std::string unescaped(std::string_view text) {
  struct Reference {
    std::string_view name;
    char meaning;
  };
  constexpr Reference known[] = {{"&amp;", '&'},  {"&#38;", '&'},  {"&#x26;", '&'}, {"&quot;", '"'},
                                 {"&#34;", '"'},  {"&#39;", '\''}, {"&lt;", '<'},   {"&gt;", '>'},
                                 {"&#x2F;", '/'}, {"&#47;", '/'},  {"&#43;", '+'}};
  std::string out;
  while (!text.empty()) {
    const auto* found = std::find_if(std::begin(known), std::end(known),
                                     [&](const Reference& r) { return text.starts_with(r.name); });
    const bool any = found != std::end(known);
    out.push_back(any ? found->meaning : text.front());
    text.remove_prefix(any ? found->name.size() : 1);
  }
  return out;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Reads `name = "value"` pairs of a tag's inside until one is called `wanted`.
std::optional<std::string> attribute(std::string_view tag, std::string_view wanted) {
  std::size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < tag.size() && is_space(tag[at])) ++at;
  };
  while (at < tag.size()) {
    skip_spaces();
    const std::size_t name_begin = at;
    while (at < tag.size() && !is_space(tag[at]) && tag[at] != '=') ++at;
    const std::string name = lowered(tag.substr(name_begin, at - name_begin));
    skip_spaces();
    std::string_view value;
    if (at < tag.size() && tag[at] == '=') {
      ++at;
      skip_spaces();
      const char quote = at < tag.size() && (tag[at] == '"' || tag[at] == '\'') ? tag[at] : '\0';
      const std::size_t begin = at + (quote != '\0' ? 1 : 0);
      at = begin;
      while (at < tag.size() && (quote != '\0' ? tag[at] != quote : !is_space(tag[at]))) ++at;
      value = tag.substr(begin, at - begin);
      if (quote != '\0' && at < tag.size()) ++at;
    } else if (name.empty()) {
      ++at;  // a stray character: step over it
    }
    if (name == wanted) return unescaped(value);
  }
  return std::nullopt;
}

/// The inside of the next tag called `name`, after `at`, which moves behind it. A quoted '>' does
/// not end a tag.
std::optional<std::string_view> next_tag(std::string_view body, std::size_t& at) {
  at = body.find('<', at);
  if (at == std::string_view::npos) return std::nullopt;
  if (body.substr(at).starts_with("<!--")) {
    const std::size_t end = body.find("-->", at);
    if (end == std::string_view::npos) return std::nullopt;
    at = end + 3;
    return std::string_view();
  }
  const std::size_t begin = ++at;
  for (char quote = '\0'; at < body.size(); ++at) {
    const char c = body[at];
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '>') {
      return body.substr(begin, at++ - begin);
    }
  }
  return std::nullopt;
}

Result<std::vector<IndexFile>> parse_html(std::string_view body, const std::string& url) {
  std::string base = url;
  std::vector<IndexFile> files;
  bool any_tag = false;
  for (std::size_t at = 0;;) {
    const auto tag = next_tag(body, at);
    if (!tag) break;
    any_tag = true;
    const std::size_t name_end = std::min(tag->find_first_of(" \t\r\n\f/"), tag->size());
    const std::string name = lowered(tag->substr(0, name_end));
    if (name != "a" && name != "base") continue;
    const auto href = attribute(tag->substr(name_end), "href");
    if (!href) continue;
    const Result<std::string> target = resolve_url(base, *href);
    if (!target.ok() || !may_link(url, *target)) continue;
    if (name == "base") {
      base = *target;
      continue;
    }
    IndexFile file{.file_name = last_segment(*target),
                   .url = target->substr(0, target->find('#')),
                   .sha256 = {},
                   .bytes = {}};
    constexpr std::string_view mark = "#sha256=";
    if (const std::size_t hash = target->find(mark); hash != std::string::npos) {
      file.sha256 =
          lowered(target->substr(hash + mark.size()).substr(0, hash_digits(HashKind::sha256)));
      if (!is_hash(HashKind::sha256, file.sha256)) continue;
    }
    files.push_back(std::move(file));
  }
  if (any_tag || body.empty()) return files;
  return error(ErrorCode::network, {"{}: is no index page", "{}：不是有效的索引页"}, shown_url(url))
      .with_hint(text({"PIP_INDEX_URL must name a simple index, often ending in /simple",
                       "PIP_INDEX_URL 应指向 simple 索引，通常以 /simple 结尾"}));
}

}  // namespace

std::string normalized_project(std::string_view name) {
  std::string out;
  for (const char c : name) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) {
      out.push_back(lower(c));
    } else if (out.empty() || out.back() != '-') {
      out.push_back('-');
    }
  }
  return out;
}

Result<std::vector<IndexFile>> parse_index_page(std::string_view body,
                                                std::string_view content_type,
                                                const std::string& url) {
  const bool json = content_type.find("json") != std::string_view::npos ||
                    (content_type.empty() && body.starts_with('{'));
  return json ? parse_json(body, url) : parse_html(body, url);
}

std::optional<IndexFile> find_wheel(const std::vector<IndexFile>& files, std::string_view project,
                                    std::string_view version) {
  constexpr std::string_view ending = "-none-any.whl";
  for (const IndexFile& file : files) {
    const std::string_view name = file.file_name;
    if (!name.ends_with(ending)) continue;
    const std::size_t first = name.find('-');
    const std::size_t second = name.find('-', first + 1);
    if (second == std::string_view::npos) continue;
    if (normalized_project(name.substr(0, first)) == normalized_project(project) &&
        name.substr(first + 1, second - first - 1) == version) {
      return file;
    }
  }
  return std::nullopt;
}

}  // namespace premise
