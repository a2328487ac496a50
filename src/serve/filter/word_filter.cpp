#include "serve/filter/word_filter.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/printable.h"

namespace premise {
namespace {

Error cannot_read(const std::filesystem::path& path, const std::string& why) {
  return error(ErrorCode::bad_input,
               {"{}: the word list cannot be read: {}", "{}：无法读取词表：{}"},
               printable(path.string()), why);
}

class OpenFile {
 public:
  // A pipe without a writer must not stop the server: O_NONBLOCK.
  explicit OpenFile(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

Result<std::string> read_word_file(const std::filesystem::path& path, std::size_t bytes_max) {
  const OpenFile file(path);
  if (file.descriptor() < 0) return cannot_read(path, std::strerror(errno));
  struct stat status{};
  if (::fstat(file.descriptor(), &status) != 0) return cannot_read(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return cannot_read(path, "not a regular file");
  std::string bytes;
  for (;;) {
    constexpr std::size_t step = std::size_t{64} << 10;
    const std::size_t before = bytes.size();
    bytes.resize(before + step);
    const ssize_t count = ::read(file.descriptor(), bytes.data() + before, step);
    if (count < 0 && errno != EINTR) return cannot_read(path, std::strerror(errno));
    bytes.resize(before + static_cast<std::size_t>(count < 0 ? 0 : count));
    if (bytes.size() > bytes_max)
      return error(ErrorCode::bad_input, {"{}: larger than {} bytes", "{}：大于 {} 字节"},
                   printable(path.string()), bytes_max);
    if (count == 0) return bytes;
  }
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FilterAction> filter_action(std::string_view name) {
  if (name == "reject") return FilterAction::reject;
  if (name == "mask") return FilterAction::mask;
  if (name == "log") return FilterAction::log;
  return std::nullopt;
}

Result<std::unique_ptr<WordFilter>> WordFilter::open(WordFilterConfig config) {
  std::unique_ptr<WordFilter> filter(new WordFilter());
  PREMISE_CHECK(filter->configure(std::move(config)));
  return filter;
}

WordFilter::Rules WordFilter::rules() const {
  const std::lock_guard lock(rules_mutex_);
  return rules_;
}

WordFilter::FileState WordFilter::state_of(const std::filesystem::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

std::vector<WordFilter::FileState> WordFilter::states_of(
    const std::vector<std::filesystem::path>& files) {
  std::vector<FileState> states;
  for (const auto& path : files) states.push_back(state_of(path));
  return states;
}

Result<std::shared_ptr<const WordList>> WordFilter::read_files(
    const std::vector<std::filesystem::path>& files) {
  std::vector<WordText> texts;
  std::size_t left = WordList::text_bytes_max;
  for (const auto& path : files) {
    PREMISE_TRY(std::string bytes, read_word_file(path, left));
    left -= bytes.size();
    texts.push_back({path.string(), std::move(bytes)});
  }
  PREMISE_TRY(WordList list, WordList::parse(texts));
  return std::shared_ptr<const WordList>(std::make_shared<WordList>(std::move(list)));
}

Status WordFilter::configure(WordFilterConfig config) {
  const std::lock_guard changing(change_mutex_);
  // States before contents: what changes in between is noticed next time.
  std::vector<FileState> states = states_of(config.files);
  PREMISE_TRY(auto words, read_files(config.files));
  const FilterAction action = config.action;
  config_ = std::move(config);
  states_ = std::move(states);
  const std::lock_guard lock(rules_mutex_);
  rules_ = {std::move(words), action};
  return {};
}

Status WordFilter::reload() {
  const std::lock_guard changing(change_mutex_);
  return reload_locked();
}

Status WordFilter::reload_locked() {
  states_ = states_of(config_.files);
  PREMISE_TRY(auto words, read_files(config_.files));
  const std::lock_guard lock(rules_mutex_);
  rules_.words = std::move(words);
  return {};
}

Result<bool> WordFilter::reload_if_changed() {
  const std::lock_guard changing(change_mutex_);
  if (states_of(config_.files) == states_) return false;
  PREMISE_CHECK(reload_locked());
  return true;
}

}  // namespace premise
