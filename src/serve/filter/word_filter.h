// The word filter that a server keeps: which files, what to do, and the list that holds now.
//
// A list is immutable and shared: who began an answer with one ends it with that one, and a reload
// only exchanges the pointer. Files are watched by asking (time, size, inode), not by inotify,
// which is silent on network file systems and blind to what Kubernetes does to mounted files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "serve/filter/stream_filter.h"
#include "serve/filter/word_list.h"

namespace premise {

struct WordFilterConfig {
  std::vector<std::filesystem::path> files;  // none: nothing matches
  FilterAction action = FilterAction::reject;
};

/// "reject", "mask" or "log".
std::optional<FilterAction> filter_action(std::string_view name);

/// Any thread may call any member. Readers never wait for a file.
class WordFilter {
 public:
  /// bad_input where a file cannot be read or holds what WordList::parse refuses.
  static Result<std::unique_ptr<WordFilter>> open(WordFilterConfig config);

  struct Rules {
    std::shared_ptr<const WordList> words;  // never null
    FilterAction action = FilterAction::reject;
    bool active() const { return words->size() > 0; }
  };
  /// What holds now: take it once for a request and its answer.
  Rules rules() const;
  std::shared_ptr<const WordList> current() const { return rules().words; }

  /// Reads all files again. On an error everything stays as it was.
  Status reload();

  /// Reads again where any file has changed since it was last read or tried; true where a new list
  /// holds. An error is told once, not again until a file changes once more; the old list stays.
  Result<bool> reload_if_changed();

  /// Other files or another action. On an error everything stays as it was.
  Status configure(WordFilterConfig config);

 private:
  /// What tells that a file is another one than it was; all zero where there is none.
  struct FileState {
    std::uint64_t device = 0, inode = 0, bytes = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const FileState&) const = default;
  };
  static FileState state_of(const std::filesystem::path& path);
  static std::vector<FileState> states_of(const std::vector<std::filesystem::path>& files);
  static Result<std::shared_ptr<const WordList>> read_files(
      const std::vector<std::filesystem::path>& files);

  WordFilter() = default;
  Status reload_locked();  // under change_mutex_

  std::mutex change_mutex_;  // one reload at a time; taken before rules_mutex_
  WordFilterConfig config_;
  std::vector<FileState> states_;  // when they were last read or tried

  mutable std::mutex rules_mutex_;  // held for a copy of the pointer
  Rules rules_;
};

}  // namespace premise
