#include "machine/source.h"

#include <charconv>

namespace premise {

std::optional<std::string> read_line(MachineSource& machine, std::string_view path) {
  FileAnswer file = machine.read_file(path);
  if (!file) return std::nullopt;
  std::string line = std::move(file.text);
  if (const std::size_t end = line.find('\n'); end != std::string::npos) line.resize(end);
  const std::size_t last = line.find_last_not_of(" \t\r\v\f");
  line.resize(last == std::string::npos ? 0 : last + 1);
  return line;
}

std::optional<std::int64_t> read_number(MachineSource& machine, std::string_view path) {
  const std::optional<std::string> line = read_line(machine, path);
  if (!line) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(line->data(), line->data() + line->size(), value);
  if (failure != std::errc{} || end != line->data() + line->size()) return std::nullopt;
  return value;
}

}  // namespace premise
