#include "cli/local_user.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <optional>
#include <vector>

#include "base/printable.h"

namespace premise {
namespace {

std::string user_name(uid_t user) {
  std::vector<char> room(16 << 10);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr)
    return fmt::format("{}", user);
  return printable(entry.pw_name);
}

/// What PAM has told the kernel of the session; no program can take another's (proc(5)). Not set in
/// services and most containers.
std::optional<uid_t> login_user() {
  std::ifstream file("/proc/self/loginuid");
  std::string text;
  uid_t user = 0;
  if (!std::getline(file, text)) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), user);
  if (problem != std::errc{} || user == static_cast<uid_t>(-1)) return std::nullopt;
  return user;
}

}  // namespace

std::string user_called(uid_t user) { return "user " + user_name(user); }

std::string local_user() {
  const uid_t user = geteuid();
  const std::optional<uid_t> login = login_user();
  std::string who = user_called(user);
  if (login && *login != user) who += ", login " + user_name(*login);
  return who;
}

}  // namespace premise
