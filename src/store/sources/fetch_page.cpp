#include <thread>

#include "store/sources/http.h"

namespace premise {
namespace {

constexpr std::size_t page_bytes_max = std::size_t{16} << 20;

struct PageWork {
  std::string body;
  const WorkHooks* hooks;
};

std::size_t take_bytes(char* bytes, std::size_t size, std::size_t count, void* context) {
  auto& work = *static_cast<PageWork*>(context);
  const std::size_t length = size * count;
  if (length > page_bytes_max - work.body.size()) return 0;  // libcurl: CURLE_WRITE_ERROR
  work.body.append(bytes, length);
  return length;
}

int look_around(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& work = *static_cast<const PageWork*>(context);
  return work.hooks->check_stopped().ok() ? 0 : 1;
}

Status wait(std::chrono::milliseconds pause, const WorkHooks& hooks) {
  constexpr std::chrono::milliseconds step{50};
  for (; pause.count() > 0; pause -= step) {
    PREMISE_CHECK(hooks.check_stopped());
    std::this_thread::sleep_for(std::min(step, pause));
  }
  return {};
}

}  // namespace

Result<std::optional<Page>> fetch_page(const std::string& url, const std::string& accept,
                                       const TransferOptions& options, const WorkHooks& hooks) {
  const HeaderList headers(curl_slist_append(nullptr, ("Accept: " + accept).c_str()));
  for (int attempt = 1;; ++attempt) {
    PREMISE_TRY(const EasyHandle owner, make_handle(url, options));
    CURL* handle = owner.get();
    PageWork work{.body = {}, .hooks = &hooks};
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");  // whatever this libcurl can unpack
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &work);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, look_around);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &work);
    const CURLcode code = curl_easy_perform(handle);
    PREMISE_CHECK(hooks.check_stopped());
    const Verdict verdict = judge(handle, code);
    if (verdict == Verdict::missing) return std::optional<Page>();
    if (verdict == Verdict::done) {
      char* effective = nullptr;
      curl_easy_getinfo(handle, CURLINFO_EFFECTIVE_URL, &effective);
      return std::optional(Page{.url = effective != nullptr ? effective : url,
                                .content_type = header_of(handle, "Content-Type"),
                                .body = std::move(work.body)});
    }
    if (verdict == Verdict::failed || attempt >= options.attempts_max) {
      return transfer_error(handle, code, url);
    }
    PREMISE_CHECK(wait(pause_before(handle, attempt + 1, options), hooks));
  }
}

}  // namespace premise
