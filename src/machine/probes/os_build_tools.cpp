// What it takes to build Premise or its extensions here. A server that only runs it needs none.
#include <array>

#include "machine/facts/os_release.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

struct Tool {
  const char* program;
  const char* debian;
  const char* rpm;
};

constexpr std::array tools{Tool{"g++", "build-essential", "gcc-c++"},
                           Tool{"make", "build-essential", "make"}, Tool{"cmake", "cmake", "cmake"},
                           Tool{"git", "git", "git"}};

void probe_os_build_tools(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.build_tools";
  std::vector<std::string> missing;
  std::vector<std::string> debian;
  std::vector<std::string> rpm;
  std::vector<std::string> found;
  for (const Tool& tool : tools) {
    const CommandAnswer answer = machine.run_command({tool.program, "--version"});
    if (answer) {
      const auto lines = lines_of(answer.out);
      found.emplace_back(lines.empty() ? tool.program : trimmed(lines.front()));
      continue;
    }
    missing.emplace_back(tool.program);
    if (debian.empty() || debian.back() != tool.debian) debian.emplace_back(tool.debian);
    rpm.emplace_back(tool.rpm);
  }
  if (missing.empty()) {
    const std::string all = joined(found, ", ");
    findings.push_back(ok(id, all, text({"{}", "{}"}, all)));
    return;
  }
  const std::string names = joined(missing, ", ");
  findings.push_back(info(id, names,
                          text({"not found: {}; needed to build Premise here, not to run it",
                                "未找到：{}；在本机构建 Premise 时需要，运行时不需要"},
                               names),
                          command_line(install_command(read_os_release(machine),
                                                       joined(debian, " "), joined(rpm, " ")))));
}

}  // namespace

extern const Probe os_build_tools;
const Probe os_build_tools{.name = "os_build_tools", .order = 180, .run = probe_os_build_tools};

}  // namespace premise
