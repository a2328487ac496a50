#include "serve/filter/stream_filter.h"

#include "serve/endpoint/endpoint.h"

#include <algorithm>

namespace premise {

std::string StreamFilter::feed(std::string_view piece) {
  if (stopped_) return {};
  stream_.feed(piece);
  held_ += piece;
  return release();
}

std::string StreamFilter::finish() {
  if (stopped_) return {};
  stream_.finish();
  return release();
}

std::string StreamFilter::release() {
  const std::vector<ByteRange> found = stream_.take_matches();
  matches_ += found.size();
  std::string out;
  switch (action_) {
    case FilterAction::log:
      give(given_bytes_ + held_.size(), false, out);
      break;
    case FilterAction::mask:
      for (const ByteRange& word : found) {
        give(word.begin, false, out);
        give(word.end, true, out);
      }
      give(stream_.settled_bytes(), false, out);
      break;
    case FilterAction::reject:
      stopped_ = !found.empty() || stream_.word_follows();
      if (stopped_) matches_ = 1;
      give(found.empty() ? stream_.settled_bytes() : found.front().begin, false, out);
      if (stopped_) held_.clear();
      break;
  }
  return out;
}

void StreamFilter::give(std::size_t until, bool hide, std::string& out) {
  const std::size_t bytes = std::min(until - given_bytes_, held_.size());
  const std::string_view text = std::string_view(held_).substr(0, bytes);
  if (hide) {
    const std::string mask = mask_of(text);
    hidden_.push_back({characters_out_, characters_out_ + mask.size()});
    characters_out_ += mask.size();
    out += mask;
  } else {
    characters_out_ += text_characters(text);
    out += text;
  }
  held_.erase(0, bytes);
  given_bytes_ += bytes;
}

bool StreamFilter::hides(std::size_t begin, std::size_t end) const {
  const auto first = std::ranges::upper_bound(hidden_, begin, {}, &Hidden::end);
  return first != hidden_.end() && first->begin < end;
}

}  // namespace premise
