#include "serve/http/responder.h"

#include <utility>

#include "serve/http/exchange.h"

namespace premise {

StreamWriter::StreamWriter(std::shared_ptr<HttpExchange> exchange)
    : exchange_(std::move(exchange)) {}

StreamWriter& StreamWriter::operator=(StreamWriter&& other) noexcept {
  const StreamWriter old(std::exchange(exchange_, std::move(other.exchange_)));
  return *this;
}

StreamWriter::~StreamWriter() {
  if (exchange_) exchange_->abandon();
}

bool StreamWriter::write(std::string_view piece) { return exchange_ && exchange_->write(piece); }

std::size_t StreamWriter::queued_bytes() const { return exchange_ ? exchange_->queued_bytes() : 0; }

bool StreamWriter::ended() const { return !exchange_ || exchange_->ended(); }

void StreamWriter::finish() {
  if (exchange_) exchange_->finish();
}

Responder::Responder(std::shared_ptr<HttpExchange> exchange) : exchange_(std::move(exchange)) {}

Responder& Responder::operator=(Responder&& other) noexcept {
  const Responder old(std::exchange(exchange_, std::move(other.exchange_)));
  return *this;
}

Responder::~Responder() {
  if (exchange_) exchange_->abandon();
}

void Responder::on_cancel(CancelCallback callback) {
  if (exchange_) exchange_->on_cancel(std::move(callback));
}

bool Responder::cancelled() const { return !exchange_ || exchange_->ended(); }

void Responder::send(HttpResponse response) {
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->send(std::move(response));
}

StreamWriter Responder::stream(HttpResponse head) {
  auto exchange = std::exchange(exchange_, nullptr);
  if (exchange) exchange->start(std::move(head));
  return StreamWriter(std::move(exchange));
}

}  // namespace premise
