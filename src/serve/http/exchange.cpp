#include "serve/http/exchange.h"

#include <utility>

namespace premise {

void WakeList::add(std::shared_ptr<HttpExchange> exchange) {
  const std::lock_guard lock(mutex_);
  if (!ring_) return;
  waiting_.push_back(std::move(exchange));
  if (waiting_.size() == 1) ring_();
}

std::vector<std::shared_ptr<HttpExchange>> WakeList::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void WakeList::close() {
  std::vector<std::shared_ptr<HttpExchange>> dropped;
  const std::lock_guard lock(mutex_);
  ring_ = nullptr;
  dropped.swap(waiting_);
}

void HttpExchange::ring(std::unique_lock<std::mutex> lock) {
  const bool needed = !std::exchange(rung_, true);
  lock.unlock();
  if (needed) wakes_->add(shared_from_this());
}

void HttpExchange::on_cancel(CancelCallback callback) {
  std::unique_lock lock(mutex_);
  if (finished_ || abandoned_) return;
  std::swap(callback_, callback);  // the old one dies outside the lock
  const bool given_up = !cancelled_ && half_closed_;
  if (given_up) cancelled_ = CancelReason::client_gone;
  if (!cancelled_) {
    lock.unlock();
    return;
  }
  const CancelReason reason = *cancelled_;
  const CancelCallback mine = std::exchange(callback_, nullptr);
  if (given_up)
    ring(std::move(lock));
  else
    lock.unlock();
  if (mine) mine(reason);
}

void HttpExchange::send(HttpResponse response) {
  CancelCallback dropped;
  std::unique_lock lock(mutex_);
  if (cancelled_ || finished_) return;
  head_ = std::move(response);
  finished_ = true;
  dropped.swap(callback_);
  ring(std::move(lock));
}

void HttpExchange::start(HttpResponse head) {
  std::unique_lock lock(mutex_);
  if (cancelled_ || finished_) return;
  pieces_ = std::move(head.body);
  head.body.clear();
  if (half_closed_) {
    cancelled_ = CancelReason::client_gone;
    pieces_ = {};
    return ring(std::move(lock));
  }
  head_ = std::move(head);
  streaming_ = true;
  ring(std::move(lock));
}

bool HttpExchange::write(std::string_view piece) {
  std::unique_lock lock(mutex_);
  if (cancelled_ || finished_ || overrun_) return false;
  if (piece.empty()) return true;
  if (pieces_.size() + handed_bytes_ >= queue_bytes_max_) {
    overrun_ = true;
    ring(std::move(lock));
    return false;
  }
  pieces_.append(piece);
  ring(std::move(lock));
  return true;
}

void HttpExchange::finish() {
  CancelCallback dropped;
  std::unique_lock lock(mutex_);
  if (cancelled_ || finished_ || overrun_) return;
  finished_ = true;
  dropped.swap(callback_);
  ring(std::move(lock));
}

void HttpExchange::abandon() {
  CancelCallback dropped;
  std::unique_lock lock(mutex_);
  if (cancelled_ || finished_ || abandoned_) return;
  abandoned_ = true;
  dropped.swap(callback_);
  ring(std::move(lock));
}

bool HttpExchange::ended() const {
  const std::lock_guard lock(mutex_);
  return cancelled_ || finished_ || overrun_ || half_closed_;
}

bool HttpExchange::will_be_sent_at_once() {
  const std::lock_guard lock(mutex_);
  half_closed_ = !callback_ && !streaming_ && !cancelled_;
  return half_closed_;
}

std::size_t HttpExchange::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return pieces_.size() + handed_bytes_;
}

HttpExchange::News HttpExchange::take(bool ready_for_pieces) {
  const std::lock_guard lock(mutex_);
  rung_ = false;
  News news;
  news.streaming = streaming_;
  news.abandoned = abandoned_;
  news.overrun = overrun_;
  news.given_up = cancelled_.has_value();
  if (ready_for_pieces) {
    news.head = std::exchange(head_, std::nullopt);
    news.pieces = std::exchange(pieces_, {});
    news.finished = finished_;
    handed_bytes_ = news.pieces.size();
  }
  return news;
}

void HttpExchange::sent() {
  const std::lock_guard lock(mutex_);
  handed_bytes_ = 0;
}

void HttpExchange::cancel(CancelReason reason) {
  CancelCallback callback;
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) return;
    cancelled_ = reason;
    pieces_ = {};
    handed_bytes_ = 0;
    callback.swap(callback_);
  }
  if (!callback) return;
  try {
    callback(reason);
  } catch (...) {  // a producer's failure is its own; the connection goes on closing
  }
}

}  // namespace premise
