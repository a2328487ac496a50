// The protocol's side of a connection: from a request's first byte to its answer's last.
#include <algorithm>
#include <utility>

#include "serve/http/connection.h"
#include "serve/http/response_encoder.h"

namespace premise {
namespace {

/// A body that is read although its request has been refused: less trouble than a new connection.
constexpr std::uint64_t refused_body_max = 64 << 10;
/// How often a client is looked at that has sent so much ahead that its end cannot be read.
constexpr std::chrono::seconds look_time{1};

}  // namespace

/// The handler's answer as long as it is owed, whatever way the coroutine ends.
struct HttpConnection::Duty {
  explicit Duty(HttpConnection& of)
      : connection(of),
        exchange(std::make_shared<HttpExchange>(of.worker_.wakes(),
                                                of.service_.limits.stream_queue_bytes)) {
    exchange->connection = &of;
    ++of.service_.requests_total;
    ++of.service_.requests_running;
  }
  Duty(const Duty&) = delete;
  Duty& operator=(const Duty&) = delete;
  ~Duty() {
    exchange->connection = nullptr;
    exchange->cancel(CancelReason::client_gone);  // says something only if nothing was said before
    --connection.service_.requests_running;
  }

  HttpConnection& connection;
  std::shared_ptr<HttpExchange> exchange;
};

HttpConnection::Awaitable<bool> HttpConnection::read_request() {
  const HttpLimits& limits = service_.limits;
  auto deadline = Clock::now() + (served_one_ ? limits.idle_time : limits.header_time);
  bool idle = true;
  bool head_seen = false;
  while (true) {
    if (!input_.empty()) {
      if (idle && served_one_) deadline = Clock::now() + limits.header_time;
      idle = false;
      std::string_view rest = input_;
      parser_.feed(rest);
      input_.erase(0, input_.size() - rest.size());
    }
    using Stage = RequestParser::Stage;
    if (parser_.stage() == Stage::refused) {
      co_await refuse(parser_.refusal());
      co_return false;
    }
    if (!head_seen && parser_.stage() != Stage::head) {
      head_seen = true;
      deadline = Clock::now() + limits.body_time;
      const bool wanted = co_await prepare_body();
      if (!wanted) co_return false;
      continue;
    }
    if (!count_body()) {
      const HttpRefusal busy{503, text({"Too much is being sent at once; try again soon.",
                                        "当前接收的数据过多，请稍后重试。"})};
      co_await refuse(busy);
      co_return false;
    }
    if (parser_.stage() == Stage::complete) co_return true;

    const More more = co_await read_more(deadline, idle);
    if (more == More::gone || (more == More::late && idle)) co_return false;
    if (more == More::late) {
      const HttpRefusal late{
          408, text({"The request did not arrive in time.", "请求未在限定时间内到达。"})};
      co_await refuse(late);
      co_return false;
    }
  }
}

/// The head is known. False when the connection is over.
HttpConnection::Awaitable<bool> HttpConnection::prepare_body() {
  HttpRequest& head = parser_.request();
  const HttpFraming& framing = parser_.framing();
  head.peer = peer_;
  head.local = local_;
  head.tls = transport_.tls();
  head_only_ = head.method == "HEAD";
  keep_alive_ = framing.keep_alive;
  minor_version_ = head.minor_version;
  ask_admission();

  if (parser_.stage() == RequestParser::Stage::complete) co_return true;
  if (verdict_) {
    const bool cheap =
        !framing.chunked && !framing.expects_continue && framing.content_length <= refused_body_max;
    if (cheap) co_return true;
    HttpResponse verdict = std::move(*verdict_);
    co_await reply_and_close(verdict);
    co_return false;
  }
  if (framing.expects_continue && input_.empty()) {
    out_ = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await flush();
    co_return sent;
  }
  co_return true;
}

void HttpConnection::ask_admission() {
  verdict_.reset();
  if (!service_.admit) return;
  try {
    verdict_ = service_.admit(parser_.request());
  } catch (...) {  // who cannot be judged is not let in
    verdict_ =
        rendered({500, text({"The request could not be judged.", "无法对该请求进行准入检查。"})});
  }
}

HttpConnection::Awaitable<bool> HttpConnection::answer() {
  HttpRequest request = parser_.take();
  forget_body();
  served_one_ = true;
  head_encoded_ = bodyless_ = chunked_ = false;
  if (verdict_) {
    HttpExchange::News news;
    news.head = std::exchange(verdict_, std::nullopt);
    encode(news);
    const bool sent = co_await flush();
    co_return sent ? keep_alive_ : false;
  }
  Duty duty(*this);
  try {
    service_.handler(std::move(request), Responder(duty.exchange));
  } catch (...) {  // the Responder died unanswered, which makes a 500
  }
  const bool delivered = co_await deliver(*duty.exchange);
  co_return delivered ? keep_alive_ : false;
}

// A client that ends its side has gone, as a rule, and sometimes only says that it has asked
// everything (a half-close: nc -N). An answer that is there at once is sent in either case; one
// that costs something, whose producer wants to hear of a cancellation, is not computed for nobody.
HttpConnection::Awaitable<bool> HttpConnection::deliver(HttpExchange& exchange) {
  bool finished = false, half_closed = false;
  while (true) {
    HttpExchange::News news;
    if (!finished) news = exchange.take(out_.empty());
    if (news.abandoned && !news.streaming && !head_encoded_) {
      news.head =
          rendered({500, text({"The request was dropped by the server.", "服务器丢弃了该请求。"})});
      news.finished = true;
    }
    std::optional<CancelReason> over = failure(news);
    if (!over) {
      encode(news);
      finished = finished || news.finished;
      if (bodyless_ && !finished) {
        exchange.cancel(CancelReason::client_gone);
        finished = true;
      }
      if (!try_write()) over = CancelReason::client_gone;
      if (out_.empty()) exchange.sent();
    }
    if (!over && finished && out_.empty()) co_return true;
    const Read got = over || finished || half_closed ? Read::nothing : try_read();
    half_closed = half_closed || got == Read::ended;
    if (got == Read::closed || (got == Read::ended && !exchange.will_be_sent_at_once()) ||
        (!finished && input_is_full() && peer_hung_up())) {
      over = CancelReason::client_gone;
    }
    if (over) {
      ++service_.cancelled_total;
      reset_on_close_ = cut_ || *over == CancelReason::too_slow;
      exchange.cancel(*over);
      co_return false;
    }
    if (got == Read::some) continue;
    auto until = out_.empty() ? Clock::time_point::max() : write_deadline();
    if (input_is_full()) until = std::min(until, Clock::now() + look_time);
    co_await sleep(until);
  }
}

std::optional<CancelReason> HttpConnection::failure(const HttpExchange::News& news) const {
  if (news.overrun) return CancelReason::too_slow;
  if (news.given_up) return CancelReason::client_gone;
  // A dropped stream: nobody is left to be told, and the client misses the last chunk.
  if (news.abandoned && !news.finished) return CancelReason::server_closing;
  if (cut_) return CancelReason::server_closing;
  if (!out_.empty() && Clock::now() >= write_deadline()) return CancelReason::too_slow;
  return std::nullopt;
}

void HttpConnection::encode(HttpExchange::News& news) {
  const bool was_empty = out_.empty();
  if (news.head) encode_head(*news.head, news.streaming);
  if (!bodyless_) {
    if (chunked_) {
      encode_chunk(news.pieces, out_);
      if (news.finished) out_.append(last_chunk);
    } else {
      out_.append(news.pieces);
    }
  }
  if (was_empty && !out_.empty()) written_at_ = Clock::now();
}

void HttpConnection::encode_head(HttpResponse& head, bool streaming) {
  if (head.status < 200 || head.status > 599) head.status = 500;
  bodyless_ = head_only_ || !status_allows_body(head.status);
  chunked_ = streaming && minor_version_ > 0 && status_allows_body(head.status);
  const bool until_close = streaming && minor_version_ == 0 && !bodyless_;
  if (until_close || service_.draining || head.headers.has_token("connection", "close")) {
    keep_alive_ = false;
  }
  const BodyFraming framing = chunked_      ? BodyFraming::chunked
                              : until_close ? BodyFraming::until_close
                              : bodyless_   ? BodyFraming::none
                                            : BodyFraming::length;
  encode_response_head(head, framing, keep_alive_, worker_.date(), out_);
  if (!streaming && !bodyless_) out_.append(head.body);
  head_encoded_ = true;
}

HttpConnection::Awaitable<void> HttpConnection::refuse(const HttpRefusal& refusal) {
  ++service_.refusals_total;
  head_only_ = parser_.request().method == "HEAD";
  HttpResponse response = rendered(refusal);
  parser_.request().body = {};  // others may need the room while this client is seen off
  forget_body();
  co_await reply_and_close(response);
}

HttpConnection::Awaitable<void> HttpConnection::reply_and_close(HttpResponse& response) {
  keep_alive_ = false;
  HttpExchange::News news;
  news.head = std::move(response);
  news.finished = true;
  chunked_ = false;
  encode(news);
  const bool sent = co_await flush();
  lingers_ = sent;
}

HttpResponse HttpConnection::rendered(const HttpRefusal& refusal) {
  HttpResponse response;
  try {
    response = service_.render_error(refusal);
  } catch (...) {
    response = {};
  }
  response.status = refusal.status;
  if (refusal.status == 503 && !response.headers.find("retry-after")) {
    response.headers.add("Retry-After", "1");
  }
  return response;
}

bool HttpConnection::count_body() {
  const std::size_t now = parser_.request().body.size();
  const std::size_t more = now - counted_body_bytes_;
  if (service_.body_bytes.fetch_add(more) + more > service_.limits.body_bytes_total) {
    service_.body_bytes -= more;
    return false;
  }
  counted_body_bytes_ = now;
  return true;
}

void HttpConnection::forget_body() { service_.body_bytes -= std::exchange(counted_body_bytes_, 0); }

}  // namespace premise
