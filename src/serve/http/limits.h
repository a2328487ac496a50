// What a client may cost. Every limit is enforced while bytes arrive, before they are kept.
#pragma once

#include <chrono>
#include <cstddef>

namespace premise {

struct HttpLimits {
  // Sizes.
  std::size_t target_bytes = 8 << 10;   // of the request target; over it: 414
  std::size_t header_bytes = 32 << 10;  // of the whole head, request line included; over it: 431
  std::size_t header_count = 100;       // header fields; over it: 431
  std::size_t body_bytes = 32 << 20;    // of one request's body, decoded; over it: 413
  std::size_t body_bytes_total = 512 << 20;  // of all bodies being received at once; over it: 503
  std::size_t connections = 10'000;          // open at once; over it: 503 and closed
  /// What one stream may hold back for a slow reader, in bytes, the last piece not counted: a piece
  /// is taken while less than this is queued.
  std::size_t stream_queue_bytes = 256 << 10;

  // Times.
  std::chrono::milliseconds header_time{10'000};  // from a request's first byte (the first request:
                                                  // from connecting) to the end of its head; 408
  std::chrono::milliseconds body_time{60'000};    // from there to the end of its body; 408
  std::chrono::milliseconds idle_time{75'000};    // between two requests of a connection; closed
  std::chrono::milliseconds write_time{30'000};   // without one byte accepted by a reader; cut
};

}  // namespace premise
