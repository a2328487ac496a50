#include "serve/observe/otlp_post.h"

#include <curl/curl.h>

#include <algorithm>
#include <mutex>

#include "base/printable.h"
#include "base/version.h"

namespace premise {
namespace {

constexpr std::size_t answer_bytes_max = 64 << 10;
constexpr std::chrono::seconds retry_after_max{300};

std::size_t keep_answer(char* data, std::size_t size, std::size_t count, void* to) {
  auto& answer = *static_cast<std::string*>(to);
  const std::size_t bytes = size * count;
  answer.append(data,
                std::min(bytes, answer_bytes_max - std::min(answer.size(), answer_bytes_max)));
  return bytes;
}

int ask_to_give_up(void* asked, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(asked))() ? 1 : 0;
}

/// What OTLP lets a client send again; all else is lost for good.
bool may_try_again(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

/// A transfer that did not fail by what was sent.
bool may_try_again(CURLcode code) {
  return code != CURLE_URL_MALFORMAT && code != CURLE_UNSUPPORTED_PROTOCOL &&
         code != CURLE_OUT_OF_MEMORY && code != CURLE_PEER_FAILED_VERIFICATION;
}

Result<std::string> traces_url(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* path = nullptr;
  char* scheme = nullptr;
  const bool good = parsed != nullptr &&
                    curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
                    curl_url_get(parsed.get(), CURLUPART_PATH, &path, 0) == CURLUE_OK &&
                    curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK;
  const std::string path_text = path != nullptr ? path : "";
  const std::string scheme_text = scheme != nullptr ? scheme : "";
  curl_free(path);
  curl_free(scheme);
  if (!good || (scheme_text != "http" && scheme_text != "https"))
    return error(ErrorCode::usage,
                 {"[tracing] endpoint: {} is no address of a collector",
                  "[tracing] endpoint：{} 不是收集器地址"},
                 printable(url))
        .with_hint(text({"for example http://127.0.0.1:4318", "例如 http://127.0.0.1:4318"}));
  if (path_text.size() > 1) return url;
  return url + (url.ends_with('/') ? "v1/traces" : "/v1/traces");
}

}  // namespace

struct OtlpPost::Handle {
  CURL* curl = nullptr;
  curl_slist* headers = nullptr;

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
};

OtlpPost::OtlpPost(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
OtlpPost::OtlpPost(OtlpPost&&) noexcept = default;
OtlpPost& OtlpPost::operator=(OtlpPost&&) noexcept = default;
OtlpPost::~OtlpPost() = default;

Result<OtlpPost> OtlpPost::open(Options options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  PREMISE_TRY(const std::string url, traces_url(options.url));
  auto handle = std::make_unique<Handle>();
  handle->curl = curl_easy_init();
  CURL* curl = handle->curl;
  if (curl == nullptr) return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
  std::vector<std::string> lines = {"Content-Type: application/json", "Expect:"};
  for (const auto& [name, value] : options.headers) lines.push_back(name + ": " + value);
  for (const std::string& line : lines)
    handle->headers = curl_slist_append(handle->headers, line.c_str());
  const auto milliseconds = static_cast<long>(options.timeout.count());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, ("premise/" + std::string(version())).c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle->headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_to_give_up);
  return OtlpPost(std::move(handle));
}

PostResult OtlpPost::send(const std::string& body, const std::function<bool()>& give_up) {
  CURL* curl = handle_->curl;
  PostResult result;
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &result.answer);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &give_up);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) {
    result.kind = may_try_again(code) ? PostResult::Kind::try_again : PostResult::Kind::refused;
    result.why = curl_easy_strerror(code);
    return result;
  }
  long status = 0;
  curl_off_t seconds = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds);
  result.retry_after =
      std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, retry_after_max.count()));
  if (status >= 200 && status < 300) {
    result.kind = PostResult::Kind::taken;
    return result;
  }
  result.kind = may_try_again(status) ? PostResult::Kind::try_again : PostResult::Kind::refused;
  result.why = "status " + std::to_string(status);
  return result;
}

}  // namespace premise
