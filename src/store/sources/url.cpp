#include "store/sources/url.h"

#include <curl/curl.h>

#include <memory>

#include "base/printable.h"

namespace premise {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

/// Null where `text` is no URL. Spaces and non-ASCII letters in hand-written pages are encoded.
Url parse(const std::string& text) {
  Url url(curl_url());
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_URLENCODE) != CURLUE_OK) {
    return nullptr;
  }
  return url;
}

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (url == nullptr || curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<std::string> resolve_url(const std::string& base, const std::string& reference) {
  const Url url = parse(base);
  if (url &&
      curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), CURLU_URLENCODE) == CURLUE_OK) {
    if (std::string whole = part(url.get(), CURLUPART_URL); !whole.empty()) return whole;
  }
  return error(ErrorCode::network,
               {"{}: links to \"{}\", which is no URL", "{}：其中的链接“{}”不是有效网址"},
               shown_url(base), printable(reference.substr(0, 200)));
}

std::string shown_url(const std::string& text) {
  const Url url = parse(text);
  if (!url) return "(invalid URL)";
  for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                 CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(url.get(), secret, nullptr, 0);
  }
  return printable(part(url.get(), CURLUPART_URL));
}

std::string url_scheme(const std::string& url) { return part(parse(url).get(), CURLUPART_SCHEME); }

std::string url_host(const std::string& url) { return part(parse(url).get(), CURLUPART_HOST); }

std::string url_host_and_port(const std::string& text) {
  const Url url = parse(text);
  const std::string host = part(url.get(), CURLUPART_HOST);
  if (host.empty()) return {};
  return host + ":" + part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string with_credentials_of(const std::string& login, const std::string& text) {
  const Url from = parse(login);
  const Url to = parse(text);
  const std::string user = part(from.get(), CURLUPART_USER);
  if (user.empty() || !to || !part(to.get(), CURLUPART_USER).empty()) return text;
  if (url_host_and_port(login) != url_host_and_port(text) ||
      url_scheme(login) != url_scheme(text)) {
    return text;
  }
  const std::string password = part(from.get(), CURLUPART_PASSWORD);
  curl_url_set(to.get(), CURLUPART_USER, user.c_str(), 0);
  if (!password.empty()) curl_url_set(to.get(), CURLUPART_PASSWORD, password.c_str(), 0);
  return part(to.get(), CURLUPART_URL);
}

std::optional<std::filesystem::path> local_path(const std::string& text) {
  const Url url = parse(text);
  if (part(url.get(), CURLUPART_SCHEME) != "file") return std::nullopt;
  const std::string path = percent_decoded(part(url.get(), CURLUPART_PATH));
  if (path.empty() || path.find('\0') != std::string::npos) return std::nullopt;
  return std::filesystem::path(path);
}

std::string file_url(const std::filesystem::path& path) {
  std::string url = "file://";
  for (const char c : path.string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/-._~").find(c) != std::string_view::npos;
    url += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return url;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] == '%' && index + 2 < text.size()) {
      const int high = hex_value(text[index + 1]);
      const int low = hex_value(text[index + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high * 16 + low));
        index += 2;
        continue;
      }
    }
    out.push_back(text[index]);
  }
  return out;
}

}  // namespace premise
