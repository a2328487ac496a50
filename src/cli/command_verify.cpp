#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "store/files.h"
#include "store/resolve.h"
#include "store/store.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct VerifyOptions {
  std::string model;
  std::string md5;
  std::string sha256;
  bool json = false;
};

/// One digest: what the file gives, and what it must be (empty: nobody said).
struct Check {
  HashKind kind;
  std::string expected;
  std::string found{};

  bool holds() const { return expected.empty() || expected == found; }
};

Result<std::string> read_digest(HashKind kind, std::string typed) {
  if (typed.empty()) return typed;
  if (!is_hash(kind, typed)) {
    return error(ErrorCode::usage,
                 {"--{} {}: is no {} of {} hexadecimal digits",
                  "--{} {}：不是 {} 值，应为 {} 位十六进制数字"},
                 hash_name(kind), printable(typed), hash_name(kind), hash_digits(kind));
  }
  std::transform(typed.begin(), typed.end(), typed.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return typed;
}

/// A model of the store is held against the digest it was stored under.
Result<std::string> stored_digest(const ModelFile& file) {
  if (!file.name) return std::string();
  PREMISE_TRY(const auto root, Store::default_root(process_environment));
  PREMISE_TRY(Store store, Store::open(root));
  PREMISE_TRY(const auto known, store.find(*file.name));
  return known ? known->sha256 : std::string();
}

Result<std::vector<Check>> make_checks(const VerifyOptions& options, const ModelFile& file) {
  PREMISE_TRY(std::string sha256, read_digest(HashKind::sha256, options.sha256));
  PREMISE_TRY(std::string md5, read_digest(HashKind::md5, options.md5));
  if (sha256.empty()) {
    PREMISE_TRY(sha256, stored_digest(file));
  }
  std::vector<Check> checks{{HashKind::sha256, std::move(sha256)}};
  if (!md5.empty()) checks.push_back({HashKind::md5, std::move(md5)});
  return checks;
}

void print(Console& console, const ModelFile& file, const std::vector<Check>& checks, bool json) {
  const bool good = std::all_of(checks.begin(), checks.end(), [](auto& c) { return c.holds(); });
  if (json) {
    Json document;
    if (file.name) document["name"] = file.name->text();
    document["path"] = file.path.string();
    document["bytes"] = regular_file_bytes(file.path).value_or(0);
    for (const Check& check : checks) {
      const std::string name(hash_name(check.kind));
      document[name] = check.found;
      document["expected_" + name] = check.expected.empty() ? Json() : Json(check.expected);
    }
    document["ok"] = good;
    console.write(document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    return;
  }
  for (const Check& check : checks) {
    console.write(fmt::format("{}  {}\n", hash_name(check.kind), check.found));
    if (check.expected.empty()) {
      console.say(text({"nothing to compare it with was given", "未给出可供比较的值"}));
    } else if (check.holds()) {
      console.say(text({"{} as expected", "{} 与预期一致"}, hash_name(check.kind)));
    } else {
      console.say(text({"{} differs: expected {}", "{} 不一致：应为 {}"}, hash_name(check.kind),
                       check.expected));
    }
  }
}

Result<int> run_verify(Console& console, const VerifyOptions& options) {
  PREMISE_TRY(const ModelFile file, resolve_model(options.model, process_environment));
  PREMISE_TRY(auto checks, make_checks(options, file));
  std::vector<HashKind> kinds;
  for (const Check& check : checks) kinds.push_back(check.kind);
  ProgressBar bar(console, {}, ProgressUnit::bytes);
  PREMISE_TRY(const auto digests, hash_file(file.path, kinds, console_hooks(console, bar)));
  bar.finish();
  bool good = true;
  for (std::size_t index = 0; index < checks.size(); ++index) {
    checks[index].found = digests[index];
    good = good && checks[index].holds();
  }
  print(console, file, checks, options.json);
  return good ? 0 : 1;
}

CommandRun declare_verify(CLI::App& app, Language language) {
  const auto options = std::make_shared<VerifyOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_option("MODEL", options->model,
                 say({"name in the store, or path to a file", "模型库中的名称，或文件路径"}))
      ->required();
  app.add_option("--sha256", options->sha256, say({"SHA-256 it must have", "应有的 SHA-256"}));
  app.add_option("--md5", options->md5, say({"MD5 it must have", "应有的 MD5"}));
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_verify(console, *options); };
}

}  // namespace

extern const Command verify_command;
const Command verify_command{
    .name = "verify",
    .order = 35,
    .summary = {"re-hash a model and compare", "重新计算并比对模型的校验值"},
    .examples = {"premise verify gemma3:270m-base\n"
                 "premise verify model.gguf --sha256 a5fd3b62…",
                 "premise verify gemma3:270m-base\n"
                 "premise verify model.gguf --sha256 a5fd3b62…"},
    .declare = declare_verify};

}  // namespace premise
