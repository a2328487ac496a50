// Shared libraries that are wanted and missing, as the loader itself sees it: ldd(1) over this
// program and over what it opens at run time. Without this a GPU that is there is silently not
// used, because a library below libpremise_cuda.so did not load.
#include <algorithm>
#include <array>

#include "base/printable.h"
#include "machine/facts/os_release.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

struct Package {
  std::string_view library;  // its name up to the version
  std::string_view debian;
  std::string_view rpm;
};

constexpr std::array packages{
    Package{"libcurl.so", "libcurl4", "libcurl"},
    Package{"libsqlite3.so", "libsqlite3-0", "sqlite-libs"},
    Package{"libzip.so", "libzip4", "libzip"},
    Package{"libfmt.so", "libfmt9", "fmt"},
    Package{"libspdlog.so", "libspdlog1.10", "spdlog"},
    Package{"libsimdjson.so", "libsimdjson14", "simdjson"},
    Package{"libutf8proc.so", "libutf8proc2", "utf8proc"},
    Package{"libcrypto.so", "libssl3", "openssl-libs"},
    Package{"libssl.so", "libssl3", "openssl-libs"},
    Package{"libgomp.so", "libgomp1", "libgomp"},
    Package{"libstdc++.so", "libstdc++6", "libstdc++"},
    Package{"libnuma.so", "libnuma1", "numactl-libs"},
    Package{"libibverbs.so", "libibverbs1", "libibverbs"},
    Package{"librdmacm.so", "librdmacm1", "librdmacm"},
};

/// Names before "=> not found" in the output of ldd.
void add_missing(const CommandAnswer& answer, std::vector<std::string>& missing) {
  for (const std::string_view line : lines_of(answer.out)) {
    const std::size_t arrow = line.find("=> not found");
    if (arrow == std::string_view::npos) continue;
    std::string name = printable(trimmed(line.substr(0, arrow)));
    if (std::find(missing.begin(), missing.end(), name) == missing.end())
      missing.push_back(std::move(name));
  }
}

Text how_to_install(MachineSource& machine, const std::vector<std::string>& missing) {
  std::vector<std::string> debian;
  std::vector<std::string> rpm;
  std::vector<std::string> unknown;
  for (const std::string& library : missing) {
    const auto package = std::find_if(
        packages.begin(), packages.end(),
        [&](const Package& candidate) { return library.starts_with(candidate.library); });
    if (package == packages.end()) {
      unknown.push_back(library);
    } else {
      debian.emplace_back(package->debian);
      rpm.emplace_back(package->rpm);
    }
  }
  const OsRelease os = read_os_release(machine);
  std::vector<std::string> commands;
  if (!debian.empty())
    commands.push_back(install_command(os, joined(debian, " "), joined(rpm, " ")));
  for (const std::string& library : unknown) {
    commands.push_back(os.installer() == "apt" ? "apt-file search " + library
                                               : "dnf provides '*/" + library + "'");
  }
  return command_line(joined(commands, "; "));
}

void probe_os_libraries(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.libraries";
  const FileAnswer program = machine.read_link("/proc/self/exe");
  if (!program) {
    findings.push_back(
        info(id, {}, text({"/proc/self/exe cannot be read", "无法读取 /proc/self/exe"})));
    return;
  }
  const std::string folder = program.text.substr(0, program.text.rfind('/') + 1);
  std::vector<std::string> missing;
  bool answered = false;
  for (const std::string& file : {program.text, folder + "libpremise_cuda.so"}) {
    if (file != program.text && machine.read_file(file, 1).state == AnswerState::missing) continue;
    const CommandAnswer answer = machine.run_command({"ldd", file});
    answered = answered || answer.state == CommandState::exited;
    add_missing(answer, missing);
  }
  if (!missing.empty()) {
    const std::string names = joined(missing, ", ");
    findings.push_back(failure(id, names,
                               text({"shared libraries are missing: {}", "缺少共享库：{}"}, names),
                               how_to_install(machine, missing)));
  } else if (answered) {
    findings.push_back(ok(id, std::string(), text({"no shared library is missing", "共享库齐全"})));
  } else {
    findings.push_back(info(id, {},
                            text({"ldd does not answer: missing shared libraries cannot be "
                                  "found",
                                  "ldd 没有应答：无法查找缺失的共享库"})));
  }
}

}  // namespace

extern const Probe os_libraries;
const Probe os_libraries{.name = "os_libraries", .order = 190, .run = probe_os_libraries};

}  // namespace premise
