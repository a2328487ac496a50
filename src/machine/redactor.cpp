// How private words are told from others.
//
//   UUID          8-4-4-4-12 hexadecimal digits
//   MAC           six pairs of hexadecimal digits between ':' or '-'; also behind "enx" in the name
//                 of a network interface
//   digest        32 or more hexadecimal digits: ids of containers and machines
//   IPv6          groups of up to four hexadecimal digits with three ':' at least, or with "::"
//                 between two of them. PCI addresses (0000:3b:00.0) have two ':' and stay.
//   IPv4          four numbers up to 255, where an address stands: behind '=', '@' or '/', before
//   ':'
//                 or '/', or alone. Elsewhere four numbers are a version (a driver's, a wheel's,
//                 WSL's kernel 5.15.153.1-…) and findings hang on it.
//   serial        the value behind "serial…:" or "serial…=" up to the end of its line
//   shares        in mountinfo, the server, share and options behind "- nfs4", "- cifs", …
//   names         of host, user and home folder as whole words, unless they are words that say
//                 nothing about anybody (root, ubuntu, localhost, …), which also stand in
//                 os-release
#include "machine/redactor.h"

#include <fmt/core.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>

#include "machine/facts/words.h"

namespace premise {
namespace {

constexpr std::array common_words{
    "root",   "user",   "admin",  "ubuntu", "debian", "centos",  "rocky",   "alma",   "fedora",
    "linux",  "docker", "podman", "node",   "server", "desktop", "laptop",  "host",   "localhost",
    "vm",     "gpu",    "test",   "ai",     "nvidia", "intel",   "amd",     "cpu",    "premise",
    "python", "cuda",   "kernel", "system", "local",  "home",    "default", "worker", "master"};

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

char at_or_blank(std::string_view text, std::size_t index) {
  return index < text.size() ? text[index] : ' ';
}

std::size_t hex_run(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_hex(text[end])) ++end;
  return end - at;
}

/// Length of a UUID that begins here, or 0; the others likewise.
std::size_t uuid_length(std::string_view text) {
  std::size_t at = 0;
  for (const std::size_t digits : {8, 4, 4, 4, 12}) {
    if (at > 0 && at_or_blank(text, at++) != '-') return 0;
    if (hex_run(text, at) != digits) return 0;
    at += digits;
  }
  return at;
}

std::size_t mac_length(std::string_view text) {
  constexpr std::size_t length = 17;
  if (text.size() < length) return 0;
  const char separator = text[2];
  if (separator != ':' && separator != '-') return 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (i % 3 == 2 ? text[i] != separator : !is_hex(text[i])) return 0;
  }
  const char next = at_or_blank(text, length);
  return is_word(next) || next == separator ? 0 : length;
}

std::size_t ipv6_length(std::string_view text) {
  std::size_t end = 0;
  std::size_t colons = 0;
  std::size_t groups = 0;
  bool doubled = false;
  while (end < text.size() && (is_hex(text[end]) || text[end] == ':')) {
    if (text[end] == ':') {
      ++colons;
      doubled = doubled || at_or_blank(text, end + 1) == ':';
      ++end;
      continue;
    }
    const std::size_t run = hex_run(text, end);
    if (run > 4) return 0;
    ++groups;
    end += run;
  }
  if (is_word(at_or_blank(text, end))) return 0;
  while (end > 0 && text[end - 1] == ':') --end;  // "fe80::1:" at the end of a clause
  return groups >= 2 && (colons >= 4 || (doubled && colons >= 2)) ? end : 0;
}

std::size_t ipv4_length(std::string_view text) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && at_or_blank(text, at++) != '.') return 0;
    std::size_t digits = 0;
    int value = 0;
    while (digits < 4 && is_digit(at_or_blank(text, at + digits)))
      value = value * 10 + (text[at + digits++] - '0');
    if (digits == 0 || digits > 3 || value > 255) return 0;
    at += digits;
  }
  const char next = at_or_blank(text, at);
  const bool continues = is_word(next) || (next == '.' && is_digit(at_or_blank(text, at + 1)));
  return continues ? 0 : at;
}

/// Whether four numbers are an address where they stand.
bool address_stands_here(std::string_view text, std::size_t at, std::size_t length) {
  const char before = at == 0 ? ' ' : text[at - 1];
  const char before_that = at < 2 ? ' ' : text[at - 2];
  const char after = at_or_blank(text, at + length);
  if (after == ':' || after == '/') return true;
  if (before == '@' || before == '/') return true;
  if (before == '=') return before_that != '=';
  const bool line_begins = at == 0 || before == '\n';
  return line_begins && (after == '\n' || at + length >= text.size());
}

bool says_nothing(std::string_view name) {
  if (name.size() < 3) return true;
  return std::any_of(common_words.begin(), common_words.end(), [&](std::string_view word) {
    return word.size() == name.size() && contains_word(name, word);
  });
}

/// "Serial Number: X" or "serial=X" without the value. One in quotes leaves its quotes, so that a
/// JSON document stays one.
std::optional<std::string> without_serial(std::string_view line) {
  const std::size_t value = line.find_first_of(":=");
  constexpr std::size_t longest_key = 40;
  if (value == std::string_view::npos || value >= longest_key ||
      !contains_word(line.substr(0, value), "serial"))
    return std::nullopt;
  const std::size_t quote = line.find('"', value);
  const std::size_t closing = quote == std::string_view::npos ? quote : line.find('"', quote + 1);
  if (closing == std::string_view::npos)
    return std::string(line.substr(0, value + 1)) + " left out";
  return std::string(line.substr(0, quote + 1)) + "left out" + std::string(line.substr(closing));
}

/// A line of mountinfo without the server, whose name and options are behind the type.
std::optional<std::string> without_server(std::string_view line) {
  for (const std::string_view type : {" - nfs ", " - nfs4 ", " - cifs ", " - smb3 ", " - ceph ",
                                      " - fuse.", " - glusterfs ", " - lustre ", " - beegfs "}) {
    const std::size_t at = line.find(type);
    if (at == std::string_view::npos) continue;
    const std::size_t behind = line.find(' ', at + 3);
    if (behind == std::string_view::npos) return std::nullopt;
    return std::string(line.substr(0, behind)) + " server:/share rw";
  }
  return std::nullopt;
}

std::string without_private_values(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    auto changed = without_serial(line);
    if (!changed) changed = without_server(line);
    out += changed ? *changed : std::string(line);
    if (end < text.size()) out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string Redactor::stand_in(std::string_view kind, std::string_view original) {
  const auto found = stand_ins_.find(original);
  if (found != stand_ins_.end()) return found->second;
  const int number = ++counts_[std::string(kind)];
  std::string made;
  if (kind == "uuid") made = fmt::format("00000000-0000-0000-0000-{:012}", number);
  if (kind == "mac")
    made = fmt::format("02:00:00:00:{:02x}:{:02x}", number / 256 % 256, number % 256);
  if (kind == "interface") made = fmt::format("enx{:012x}", 0x020000000000 + number);
  if (kind == "digest") made = fmt::format("{:0{}}", number, original.size());
  if (kind == "ipv6") made = fmt::format("2001:db8::{:x}", number);    // RFC 3849
  if (kind == "ipv4") made = fmt::format("192.0.2.{}", number % 256);  // RFC 5737
  stand_ins_.emplace(original, made);
  return made;
}

/// Writes a stand-in and returns the length of what it stands for; 0: nothing private begins here.
std::size_t Redactor::take_token(std::string_view text, std::size_t at, std::string& out) {
  const std::string_view rest = text.substr(at);
  const auto take = [&](std::string_view kind, std::size_t length) {
    out += stand_in(kind, rest.substr(0, length));
    return length;
  };
  if (rest.starts_with("enx") && hex_run(rest, 3) == 12) return take("interface", 15);
  if (const std::size_t length = uuid_length(rest)) return take("uuid", length);
  if (const std::size_t length = mac_length(rest)) return take("mac", length);
  if (const std::size_t length = ipv6_length(rest)) return take("ipv6", length);
  if (const std::size_t run = hex_run(rest, 0); run >= 32 && !is_word(at_or_blank(rest, run)))
    return take("digest", run);
  if (const std::size_t length = ipv4_length(rest);
      length > 0 && address_stands_here(text, at, length))
    return take("ipv4", length);
  const auto is_name = [&](const std::string& name) {
    return rest.starts_with(name) && !is_word(at_or_blank(rest, name.size()));
  };
  if (!says_nothing(identity_.host_name) && is_name(identity_.host_name)) {
    out += "host";
    return identity_.host_name.size();
  }
  if (!says_nothing(identity_.user_name) && is_name(identity_.user_name)) {
    out += "user";
    return identity_.user_name.size();
  }
  return 0;
}

std::string Redactor::operator()(std::string_view original) {
  const std::string plain = without_private_values(original);
  const std::string_view text = plain;
  const bool home_is_private = identity_.home.size() > 1 && identity_.home != "/root";
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const char before = at == 0 ? ' ' : text[at - 1];
    if (home_is_private && text.substr(at).starts_with(identity_.home) &&
        !is_word(at_or_blank(text, at + identity_.home.size()))) {
      out += "/home/user";
      at += identity_.home.size();
      continue;
    }
    const std::size_t taken =
        is_word(before) || !(is_word(text[at]) || text[at] == ':') ? 0 : take_token(text, at, out);
    if (taken == 0) out += text[at++];
    at += taken;
  }
  return out;
}

Redactor::Identity identity_of_process() {
  Redactor::Identity identity;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) identity.host_name = name.data();
  identity.host_name = identity.host_name.substr(0, identity.host_name.find('.'));
  if (const passwd* entry = ::getpwuid(::geteuid())) {
    identity.user_name = entry->pw_name;
    identity.home = entry->pw_dir;
  }
  if (const char* home = std::getenv("HOME")) identity.home = home;
  return identity;
}

}  // namespace premise
