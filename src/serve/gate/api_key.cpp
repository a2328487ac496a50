#include "serve/gate/api_key.h"

#include <sys/random.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include "base/hash.h"
#include "base/printable.h"

namespace premise {
namespace {

struct NamedScope {
  std::string_view name;
  Scope scope;
};
constexpr std::array named_scopes{NamedScope{"inference", Scope::inference},
                                  NamedScope{"metrics", Scope::metrics},
                                  NamedScope{"admin", Scope::admin}};

constexpr std::size_t secret_bytes = 25;  // 200 bits, 40 letters without padding
constexpr std::size_t key_text_bytes_max = 128;
constexpr std::int64_t lifetime_seconds_max = std::int64_t{100} * 366 * 86400;

Error bad_expiry(std::string_view text_given) {
  return error(ErrorCode::usage, {"expiry \"{}\": is no time", "有效期 \"{}\"：不是有效时间"},
               printable(text_given))
      .with_hint(text({"write 30d, 12h, 90m, a date such as 2030-01-31, or never",
                       "可写作 30d、12h、90m、日期（如 2030-01-31）或 never"}));
}

template <typename Number>
bool whole_number(std::string_view text, Number& value) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  return code == std::errc() && end == text.data() + text.size();
}

/// The first second after that day; -1 where it is no date.
std::int64_t end_of_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return -1;
  int year = 0;
  unsigned month = 0, day = 0;
  if (!whole_number(text.substr(0, 4), year) || !whole_number(text.substr(5, 2), month) ||
      !whole_number(text.substr(8, 2), day))
    return -1;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return -1;
  const auto days = std::chrono::sys_days(date).time_since_epoch().count() + 1;
  return std::int64_t{days} * 86400;
}

std::int64_t unit_seconds(char unit) {
  switch (unit) {
    case 'd':
      return 86400;
    case 'h':
      return 3600;
    case 'm':
      return 60;
    default:
      return 0;
  }
}

}  // namespace

std::string scope_names(unsigned scopes) {
  std::string names;
  for (const NamedScope& known : named_scopes) {
    if ((scopes & static_cast<unsigned>(known.scope)) == 0) continue;
    if (!names.empty()) names += ',';
    names += known.name;
  }
  return names;
}

Result<unsigned> parse_scopes(const std::vector<std::string>& names) {
  unsigned scopes = 0;
  for (const std::string& name : names) {
    const auto known = std::find_if(named_scopes.begin(), named_scopes.end(),
                                    [&](const NamedScope& scope) { return scope.name == name; });
    if (known == named_scopes.end()) {
      return error(ErrorCode::usage, {"scope \"{}\": is unknown", "权限 \"{}\"：未知"},
                   printable(name))
          .with_hint(text(
              {"there are inference, metrics and admin", "可用权限：inference、metrics、admin"}));
    }
    scopes |= static_cast<unsigned>(known->scope);
  }
  return scopes;
}

bool ApiKey::may_use(std::string_view model) const {
  return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

Result<std::string> make_secret() {
  std::array<unsigned char, secret_bytes> random{};
  for (std::size_t filled = 0; filled < random.size();) {
    const ssize_t got = ::getrandom(random.data() + filled, random.size() - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return error(ErrorCode::no_resources,
                   {"the kernel gives no random bytes: {}", "内核无法提供随机字节：{}"},
                   std::strerror(errno));
    }
    filled += static_cast<std::size_t>(got);
  }
  constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  std::string secret = "sk-";
  unsigned held = 0, bits = 0;
  for (const unsigned char byte : random) {
    held = (held << 8 | byte) & 0xFFFF;
    for (bits += 8; bits >= 5; bits -= 5) secret += alphabet[held >> (bits - 5) & 31];
  }
  return secret;
}

Result<std::string> secret_hash(std::string_view secret) {
  return hash_of(HashKind::sha256, secret);
}

Status check_key_text(std::string_view value, const Text& what) {
  const auto refuse = [&](Phrase<> reason) {
    return at(what, Error{ErrorCode::usage, text(reason)});
  };
  if (value.empty()) return refuse({"must not be empty", "不能为空"});
  if (value.size() > key_text_bytes_max)
    return refuse({"is longer than 128 bytes", "超过 128 字节"});
  if (value.front() == ' ' || value.back() == ' ')
    return refuse({"begins or ends with a space", "首尾不能有空格"});
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(value.data());
  auto left = static_cast<utf8proc_ssize_t>(value.size());
  while (left > 0) {
    utf8proc_int32_t point = 0;
    const utf8proc_ssize_t length = utf8proc_iterate(bytes, left, &point);
    if (length <= 0) return refuse({"is no UTF-8", "不是有效的 UTF-8"});
    const utf8proc_category_t category = utf8proc_category(point);
    if (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
        category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP)
      return refuse({"holds control or invisible characters", "含有控制字符或不可见字符"});
    bytes += length;
    left -= length;
  }
  return {};
}

Result<std::int64_t> parse_expiry(std::string_view given, std::int64_t now) {
  if (given == "never") return 0;
  std::int64_t expires = end_of_date(given);
  if (expires < 0) {
    const std::int64_t unit = given.empty() ? 0 : unit_seconds(given.back());
    std::int64_t count = 0;
    if (unit == 0 || !whole_number(given.substr(0, given.size() - 1), count) || count <= 0 ||
        count > lifetime_seconds_max / unit)
      return bad_expiry(given);
    expires = now + count * unit;
  }
  if (expires <= now) {
    return error(ErrorCode::usage, {"expiry \"{}\": lies in the past", "有效期 \"{}\"：已经过去"},
                 printable(given));
  }
  return expires;
}

}  // namespace premise
