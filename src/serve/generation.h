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
  Refused check_books();
  Refused check_words();
  Refused choose_model();
  Refused prepare();
  Refused reserve_tokens();
  Refused look_up();
  void submit();

  std::vector<ModelCard> usable(const ApiKey& key) const;
  Answer::Settle settle(const std::shared_ptr<std::string>& told);
  Answer::Finished finished();

  Service& service_;
  Visit& visit_;

  GenerationCall call_;
  std::shared_ptr<ModelUse> model_;
  std::unique_ptr<ReplyEncoder> encoder_;
  std::optional<PreparedRequest> prepared_;
  std::optional<TokenReservation> reserved_;
  WordFilter::Rules words_{};            // as they were when the request came
  std::optional<CacheUse> cache_use_{};  // none: there is no cache
  std::shared_ptr<ModelEndpoint> answers_{};
  std::string asked_{};  // for the audit log, where it keeps texts
};

}  // namespace premise
