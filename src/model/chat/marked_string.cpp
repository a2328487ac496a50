#include "model/chat/marked_string.h"

namespace premise {

bool MarkedString::trusted_at(std::size_t offset) const {
  const auto flip = std::upper_bound(flips_.begin(), flips_.end(), offset);
  return first_ != ((flip - flips_.begin()) % 2 == 1);
}

void MarkedString::append(std::string_view bytes, bool trusted) {
  if (bytes.empty()) return;
  if (bytes_.empty()) {
    first_ = trusted;
  } else if (const bool last = first_ != (flips_.size() % 2 == 1); last != trusted) {
    flips_.push_back(bytes_.size());
  }
  bytes_.append(bytes);
}

void MarkedString::append(const MarkedString& other, std::size_t begin, std::size_t end) {
  other.visit_runs(begin, end,
                   [this](std::string_view bytes, bool trusted) { append(bytes, trusted); });
}

MarkedString MarkedString::part(std::size_t begin, std::size_t end) const {
  MarkedString out;
  out.append(*this, begin, end);
  return out;
}

}  // namespace premise
