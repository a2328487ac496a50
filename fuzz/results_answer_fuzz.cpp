// Any bytes as an answer from a cache: an error, or an answer that is written as it was read and
// told as an endpoint tells it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "serve/cache/answer_recorder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace premise;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto answer = decode_answer(bytes);
  if (!answer) {
    if (answer.error().what.en.empty() || answer.error().what.zh.empty()) __builtin_trap();
    return 0;
  }
  if (encode_answer(*answer) != bytes) __builtin_trap();
  AnswerRecorder recorder(answer->choices.size());
  std::size_t ends = 0;
  replay(*answer, [&](EndpointEvent event) {
    recorder.take(event);
    ends += std::holds_alternative<Ended>(event) ? 1 : 0;
  });
  if (ends != 1) __builtin_trap();
  const auto again = recorder.answer();
  if (again && encode_answer(*again) != bytes) __builtin_trap();
  return 0;
}
