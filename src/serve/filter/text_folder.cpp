#include "serve/filter/text_folder.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace premise {
namespace {

constexpr char32_t replacement = 0xFFFD;

/// Bytes of the character that a lead byte promises; 0: no lead byte.
std::size_t promised_bytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

struct DecodedCharacter {
  char32_t code = replacement;
  std::size_t bytes = 1;  // 0: more bytes are needed to tell
};

DecodedCharacter decode_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t promised = promised_bytes(lead);
  if (promised == 0) return {};
  if (bytes.size() >= promised) {
    utf8proc_int32_t code = 0;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                                       static_cast<utf8proc_ssize_t>(promised), &code);
    if (used != static_cast<utf8proc_ssize_t>(promised)) return {};
    return {static_cast<char32_t>(code), promised};
  }
  for (const char byte : bytes.substr(1))
    if ((static_cast<unsigned char>(byte) & 0xC0) != 0x80) return {};
  return {replacement, 0};
}

}  // namespace

void TextFolder::feed(std::string_view piece, std::vector<FoldedItem>& out) {
  out_ = &out;
  while (!piece.empty()) {
    if (partial_bytes_ == 0) {
      const DecodedCharacter decoded = decode_character(piece);
      if (decoded.bytes != 0) {
        take_character(decoded.code, decoded.bytes);
        piece.remove_prefix(decoded.bytes);
        continue;
      }
    }
    // A character cut by the piece: it grows byte by byte until it is whole or wrong.
    partial_[partial_bytes_++] = piece.front();
    piece.remove_prefix(1);
    while (partial_bytes_ > 0) {
      const DecodedCharacter decoded = decode_character({partial_, partial_bytes_});
      if (decoded.bytes == 0) break;
      take_character(decoded.code, decoded.bytes);
      partial_bytes_ -= decoded.bytes;
      std::memmove(partial_, partial_ + decoded.bytes, partial_bytes_);
    }
  }
  out_ = nullptr;
}

void TextFolder::finish(std::vector<FoldedItem>& out) {
  out_ = &out;
  for (; partial_bytes_ > 0; --partial_bytes_) take_character(replacement, 1);
  close_cluster();
  emit_separators();
  out_ = nullptr;
}

bool TextFolder::border_follows() const {
  if (!marks_.empty()) return false;
  return !separators_.empty() || (last_class_ & code_letter) == 0 || (last_class_ & code_han) != 0;
}

void TextFolder::take_character(char32_t code, std::size_t bytes) {
  FoldedItem item{0, false, read_, read_ + bytes};
  read_ += bytes;
  source_used_ = false;
  const FoldedCodes folded = fold_code(code);
  for (std::size_t i = 0; i < folded.count; ++i) {
    item.code = folded.codes[i];
    const std::uint16_t found = class_of(item.code);
    if ((found & code_mark) != 0) {
      take_mark(item);
      continue;
    }
    close_cluster();
    base_ = item.code;
    if ((found & code_separator) != 0)
      take_separator(item, found);
    else
      take_other(item, found);
  }
}

void TextFolder::take_mark(FoldedItem item) {
  if (marks_.size() == marks_max || !mark_counts(base_, item.code)) return;
  if (std::ranges::find(marks_, item.code, &FoldedItem::code) != marks_.end()) return;
  const auto order = [](const FoldedItem& mark) { return combining_class(mark.code); };
  marks_.insert(std::ranges::upper_bound(marks_, order(item), {}, order), item);
}

void TextFolder::close_cluster() {
  for (const FoldedItem& mark : marks_) emit(mark);
  marks_.clear();
}

void TextFolder::take_separator(FoldedItem item, std::uint16_t found) {
  ++separator_count_;
  const bool white = (found & code_white) != 0;
  if (white && item.code == '\n') ++line_breaks_;
  white_run_ = white ? white_run_ + 1 : 0;
  const bool joined = white && white_run_ % white_run_max != 1;
  item.code = white ? U' ' : item.code;
  if (!joined) {
    item.border = !std::exchange(source_used_, true);
    separators_.push_back(item);
  }
  if (before_ == 0 || separator_count_ > separators_max || line_breaks_ > 1) emit_separators();
}

void TextFolder::emit_separators() {
  for (const FoldedItem& item : separators_) emit(item);
  if (!separators_.empty()) last_class_ = code_separator;
  separators_.clear();
  before_ = 0;
}

void TextFolder::take_other(FoldedItem item, std::uint16_t found) {
  const bool letter = (found & code_letter) != 0;
  if (before_ != 0 && letter && ((before_ | found) & code_han) != 0)
    separators_.clear();
  else
    emit_separators();
  const std::uint16_t both = last_class_ & found;
  const bool inside_syllable = (found & code_jamo_inner) != 0 && (last_class_ & code_jamo) != 0;
  item.border =
      !std::exchange(source_used_, true) && (both & code_bordered) == 0 && !inside_syllable;
  emit(item);
  last_class_ = found;
  before_ = letter ? found : std::uint16_t{0};
  separator_count_ = line_breaks_ = white_run_ = 0;
}

void TextFolder::emit(FoldedItem item) {
  item.end = last_end_ = std::max(last_end_, item.end);
  out_->push_back(item);
}

}  // namespace premise
