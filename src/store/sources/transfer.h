// Bytes over HTTP(S): pages into memory, files onto the disk; resumed, retried, checked.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/work.h"

namespace premise {

struct TransferOptions {
  std::string certificates;  // CA file or folder; empty: the system's
  std::string client_certificate;
  std::string proxy;                       // empty: http_proxy, https_proxy, no_proxy …
  std::vector<std::string> trusted_hosts;  // "host" or "host:port"
  std::chrono::seconds timeout{15};        // to connect, and without a byte
  int attempts_max = 5;                    // in a row without a new byte
  std::chrono::milliseconds backoff{250};  // before the second attempt; doubles
  std::size_t connections_max = 4;
};

struct Page {
  std::string url;  // where redirects ended
  std::string content_type;
  std::string body;
};

/// Fetches a page of up to 16 MiB; nothing where the server says that there is none (404, 410).
/// Errors: network, cancelled.
Result<std::optional<Page>> fetch_page(const std::string& url, const std::string& accept,
                                       const TransferOptions& options, const WorkHooks& hooks);

struct Download {
  std::string url;
  std::filesystem::path path;          // grows there; what lies there is gone on with
  std::string sha256;                  // of the file; empty: unknown
  std::optional<std::uint64_t> bytes;  // of the file
  std::uint64_t bytes_max = 0;         // never more than this, whatever the server sends
};

/// Fetches all files side by side. A file that lies at its path already is checked, not fetched.
/// Without a known digest an unfinished one is gone on with only where the server vouches with a
/// validator (ETag, Last-Modified) that it is the same; it is kept beside the file. After ok every
/// file is complete and has its digest. Errors: network; no_resources (disk full); bad_input (wrong
/// digest: that file is removed); cancelled. What arrived before an error stays for the next call.
Status download_all(std::span<const Download> downloads, const TransferOptions& options,
                    const WorkHooks& hooks);

/// Where the validator of an unfinished download is kept.
std::filesystem::path validator_path(const std::filesystem::path& path);

}  // namespace premise
