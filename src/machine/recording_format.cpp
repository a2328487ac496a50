#include "machine/recording_format.h"

#include <array>
#include <cassert>
#include <filesystem>
#include <utility>

namespace premise {
namespace {

using Amx = ProcessorTrial::Amx;

constexpr std::array command_states{
    std::pair{CommandState::exited, std::string_view("exited")},
    std::pair{CommandState::not_found, std::string_view("not_found")},
    std::pair{CommandState::timed_out, std::string_view("timed_out")}};

constexpr std::array amx_states{std::pair{Amx::absent, std::string_view("absent")},
                                std::pair{Amx::refused, std::string_view("refused")},
                                std::pair{Amx::faulted, std::string_view("faulted")},
                                std::pair{Amx::works, std::string_view("works")}};

template <typename Table, typename State>
std::string_view find_name(const Table& table, State state) {
  for (const auto& [known, name] : table)
    if (known == state) return name;
  assert(false);
  return {};
}

template <typename State, typename Table>
std::optional<State> find_state(const Table& table, std::string_view name) {
  for (const auto& [state, known] : table)
    if (known == name) return state;
  return std::nullopt;
}

}  // namespace

std::string_view name_of(CommandState state) { return find_name(command_states, state); }
std::string_view name_of(Amx state) { return find_name(amx_states, state); }

std::optional<CommandState> command_state_from_name(std::string_view name) {
  return find_state<CommandState>(command_states, name);
}

std::optional<Amx> amx_from_name(std::string_view name) {
  return find_state<Amx>(amx_states, name);
}

std::optional<std::string> recorded_path(std::string_view top, std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return std::nullopt;
  const std::filesystem::path below = std::filesystem::path(path).relative_path();
  for (const std::filesystem::path& part : below)
    if (part == "..") return std::nullopt;
  return (std::filesystem::path(top) / below.lexically_normal()).string();
}

}  // namespace premise
