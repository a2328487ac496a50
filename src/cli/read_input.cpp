#include "cli/read_input.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/printable.h"

namespace premise {
namespace {

Error unreadable(const std::string& name, int reason) {
  return error(ErrorCode::bad_input, {"{}: cannot be read: {}", "{}：无法读取：{}"},
               printable(name), std::strerror(reason));
}

}  // namespace

Result<std::string> read_all(std::FILE* file, const std::string& name) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file))
    text.append(buffer.data(), count);
  if (std::ferror(file) != 0) return unreadable(name, errno);
  return text;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "rb"));
  if (!file) return unreadable(path.string(), errno);
  return read_all(file.get(), path.string());
}

}  // namespace premise
