// The words of a recording (its layout stands in source.h), for those who write and who read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "machine/source.h"

namespace premise {

inline constexpr int recording_format = 1;

std::string_view name_of(CommandState state);         // "exited"
std::string_view name_of(ProcessorTrial::Amx state);  // "works"
std::optional<CommandState> command_state_from_name(std::string_view name);
std::optional<ProcessorTrial::Amx> amx_from_name(std::string_view name);

/// Where a path of the machine lies in the folder: "root" and "/proc/meminfo" give
/// "root/proc/meminfo". Nothing for a path that is not absolute or climbs ("..").
std::optional<std::string> recorded_path(std::string_view top, std::string_view path);

/// The name of the file that lists a folder's entries.
inline constexpr std::string_view entries_file = ".entries";

}  // namespace premise
