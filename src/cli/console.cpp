#include "cli/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/printable.h"

namespace premise {
namespace {

bool is_terminal(std::FILE* file) {
  const int fd = fileno(file);  // -1 for streams over memory
  return fd >= 0 && isatty(fd) == 1;
}

}  // namespace

Console::Console(std::FILE* out, std::FILE* err, Language language, Interrupt* interrupt)
    : out_(out),
      err_(err),
      language_(language),
      interrupt_(interrupt),
      out_is_terminal_(is_terminal(out)),
      err_is_terminal_(is_terminal(err)) {}

bool Console::in_is_terminal() const { return is_terminal(stdin); }

void Console::write(std::string_view data, bool flush) {
  if (!out_is_open()) return;
  errno = 0;
  const bool written = std::fwrite(data.data(), 1, data.size(), out_) == data.size();
  if (!written || (flush && std::fflush(out_) != 0)) out_errno_ = errno ? errno : EIO;
}

Status Console::finish() {
  errno = 0;
  // Commands may print through out() too: the stream itself remembers that something was lost.
  const bool lost = std::fflush(out_) != 0 || std::ferror(out_) != 0;
  if (lost && out_errno_ == 0) out_errno_ = errno ? errno : EIO;
  if (out_errno_ == 0 || out_errno_ == EPIPE) return {};
  const bool full = out_errno_ == ENOSPC || out_errno_ == EDQUOT || out_errno_ == EFBIG;
  return error(full ? ErrorCode::no_resources : ErrorCode::bad_input,
               {"standard output could not be written: {}", "无法写入标准输出：{}"},
               std::strerror(out_errno_));
}

void Console::say_line(std::string_view line) {
  const std::string safe = printable(line) + '\n';  // in one piece: other threads say lines too
  std::fwrite(safe.data(), 1, safe.size(), err_);
}

void Console::say(const Text& text) { say_line(text.in(language_)); }

void Console::report(const Error& error) {
  std::fflush(out_);  // what was said before comes before
  const bool chinese = language_ == Language::chinese;
  say_line((chinese ? "错误：" : "error: ") + error.what.in(language_));
  if (!error.hint.empty()) say_line((chinese ? "提示：" : "hint: ") + error.hint.in(language_));
}

}  // namespace premise
