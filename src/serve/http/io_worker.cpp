#include "serve/http/io_worker.h"

#include <boost/asio/post.hpp>

#include "serve/http/connection.h"
#include "serve/http/response_encoder.h"

namespace premise {
namespace {

constexpr std::size_t scratch_bytes = 16 << 10;  // a TLS record

}  // namespace

void HttpService::Open::add() {
  const std::lock_guard lock(mutex_);
  ++count_;
}

void HttpService::Open::remove() {
  const std::lock_guard lock(mutex_);
  --count_;
  if (count_ == 0) changed_.notify_all();
}

std::size_t HttpService::Open::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

bool HttpService::Open::wait_for_none(std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, until, [&] { return count_ == 0; });
}

IoWorker::IoWorker(HttpService& service)
    : service_(service),
      guard_(boost::asio::make_work_guard(io_)),
      wakes_(std::make_shared<WakeList>(
          [this] { boost::asio::post(io_, [this] { wake_connections(); }); })),
      scratch_(scratch_bytes) {}

IoWorker::~IoWorker() { stop(); }

void IoWorker::run() {
  thread_ = std::thread([this] {
    while (true) {
      try {
        return void(io_.run());
      } catch (...) {  // memory is out: one event is lost with its connection, the others go on
      }
    }
  });
}

void IoWorker::stop() {
  wakes_->close();
  guard_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void IoWorker::wake_connections() {
  for (const auto& exchange : wakes_->take()) {
    if (exchange->connection != nullptr) exchange->connection->wake();
  }
}

std::string_view IoWorker::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_time_) {
    date_ = http_date(now);
    date_time_ = now;
  }
  return date_;
}

}  // namespace premise
