#include "serve/http/request_parser.h"

#include <algorithm>
#include <cassert>

#include "serve/http/request_target.h"

namespace premise {
namespace {

constexpr std::size_t empty_lines_max = 2;  // RFC 9112, 2.2: at least one should be ignored
constexpr std::size_t chunk_line_max = 256;
constexpr std::size_t chunk_digits_max = 15;
// Beside the target, a request line holds a method, a version and two spaces.
constexpr std::size_t request_line_extra = 48;

HttpRefusal bad_framing() {
  return {400, text({"The chunked body is malformed.", "分块请求体格式错误。"})};
}

}  // namespace

bool RequestParser::at_start() const {
  return stage_ == Stage::head && head_lines_ == 0 && empty_lines_ == 0 && lines_.at_start();
}

void RequestParser::feed(std::string_view& bytes) {
  const Stage before = stage_;
  while (!bytes.empty() && stage_ == before) {
    switch (stage_) {
      case Stage::head:
        feed_head(bytes);
        break;
      case Stage::body:
        framing_.chunked ? feed_chunked(bytes) : feed_length(bytes);
        break;
      case Stage::complete:
      case Stage::refused:
        return;
    }
  }
}

HttpRequest RequestParser::take() {
  assert(stage_ == Stage::complete);
  HttpRequest request = std::move(request_);
  request_ = {};
  framing_ = {};
  stage_ = Stage::head;
  lines_.reset();
  head_lines_ = empty_lines_ = head_bytes_ = extra_bytes_ = 0;
  chunk_part_ = ChunkPart::size;
  left_bytes_ = 0;
  trailers_ = {};
  return request;
}

void RequestParser::refuse(std::optional<HttpRefusal> refusal) {
  if (!refusal) return;
  refusal_ = std::move(refusal);
  stage_ = Stage::refused;
}

bool RequestParser::read_line(std::string_view& bytes, std::size_t limit, int status_when_long) {
  switch (lines_.feed(bytes, limit)) {
    case LineReader::Outcome::more:
      return false;
    case LineReader::Outcome::line:
      return true;
    case LineReader::Outcome::bad_byte:
      refuse(HttpRefusal{400, text({"A line holds a control character or does not end in CR LF.",
                                    "某一行含有控制字符，或未以 CR LF 结尾。"})});
      return false;
    case LineReader::Outcome::too_long:
      if (status_when_long == 400) {
        refuse(bad_framing());
      } else {
        refuse(HttpRefusal{status_when_long, text({"The request's head is over its limit of bytes.",
                                                   "请求头超过字节数上限。"})});
      }
      return false;
  }
  return false;
}

void RequestParser::feed_head(std::string_view& bytes) {
  const std::size_t room = limits_.header_bytes - std::min(limits_.header_bytes, head_bytes_);
  const std::size_t first_line = limits_.target_bytes + request_line_extra;
  const bool in_first = head_lines_ == 0;
  const bool too_long_is_414 = in_first && first_line <= room;
  if (!read_line(bytes, in_first ? std::min(room, first_line) : room,
                 too_long_is_414 ? 414 : 431)) {
    return;
  }
  head_bytes_ += lines_.line().size() + 2;
  take_head_line();
}

void RequestParser::take_head_line() {
  const std::string_view line = lines_.line();
  if (head_lines_ == 0) {
    if (line.empty()) {
      if (++empty_lines_ > empty_lines_max) {
        refuse(HttpRefusal{400, text({"The request line is malformed.", "请求行格式错误。"})});
      }
      return;
    }
    ++head_lines_;
    return refuse(parse_request_line(line, limits_, request_));
  }
  ++head_lines_;
  if (!line.empty()) return refuse(parse_field_line(line, limits_, request_.headers));

  refuse(conclude_head(limits_, request_, framing_));
  if (stage_ == Stage::refused) return;
  left_bytes_ = framing_.content_length;
  stage_ = framing_.chunked || left_bytes_ > 0 ? Stage::body : Stage::complete;
}

void RequestParser::feed_length(std::string_view& bytes) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, bytes.size()));
  request_.body.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  left_bytes_ -= taken;
  if (left_bytes_ == 0) stage_ = Stage::complete;
}

void RequestParser::feed_chunked(std::string_view& bytes) {
  switch (chunk_part_) {
    case ChunkPart::size:
      if (read_line(bytes, chunk_line_max, 400)) take_chunk_size();
      return;
    case ChunkPart::data: {
      const auto taken =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_bytes_, bytes.size()));
      request_.body.append(bytes.substr(0, taken));
      bytes.remove_prefix(taken);
      left_bytes_ -= taken;
      if (left_bytes_ == 0) chunk_part_ = ChunkPart::data_end;
      return;
    }
    case ChunkPart::data_end:
      if (read_line(bytes, 0, 400)) chunk_part_ = ChunkPart::size;
      return;
    case ChunkPart::trailer:
      if (read_line(bytes, limits_.header_bytes - std::min(limits_.header_bytes, extra_bytes_),
                    431)) {
        take_trailer();
      }
      return;
  }
}

void RequestParser::take_chunk_size() {
  std::string_view line = lines_.line();
  std::uint64_t size = 0;
  std::size_t digits = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (digits == chunk_digits_max) return refuse(bad_framing());
    size = size * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
    ++digits;
  }
  line.remove_prefix(digits);
  const auto extension = line.find_first_not_of(" \t");
  const bool clean =
      line.empty() || (extension != std::string_view::npos && line[extension] == ';');
  // Extensions mean nothing here; many of them would be a body of another name.
  extra_bytes_ += line.size();
  if (digits == 0 || !clean || extra_bytes_ > limits_.header_bytes) return refuse(bad_framing());
  if (size > limits_.body_bytes - request_.body.size()) {
    return refuse(HttpRefusal{
        413, text({"The body is over the limit of {} bytes.", "请求体超过 {} 字节的上限。"},
                  limits_.body_bytes)});
  }
  left_bytes_ = size;
  chunk_part_ = size == 0 ? ChunkPart::trailer : ChunkPart::data;
}

void RequestParser::take_trailer() {
  const std::string_view line = lines_.line();
  extra_bytes_ += line.size() + 2;
  if (line.empty()) {
    stage_ = Stage::complete;
    return;
  }
  refuse(parse_field_line(line, limits_, trailers_));
}

}  // namespace premise
