// What a handler gets and gives: plain data, no socket and no Asio in sight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace premise {

/// Header fields in the order they came. Names compare without regard to case (RFC 9110, 5.1).
class HttpFields {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  HttpFields() = default;
  HttpFields(std::initializer_list<Field> fields) : fields_(fields) {}

  void add(std::string name, std::string value);
  /// Removes every field of that name and adds this one.
  void set(std::string name, std::string value);

  /// The first value of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  /// True when one of the comma-separated elements of that field is `token`, in any case.
  bool has_token(std::string_view name, std::string_view token) const;

  const std::vector<Field>& all() const { return fields_; }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

/// The same letters, ASCII case aside.
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// Without the spaces and tabs around it.
std::string_view trim_blanks(std::string_view text);

struct HttpPeer {
  std::string address;  // "127.0.0.1", "::1"
  std::uint16_t port = 0;
};

/// A request whose framing is beyond doubt. Values are as hostile as ever.
struct HttpRequest {
  std::string method;  // GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  std::string target;  // the path and query as they were sent, "/a%20b?c=d"; "*" for OPTIONS
  /// The path, percent-decoded once: "/a b". It holds no NUL, but may hold "..", "//" or a slash
  /// that was sent as %2F: who maps it to files looks at `target` too.
  std::string path;
  /// The query's pairs in order, percent-decoded and with '+' as a space; a lone name has no value.
  std::vector<std::pair<std::string, std::string>> query;
  std::string host;  // of an absolute target or of the Host field, "name:8080"; "" only in HTTP/1.0
  HttpFields headers;
  std::string body;
  int minor_version = 1;  // of HTTP/1.x
  bool tls = false;
  HttpPeer peer;
  HttpPeer local;  // the address the client reached

  /// The first value of that name in the query.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

/// An answer. The server itself writes Content-Length, Transfer-Encoding, Connection and Date, and
/// drops fields of those names; "Connection: close" is heeded. Control characters in values become
/// spaces, and fields with an impossible name are dropped: no value can start a line of its own.
struct HttpResponse {
  int status = 200;
  HttpFields headers;
  std::string body;
};

/// Why the server answers in place of the handler.
struct HttpRefusal {
  int status = 500;
  Text why;  // one sentence
};

/// "Not Found"; "Unknown" for a number that has no name.
std::string_view http_reason(int status);

}  // namespace premise
