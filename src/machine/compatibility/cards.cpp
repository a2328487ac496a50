#include "machine/compatibility/cards.h"

#include <algorithm>
#include <cassert>
#include <cctype>

#include "machine/compatibility/embedded.h"
#include "machine/compatibility/rows.h"

namespace premise {
namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// "A10" stands in "NVIDIA A10" and in "NVIDIA A10-24Q", not in "NVIDIA A100".
bool names(std::string_view text, std::string_view model) {
  for (std::size_t at = text.find(model); at != std::string_view::npos;
       at = text.find(model, at + 1)) {
    const std::size_t end = at + model.size();
    const bool begins = at == 0 || !is_word(text[at - 1]);
    if (begins && (end == text.size() || !is_word(text[end]))) return true;
  }
  return false;
}

std::string letters_of(std::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (is_word(c)) {
      letters.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    }
  }
  return letters;
}

}  // namespace

Result<Cards> parse_cards(std::string_view json) {
  PREMISE_TRY(DataFile file, parse_data_file("cards.json", json));
  RowReader row("cards.json", file.document);
  Cards cards{file.date, std::move(file.sources), {}};
  row.for_each("cards", [&] {
    Card card;
    card.slug = row.text("slug");
    card.name = row.text("name");
    card.capability = row.version("capability");
    card.memory_gib = row.number("memory_gib");
    card.bandwidth_bytes_per_second = row.number("bandwidth_gb") * 1e9;
    card.board_watts = row.number("board_watts");
    if (row.has("supply_watts")) card.supply_watts = row.number("supply_watts");
    card.nvlink_bytes_per_second = row.number("nvlink_gb") * 1e9;
    card.source = row.text("source");
    cards.cards.push_back(std::move(card));
  });
  PREMISE_CHECK(row.status());
  return cards;
}

const Cards& builtin_cards() {
  static const Cards cards = [] {
    Result<Cards> parsed = parse_cards(embedded_cards());
    assert(parsed.ok());  // a test reads the very same text
    return parsed.ok() ? *std::move(parsed) : Cards{};
  }();
  return cards;
}

const Card* find_card(const Cards& cards, std::string_view nvml_name) {
  if (names(nvml_name, "Laptop") || names(nvml_name, "Max-Q")) return nullptr;
  const Card* longest = nullptr;
  for (const Card& card : cards.cards) {
    if (!names(nvml_name, card.name)) continue;
    if (!longest || card.name.size() > longest->name.size()) longest = &card;
  }
  return longest;
}

const Card* find_card_by_slug(const Cards& cards, std::string_view typed) {
  const std::string wanted = letters_of(typed);
  const auto found = std::ranges::find_if(
      cards.cards, [&](const Card& card) { return letters_of(card.slug) == wanted; });
  return found == cards.cards.end() ? nullptr : &*found;
}

}  // namespace premise
