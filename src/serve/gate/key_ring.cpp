#include "serve/gate/key_ring.h"

#include <openssl/crypto.h>

#include <chrono>
#include <vector>

namespace premise {
namespace {

using namespace std::chrono_literals;
constexpr auto watch_interval = 500ms;
constexpr int watches_per_write = 120;  // last uses: once a minute
constexpr std::int64_t stale_ms_max = 10'000;
constexpr std::size_t presented_bytes_max = 256;  // longer is no secret of ours

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Result<std::unique_ptr<KeyRing>> KeyRing::open(const std::filesystem::path& path, Clock clock,
                                               bool watch) {
  PREMISE_TRY(KeyStore store, KeyStore::open(path));
  std::unique_ptr<KeyRing> ring(new KeyRing(std::move(store), std::move(clock)));
  PREMISE_CHECK(ring->refresh());
  if (watch) ring->watcher_ = std::thread([raw = ring.get()] { raw->watch(); });
  return ring;
}

KeyRing::~KeyRing() {
  {
    const std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
  // A last use that cannot be written is lost; keys and counters do not depend on it.
  [[maybe_unused]] const Status written = write_last_uses();
}

std::shared_ptr<const KeyRing::Table> KeyRing::table() const {
  const std::lock_guard lock(table_mutex_);
  return table_;
}

std::string KeyRing::name_of(std::int64_t id) const {
  const std::lock_guard lock(table_mutex_);
  const auto found = names_.find(id);
  return found == names_.end() ? "" : found->second;
}

KeyAnswer KeyRing::find(std::string_view secret) {
  if (steady_ms() - read_at_ms_.load(std::memory_order_relaxed) > stale_ms_max)
    return {nullptr, KeyRefusal::unavailable};
  if (secret.size() > presented_bytes_max) return {nullptr, KeyRefusal::unknown};
  const auto hash = secret_hash(secret);
  if (!hash.ok()) return {nullptr, KeyRefusal::unavailable};
  const auto entries = table();
  const auto found = entries->find(*hash);
  if (found == entries->end()) return {nullptr, KeyRefusal::unknown};
  Entry& entry = *found->second;
  if (entry.hash.size() != hash->size() ||
      CRYPTO_memcmp(entry.hash.data(), hash->data(), hash->size()) != 0)
    return {nullptr, KeyRefusal::unknown};
  const std::int64_t now = clock_();
  if (entry.key->expires != 0 && now >= entry.key->expires) return {nullptr, KeyRefusal::expired};
  entry.last_used.store(now, std::memory_order_relaxed);
  return {entry.key, KeyRefusal::none};
}

Status KeyRing::refresh() {
  const std::lock_guard lock(store_mutex_);
  PREMISE_CHECK(read_changes());
  read_at_ms_.store(steady_ms(), std::memory_order_relaxed);
  return {};
}

Status KeyRing::read_changes() {
  PREMISE_TRY(const std::int64_t version, store_.data_version());
  if (version == data_version_) return {};
  PREMISE_TRY(const std::int64_t generation, store_.generation());
  if (generation != generation_) {
    PREMISE_TRY(std::vector<StoredKey> keys, store_.load());
    const auto before = table_;
    const auto fresh = std::make_shared<Table>();
    for (StoredKey& stored : keys) {
      auto entry = std::make_shared<Entry>();
      if (before) {  // requests may be using the old entry: both go on with one clock of last use
        if (const auto old = before->find(stored.hash); old != before->end()) entry = old->second;
      }
      if (!entry->key) {
        entry->hash = stored.hash;
        entry->last_used = entry->written = stored.key.last_used;
        entry->key = std::make_shared<const ApiKey>(std::move(stored.key));
      }
      fresh->emplace(stored.hash, std::move(entry));
    }
    const std::lock_guard lock(table_mutex_);
    table_ = fresh;
    for (const auto& [hash, entry] : *fresh) names_.try_emplace(entry->key->id, entry->key->name);
  }
  // Only now: what failed above is tried again. A commit between the two questions shows next time.
  generation_ = generation;
  data_version_ = version;
  return {};
}

Status KeyRing::write_last_uses() {
  const std::lock_guard lock(store_mutex_);
  std::vector<std::pair<std::int64_t, std::int64_t>> uses;
  std::vector<Entry*> owners;
  const auto entries = table();
  if (!entries) return {};  // open() failed
  for (const auto& [hash, entry] : *entries) {
    const std::int64_t used = entry->last_used.load(std::memory_order_relaxed);
    if (used <= entry->written) continue;
    uses.emplace_back(entry->key->id, used);
    owners.push_back(entry.get());
  }
  if (uses.empty()) return {};
  PREMISE_CHECK(store_.write_last_uses(uses));
  for (std::size_t index = 0; index < uses.size(); ++index)
    owners[index]->written = uses[index].second;
  return {};
}

void KeyRing::watch() {
  std::unique_lock lock(stop_mutex_);
  for (int round = 1; !stop_changed_.wait_for(lock, watch_interval, [this] { return stop_; });
       ++round) {
    lock.unlock();
    // Failures are tried again; find() refuses everybody once they last.
    [[maybe_unused]] const Status read = refresh();
    if (round % watches_per_write == 0) {
      [[maybe_unused]] const Status written = write_last_uses();
    }
    lock.lock();
  }
}

}  // namespace premise
