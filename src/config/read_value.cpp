#include "config/read_value.h"

namespace premise {
namespace {

Text number_between(std::string_view kind_en, std::string_view kind_zh, double least, double most) {
  if (most >= 1e15)
    return {fmt::format("{} of at least {:.16g}", kind_en, least),
            fmt::format("不小于 {:.16g} 的{}", least, kind_zh)};
  return {fmt::format("{} between {:.16g} and {:.16g}", kind_en, least, most),
          fmt::format("{:.16g} 到 {:.16g} 之间的{}", least, most, kind_zh)};
}

// Without control characters: hosts, names and paths go into log lines and C calls.
bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{}) return std::nullopt;
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  if (unit.ends_with('B')) unit.remove_suffix(1);
  if (unit.empty()) return number;
  const auto power = std::string_view("kMGT").find(unit[0] == 'K' ? 'k' : unit[0]);
  const std::string_view rest = unit.substr(1);
  if (power == std::string_view::npos || (rest != "" && rest != "i")) return std::nullopt;
  const std::uint64_t base = rest.empty() ? 1000 : 1024;
  for (std::size_t i = 0; i <= power; ++i) {
    if (number > std::numeric_limits<std::uint64_t>::max() / base) return std::nullopt;
    number *= base;
  }
  return number;
}

bool is_choice(std::string_view value, std::string_view choices) {
  while (true) {
    const auto bar = choices.find('|');
    std::string_view choice = choices.substr(0, bar);
    if (choice == value) return true;
    constexpr std::string_view any = "…";
    if (choice.ends_with(any)) {
      choice.remove_suffix(any.size());
      if (value.starts_with(choice) && value.size() > choice.size()) return true;
    }
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

Status read_value(const toml::node& node, const ConfigPlace& place, double, double, bool& into) {
  const auto value = node.value_exact<bool>();
  if (!value) return place.wrong(text({"true or false", " true 或 false"}));
  into = *value;
  return {};
}

Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  std::int64_t& into) {
  const auto value = node.value_exact<std::int64_t>();
  const double number = static_cast<double>(value.value_or(0));
  if (!value || number < least || number > most)
    return place.wrong(number_between("an integer", "整数", least, most));
  into = *value;
  return {};
}

Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  double& into) {
  const auto whole = node.value_exact<std::int64_t>();
  const auto value =
      whole ? std::optional(static_cast<double>(*whole)) : node.value_exact<double>();
  if (!value || !(*value >= least && *value <= most))
    return place.wrong(number_between("a number", "数字", least, most));
  into = *value;
  return {};
}

Status read_value(const toml::node& node, const ConfigPlace& place, double, double,
                  std::string& into) {
  auto value = node.value_exact<std::string>();
  if (!value || !is_clean(*value))
    return place.wrong(text({"a string without control characters", "不含控制字符的字符串"}));
  into = std::move(*value);
  return {};
}

Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  std::vector<std::string>& into) {
  std::vector<std::string> values;
  if (const toml::array* list = node.as_array()) {
    for (const toml::node& item : *list) {
      values.emplace_back();
      PREMISE_CHECK(read_value(item, place, least, most, values.back()));
    }
  } else {
    values.emplace_back();
    if (!read_value(node, place, least, most, values.back()).ok())
      return place.wrong(text({"a string or a list of strings", "字符串或字符串列表"}));
  }
  into = std::move(values);
  return {};
}

Status read_value(const toml::node& node, const ConfigPlace& place, double least, double most,
                  ByteCount& into) {
  std::optional<std::uint64_t> bytes;
  if (const auto number = node.value_exact<std::int64_t>(); number && *number >= 0)
    bytes = static_cast<std::uint64_t>(*number);
  else if (const auto written = node.value_exact<std::string>())
    bytes = parse_size(*written);
  if (!bytes || static_cast<double>(*bytes) < least || static_cast<double>(*bytes) > most) {
    Text expected = number_between("a number of bytes", "字节数", least, most);
    expected.en += ", or a string like \"8 GiB\"";
    expected.zh += "，或形如 \"8 GiB\" 的字符串";
    return place.wrong(expected);
  }
  into = bytes;
  return {};
}

}  // namespace premise
