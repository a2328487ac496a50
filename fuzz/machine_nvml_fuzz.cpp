// Any bytes as nvml.json: read again to the same report, or refused in both languages; and whatever
// is read, no diagnosis of a GPU may crash on it.
// Seeds: fuzz/corpus/nvml (and tests/machines). Run: machine_nvml_fuzz fuzz/corpus/nvml
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "machine/gpu/nvml_report.h"
#include "machine/probe.h"

namespace {

// A machine that has nothing but an answer of NVML.
class OnlyNvml final : public premise::MachineSource {
 public:
  explicit OnlyNvml(std::string_view json) : json_(json) {}
  premise::FileAnswer read_file(std::string_view, std::size_t) override { return {}; }
  premise::FolderAnswer list_folder(std::string_view) override { return {}; }
  premise::FileAnswer read_link(std::string_view) override { return {}; }
  premise::CommandAnswer run_command(const std::vector<std::string>&,
                                     std::chrono::milliseconds) override {
    return {};
  }
  std::optional<std::string> environment(const std::string&) override { return "0,1"; }
  std::optional<premise::FileSystemAnswer> file_system(std::string_view) override { return {}; }
  premise::FileAnswer nvml_json() override {
    return {premise::AnswerState::given, std::string(json_)};
  }
  premise::ProcessorTrial processor_trial() override { return {}; }
  std::string store_folder() override { return {}; }

 private:
  std::string_view json_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto report = premise::parse_nvml_json(json);
  if (report.ok()) {
    const auto again = premise::parse_nvml_json(premise::nvml_to_json(*report));
    if (!again.ok() || *again != *report) std::abort();
  } else if (report.error().what.en.empty() || report.error().what.zh.empty()) {
    std::abort();  // a refusal without a word
  }
  OnlyNvml machine(json);
  for (const premise::Probe* probe : premise::all_machine()) {
    if (!probe->name.starts_with("gpu_") && !probe->name.starts_with("nvidia_")) continue;
    premise::Findings findings;
    probe->run(machine, findings);
  }
  return 0;
}
