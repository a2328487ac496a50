// premise doctor: what this machine is, what it can do, and what is wrong with it.
#include <sys/ioctl.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>

#include "cli/command.h"
#include "cli/doctor_report.h"
#include "cli/model_options.h"
#include "cli/progress.h"
#include "machine/gpu/nvml_report.h"
#include "machine/live_machine.h"
#include "machine/measure/measure.h"
#include "machine/probe.h"
#include "machine/recorded_machine.h"
#include "machine/recording_machine.h"
#include "machine/regular_file.h"
#include "numerics/device/cpu.h"
#include "store/store.h"

namespace premise {
namespace {

struct DoctorOptions {
  std::string probe_root;
  std::string record;
  bool json = false;
  bool quick = false;
  bool strict = false;
};

// With --quick the whole takes less than two seconds, however slowly programs answer.
constexpr std::chrono::milliseconds quick_limit{400};
constexpr std::chrono::milliseconds quick_budget{900};

LiveMachine this_machine(const DoctorOptions& options) {
  const auto store = Store::default_root(process_environment);
  LiveMachine::Options live;
  live.store_folder = store.ok() ? store.value().string() : "";
  live.ask_nvml = [] { return ask_nvml(); };
  if (options.quick) {
    live.command_limit = quick_limit;
    live.command_budget = quick_budget;
    live.ask_nvml = [] { return ask_nvml(quick_limit); };
  }
  return LiveMachine(std::move(live));
}

Result<Examination> examine_all(Console& console, MachineSource& machine, bool quick) {
  Examination examination =
      examine(machine, quick, [&] { return console.interrupt().requested(); });
  PREMISE_CHECK(stop_if_interrupted(console));
  return examination;
}

Result<Measured> measure(Console& console, MachineSource& machine) {
  ProgressBar bar(console, text({"measuring", "测量"}));
  Measured measured = measure_machine(machine, default_thread_count(),
                                      {.progress =
                                           [&](int done, int total) {
                                             bar.update(static_cast<std::uint64_t>(done),
                                                        static_cast<std::uint64_t>(total));
                                           },
                                       .stop = [&] { return console.interrupt().requested(); }});
  PREMISE_CHECK(stop_if_interrupted(console));
  return measured;
}

/// What was measured where a recording was made; nothing where it was not.
Result<Measured> recorded_measurements(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "measured.json";
  const FileAnswer answer = read_regular_file(file, file_bytes_max);
  if (answer.state == AnswerState::missing) return Measured{};
  auto measured = measured_from_json(answer.text);
  if (!measured.ok()) return at(text({"{}", "{}"}, file.string()), std::move(measured).error());
  return measured;
}

Result<DoctorReport> report_on(Console& console, const DoctorOptions& options) {
  DoctorReport report;
  if (!options.probe_root.empty()) {
    PREMISE_TRY(const auto machine, RecordedMachine::open(options.probe_root));
    PREMISE_TRY(Examination examination, examine_all(console, *machine, false));
    report.findings = std::move(examination.findings);
    PREMISE_TRY(report.measured, recorded_measurements(options.probe_root));
    return report;
  }
  LiveMachine live = this_machine(options);
  std::unique_ptr<RecordingMachine> recording;
  MachineSource* machine = &live;
  if (!options.record.empty()) {
    PREMISE_TRY(recording,
                RecordingMachine::create(live, options.record, Redactor(identity_of_process())));
    machine = recording.get();
  }
  PREMISE_TRY(Examination examination, examine_all(console, *machine, options.quick));
  report.findings = std::move(examination.findings);
  report.left_out.assign(examination.left_out.begin(), examination.left_out.end());
  if (options.quick) {
    report.left_out.emplace_back("measurements");
  } else {
    PREMISE_TRY(report.measured, measure(console, *machine));
  }
  if (recording != nullptr) {
    PREMISE_CHECK(
        recording->finish(options.quick ? std::nullopt : std::optional(to_json(report.measured))));
  }
  return report;
}

PageStyle style_of(const Console& console) {
  PageStyle style;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  if (!console.out_is_terminal()) return style;
  style.color = std::getenv("NO_COLOR") == nullptr && !dumb;
  winsize size{};
  if (::ioctl(::fileno(console.out()), TIOCGWINSZ, &size) == 0) style.columns = size.ws_col;
  return style;
}

void say_what_is_missing(Console& console, const DoctorReport& report,
                         const DoctorOptions& options) {
  if (!report.left_out.empty()) {
    std::string names;
    for (const std::string& name : report.left_out) names += (names.empty() ? "" : ", ") + name;
    console.say(text({"left out by --quick: {}", "--quick 略去了：{}"}, names));
  }
  if (!options.record.empty()) {
    console.say(
        text({"recorded in {}; names, addresses, UUIDs and serial numbers are left out, look "
              "it over before you pass it on",
              "已记录到 {}；其中不含名称、地址、UUID 与序列号，转交前请自行过目"},
             options.record));
  }
}

Result<int> run_doctor(Console& console, const DoctorOptions& options) {
  PREMISE_TRY(DoctorReport report, report_on(console, options));
  for (Finding& finding : judge(report.measured)) report.findings.push_back(std::move(finding));
  sort_by_area(report.findings);
  const Language language = console.language();
  console.write(options.json ? doctor_json(report, language)
                             : doctor_page(report, language, style_of(console)));
  say_what_is_missing(console, report, options);
  const bool no =
      std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
        return finding.status == FindingStatus::failure ||
               (options.strict && finding.status == FindingStatus::warning);
      });
  return no ? static_cast<int>(ErrorCode::no) : 0;
}

CommandRun declare_doctor(CLI::App& app, Language language) {
  const auto options = std::make_shared<DoctorOptions>();
  const auto say = [language](Phrase<> phrase) { return text(phrase).in(language); };
  app.add_flag("--json", options->json, say({"print a JSON document", "输出 JSON"}));
  CLI::Option* quick = app.add_flag("--quick", options->quick,
                                    say({"at most two seconds: measure nothing, skip slow probes",
                                         "最多两秒：不测量，略去较慢的检查"}));
  app.add_flag("--strict", options->strict,
               say({"exit with 1 on warnings too", "有警告时也以 1 退出"}));
  CLI::Option* record =
      app.add_option("--record", options->record,
                     say({"also write what was found to this new folder, without private data",
                          "同时将所见写入此新文件夹（不含隐私数据）"}));
  app.add_option(
         "--probe-root", options->probe_root,
         say({"examine a recorded machine instead of this one", "检查已记录的机器，而不是本机"}))
      ->excludes(record)
      ->excludes(quick);
  return [options](Console& console) { return run_doctor(console, *options); };
}

}  // namespace

extern const Command doctor_command;
const Command doctor_command{
    .name = "doctor",
    .order = 5,
    .summary = {"examine this machine: what it can do and what to mend",
                "检查本机：能做什么，需要修复什么"},
    .examples =
        {"premise doctor\npremise doctor --json --quick\npremise doctor --record my-machine",
         "premise doctor\npremise doctor --json --quick\npremise doctor --record my-machine"},
    .declare = declare_doctor};

}  // namespace premise
