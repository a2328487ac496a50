// One request's answer on its way from a producer (any thread) to a connection (its I/O thread).
//
// The two meet under one mutex that is held for a few instructions; there is no lock-free queue,
// because at most one thread waits for it and a stream sees tens of writes a second.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/message.h"
#include "serve/http/responder.h"

namespace premise {

class HttpConnection;
class HttpExchange;

/// The exchanges of one I/O thread that have news. Ringing is one call for all that gather before
/// the thread looks: a step of an engine that writes to 256 streams wakes the thread once.
class WakeList final {
 public:
  explicit WakeList(std::function<void()> ring) : ring_(std::move(ring)) {}

  /// Any thread. Does nothing once closed.
  void add(std::shared_ptr<HttpExchange> exchange);
  std::vector<std::shared_ptr<HttpExchange>> take();
  /// After this nobody is rung any more: what ring_ refers to may die.
  void close();

 private:
  std::mutex mutex_;
  std::function<void()> ring_;
  std::vector<std::shared_ptr<HttpExchange>> waiting_;
};

class HttpExchange final : public std::enable_shared_from_this<HttpExchange> {
 public:
  HttpExchange(std::shared_ptr<WakeList> wakes, std::size_t queue_bytes_max)
      : wakes_(std::move(wakes)), queue_bytes_max_(queue_bytes_max) {}

  // The producer's side: any thread. Contracts: responder.h.
  void on_cancel(CancelCallback callback);
  void send(HttpResponse response);
  void start(HttpResponse head);
  bool write(std::string_view piece);
  void finish();
  /// The producer went without finishing.
  void abandon();
  bool ended() const;
  std::size_t queued_bytes() const;

  // The connection's side: its I/O thread only.
  struct News {
    std::optional<HttpResponse> head;  // once
    bool streaming = false;            // of the head: pieces follow
    std::string pieces;
    bool finished = false;
    bool abandoned = false;
    bool overrun = false;
    bool given_up = false;  // cancelled by its producer's asking to be told of it
  };
  /// What is new. The head and pieces are handed out when `ready_for_pieces`; they count as queued
  /// until sent().
  News take(bool ready_for_pieces);
  /// The system has taken all pieces that were handed out.
  void sent();
  /// The client has ended its side. Whether what it asked for may still be sent: a whole answer
  /// whose producer has not asked to be told when nobody waits. If it asks later, it is told at
  /// once, and a stream is cancelled as it begins.
  bool will_be_sent_at_once();
  /// Nobody waits any more: fires the callback, if the answer is still owed.
  void cancel(CancelReason reason);

  /// The connection that waits for this answer, null when it does no more. I/O thread only.
  HttpConnection* connection = nullptr;

 private:
  /// Rings the I/O thread, unless it has been rung since it last looked. Takes the lock over.
  void ring(std::unique_lock<std::mutex> lock);

  const std::shared_ptr<WakeList> wakes_;
  const std::size_t queue_bytes_max_;

  mutable std::mutex mutex_;
  std::optional<HttpResponse> head_;
  bool streaming_ = false;
  bool finished_ = false;
  bool abandoned_ = false;
  bool overrun_ = false;
  bool rung_ = false;
  bool half_closed_ = false;
  std::string pieces_;
  std::size_t handed_bytes_ = 0;  // pieces that the connection is sending
  std::optional<CancelReason> cancelled_;
  CancelCallback callback_;
};

}  // namespace premise
