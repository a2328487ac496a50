// A machine that answers with anything: every probe must come to its findings, whatever /proc,
// /sys, programs and NVML say. The input is cut at zero bytes; which piece answers a question is
// decided by the question, so that mutations of one piece change one answer.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "machine/facts/words.h"
#include "machine/measure/measured.h"
#include "machine/probe.h"
#include "machine/redactor.h"

namespace premise {
namespace {

class AnyMachine final : public MachineSource {
 public:
  explicit AnyMachine(std::string_view input) {
    for (const std::string_view piece : pieces_of(input, '\0')) pieces_.emplace_back(piece);
  }

  FileAnswer read_file(std::string_view path, std::size_t limit) override {
    const std::string& text = piece_for(path);
    return {AnswerState::given, text.substr(0, limit), text.size() > limit};
  }
  FolderAnswer list_folder(std::string_view path) override {
    constexpr std::size_t most = 4;  // names lead to further folders
    FolderAnswer answer{AnswerState::given, {}};
    for (const std::string_view line : lines_of(piece_for(path)))
      if (answer.names.size() < most && !line.empty()) answer.names.emplace_back(line);
    return answer;
  }
  FileAnswer read_link(std::string_view path) override {
    return {AnswerState::given, piece_for(path)};
  }
  CommandAnswer run_command(const std::vector<std::string>& argv,
                            std::chrono::milliseconds) override {
    const std::string& text = piece_for(joined(argv, " "));
    return {CommandState::exited, static_cast<int>(text.size() % 2), text, text};
  }
  std::optional<std::string> environment(const std::string& name) override {
    return piece_for(name);
  }
  std::optional<FileSystemAnswer> file_system(std::string_view path) override {
    const std::size_t size = piece_for(path).size();
    return FileSystemAnswer{.total_bytes = size, .available_bytes = ~std::uint64_t{size}};
  }
  FileAnswer nvml_json() override { return {AnswerState::given, piece_for("nvml.json")}; }
  ProcessorTrial processor_trial() override { return {}; }
  std::string store_folder() override { return "/" + piece_for("store").substr(0, 64); }

 private:
  const std::string& piece_for(std::string_view question) const {
    return pieces_[std::hash<std::string_view>{}(question) % pieces_.size()];
  }

  std::vector<std::string> pieces_;
};

void require(bool law) {
  if (!law) std::abort();
}

}  // namespace
}  // namespace premise

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace premise;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  AnyMachine machine(input);
  for (const Finding& finding : examine(machine).findings) {
    require(!finding.why.en.empty() && !finding.why.zh.empty());
    require(finding.fix.en.empty() == finding.fix.zh.empty());
  }
  if (const auto measured = measured_from_json(input); measured.ok()) judge(*measured);
  Redactor redact({.host_name = "somehost", .user_name = "somebody", .home = "/home/somebody"});
  require(redact(input).size() <= 40 * input.size());  // a stand-in is at most a UUID
  return 0;
}
