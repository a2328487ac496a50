// One libcurl handle with Premise's settings, and what its outcomes mean.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "store/sources/transfer.h"

namespace premise {

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, FreeEasy>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

/// A handle for a GET of `url`: HTTP and HTTPS only, redirects followed, certificates checked.
Result<EasyHandle> make_handle(const std::string& url, const TransferOptions& options);

/// The last response's value of a header; empty where there is none.
std::string header_of(CURL* handle, const char* name);

long status_of(CURL* handle);

/// What became of one attempt.
enum class Verdict { done, missing, try_again, failed };
Verdict judge(CURL* handle, CURLcode code);

/// How long to wait before attempt number `attempt` (from 1); a server's Retry-After counts, up to
/// a minute.
std::chrono::milliseconds pause_before(CURL* handle, int attempt, const TransferOptions& options);

/// The Error of an attempt that did not succeed.
Error transfer_error(CURL* handle, CURLcode code, const std::string& url);

}  // namespace premise
