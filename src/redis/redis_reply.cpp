#include "redis/redis_reply.h"

#include <fmt/format.h>
#include <hiredis/read.h>

#include <iterator>
#include <new>

#include "base/printable.h"

namespace premise {
namespace {

constexpr std::size_t list_items_max = 4096;

// hiredis fills a task's place in its parent, which was made with its full length, so that no
// element moves while others point at it. The root is ours to free.
RedisReply* place_of(const redisReadTask* task) {
  if (task->parent == nullptr) return new (std::nothrow) RedisReply;
  auto* parent = static_cast<RedisReply*>(task->parent->obj);
  const auto index = static_cast<std::size_t>(task->idx);
  return index < parent->list.size() ? &parent->list[index] : nullptr;
}

// No exception may cross hiredis, which is C: where memory runs out these return null, and hiredis
// reports it.
template <typename Fill>
void* made(const redisReadTask* task, const Fill& fill) {
  RedisReply* reply = place_of(task);
  if (reply == nullptr) return nullptr;
  bool filled = false;
  try {
    filled = fill(*reply);
  } catch (const std::bad_alloc&) {
    filled = false;
  }
  if (filled) return reply;
  if (task->parent == nullptr) delete reply;
  return nullptr;
}

void* make_string(const redisReadTask* task, char* text, std::size_t length) {
  return made(task, [&](RedisReply& reply) {
    reply.kind = task->type == REDIS_REPLY_ERROR    ? RedisReply::Kind::error
                 : task->type == REDIS_REPLY_STATUS ? RedisReply::Kind::status
                                                    : RedisReply::Kind::bytes;
    reply.text.assign(text, length);
    return true;
  });
}

void* make_integer(const redisReadTask* task, long long value) {
  return made(task, [&](RedisReply& reply) {
    reply.kind = RedisReply::Kind::integer;
    reply.integer = value;
    return true;
  });
}

void* make_nil(const redisReadTask* task) {
  return made(task, [](RedisReply&) { return true; });
}

void free_reply(void* reply) { delete static_cast<RedisReply*>(reply); }

/// hiredis 1 counts elements as size_t, 0.14 as int, and 1 knows types of RESP3, which nobody asks
/// for here: a server that sends them all the same gets an error instead of hiredis' default, an
/// integer in the place of a pointer.
template <typename Functions>
Functions reply_functions() {
  Functions functions{};
  functions.createString = make_string;
  functions.createArray = [](const redisReadTask* task, auto count) -> void* {
    return made(task, [&](RedisReply& reply) {
      if (static_cast<std::size_t>(count) > list_items_max) return false;
      reply.kind = RedisReply::Kind::list;
      reply.list.resize(static_cast<std::size_t>(count));
      return true;
    });
  };
  functions.createInteger = make_integer;
  functions.createNil = make_nil;
  functions.freeObject = free_reply;
  if constexpr (requires { functions.createDouble; })
    functions.createDouble = [](const redisReadTask*, auto...) -> void* { return nullptr; };
  if constexpr (requires { functions.createBool; })
    functions.createBool = [](const redisReadTask*, auto...) -> void* { return nullptr; };
  return functions;
}

redisReader* new_reader() {
  static redisReplyObjectFunctions functions = reply_functions<redisReplyObjectFunctions>();
  return redisReaderCreateWithFunctions(&functions);
}

}  // namespace

void RedisReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

RedisReplyReader::RedisReplyReader(std::size_t bytes_max)
    : bytes_max_(bytes_max), reader_(new_reader()) {}

Error RedisReplyReader::broken() const {
  return error(ErrorCode::network,
               {"the answer is not one of a Redis: {}", "收到的不是 Redis 的应答：{}"},
               printable(reader_ ? reader_->errstr : "out of memory"));
}

Status RedisReplyReader::feed(std::string_view bytes) {
  if (!reader_) return broken();
  bytes_ += bytes.size();
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) return broken();
  return {};
}

Result<std::optional<RedisReply>> RedisReplyReader::next() {
  if (!reader_) return broken();
  void* found = nullptr;
  if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) return broken();
  if (found == nullptr) {
    if (bytes_ > bytes_max_)
      return error(ErrorCode::network,
                   {"an answer of more than {} bytes was cut off", "应答超过 {} 字节，已中断"},
                   bytes_max_);
    return std::optional<RedisReply>();
  }
  bytes_ = reader_->len - reader_->pos;
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(found));
  return std::optional<RedisReply>(std::move(*reply));
}

std::string redis_command(const std::vector<std::string_view>& words) {
  std::size_t bytes = 16;
  for (const std::string_view word : words) bytes += word.size() + 16;
  std::string out;
  out.reserve(bytes);
  fmt::format_to(std::back_inserter(out), "*{}\r\n", words.size());
  for (const std::string_view word : words) {
    fmt::format_to(std::back_inserter(out), "${}\r\n", word.size());
    out += word;
    out += "\r\n";
  }
  return out;
}

}  // namespace premise
