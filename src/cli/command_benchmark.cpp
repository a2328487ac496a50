// premise bench engine: speed of the engine on this machine.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "bench/engine_speed.h"
#include "cli/command.h"
#include "cli/matrix_kernels_report.h"
#include "cli/model_options.h"
#include "cli/prediction_record.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "numerics/device/memory.h"

namespace premise {
namespace {

using Json = nlohmann::ordered_json;

struct BenchmarkOptions {
  ModelOptions model;
  EngineBenchOptions bench;
  bool require_fast_path = false;
  bool json = false;
};

// Names of tensors may be no text.
std::string dumped(const Json& document) {
  return document.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json to_json(const Rate& rate) {
  return {{"tokens_per_second", rate.median},
          {"tokens_per_second_min", rate.least},
          {"tokens_per_second_max", rate.most}};
}

/// What is known before anything was measured.
void add_loaded(Json& document, const LoadedModel& loaded,
                const std::vector<MatrixKernel>& matrices) {
  document["fast_path"] = matrix_kernels_document(matrices);
  document["threads"] = loaded.host->team().size();
  document["isa"] = name_of(loaded.host->isa());
  document["load_seconds"] = loaded.load_seconds;
}

Json to_json(const EngineBenchResult& result, const LoadedModel& loaded,
             const std::vector<MatrixKernel>& matrices) {
  Json document{{"prefill", Json::array()}, {"decode", Json::array()}};
  for (const PrefillResult& p : result.prefill) {
    Json row{{"tokens", p.tokens}, {"batch", 1}};
    row.update(to_json(p.rate));
    document["prefill"].push_back(row);
  }
  for (const DecodeResult& d : result.decode) {
    Json row{{"batch", d.batch}};
    row.update(to_json(d.rate));
    document["decode"].push_back(row);
  }
  for (const KernelShare& k : result.kernels) document["kernels"][k.kernel] = k.share;
  add_loaded(document, loaded, matrices);
  document["peak_rss_bytes"] = peak_resident_bytes().value_or(0);
  return document;
}

void print(Console& console, const EngineBenchResult& result, const LoadedModel& loaded,
           const std::vector<MatrixKernel>& matrices) {
  const Language language = console.language();
  const auto say = [language](const Text& text) { return text.in(language); };
  std::vector<std::vector<std::string>> rows{
      {"", say(text({"TOKENS/S", "词元/秒"})), say(text({"SLOWEST … FASTEST", "最慢 … 最快"}))}};
  const auto add = [&](std::string label, const Rate& rate) {
    rows.push_back({std::move(label), fmt::format("{:.1f}", rate.median),
                    fmt::format("{:.1f} … {:.1f}", rate.least, rate.most)});
  };
  for (const PrefillResult& p : result.prefill)
    add(say(text({"prefill of {}", "预填充 {} 个词元"}, p.tokens)), p.rate);
  for (const DecodeResult& d : result.decode)
    add(say(text({"decode, batch of {}", "解码，批大小 {}"}, d.batch)), d.rate);
  std::vector<std::vector<std::string>> kernels{
      {say(text({"KERNEL", "内核"})), say(text({"TIME", "时间占比"}))}};
  for (const KernelShare& k : result.kernels)
    kernels.push_back({k.kernel, fmt::format("{:.1f} %", 100.0 * k.share)});
  console.write(aligned_table(rows, "lrl") + "\n" + aligned_table(kernels, "lr") + "\n" +
                matrix_kernels_page(matrices, language) + "\n");
  console.write(say(text({"{} threads, {}, loaded in {:.2f} s, peak memory {}",
                          "{} 个线程，{}，加载用时 {:.2f} 秒，内存峰值 {}"},
                         loaded.host->team().size(), name_of(loaded.host->isa()),
                         loaded.load_seconds, format_bytes(peak_resident_bytes().value_or(0)))) +
                "\n");
}

/// The answer "no": nothing is measured, and what computes each matrix is still shown.
int refuse_slow_path(Console& console, const BenchmarkOptions& options, const LoadedModel& loaded,
                     const std::vector<MatrixKernel>& matrices) {
  if (options.json) {
    Json document;
    add_loaded(document, loaded, matrices);
    console.write(dumped(document));
  } else {
    console.write(matrix_kernels_page(matrices, console.language()));
  }
  const Text slow = off_the_fast_path(matrices);
  console.say({"not measured: " + slow.en, "未测量：" + slow.zh});
  return 1;
}

Result<int> run_benchmark(Console& console, const BenchmarkOptions& options) {
  PREMISE_TRY(LoadedModel loaded,
              load_model(options.model, engine_options_for(options.bench), console));
  const std::vector<MatrixKernel> matrices = matrix_kernels(loaded.engine->executable().report());
  if (fast_share(matrices).products < fast_share_expected) {
    if (options.require_fast_path) return refuse_slow_path(console, options, loaded, matrices);
    const Text slow = off_the_fast_path(matrices);
    console.say({"warning: " + slow.en, "警告：" + slow.zh});
  }
  ProgressBar bar(console, text({"measuring", "测量"}));
  const auto progress = [&](std::size_t done, std::size_t total) -> Status {
    bar.update(done, total);
    return stop_if_interrupted(console);
  };
  PREMISE_TRY(const EngineBenchResult result,
              bench_engine(*loaded.engine, options.bench, progress));
  bar.finish();
  const std::uint64_t peak_bytes = peak_resident_bytes().value_or(0);
  if (options.json) {
    console.write(dumped(to_json(result, loaded, matrices)));
  } else {
    print(console, result, loaded, matrices);
  }
  record_prediction(console, options.model, options.bench, result, loaded, peak_bytes);
  return 0;
}

CommandRun declare_benchmark(CLI::App& app, Language language) {
  const auto options = std::make_shared<BenchmarkOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.require_subcommand(1);
  CLI::App* engine =
      app.add_subcommand("engine", say({"reading prompts and generating, without a service",
                                        "测量读取提示与生成的速度（不经过服务）"}));
  options->model.activations = "mixed";  // what a service computes with
  add_model_options(*engine, options->model, language);
  const auto counts = CLI::Range(std::size_t{1}, std::size_t{1} << 20);
  engine
      ->add_option("-p,--prompt", options->bench.prompts,
                   say({"prompt lengths, separated by commas", "提示长度，以逗号分隔"}))
      ->delimiter(',')
      ->capture_default_str()
      ->check(counts);
  engine
      ->add_option("-n,--generate", options->bench.generated,
                   say({"tokens that each sequence generates", "每个序列生成的词元数"}))
      ->capture_default_str()
      ->check(counts);
  engine
      ->add_option("-b,--batch", options->bench.batches,
                   say({"sequences side by side, separated by commas", "并发序列数，以逗号分隔"}))
      ->delimiter(',')
      ->capture_default_str()
      ->check(counts);
  engine
      ->add_option("-r,--repetitions", options->bench.repetitions,
                   say({"counted runs of each", "每项计入的运行次数"}))
      ->capture_default_str()
      ->check(counts);
  engine->add_flag(
      "--require-fast-path", options->require_fast_path,
      say({"measure only where the fastest kernels of the instruction set in use compute\n"
           "at least 95 % of the products with matrices; exit with 1 otherwise",
           "仅当矩阵乘法至少 95 % 由所用指令集最快的内核计算时才测量；否则以 1 退出"}));
  engine->add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  return [options](Console& console) { return run_benchmark(console, *options); };
}

}  // namespace

extern const Command bench_command;
const Command bench_command{
    .name = "bench",
    .order = 70,
    .summary = {"measure speed on this machine", "测量本机速度"},
    .examples = {"premise bench engine gemma3:270m-base -p 512 -n 64 -b 1,8,32",
                 "premise bench engine gemma3:270m-base -p 512 -n 64 -b 1,8,32"},
    .declare = declare_benchmark};

}  // namespace premise
