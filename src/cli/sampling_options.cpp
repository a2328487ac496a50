#include "cli/sampling_options.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "base/printable.h"

namespace premise {
namespace {

Result<std::pair<TokenId, float>> parse_bias(const std::string& typed) {
  const auto bad = [&] {
    return error(ErrorCode::usage,
                 {"--logit-bias {}: expected TOKEN=BIAS, such as 1234=-5.5",
                  "--logit-bias {}：格式应为“词元=偏置”，例如 1234=-5.5"},
                 printable(typed));
  };
  const auto equals = typed.find('=');
  if (equals == std::string::npos) return bad();
  TokenId token = 0;
  const char* middle = typed.data() + equals;
  const auto [end, failure] = std::from_chars(typed.data(), middle, token);
  if (failure != std::errc{} || end != middle || token < 0) return bad();
  const char* last = typed.data() + typed.size();
  float bias = 0.0f;
  const auto [bias_end, bias_failure] = std::from_chars(middle + 1, last, bias);
  if (bias_failure != std::errc{} || bias_end != last) return bad();
  return std::pair{token, bias};
}

void add_penalties(CLI::App& app, SamplingParams& p, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("--repetition-penalty", p.repetition_penalty,
                 say({"divide the logits of tokens already seen (1: off)",
                      "降低已出现词元的概率，除以该系数（1 表示关闭）"}));
  app.add_option("--frequency-penalty", p.frequency_penalty,
                 say({"subtract this for every occurrence", "每出现一次减去该值"}));
  app.add_option("--presence-penalty", p.presence_penalty,
                 say({"subtract this once for tokens already seen", "已出现的词元减去该值一次"}));
  app.add_option(
         "--penalty-window", p.penalty_window,
         say({"tokens that penalties look back over (0: all)", "惩罚回看的词元数（0 表示全部）"}))
      ->capture_default_str();
  app.add_option("--dry-multiplier", p.dry_multiplier,
                 say({"strength of the DRY penalty on repeated phrases (0: off)",
                      "DRY 重复短语惩罚的强度（0 表示关闭）"}));
  app.add_option("--dry-base", p.dry_base,
                 say({"growth of the DRY penalty with each token", "DRY 惩罚随长度增长的底数"}))
      ->capture_default_str();
  app.add_option("--dry-allowed-length", p.dry_allowed_length,
                 say({"longest repetition that DRY lets pass", "DRY 允许的最长重复"}))
      ->capture_default_str();
  app.add_option(
      "--dry-window", p.dry_window,
      say({"tokens that DRY looks back over (0: all)", "DRY 回看的词元数（0 表示全部）"}));
}

void add_filters(CLI::App& app, SamplingParams& p, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("--top-k", p.top_k,
                 say({"draw from the K likeliest tokens (0: off)",
                      "只从最可能的 K 个词元中抽取（0 表示关闭）"}));
  auto* top_p = app.add_option("--top-p", p.top_p,
                               say({"draw from the likeliest tokens that add up to P (1: off)",
                                    "只从累计概率达到 P 的词元中抽取（1 表示关闭）"}));
  if (p.top_p < 1.0f) top_p->capture_default_str();
  app.add_option("--min-p", p.min_p,
                 say({"drop tokens below P times the likeliest (0: off)",
                      "去掉低于最高概率 P 倍的词元（0 表示关闭）"}));
  app.add_option("--typical-p", p.typical_p,
                 say({"draw from tokens of typical surprise that add up to P (1: off)",
                      "典型采样：累计概率达到 P（1 表示关闭）"}));
  app.add_flag("--mirostat", p.mirostat,
               say({"hold the surprise of the text near a target (Mirostat 2)",
                    "将文本的意外度保持在目标附近（Mirostat 2）"}));
  app.add_option("--mirostat-tau", p.mirostat_tau,
                 say({"target surprise in bits", "目标意外度（比特）"}))
      ->capture_default_str();
  app.add_option("--mirostat-eta", p.mirostat_eta, say({"learning rate", "学习率"}))
      ->capture_default_str();
}

}  // namespace

void add_sampling_options(CLI::App& app, SamplingOptions& options, Language language) {
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("--temperature", options.params.temperature,
                 say({"0 takes the likeliest token, 1 draws as the model says",
                      "0 总是取最可能的词元，1 按模型概率抽取"}))
      ->capture_default_str();
  app.add_option("--seed", options.params.seed,
                 say({"equal seeds give equal texts", "相同的种子得到相同的文本"}))
      ->capture_default_str();
  add_filters(app, options.params, language);
  add_penalties(app, options.params, language);
  app.add_option("--logit-bias", options.logit_bias,
                 say({"TOKEN=BIAS added to a token's logit; may be repeated",
                      "给词元的 logit 加上偏置：词元=偏置，可多次使用"}));
  app.add_option("--dry-breaker", options.dry_breakers,
                 say({"text across which DRY sees no repetition; may be repeated",
                      "DRY 不跨越的文本，可多次使用"}));
}

Result<SamplingParams> sampling_params(const SamplingOptions& options, const Tokenizer& tokenizer) {
  SamplingParams params = options.params;
  for (const std::string& typed : options.logit_bias) {
    PREMISE_TRY(const auto bias, parse_bias(typed));
    if (static_cast<std::size_t>(bias.first) >= tokenizer.size())
      return error(ErrorCode::usage,
                   {"--logit-bias: token {} is outside the vocabulary of {}",
                    "--logit-bias：词元 {} 超出词表范围（{}）"},
                   bias.first, tokenizer.size());
    params.logit_bias.push_back(bias);
  }
  for (const std::string& breaker : options.dry_breakers)
    for (const TokenId token : tokenizer.encode(breaker, {.add_special = false}))
      params.dry_breakers.push_back(token);
  PREMISE_CHECK(check(params));
  return params;
}

}  // namespace premise
