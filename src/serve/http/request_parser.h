// Requests out of a connection's bytes, whatever pieces they come in: a state machine without
// sockets, threads or time, which a fuzzer can drive.
//
// Written here and not taken from Boost.Beast, which DESIGN.md allows: Beast joins folded lines,
// reports most refusals as one kind of error where a client needs 414, 431, 501 or 505, keeps each
// message in templates that cost seconds of compile time in every file that touches one, and leaves
// targets, Host and chunk extensions to its caller anyway. What is left is small enough to be read.
// Sources: RFC 9110, RFC 9112; the smuggling cases of RFC 9112, sections 6 and 11.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "serve/http/limits.h"
#include "serve/http/line_reader.h"
#include "serve/http/message.h"
#include "serve/http/request_head.h"

namespace premise {

class RequestParser {
 public:
  enum class Stage {
    head,      // waiting for the end of the head
    body,      // the head is known, the body is not complete
    complete,  // take() gives the request
    refused,   // refusal() says why; nothing after this can be trusted
  };

  /// Borrows the limits.
  explicit RequestParser(const HttpLimits& limits) : limits_(limits) {}

  /// Takes bytes off the front of `bytes`; returns at every change of stage with the rest untaken,
  /// so that the caller may look at a head before its body is fed.
  void feed(std::string_view& bytes);

  Stage stage() const { return stage_; }
  /// True before the first byte of a request.
  bool at_start() const;
  /// From Stage::body on, the head (the body grows); fields may be added by the caller.
  HttpRequest& request() { return request_; }
  const HttpFraming& framing() const { return framing_; }
  const HttpRefusal& refusal() const { return *refusal_; }

  /// The complete request; the parser is then at the start of the next one.
  HttpRequest take();

 private:
  enum class ChunkPart { size, data, data_end, trailer };

  void feed_head(std::string_view& bytes);
  void feed_length(std::string_view& bytes);
  void feed_chunked(std::string_view& bytes);
  void take_head_line();
  void take_chunk_size();
  void take_trailer();
  /// Reads a line of the head or of the framing; true when one is complete.
  bool read_line(std::string_view& bytes, std::size_t limit, int status_when_long);
  void refuse(std::optional<HttpRefusal> refusal);

  const HttpLimits& limits_;
  Stage stage_ = Stage::head;
  HttpRequest request_;
  HttpFraming framing_;
  std::optional<HttpRefusal> refusal_;

  LineReader lines_;
  std::size_t head_lines_ = 0;
  std::size_t empty_lines_ = 0;  // before the request line
  std::size_t head_bytes_ = 0;   // of complete lines
  std::size_t extra_bytes_ = 0;  // chunk extensions and trailers
  ChunkPart chunk_part_ = ChunkPart::size;
  std::uint64_t left_bytes_ = 0;  // of the body or of the chunk
  HttpFields trailers_;           // checked and dropped
};

}  // namespace premise
