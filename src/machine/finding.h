// What the doctor says of a machine: one finding, one row of its table, one object of its JSON.
//
// A finding carries its sentence and its remedy in both languages and its value for programs. There
// is no separate text for the value: the sentence says it in people's units ("2 cores, 2 threads"),
// so that a row reads like speech and nothing is shown twice.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.h"

namespace premise {

enum class FindingStatus {
  ok,
  info,     // worth knowing, or hardware that is not there: nobody needs to act
  warning,  // works, but slower or less safely than it could; --strict makes it count
  failure,  // something that Premise is for will not work
};

/// "ok", "info", "warning", "failure", as in JSON.
std::string_view name_of(FindingStatus status);

/// For programs: nothing, yes or no, a count, bytes or a rate, a name. Bytes, seconds, per second.
using FindingValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct Finding {
  /// area.subject, stable and documented: "cpu.amx". Where a machine has several of a thing, a
  /// third part tells them apart: "gpu.power.0", "network.link.eth0".
  std::string id;
  FindingStatus status = FindingStatus::info;
  FindingValue value{};
  Text why;    // one sentence with the value in it; never empty
  Text fix{};  // the exact command that mends it, perhaps with a word before it; empty where none

  /// The part of the id before its first dot: "cpu".
  std::string_view area() const { return std::string_view(id).substr(0, id.find('.')); }
};

using Findings = std::vector<Finding>;

inline Finding ok(std::string id, FindingValue value, Text why) {
  return {std::move(id), FindingStatus::ok, std::move(value), std::move(why)};
}
inline Finding info(std::string id, FindingValue value, Text why, Text fix = {}) {
  return {std::move(id), FindingStatus::info, std::move(value), std::move(why), std::move(fix)};
}
inline Finding warning(std::string id, FindingValue value, Text why, Text fix) {
  return {std::move(id), FindingStatus::warning, std::move(value), std::move(why), std::move(fix)};
}
inline Finding failure(std::string id, FindingValue value, Text why, Text fix) {
  return {std::move(id), FindingStatus::failure, std::move(value), std::move(why), std::move(fix)};
}

/// One sentence after another: "a; b".
inline Text and_then(Text first, const Text& second) {
  return {std::move(first.en) + "; " + second.en, std::move(first.zh) + "；" + second.zh};
}

/// A remedy that reads the same in both languages, because it is a command line.
inline Text command_line(std::string command) { return {command, std::move(command)}; }

}  // namespace premise
