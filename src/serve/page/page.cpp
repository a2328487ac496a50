#include "serve/page/page.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace premise {

extern const std::span<const PageFile> embedded_page __attribute__((weak));

namespace {

constexpr std::string_view asset_folder = "/assets/";

bool is_page_path(std::string_view path) {
  return path == "/" || path == "/index.html" || path == "/favicon.svg" ||
         path.starts_with(asset_folder);
}

const PageFile* find_file(std::span<const PageFile> files, std::string_view path) {
  if (path == "/") path = "/index.html";
  const auto found = std::ranges::find(files, path, &PageFile::path);
  return found == files.end() ? nullptr : &*found;
}

/// Nothing from elsewhere, nothing inline, no frame around it, and HTML only through the page's
/// sanitizer (Trusted Types). What a model writes can thus neither run nor load anything.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types dompurify";

void add_guards(HttpFields& headers) {
  headers.add("content-security-policy", content_security_policy);
  headers.add("x-content-type-options", "nosniff");
  headers.add("referrer-policy", "no-referrer");
  headers.add("cross-origin-resource-policy", "same-origin");
  headers.add("permissions-policy", "camera=(), geolocation=(), microphone=()");
}

/// The weight that Accept-Encoding gives to gzip (RFC 9110, 12.5.3) is not zero. What cannot be
/// read counts as zero: the plain file is always right.
bool accepts_gzip(std::string_view field) {
  bool any = false;  // what "*" says, where gzip itself is not named
  while (!field.empty()) {
    const auto comma = std::min(field.find(','), field.size());
    std::string_view element = trim_blanks(field.substr(0, comma));
    field.remove_prefix(std::min(comma + 1, field.size()));
    const auto semicolon = std::min(element.find(';'), element.size());
    const std::string_view coding = trim_blanks(element.substr(0, semicolon));
    const std::string_view weight =
        trim_blanks(element.substr(std::min(semicolon + 1, element.size())));
    double q = 1.0;
    if (!weight.empty()) {
      q = 0.0;
      if (weight.starts_with("q=") || weight.starts_with("Q="))
        std::from_chars(weight.data() + 2, weight.data() + weight.size(), q);
    }
    if (equal_ignoring_case(coding, "gzip")) return q > 0.0;
    if (coding == "*") any = q > 0.0;
  }
  return any;
}

/// If-None-Match names this tag; weakly compared, as RFC 9110, 13.1.2 says.
bool has_tag(std::string_view field, std::string_view tag) {
  if (trim_blanks(field) == "*") return true;
  while (!field.empty()) {
    const auto comma = std::min(field.find(','), field.size());
    std::string_view element = trim_blanks(field.substr(0, comma));
    field.remove_prefix(std::min(comma + 1, field.size()));
    if (element.starts_with("W/")) element.remove_prefix(2);
    if (element == tag) return true;
  }
  return false;
}

HttpResponse plain_answer(int status, std::string_view text) {
  HttpResponse response{status, {}, std::string(text)};
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.headers.add("cache-control", "no-store");
  add_guards(response.headers);
  return response;
}

HttpResponse file_answer(const PageFile& file, const HttpRequest& request) {
  const bool gzip =
      !file.gzip.empty() && accepts_gzip(request.headers.find("accept-encoding").value_or(""));
  // Each encoding has a tag of its own: a cache must not take one for the other.
  const std::string tag = "\"" + std::string(file.hash) + (gzip ? "-gzip\"" : "\"");
  HttpResponse response;
  response.headers.add("etag", tag);
  if (!file.gzip.empty()) response.headers.add("vary", "accept-encoding");
  // The name of an asset holds its hash, so that name never means anything else.
  response.headers.add("cache-control", file.path.starts_with(asset_folder)
                                            ? "public, max-age=31536000, immutable"
                                            : "no-cache");
  add_guards(response.headers);
  if (has_tag(request.headers.find("if-none-match").value_or(""), tag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("content-type", std::string(file.content_type));
  if (gzip) response.headers.add("content-encoding", "gzip");
  response.body = gzip ? file.gzip : file.bytes;
  return response;
}

}  // namespace

bool is_page_request(const HttpRequest& request) {
  return (request.method == "GET" || request.method == "HEAD") && is_page_path(request.path);
}

std::optional<HttpResponse> page_response(const HttpRequest& request,
                                          std::span<const PageFile> files) {
  if (!is_page_request(request)) return std::nullopt;
  if (files.empty())
    return plain_answer(
        404,
        "This premise was built without its page (PREMISE_PAGE=OFF). "
        "The API is described by /openapi.json.\n"
        "此 premise 构建时未包含网页（PREMISE_PAGE=OFF）。API 说明见 /openapi.json。\n");
  if (const PageFile* file = find_file(files, request.path)) return file_answer(*file, request);
  return plain_answer(404, "This page has no such file. / 此网页没有该文件。\n");
}

std::optional<HttpResponse> page_response(const HttpRequest& request) {
  if (&embedded_page == nullptr) return page_response(request, {});
  return page_response(request, embedded_page);
}

}  // namespace premise
