// One value of premise.toml, checked by what its key says. Only this room includes it.
#pragma once

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/printable.h"
#include "config/config_keys.h"

namespace premise {

/// Where a value stands, for its errors.
struct ConfigPlace {
  const std::string& file;
  std::uint32_t line = 0;
  std::string key;  // "server.port"

  Error wrong(const Text& expected) const {
    return {ErrorCode::usage,
            {fmt::format("{}:{}: {} must be {}", file, line, key, expected.en),
             fmt::format("{}:{}：{} 必须是{}", file, line, key, expected.zh)}};
  }
};

/// "8 GiB", "500MB", "4096": nothing where it is no size. K, M, G, T with i are powers of 1024.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// Whether `value` is one of "a|b|redis://…".
bool is_choice(std::string_view value, std::string_view choices);

Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  bool& into);
Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  std::int64_t& into);
Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  double& into);
Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  std::string& into);
/// One string counts as a list of it.
Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  std::vector<std::string>& into);
/// A number of bytes, or a string as parse_size() takes it.
Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  ByteCount& into);

}  // namespace premise
