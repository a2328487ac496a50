#include "serve/filter/match_stream.h"

#include <algorithm>
#include <utility>

namespace premise {

void MatchStream::feed(std::string_view piece) {
  folder_.feed(piece, window_);
  advance();
  tell_certain();
  forget_settled();
}

void MatchStream::finish() {
  folder_.finish(window_);
  finished_ = true;  // the end of the text is a border, and nothing goes on
  advance();
  tell_certain();
}

std::vector<ByteRange> MatchStream::take_matches() { return std::exchange(matches_, {}); }

void MatchStream::advance() {
  while (next_ < window_.size()) {
    take_item();
    if (!candidate_ || (unconfirmed_ && unconfirmed_->begin <= candidate_->begin)) continue;
    const auto goes_on = [this](WordAutomaton::Node node) { return words_->goes_on(node); };
    const auto earliest = earliest_beginning(node_, next_, goes_on);
    if (!earliest || *earliest > candidate_->begin) tell_candidate();
  }
}

/// Words that need not wait for the next item.
void MatchStream::tell_certain() {
  for (;;) {
    if (unconfirmed_ && (finished_ || folder_.border_follows()))
      consider(*std::exchange(unconfirmed_, std::nullopt));
    if (!candidate_) return;
    const auto earliest = earliest_pending();
    if (earliest && *earliest <= candidate_->begin) return;
    tell_candidate();
    advance();
  }
}

void MatchStream::take_item() {
  const FoldedItem& item = window_[next_];
  if (unconfirmed_) {
    if (item.border) consider(*unconfirmed_);
    unconfirmed_.reset();
  }
  node_ = words_->step(node_, item.code);
  ++next_;
  if (const auto begin = longest_word(node_, next_)) unconfirmed_ = {*begin, next_};
}

void MatchStream::consider(ItemRange found) {
  if (!candidate_ || found.begin < candidate_->begin ||
      (found.begin == candidate_->begin && found.end > candidate_->end))
    candidate_ = found;
}

void MatchStream::tell_candidate() {
  matches_.push_back({window_[candidate_->begin].begin, window_[candidate_->end - 1].end});
  next_ = candidate_->end;  // a word may have been passed over while a longer one was hoped for
  node_ = WordAutomaton::root;
  candidate_.reset();
  unconfirmed_.reset();
}

const FoldedItem& MatchStream::item_at(std::size_t index) const {
  return index < window_.size() ? window_[index] : folder_.undecided()[index - window_.size()];
}

/// The first item of the longest beginning of a word that is read up to `at` and may go on.
template <typename GoesOn>
std::optional<std::size_t> MatchStream::earliest_beginning(WordAutomaton::Node node, std::size_t at,
                                                           GoesOn goes_on) const {
  for (; node != WordAutomaton::root; node = words_->shorter(node))
    if (const std::size_t begin = at - words_->depth(node); item_at(begin).border && goes_on(node))
      return begin;
  return std::nullopt;
}

/// The first item of the longest word that ends at `at`.
std::optional<std::size_t> MatchStream::longest_word(WordAutomaton::Node node,
                                                     std::size_t at) const {
  for (node = words_->word_at(node); node != WordAutomaton::root;
       node = words_->word_at(words_->shorter(node)))
    if (const std::size_t begin = at - words_->depth(node); item_at(begin).border) return begin;
  return std::nullopt;
}

/// The first item that may be part of a word that is not certain yet. The folder's undecided
/// separators either vanish or come; which, and what may come after them, depends on the letter
/// before and on the item after (text_folder.h). Words may also end among them.
std::optional<std::size_t> MatchStream::earliest_pending() const {
  if (finished_) return std::nullopt;
  std::optional<std::size_t> first;
  const auto include = [&first](std::optional<std::size_t> index) {
    if (index && (!first || *index < *first)) first = index;
  };
  if (unconfirmed_) include(unconfirmed_->begin);
  WordAutomaton::Node node = node_;
  if (folder_.undecided().empty()) {
    include(earliest_beginning(node, next_, [this](auto at) { return words_->goes_on(at); }));
    return first;
  }
  const bool after_han = folder_.undecided_after_han();
  include(earliest_beginning(node, next_, [&](WordAutomaton::Node at) {
    const WordAutomaton::Next next = words_->next_of(at);
    return next.han || (after_han && next.other_letter);
  }));
  std::size_t at = next_;
  for (const FoldedItem& item : folder_.undecided()) {
    node = words_->step(node, item.code);
    include(longest_word(node, ++at));
  }
  // More white space joins the last of it, makes no item, and at last makes the separators too many
  // to vanish: then any letter may come.
  const bool joins = folder_.undecided().back().code == U' ';
  include(earliest_beginning(node, at, [&](WordAutomaton::Node last) {
    const WordAutomaton::Next next = words_->next_of(last);
    return next.other || (next.other_letter && !after_han) || (joins && words_->goes_on(last));
  }));
  return first;
}

std::size_t MatchStream::settled_bytes() const {
  std::optional<std::size_t> first = earliest_pending();
  if (candidate_ && (!first || candidate_->begin < *first)) first = candidate_->begin;
  return first ? item_at(*first).begin : folder_.read_bytes();
}

void MatchStream::forget_settled() {
  constexpr std::size_t worth_moving = 1024;
  std::size_t keep = candidate_ ? std::min(next_, candidate_->begin) : next_;
  keep = std::min(keep, next_ - words_->depth(node_));
  if (keep < worth_moving || keep < window_.size() / 2) return;
  window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(keep));
  next_ -= keep;
  if (candidate_) candidate_ = {candidate_->begin - keep, candidate_->end - keep};
  if (unconfirmed_) unconfirmed_ = {unconfirmed_->begin - keep, unconfirmed_->end - keep};
}

}  // namespace premise
