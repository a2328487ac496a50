#include <algorithm>

#include "base/nearest.h"
#include "base/printable.h"
#include "serve/api/dialect.h"

namespace premise {
namespace {

bool matches(std::string_view pattern, std::string_view path, std::string& rest) {
  rest.clear();
  const auto brace = pattern.find('{');
  if (brace == std::string_view::npos) return path == pattern;
  if (path.size() <= brace || !path.starts_with(pattern.substr(0, brace))) return false;
  rest = path.substr(brace);
  return true;
}

std::string shown_path(std::string_view path) { return printable(path.substr(0, 128)); }

// A path that somebody names in full belongs to nobody's braces: GET /admin/models/load is not the
// model "load".
bool is_named(std::string_view path) {
  return std::ranges::any_of(all_api(), [&](const Dialect* each) { return each->path == path; });
}

}  // namespace

OrApiError<Route> find_route(std::string_view method, std::string_view path, std::string* allow) {
  const std::string_view asked = method == "HEAD" ? "GET" : method;
  std::string methods;
  std::vector<std::string> paths;
  const bool named = is_named(path);
  for (const Dialect* dialect : all_api()) {
    Route route{dialect, {}};
    paths.emplace_back(dialect->path);
    if (named ? dialect->path != path : !matches(dialect->path, path, route.rest)) continue;
    if (dialect->method == asked) return route;
    methods += (methods.empty() ? "" : ", ") + std::string(dialect->method);
    if (dialect->method == "GET") methods += ", HEAD";
  }
  if (!methods.empty()) {
    if (allow != nullptr) *allow = methods;
    return ApiError{405,
                    text({"{} takes {}, not {}", "{} 接受 {}，不接受 {}"}, shown_path(path),
                         methods, shown_path(method)),
                    "method_not_allowed"};
  }
  const auto near = nearest(path, paths);
  return ApiError{404,
                  near ? text({"nothing is at {}; did you mean {}?", "{} 不存在；您是否想用 {}？"},
                              shown_path(path), *near)
                       : text({"nothing is at {}; GET /openapi.json lists the paths there are",
                               "{} 不存在；GET /openapi.json 会列出所有路径"},
                              shown_path(path)),
                  "not_found"};
}

}  // namespace premise
