#include "store/sources/http.h"

#include <algorithm>
#include <mutex>

#include "base/version.h"
#include "store/sources/url.h"

namespace premise {
namespace {

constexpr long redirects_max = 10;
constexpr long stalled_bytes_per_second = 64;
constexpr std::chrono::milliseconds pause_max{60'000};

bool is_trusted(const std::string& url, const TransferOptions& options) {
  return std::any_of(options.trusted_hosts.begin(), options.trusted_hosts.end(),
                     [host = url_host(url), port = url_host_and_port(url)](const std::string& one) {
                       return one == host || one == port;
                     });
}

void set_certificates(CURL* handle, const std::string& url, const TransferOptions& options) {
  if (!options.certificates.empty()) {
    std::error_code code;
    const bool folder = std::filesystem::is_directory(options.certificates, code);
    curl_easy_setopt(handle, folder ? CURLOPT_CAPATH : CURLOPT_CAINFO,
                     options.certificates.c_str());
  }
  if (!options.client_certificate.empty()) {
    curl_easy_setopt(handle, CURLOPT_SSLCERT, options.client_certificate.c_str());
  }
  if (is_trusted(url, options)) {
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

bool is_transient(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

bool is_transient(long status) {
  return status == 408 || status == 425 || status == 429 || status == 500 || status == 502 ||
         status == 503 || status == 504;
}

Text network_hint() {
  return text({"a mirror: PIP_INDEX_URL=https://…/simple; without a network: --from FILE",
               "可用 PIP_INDEX_URL=https://…/simple 指定镜像；没有网络时用 --from 文件"});
}

}  // namespace

Result<EasyHandle> make_handle(const std::string& url, const TransferOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  EasyHandle owner(curl_easy_init());
  CURL* handle = owner.get();
  if (handle == nullptr) return error(ErrorCode::no_resources, {"not enough memory", "内存不足"});
  const auto seconds = static_cast<long>(options.timeout.count());
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_USERAGENT, ("premise/" + std::string(version())).c_str());
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  // From HTTPS a redirect must not lead down to plain HTTP.
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR,
                   url_scheme(url) == "https" ? "https" : "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_MAXREDIRS, redirects_max);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, seconds);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, stalled_bytes_per_second);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, seconds);
  curl_easy_setopt(handle, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  // Files side by side are connections of their own, which HTTP/2 would fold into one.
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  if (!options.proxy.empty()) curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  set_certificates(handle, url, options);
  return owner;
}

std::string header_of(CURL* handle, const char* name) {
  curl_header* header = nullptr;
  if (curl_easy_header(handle, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return {};
  return header->value;
}

long status_of(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Verdict judge(CURL* handle, CURLcode code) {
  if (code != CURLE_OK) return is_transient(code) ? Verdict::try_again : Verdict::failed;
  const long status = status_of(handle);
  if (status >= 200 && status < 300) return Verdict::done;
  if (status == 404 || status == 410) return Verdict::missing;
  return is_transient(status) ? Verdict::try_again : Verdict::failed;
}

std::chrono::milliseconds pause_before(CURL* handle, int attempt, const TransferOptions& options) {
  curl_off_t asked_seconds = 0;
  curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &asked_seconds);
  const int doublings = std::clamp(attempt - 2, 0, 10);
  const std::chrono::milliseconds own = options.backoff * (1 << doublings);
  const auto asked = std::chrono::seconds(std::clamp<curl_off_t>(asked_seconds, 0, 60));
  return std::min(pause_max, std::max<std::chrono::milliseconds>(own, asked));
}

Error transfer_error(CURL* handle, CURLcode code, const std::string& url) {
  if (code == CURLE_OK) {
    return error(ErrorCode::network, {"{}: the server answers {}", "{}：服务器返回 {}"},
                 shown_url(url), status_of(handle))
        .with_hint(network_hint());
  }
  if (code == CURLE_SSL_CACERT_BADFILE) {
    return error(ErrorCode::usage, {"{}: {}", "{}：{}"}, shown_url(url), curl_easy_strerror(code))
        .with_hint(text({"PIP_CERT or pip's \"cert\" must name a file with CA certificates",
                         "PIP_CERT 或 pip 的 cert 须指向 CA 证书文件"}));
  }
  Error failed =
      error(ErrorCode::network, {"{}: {}", "{}：{}"}, shown_url(url), curl_easy_strerror(code));
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    return std::move(failed).with_hint(
        text({"a proxy or mirror with its own certificate: PIP_CERT=/path/to/ca.pem",
              "若代理或镜像使用自有证书：PIP_CERT=/path/to/ca.pem"}));
  }
  return std::move(failed).with_hint(network_hint());
}

}  // namespace premise
