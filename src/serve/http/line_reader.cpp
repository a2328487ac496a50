#include "serve/http/line_reader.h"

namespace premise {

LineReader::Outcome LineReader::feed(std::string_view& bytes, std::size_t limit) {
  if (complete_) reset();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
    if (return_seen_ || (control && c != '\r')) {
      if (return_seen_ && c == '\n') {
        bytes.remove_prefix(i + 1);
        complete_ = true;
        return Outcome::line;
      }
      bytes.remove_prefix(i);
      return Outcome::bad_byte;
    }
    if (c == '\r') {
      return_seen_ = true;
      continue;
    }
    if (line_.size() >= limit) {
      bytes.remove_prefix(i);
      return Outcome::too_long;
    }
    line_.push_back(c);
  }
  bytes = {};
  return Outcome::more;
}

void LineReader::reset() {
  line_.clear();
  return_seen_ = false;
  complete_ = false;
}

}  // namespace premise
