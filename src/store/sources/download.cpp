// Downloads side by side on one thread: libcurl's multi interface does the waiting, each Transfer
// below is one file with its retries. HTTP's rules for going on (RFC 9110, section 14): ask with
// Range, and with If-Range so that a changed file comes whole; 206 must begin where we asked, 200
// is the whole file again, 416 means that we have all of it (or of something else: the digest
// tells).
#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <fstream>

#include "store/files.h"
#include "store/sources/http.h"
#include "store/sources/url.h"

namespace premise {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t validator_bytes_max = 1024;
constexpr int poll_ms = 100;

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using MultiHandle = std::unique_ptr<CURLM, FreeMulti>;

/// The first byte of "bytes 100-199/200", or nothing.
std::optional<std::uint64_t> range_begin(std::string_view header) {
  constexpr std::string_view unit = "bytes ";
  if (!header.starts_with(unit)) return std::nullopt;
  header.remove_prefix(unit.size());
  std::uint64_t begin = 0;
  const auto [end, problem] = std::from_chars(header.data(), header.data() + header.size(), begin);
  if (problem != std::errc() || end == header.data() + header.size() || *end != '-')
    return std::nullopt;
  return begin;
}

std::string read_validator(const fs::path& path) {
  std::ifstream stream(validator_path(path), std::ios::binary);
  std::string validator(validator_bytes_max, '\0');
  stream.read(validator.data(), static_cast<std::streamsize>(validator.size()));
  validator.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  // It becomes a header: a line break in it would become another one.
  return validator.find_first_of("\r\n") == std::string::npos ? validator : std::string();
}

class Transfer {
 public:
  enum class Step { waiting, running, done };

  Transfer(const Download& job, const TransferOptions& options, const WorkHooks& hooks)
      : job_(job), options_(options), hooks_(hooks) {}

  Step step() const { return step_; }
  std::uint64_t bytes_done() const { return size_; }
  std::uint64_t bytes_total() const { return job_.bytes.value_or(announced_); }
  bool is_due(Clock::time_point now) const { return step_ == Step::waiting && now >= due_; }

  /// Opens the file; what lies there complete is checked at once.
  Status prepare() {
    PREMISE_TRY(File file, File::open_or_create(job_.path));
    PREMISE_TRY(size_, file.size());
    file_.emplace(std::move(file));
    if (size_ > job_.bytes.value_or(job_.bytes_max)) PREMISE_CHECK(begin_again());
    if (job_.sha256.empty() && read_validator(job_.path).empty()) PREMISE_CHECK(begin_again());
    PREMISE_CHECK(file_->truncate(size_));
    resumed_ = size_ > 0;
    if (job_.bytes && size_ == *job_.bytes) return check_complete();
    return {};
  }

  Status start(CURLM* multi) {
    PREMISE_TRY(handle_, make_handle(job_.url, options_));
    CURL* handle = handle_.get();
    headers_.reset();
    started_ = false;
    if (size_ > 0) {
      curl_easy_setopt(handle, CURLOPT_RANGE, fmt::format("{}-", size_).c_str());
      if (const std::string validator = read_validator(job_.path); !validator.empty()) {
        headers_.reset(curl_slist_append(nullptr, ("If-Range: " + validator).c_str()));
        curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers_.get());
      }
    }
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
    if (curl_multi_add_handle(multi, handle) != CURLM_OK) {
      return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
    }
    step_ = Step::running;
    return {};
  }

  /// The attempt is over: done, or again later, or an Error.
  Status finish(CURLM* multi, CURLcode code) {
    curl_multi_remove_handle(multi, handle_.get());
    step_ = Step::waiting;
    if (failure_) return *failure_;
    const long status = status_of(handle_.get());
    if (code == CURLE_OK && status == 416 && size_ > 0) return check_complete();
    Verdict verdict = judge(handle_.get(), code);
    const bool cut_short = job_.bytes && size_ < *job_.bytes;
    if (verdict == Verdict::done) {
      if (!cut_short) return check_complete();
      verdict = Verdict::try_again;
      code = CURLE_PARTIAL_FILE;
    }
    attempts_ = got_bytes_ ? 1 : attempts_ + 1;
    got_bytes_ = false;
    if (verdict != Verdict::try_again || attempts_ >= options_.attempts_max) {
      return transfer_error(handle_.get(), code, job_.url);
    }
    due_ = Clock::now() + pause_before(handle_.get(), attempts_ + 1, options_);
    return {};
  }

  void stop(CURLM* multi) {
    if (step_ == Step::running) curl_multi_remove_handle(multi, handle_.get());
  }

 private:
  static std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const Status taken = transfer.take({reinterpret_cast<const std::byte*>(bytes), size * count});
    if (taken.ok()) return size * count;
    transfer.failure_ = taken.error();
    return size * count + 1;  // libcurl: CURLE_WRITE_ERROR
  }

  Status take(std::span<const std::byte> bytes) {
    const long status = status_of(handle_.get());
    if (status < 200 || status > 299) return {};  // the page of an error
    if (!started_) PREMISE_CHECK(begin_body(status));
    const std::uint64_t limit = job_.bytes.value_or(job_.bytes_max);
    if (bytes.size() > limit - std::min(limit, size_)) {
      PREMISE_CHECK(begin_again());
      return error(
          ErrorCode::network,
          {"{}: sends more than the {} bytes it should", "{}：发送的数据超过应有的 {} 字节"},
          shown_url(job_.url), limit);
    }
    PREMISE_CHECK(file_->write(bytes));
    size_ += bytes.size();
    got_bytes_ = true;
    return {};
  }

  Status begin_body(long status) {
    started_ = true;
    CURL* handle = handle_.get();
    const bool goes_on = status == 206 && range_begin(header_of(handle, "Content-Range")) == size_;
    if (size_ > 0 && !goes_on) {
      if (status == 206) {
        return error(ErrorCode::network,
                     {"{}: answers with another range than asked for", "{}：返回的区段与请求不符"},
                     shown_url(job_.url));
      }
      PREMISE_CHECK(begin_again());
    }
    curl_off_t length = -1;
    curl_easy_getinfo(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0) announced_ = size_ + static_cast<std::uint64_t>(length);
    return keep_validator();
  }

  /// A weak ETag promises no equal bytes, so that If-Range does not take one.
  Status keep_validator() {
    std::string validator = header_of(handle_.get(), "ETag");
    if (validator.starts_with("W/")) validator.clear();
    if (validator.empty()) validator = header_of(handle_.get(), "Last-Modified");
    if (validator.empty() || validator.size() > validator_bytes_max) {
      return remove_file(validator_path(job_.path));
    }
    PREMISE_TRY(File file, File::open_or_create(validator_path(job_.path)));
    PREMISE_CHECK(file.truncate(0));
    return file.write(std::as_bytes(std::span(validator)));
  }

  Status begin_again() {
    size_ = 0;
    resumed_ = false;
    PREMISE_CHECK(remove_file(validator_path(job_.path)));
    return file_->truncate(0);
  }

  /// What was gone on with may have been the start of another file: then it is fetched once from
  /// its beginning before the source itself is called wrong.
  Status check_complete() {
    if (!job_.sha256.empty()) {
      const WorkHooks quiet{.progress = {}, .notice = {}, .stopped = hooks_.stopped};
      constexpr std::array kinds{HashKind::sha256};
      PREMISE_TRY(const auto digests, hash_file(job_.path, kinds, quiet));
      if (digests.front() != job_.sha256) {
        const bool was_resumed = resumed_;
        PREMISE_CHECK(begin_again());
        if (was_resumed) return {};
        PREMISE_CHECK(remove_file(job_.path));
        return error(
                   ErrorCode::bad_input,
                   {"{}: SHA-256 is {}, but the index says {}", "{}：SHA-256 为 {}，而索引给出 {}"},
                   shown_url(job_.url), digests.front(), job_.sha256)
            .with_hint(text({"the mirror or a proxy serves a damaged file; nothing of it was kept",
                             "镜像或代理提供的文件已损坏；未保留任何内容"}));
      }
    }
    PREMISE_CHECK(file_->sync());
    PREMISE_CHECK(remove_file(validator_path(job_.path)));
    file_.reset();
    step_ = Step::done;
    return {};
  }

  const Download& job_;
  const TransferOptions& options_;
  const WorkHooks& hooks_;
  Step step_ = Step::waiting;
  Clock::time_point due_{};
  EasyHandle handle_;
  HeaderList headers_;
  std::optional<File> file_;
  std::uint64_t size_ = 0;
  std::uint64_t announced_ = 0;
  int attempts_ = 0;
  bool started_ = false;    // the body of this attempt
  bool resumed_ = false;    // the file begins with bytes of an earlier call
  bool got_bytes_ = false;  // in this attempt
  std::optional<Error> failure_;
};

class DownloadQueue {
 public:
  DownloadQueue(std::span<const Download> jobs, const TransferOptions& options,
                const WorkHooks& hooks)
      : options_(options), hooks_(hooks), multi_(curl_multi_init()) {
    for (const Download& job : jobs) transfers_.emplace_back(job, options, hooks);
  }
  DownloadQueue(const DownloadQueue&) = delete;
  DownloadQueue& operator=(const DownloadQueue&) = delete;
  ~DownloadQueue() {
    for (Transfer& transfer : transfers_) transfer.stop(multi_.get());
  }

  Status run() {
    if (!multi_) return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
    for (Transfer& transfer : transfers_) PREMISE_CHECK(transfer.prepare());
    while (unfinished() > 0) {
      PREMISE_CHECK(hooks_.check_stopped());
      PREMISE_CHECK(start_due());
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      PREMISE_CHECK(collect());
      report();
      if (unfinished() > 0) curl_multi_poll(multi_.get(), nullptr, 0, poll_ms, nullptr);
    }
    report();
    return {};
  }

 private:
  std::size_t count(Transfer::Step step) const {
    return static_cast<std::size_t>(
        std::count_if(transfers_.begin(), transfers_.end(),
                      [step](const Transfer& transfer) { return transfer.step() == step; }));
  }
  std::size_t unfinished() const { return transfers_.size() - count(Transfer::Step::done); }

  Status start_due() {
    for (Transfer& transfer : transfers_) {
      if (count(Transfer::Step::running) >= options_.connections_max) break;
      if (transfer.is_due(Clock::now())) PREMISE_CHECK(transfer.start(multi_.get()));
    }
    return {};
  }

  Status collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      char* context = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
      PREMISE_CHECK(reinterpret_cast<Transfer*>(context)->finish(multi_.get(), code));
    }
    return {};
  }

  void report() const {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    bool known = true;
    for (const Transfer& transfer : transfers_) {
      done += transfer.bytes_done();
      total += transfer.bytes_total();
      known = known && transfer.bytes_total() > 0;
    }
    hooks_.report(WorkStage::downloading, done, known ? total : 0);
  }

  const TransferOptions& options_;
  const WorkHooks& hooks_;
  MultiHandle multi_;
  std::deque<Transfer> transfers_;  // at fixed addresses: libcurl holds pointers to them
};

}  // namespace

fs::path validator_path(const fs::path& path) { return fs::path(path) += ".validator"; }

Status download_all(std::span<const Download> downloads, const TransferOptions& options,
                    const WorkHooks& hooks) {
  return DownloadQueue(downloads, options, hooks).run();
}

}  // namespace premise
