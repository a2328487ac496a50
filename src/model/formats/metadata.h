// The key-value part of a model file, typed and already checked by the format's reader.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace premise {

/// Integers are widened to 64 bits and floats to double. Arrays hold one kind of element.
using MetadataValue =
    std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<bool>,
                 std::vector<std::int64_t>, std::vector<std::uint64_t>, std::vector<double>,
                 std::vector<std::string>>;

/// What a value is, as messages name it: "unsigned integer", "array of strings".
Text kind_of(const MetadataValue& value);

/// Values by key. Readers below name the key, the type found and the type expected in their Error
/// (ErrorCode::bad_input), so that callers pass it on unchanged.
class Metadata {
 public:
  /// `bits` is the width of a number (or of an array's numbers) in the file: 8, 16, 32, 64, or 0
  /// where it says nothing. Nobody who reads values needs it; whoever writes the file again does.
  void set(std::string key, MetadataValue value, unsigned bits = 0);
  const std::map<std::string, MetadataValue, std::less<>>& values() const { return values_; }

  bool has(std::string_view key) const { return values_.find(key) != values_.end(); }
  bool is_array(std::string_view key) const;
  unsigned bits(std::string_view key) const;

  /// The file that the values come from; messages begin with it.
  void set_path(std::string path) { path_ = std::move(path); }
  const std::string& path() const { return path_; }

  /// Required scalars: an Error where the key is missing, of another kind, or out of range.
  Result<std::uint64_t> u64(std::string_view key) const;
  Result<double> number(std::string_view key) const;  // any integer or float; finite
  Result<bool> boolean(std::string_view key) const;
  Result<std::string> string(std::string_view key) const;

  /// Optional scalars: the fallback where the key is missing; an Error where its kind is wrong.
  Result<std::uint64_t> u64_or(std::string_view key, std::uint64_t fallback) const;
  Result<double> number_or(std::string_view key, double fallback) const;
  Result<bool> boolean_or(std::string_view key, bool fallback) const;
  Result<std::string> string_or(std::string_view key, std::string fallback) const;

  /// Required arrays. The spans live as long as this object is neither changed nor destroyed.
  Result<std::span<const std::string>> strings(std::string_view key) const;
  Result<std::vector<std::int64_t>> integers(std::string_view key) const;  // signed or unsigned
  Result<std::vector<double>> numbers(std::string_view key) const;         // any numeric, finite
  Result<std::vector<bool>> booleans(std::string_view key) const;

 private:
  Result<const MetadataValue*> require(std::string_view key) const;
  Error wrong_kind(std::string_view key, const MetadataValue& found, const Text& expected) const;
  Error wrong_value(std::string_view key, const Text& problem) const;

  std::map<std::string, MetadataValue, std::less<>> values_;
  std::map<std::string, unsigned, std::less<>> bits_;
  std::string path_;
};

}  // namespace premise
