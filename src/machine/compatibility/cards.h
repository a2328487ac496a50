// What GPU models are made of, from their data sheets (cards.json): for what NVML does not say (the
// power supply that goes with a desktop card, the speed of NVLink, memory speed under an old
// driver) and for planning a machine that is not there yet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "machine/compatibility/version.h"

namespace premise {

struct Card {
  std::string slug;  // "rtx3060": what people type
  std::string name;  // as in NVML's name: "GeForce RTX 3060"
  Version capability;
  double memory_gib = 0;
  double bandwidth_bytes_per_second = 0;
  double board_watts = 0;
  std::optional<double> supply_watts;  // of the whole machine; nothing for servers' cards
  double nvlink_bytes_per_second = 0;  // both directions together; 0: no NVLink
  std::string source;
};

struct Cards {
  std::string date;
  std::vector<std::pair<std::string, std::string>> sources;
  std::vector<Card> cards;
};

const Cards& builtin_cards();
Result<Cards> parse_cards(std::string_view json);

/// The model that NVML calls "NVIDIA GeForce RTX 3060"; nothing for one that is not listed, and for
/// laptop variants, which share little but the name.
const Card* find_card(const Cards& cards, std::string_view nvml_name);

/// By what people type: "rtx3060", "RTX 3060", "A100-80".
const Card* find_card_by_slug(const Cards& cards, std::string_view typed);

}  // namespace premise
