// premise tokenize: text to token ids, or with --decode ids to text, byte for byte.
#include <CLI/CLI.hpp>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/read_input.h"
#include "model/formats/in_quotes.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct TokenizeOptions {
  std::string model;
  bool no_special = false;
  bool decode = false;
  bool json = false;
};

// Ids separated by white space, commas or brackets, so that a JSON array will do.
Result<std::vector<TokenId>> parse_ids(std::string_view typed, std::size_t vocabulary) {
  constexpr std::string_view separators = " \t\r\n,[]";
  std::vector<TokenId> ids;
  std::size_t at = 0;
  while ((at = typed.find_first_not_of(separators, at)) != std::string_view::npos) {
    const std::size_t end = std::min(typed.find_first_of(separators, at), typed.size());
    const std::string_view word = typed.substr(at, end - at);
    TokenId id = -1;
    const auto [last, failure] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (failure != std::errc{} || last != word.data() + word.size() || id < 0 ||
        static_cast<std::size_t>(id) >= vocabulary)
      return error(ErrorCode::usage,
                   {"\"{}\" is not a token id of this model (0 to {})",
                    "“{}”不是该模型的词元 id（0 至 {}）"},
                   printable(word), vocabulary - 1);
    ids.push_back(id);
    at = end;
  }
  return ids;
}

Result<int> run_tokenize(Console& console, const TokenizeOptions& options) {
  PREMISE_TRY(const Tokenizer tokenizer, open_tokenizer(options.model));
  PREMISE_TRY(const std::string input, read_all(stdin, "standard input"));
  if (options.decode) {
    PREMISE_TRY(const auto ids, parse_ids(input, tokenizer.size()));
    const std::string decoded = tokenizer.decode(ids, true);
    console.write(
        options.json
            ? Json{{"text", decoded}}.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"
            : decoded);
    return 0;
  }
  const auto ids =
      tokenizer.encode(input, {.add_special = !options.no_special, .parse_special = true});
  if (options.json) {
    console.write(Json{{"tokens", ids}}.dump() + "\n");
    return 0;
  }
  for (const TokenId id : ids)
    console.write(fmt::format("{:>8}  {}\n", id, in_quotes(tokenizer.bytes_of(id, true))));
  return 0;
}

CommandRun declare_tokenize(CLI::App& app, Language language) {
  const auto options = std::make_shared<TokenizeOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options->model,
                 say({"name in the store, or path to a GGUF file or tokenizer.json",
                      "模型库中的名称，或 GGUF 文件、tokenizer.json 的路径"}))
      ->required();
  app.add_flag("--no-special", options->no_special,
               say({"add no BOS or EOS", "不添加 BOS 或 EOS"}));
  app.add_flag("--decode", options->decode,
               say({"read ids and write their text", "读取 id 并输出对应文本"}));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_tokenize(console, *options); };
}

}  // namespace

extern const Command tokenize_command;
const Command tokenize_command{
    .name = "tokenize",
    .order = 58,
    .summary = {"turn text into token ids, or back", "文本与词元 id 互相转换"},
    .examples = {"echo -n \"The capital of France\" | premise tokenize gemma3:270m-base\n"
                 "echo 818,5279,529 | premise tokenize gemma3:270m-base --decode",
                 "echo -n \"中国的首都\" | premise tokenize gemma3:270m-base\n"
                 "echo 818,5279,529 | premise tokenize gemma3:270m-base --decode"},
    .declare = declare_tokenize};

}  // namespace premise
