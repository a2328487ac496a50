#include "serve/cache/redis_result_cache.h"

#include <algorithm>
#include <utility>

#include "base/printable.h"

namespace premise {

RedisResultCache::RedisResultCache(std::shared_ptr<RedisClient> redis, Options options)
    : redis_(std::move(redis)),
      prefix_(std::move(options.prefix)),
      shared_(std::make_shared<Shared>(std::move(options.tell))) {
  set_lifetime(options.lifetime);
}

std::optional<CachedAnswer> RedisResultCache::miss(const Error* why) {
  if (why != nullptr) shared_->outage.failed(*why);
  ++shared_->misses;
  return std::nullopt;
}

std::optional<CachedAnswer> RedisResultCache::find(const ResultKey& key) {
  // GETRANGE takes one byte more than an answer may have, whatever lies there; GET would bring a
  // value of any size through the connection of all.
  const std::string last = std::to_string(cached_answer_bytes_max);
  const auto reply = redis_->ask({"GETRANGE", prefix_ + key.digest, "0", last});
  if (!reply) return miss(&reply.error());
  if (reply->text.empty()) {
    shared_->outage.worked();
    return miss(nullptr);
  }
  auto answer = decode_answer(reply->text);
  if (!answer) return miss(&answer.error());
  if (answer->choices.size() != key.choices) {
    const Error other = error(ErrorCode::bad_input,
                              {"a cached answer has {} choices where {} were asked for",
                               "缓存的回答有 {} 个结果，而请求的是 {} 个"},
                              answer->choices.size(), key.choices);
    return miss(&other);
  }
  shared_->outage.worked();
  ++shared_->hits;
  return std::move(*answer);
}

void RedisResultCache::put(const ResultKey& key, const CachedAnswer& answer) {
  const std::string bytes = encode_answer(answer);
  if (bytes.size() > cached_answer_bytes_max) return;
  const std::string ms = std::to_string(std::max<std::int64_t>(1, shared_->lifetime_ms));
  redis_->send(
      {"SET", prefix_ + key.digest, bytes, "PX", ms},
      [shared = shared_, place = redis_->url().place()](const Result<RedisReply>& reply) {
        if (reply && reply->kind != RedisReply::Kind::error) {
          ++shared->stored;
          return;
        }
        shared->outage.failed(
            reply ? error(ErrorCode::network,
                          {"Redis {} did not keep an answer: {}", "Redis {} 未能保存回答：{}"},
                          place, printable(std::string_view(reply->text).substr(0, 200)))
                  : reply.error());
      });
}

ResultCacheStats RedisResultCache::stats() const {
  ResultCacheStats stats;
  stats.hits = shared_->hits;
  stats.misses = shared_->misses;
  stats.stored = shared_->stored;
  stats.failures = shared_->outage.failures();
  return stats;
}

}  // namespace premise
