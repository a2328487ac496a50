// What a Redis answers (RESP2, redis.io "protocol specification"), read from bytes as they come.
//
// The protocol is read by hiredis' reader, the one part of that library used here: its sockets know
// a limit for each read, not for a command, so that a server that drips bytes would hold a thread
// for as long as it liked. Values are built by functions of our own: hiredis' would allocate what a
// count in the reply claims, however little follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct redisReader;

namespace premise {

struct RedisReply {
  enum class Kind : std::uint8_t { nil, integer, status, bytes, error, list };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text{};              // of status, bytes and error
  std::vector<RedisReply> list{};  // a whole number of replies, perhaps nested

  bool is_error(std::string_view code) const {
    return kind == Kind::error && text.starts_with(code);
  }
};

/// One connection's answers. One thread.
class RedisReplyReader {
 public:
  /// A reply longer than `bytes_max` is an error.
  explicit RedisReplyReader(std::size_t bytes_max);

  /// After an Error (network) the connection is of no use any more: nobody knows where the next
  /// reply begins.
  Status feed(std::string_view bytes);
  /// The next reply that has come whole.
  Result<std::optional<RedisReply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  Error broken() const;

  std::size_t bytes_max_;
  std::size_t bytes_ = 0;  // fed since the last whole reply
  std::unique_ptr<redisReader, Free> reader_;
};

/// A command as a Redis takes it: a list of binary strings.
std::string redis_command(const std::vector<std::string_view>& words);

}  // namespace premise
