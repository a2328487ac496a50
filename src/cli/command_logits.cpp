// premise logits: the log-probabilities of the next token after every position of a token list.
#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model_options.h"
#include "engine/sampling/logprobs.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct LogitsOptions {
  ModelOptions model;
  std::vector<TokenId> tokens;
  std::size_t top = 10;
  bool json = false;
};

// CLI11 reads an empty word as the number 0.
CLI::Validator not_empty() {
  return {[](std::string& word) { return std::string(word.empty() ? "empty" : ""); }, ""};
}

Json to_json(TokenId token, const std::vector<TokenLogprob>& top) {
  Json row{{"token", token}, {"top", Json::array()}};
  for (const TokenLogprob& entry : top)
    row["top"].push_back({{"id", entry.id}, {"logprob", entry.logprob}});
  return row;
}

std::string to_line(std::size_t position, TokenId token, const std::vector<TokenLogprob>& top) {
  std::string line = fmt::format("{:>6} {:>8} ", position, token);
  for (const TokenLogprob& entry : top) line += fmt::format(" {}:{:.4f}", entry.id, entry.logprob);
  return line + "\n";
}

Result<int> run_logits(Console& console, const LogitsOptions& options) {
  EngineOptions engine_options;
  engine_options.context = options.tokens.size();
  PREMISE_TRY(LoadedModel loaded, load_model(options.model, engine_options, console));
  for (const TokenId token : options.tokens)
    if (token < 0 || static_cast<std::uint64_t>(token) >= loaded.engine->plan().vocabulary)
      return error(
          ErrorCode::usage,
          {"--tokens: {} is outside the vocabulary of {}", "--tokens：{} 超出词表范围（{}）"},
          token, loaded.engine->plan().vocabulary);
  Json positions = Json::array();
  PREMISE_CHECK(loaded.engine->score(
      options.tokens, 0, [&](std::size_t position, std::span<float> logits) -> Status {
        PREMISE_CHECK(stop_if_interrupted(console));
        const auto top = top_logprobs(logits, options.top);
        if (options.json) {
          positions.push_back(to_json(options.tokens[position], top));
        } else {
          console.write(to_line(position, options.tokens[position], top));
        }
        return {};
      }));
  if (options.json) console.write(Json{{"positions", positions}}.dump() + "\n");
  return 0;
}

CommandRun declare_logits(CLI::App& app, Language language) {
  const auto options = std::make_shared<LogitsOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  add_model_options(app, options->model, language);
  app.add_option("--tokens", options->tokens,
                 say({"token ids, separated by commas", "词元 id，以逗号分隔"}))
      ->delimiter(',')
      ->check(CLI::Range(TokenId{0}, std::numeric_limits<TokenId>::max()))
      ->check(not_empty())
      ->required();
  app.add_option("--top", options->top,
                 say({"likeliest tokens to show at each position", "每个位置显示的最可能词元数"}))
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_logits(console, *options); };
}

}  // namespace

extern const Command logits_command;
const Command logits_command{
    .name = "logits",
    .order = 60,
    .summary = {"show what a model expects next", "查看模型对下一个词元的预测"},
    .examples = {"premise logits gemma3:270m-base --tokens 2,818,5279,529 --top 3",
                 "premise logits gemma3:270m-base --tokens 2,818,5279,529 --top 3"},
    .declare = declare_logits};

}  // namespace premise
