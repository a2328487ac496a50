// GET /v1/models/{model}. Names hold slashes; the braces take them.
#include "serve/api/dialect.h"

namespace premise {

Reply model_reply(const ServiceView& view, std::string_view name);  // openai_models.cpp

extern const Dialect openai_one_model;
const Dialect openai_one_model{.name = "openai_one_model",
                               .method = "GET",
                               .path = "/v1/models/{model}",
                               .answer = model_reply};

}  // namespace premise
