// One client: reads requests, lets them be answered, writes the answers. Internal; has Asio in it.
//
// A connection is one coroutine on its worker's thread that sleeps in one place. It sleeps on a
// timer: the timer's end is the deadline of the moment, and everything else that may happen (bytes
// to read, room to write, news of the producer, the end of the server) cancels the timer and lets
// the loop look again. So no wait can miss an event, no two operations race, and the deadline of
// every phase is the same few lines. The alternative, a coroutine for reading, one for writing and
// one for time, needs them to cancel each other, which is where such servers leak.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "serve/http/exchange.h"
#include "serve/http/io_worker.h"
#include "serve/http/request_parser.h"
#include "serve/http/transport.h"

namespace premise {

class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  /// On the worker's thread, as everything here.
  HttpConnection(Socket socket, IoWorker& worker, std::shared_ptr<const TlsContext> tls);
  ~HttpConnection();

  void start();
  /// Something happened: look again.
  void wake();
  /// Ends it now, whatever it does.
  void cut();

 private:
  using Clock = std::chrono::steady_clock;
  template <typename T>
  using Awaitable = boost::asio::awaitable<T>;
  struct Duty;  // an answer that is owed

  // What owns memory is passed by reference and outlives the wait: GCC 12 mishandles temporaries
  // with destructors in a co_await expression.
  Awaitable<void> run();
  Awaitable<bool> shake_hands();
  Awaitable<bool> read_request();
  enum class More { some, late, gone };
  Awaitable<More> read_more(Clock::time_point deadline, bool idle);
  Awaitable<bool> prepare_body();
  Awaitable<bool> answer();
  Awaitable<bool> deliver(HttpExchange& exchange);
  Awaitable<void> refuse(const HttpRefusal& refusal);
  Awaitable<void> reply_and_close(HttpResponse& response);
  Awaitable<bool> flush();
  Awaitable<void> linger();
  Awaitable<void> sleep(Clock::time_point until);
  Awaitable<void> yield();

  /// Reads once into the worker's scratch and on to input_, if there is something and room.
  /// `ended`: nothing more will come, but an answer may still be read; from then on always.
  enum class Read { some, nothing, ended, closed };
  Read try_read();
  /// Writes what can be written of out_; false when the connection is broken.
  bool try_write();
  bool input_is_full() const;
  void note(const IoResult& result, bool& ready);
  void watch(bool for_reading);
  void socket_event(bool for_reading);
  bool peer_hung_up() const;
  /// Keeps the count of body bytes under way; false when there are too many of them.
  bool count_body();
  void forget_body();
  /// Asks `admit`; notes its answer in verdict_.
  void ask_admission();
  /// Why the answer cannot be delivered any more, if so.
  std::optional<CancelReason> failure(const HttpExchange::News& news) const;
  void encode(HttpExchange::News& news);
  void encode_head(HttpResponse& head, bool streaming);
  HttpResponse rendered(const HttpRefusal& refusal);
  Clock::time_point write_deadline() const { return written_at_ + service_.limits.write_time; }
  void close();

  Socket socket_;
  IoWorker& worker_;
  HttpService& service_;
  Transport transport_;
  boost::asio::steady_timer timer_;
  RequestParser parser_;
  HttpPeer peer_;
  HttpPeer local_;

  std::string input_;          // read and not yet parsed
  std::string out_;            // encoded and not yet written
  std::size_t out_begin_ = 0;  // of what is left of it
  Clock::time_point written_at_;
  std::size_t counted_body_bytes_ = 0;

  bool woken_ = false;
  bool can_read_ = true;
  bool can_write_ = true;
  bool watches_read_ = false;
  bool watches_write_ = false;
  bool input_ended_ = false;
  bool broken_ = false;
  bool cut_ = false;
  bool reset_on_close_ = false;  // what the system still holds for a slow reader is thrown away
  bool served_one_ = false;
  bool lingers_ = false;  // the client may still be sending
  unsigned reads_ = 0;

  // Of the request being answered.
  bool keep_alive_ = true;
  bool head_only_ = false;
  int minor_version_ = 1;
  bool head_encoded_ = false;
  bool bodyless_ = false;
  bool chunked_ = false;
  std::optional<HttpResponse> verdict_;  // of `admit`
};

}  // namespace premise
