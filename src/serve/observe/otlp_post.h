// One POST to a collector, with everything that may go wrong with it.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace premise {

struct PostResult {
  enum class Kind { taken, try_again, refused } kind = Kind::try_again;
  std::string answer;                   // body, at most 64 KiB of it
  std::chrono::seconds retry_after{0};  // asked for by the collector
  std::string why;                      // for try_again and refused, English: for a log
};

/// A connection that is kept. One thread.
class OtlpPost {
 public:
  struct Options {
    std::string url;  // http or https; "/v1/traces" is added where it has no path
    std::vector<std::pair<std::string, std::string>> headers{};
    std::chrono::milliseconds timeout{10'000};
  };
  /// usage where the address is not one.
  static Result<OtlpPost> open(Options options);
  OtlpPost(OtlpPost&&) noexcept;
  OtlpPost& operator=(OtlpPost&&) noexcept;
  ~OtlpPost();

  /// Ends within the timeout, and about a second after `give_up` begins to say true.
  PostResult send(const std::string& body, const std::function<bool()>& give_up);

 private:
  struct Handle;
  explicit OtlpPost(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

}  // namespace premise
