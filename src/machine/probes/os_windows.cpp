// Windows below, through the Windows Subsystem for Linux: its version and edition, and the settings
// of WSL that hold back a model server. Memory and systemd are judged by their effect inside, since
// .wslconfig lies in a Windows user's folder whose name is nobody's business.
#include "base/units.h"
#include "machine/facts/memory_table.h"
#include "machine/facts/virtualization.h"
#include "machine/facts/words.h"
#include "machine/probe.h"

namespace premise {
namespace {

constexpr std::int64_t first_build_of_windows_11 = 22000;
constexpr std::int64_t first_build_with_wsl_gpus = 19044;  // Windows 10 21H2

/// The data of one registry value, asked through Windows interoperability.
std::string registry_value(MachineSource& machine, const std::string& name) {
  const CommandAnswer answer = machine.run_command(
      {"reg.exe", "query", R"(HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion)", "/v", name});
  //     EditionID    REG_SZ    Professional
  for (const std::string_view line : lines_of(answer.out)) {
    const auto words = words_of(line);
    if (words.size() == 3 && words[0] == name) return std::string(words[2]);
  }
  return {};
}

Finding windows(MachineSource& machine) {
  constexpr const char* id = "os.windows";
  const std::string edition = registry_value(machine, "EditionID");
  const std::int64_t build =
      whole_number(registry_value(machine, "CurrentBuildNumber")).value_or(0);
  if (edition.empty() || build <= 0) {
    return info(
        id, {},
        text({"Windows does not say its edition: programs of Windows cannot be started "
              "from here",
              "无法得知 Windows 版本：此处不能启动 Windows 程序"}),
        text({"in /etc/wsl.conf: [interop] enabled=true, then wsl.exe --shutdown",
              "在 /etc/wsl.conf 中设置 [interop] enabled=true，然后执行 wsl.exe --shutdown"}));
  }
  const std::string name = fmt::format(
      "Windows {} {} ({})", build >= first_build_of_windows_11 ? 11 : 10, edition, build);
  if (build < first_build_with_wsl_gpus) {
    return warning(id, name,
                   text({"{}: GPUs reach WSL2 from Windows 10 21H2 (19044) on",
                         "{}：自 Windows 10 21H2（19044）起 WSL2 才能使用 GPU"},
                        name),
                   text({"update Windows, then: wsl.exe --update",
                         "更新 Windows，然后执行：wsl.exe --update"}));
  }
  if (contains_word(edition, "core")) {  // Core, CoreN, CoreSingleLanguage: what is sold as Home
    return info(id, name,
                text({"{}: the Home edition; WSL2 works, for a service Pro is recommended",
                      "{}：家庭版；WSL2 可用，但生产服务建议使用专业版"},
                     name));
  }
  return ok(id, name, text({"{}", "{}"}, name));
}

Finding memory(MachineSource& machine) {
  constexpr const char* id = "os.wsl_memory";
  const MemoryTable table = read_memory_table(machine);
  const auto total = table.find("MemTotal");
  if (total == table.end()) {
    return info(id, {}, text({"/proc/meminfo does not say", "/proc/meminfo 未给出"}));
  }
  const std::string bytes = format_bytes(total->second);
  const auto value = static_cast<std::int64_t>(total->second);
  if (total->second < 30'000'000'000) {
    return warning(
        id, value,
        text({"WSL2 gives Linux {}; unless told otherwise that is half of the machine's memory",
              "WSL2 分给 Linux {} 内存；默认仅为整机内存的一半"},
             bytes),
        text({R"(in %UserProfile%\.wslconfig: [wsl2] memory=48GB (what Windows can spare), then )"
              "wsl.exe --shutdown",
              R"(在 %UserProfile%\.wslconfig 中设置 [wsl2] memory=48GB（按 Windows 可让出的量），)"
              "然后执行 wsl.exe --shutdown"}));
  }
  return ok(id, value, text({"WSL2 gives Linux {}", "WSL2 分给 Linux {} 内存"}, bytes));
}

Finding systemd(MachineSource& machine) {
  constexpr const char* id = "os.wsl_systemd";
  if (read_line(machine, "/proc/1/comm") == "systemd") {
    return ok(id, true,
              text({"systemd runs: Premise can be a service",
                    "systemd 正在运行：Premise 可作为服务安装"}));
  }
  return warning(id, false,
                 text({"systemd does not run, so that no service starts by itself",
                       "systemd 未运行，服务无法自动启动"}),
                 command_line(R"(printf '[boot]\nsystemd=true\n' | sudo tee -a /etc/wsl.conf && )"
                              "wsl.exe --shutdown"));
}

void probe_os_windows(MachineSource& machine, Findings& findings) {
  constexpr const char* id = "os.wsl";
  const int version = wsl_version(machine);
  if (version == 0) {
    findings.push_back(info(id, false, text({"not under Windows", "不在 Windows 之下"})));
    return;
  }
  if (version == 1) {
    findings.push_back(
        failure(id, std::int64_t{1},
                text({"WSL 1 translates system calls: no GPU, slow files, no huge pages",
                      "WSL 1 只是转换系统调用：没有 GPU、文件慢、没有大页"}),
                command_line("wsl.exe --set-version \"$WSL_DISTRO_NAME\" 2")));
  } else {
    findings.push_back(ok(id, std::int64_t{2}, text({"WSL2 on Windows", "Windows 上的 WSL2"})));
  }
  findings.push_back(windows(machine));
  findings.push_back(memory(machine));
  findings.push_back(systemd(machine));
}

}  // namespace

extern const Probe os_windows;
const Probe os_windows{.name = "os_windows", .order = 130, .run = probe_os_windows};

}  // namespace premise
