// The way of a request for text, from its body to the endpoint. Each stage is a function of its
// own that lets the request pass or says why not; run() is their list. What happens to the events
// that come back is the answer's business (serve/answer.h); the two meet in submit().
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "serve/answer.h"
#include "serve/service.h"

namespace premise {

class Generation {
 public:
  /// `visit` outlives this. One object for one request, on a worker's thread.
  Generation(Service& service, Visit& visit) : service_(service), visit_(visit) {}

  /// Sees to it that the request is answered.
  void run();

 private:
  using Refused = std::optional<ApiError>;

  Refused decode();
  Refused choose_model();
  Refused prepare();
  Refused reserve_tokens();
  void submit();

  std::vector<ModelCard> usable(const ApiKey& key) const;
  std::string prefix_scope() const;
  Answer::Settle settle();
  Answer::Finished finished();

  Service& service_;
  Visit& visit_;

  GenerationCall call_;
  std::shared_ptr<ModelUse> model_;
  std::unique_ptr<ReplyEncoder> encoder_;
  std::optional<PreparedRequest> prepared_;
  std::optional<TokenReservation> reserved_;
};

}  // namespace premise
