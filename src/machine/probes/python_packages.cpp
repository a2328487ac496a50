// The Python environment: which one, packages that their makers withdrew, and the conflicts that
// `pip check` finds. A withdrawn package is the quiet kind of trouble: it installs and does
// nothing, or pulls an old release that no longer fits anything.
#include "machine/compatibility/matrix.h"
#include "machine/facts/python_site.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::chrono::milliseconds pip_time_limit{4000};

Finding interpreter(const PythonSite& site) {
  constexpr const char* id = "python.interpreter";
  if (site.state == CommandState::not_found) {
    return info(
        id, {},
        text({"python3 not found; Premise does not need it", "未找到 python3；Premise 不需要它"}));
  }
  if (site.version.empty()) {
    return warning(id, {}, text({"python3 is there and does not answer", "python3 存在但没有响应"}),
                   command_line("python3 --version"));
  }
  return ok(id, site.version,
            text({"Python {} with {} packages", "Python {}，共 {} 个软件包"}, site.version,
                 site.packages.size()));
}

Finding withdrawn(const PythonSite& site) {
  constexpr const char* id = "python.withdrawn";
  for (const WithdrawnPackage& row : builtin_matrix().withdrawn) {
    const PythonPackage* package = site.find(row.package);
    if (!package) continue;
    return warning(
        id, row.package,
        text({"{} {} is a withdrawn package; its successor is {}",
              "{} {} 是已撤回的软件包，应改用 {}"},
             row.package, package->version, row.replacement),
        command_line(fmt::format("python3 -m pip uninstall -y {} && python3 -m pip install '{}'",
                                 row.package, row.replacement)));
  }
  return ok(id, std::string(), text({"no withdrawn package", "没有已撤回的软件包"}));
}

// "torchvision 0.15.2 requires torch==2.0.1, but you have torch 2.1.0."
std::vector<std::string> conflicts_of(const CommandAnswer& answer) {
  std::vector<std::string> conflicts;
  for (const std::string_view line : lines_of(answer.out)) {
    if (line.find(" requires ") != std::string_view::npos ||
        line.find(" has requirement ") != std::string_view::npos) {
      conflicts.emplace_back(trimmed(line).substr(0, 200));
    }
  }
  return conflicts;
}

Finding pip_check(MachineSource& machine) {
  constexpr const char* id = "python.pip_check";
  const CommandAnswer answer =
      machine.run_command({"python3", "-m", "pip", "check"}, pip_time_limit);
  if (answer.state == CommandState::timed_out) {
    return info(id, {},
                text({"pip check did not end within {} s", "pip check 在 {} 秒内未完成"},
                     pip_time_limit.count() / 1000),
                command_line("python3 -m pip check"));
  }
  const std::vector<std::string> conflicts = conflicts_of(answer);
  if (!conflicts.empty()) {
    return warning(
        id, static_cast<std::int64_t>(conflicts.size()),
        text({"pip check: {} conflict(s); {}", "pip check：{} 处冲突；{}"}, conflicts.size(),
             conflicts.front()),
        text(
            {"python3 -m pip check, then install the versions that it names, better in "
             "an environment of its own: python3 -m venv DIR",
             "python3 -m pip check，然后安装其指出的版本；最好使用独立环境：python3 -m venv DIR"}));
  }
  if (!answer) {
    return info(id, {},
                text({"pip check cannot run (no pip in this Python)",
                      "无法运行 pip check（此 Python 没有 pip）"}));
  }
  return ok(id, std::int64_t{0}, text({"pip check finds no conflict", "pip check 未发现冲突"}));
}

void probe_python_packages(MachineSource& machine, Findings& findings) {
  const PythonSite site = read_python_site(machine);
  findings.push_back(interpreter(site));
  if (site.version.empty()) return;
  findings.push_back(withdrawn(site));
  findings.push_back(pip_check(machine));
}

}  // namespace

extern const Probe python_packages;
const Probe python_packages{"python_packages", 640, probe_python_packages, true};

}  // namespace premise
