// How a handler answers: at once or later, from any thread, whole or piece by piece.
//
// Threads. A Responder or StreamWriter may be moved to any thread; its calls may come from any
// thread and never block on the network: they append to a queue and ring the connection's I/O
// thread. So the engine's thread may write tokens to a thousand slow readers.
//
// Back-pressure. A stream queues up to HttpLimits::stream_queue_bytes for its reader. Over that
// bound the stream is ended: write() returns false, the cancel callback fires with `too_slow` and
// the connection is cut, so that the client sees a truncated stream and never a wrong one. A
// producer that can slow down looks at queued_bytes() and waits; one that cannot (an engine that
// batches many streams) just writes. A burst counts like a slow reader: what is written faster than
// the I/O thread takes it is held to the same bound.
//
// Cancellation. The callback given to on_cancel() runs at most once, and only while the answer is
// owed: never after send() or finish() has returned, unless it was already running then. It runs on
// the connection's I/O thread and must not block; no lock of the server is held. It may call
// StreamWriter's functions. It must own what it touches (a shared_ptr or a weak_ptr).
//
// A client that ends its side and may still read (a half-close) is gone for an answer that has such
// a callback or is streamed, and waited for otherwise: who asks to be told computes for long.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "serve/http/message.h"

namespace premise {

class HttpExchange;

enum class CancelReason {
  client_gone,     // closed its side, reset, or cannot be written to
  too_slow,        // read nothing for write_time, or over stream_queue_bytes
  server_closing,  // the time limit of drain() passed
};

using CancelCallback = std::function<void(CancelReason)>;

/// An answer under way. Destroyed without finish(), it cuts the connection: a client must be able
/// to tell a whole answer from a broken one.
class StreamWriter final {
 public:
  StreamWriter() = default;
  explicit StreamWriter(std::shared_ptr<HttpExchange> exchange);
  StreamWriter(StreamWriter&&) noexcept = default;
  StreamWriter& operator=(StreamWriter&& other) noexcept;
  ~StreamWriter();

  /// Queues a piece; empty ones are fine. False when the stream has ended: nothing more will be
  /// sent, and the producer may stop.
  bool write(std::string_view piece);
  /// Bytes taken by write() that the system has not taken yet.
  std::size_t queued_bytes() const;
  /// True when write() would return false.
  bool ended() const;
  /// Ends the stream well once everything queued is sent. Later calls do nothing.
  void finish();

 private:
  std::shared_ptr<HttpExchange> exchange_;
};

/// The duty to answer one request. Destroyed without an answer, it answers 500.
class Responder final {
 public:
  explicit Responder(std::shared_ptr<HttpExchange> exchange);
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  /// Replaces the callback. When the client is gone already it runs at once, within this call.
  void on_cancel(CancelCallback callback);
  /// True when nobody waits for the answer any more, or only half: see above.
  bool cancelled() const;

  /// Answers. This object is spent afterwards; further calls do nothing.
  void send(HttpResponse response);
  /// Begins a stream with this head; a body in it is the first piece. This object is spent. A HEAD
  /// request gets the head alone and is cancelled (`client_gone`).
  StreamWriter stream(HttpResponse head);

 private:
  std::shared_ptr<HttpExchange> exchange_;
};

}  // namespace premise
