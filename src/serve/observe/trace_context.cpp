#include "serve/observe/trace_context.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <random>

namespace premise {
namespace {

constexpr std::size_t trace_digits = 32, span_digits = 16;

bool is_id(std::string_view text, std::size_t digits) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == digits && std::ranges::all_of(text, is_hex) &&
         text.find_first_not_of('0') != std::string_view::npos;
}

/// Never all zero, which the standard reserves.
std::string random_hex(std::size_t digits) {
  std::array<unsigned char, trace_digits / 2> bytes{};
  std::string out;
  do {
    if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
      std::random_device device;  // an interrupted call; ids are no secrets
      for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(device());
    }
    out.clear();
    for (std::size_t i = 0; i < digits / 2; ++i) out += fmt::format("{:02x}", bytes[i]);
  } while (!is_id(out, digits));
  return out;
}

/// Version 00 has exactly these fields; a later one may add more behind a dash.
std::optional<TraceContext> parse(std::string_view text) {
  constexpr std::size_t length = 55;  // 2-32-16-2 and three dashes
  if (text.size() < length || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return std::nullopt;
  const auto is_byte = [](std::string_view digits) { return is_id("1" + std::string(digits), 3); };
  const std::string_view version = text.substr(0, 2), flags = text.substr(53, 2);
  if (!is_byte(version) || version == "ff" || !is_byte(flags)) return std::nullopt;
  if (text.size() > length && (version == "00" || text[length] != '-')) return std::nullopt;
  TraceContext context{std::string(text.substr(3, trace_digits)),
                       std::string(text.substr(36, span_digits)), "", false};
  if (!is_id(context.trace_id, trace_digits) || !is_id(context.parent_id, span_digits))
    return std::nullopt;
  const char last = flags[1];
  context.sampled = ((last <= '9' ? last - '0' : last - 'a' + 10) & 1) != 0;
  return context;
}

}  // namespace

std::string TraceContext::header() const {
  return fmt::format("00-{}-{}-{:02x}", trace_id, span_id, sampled ? 1 : 0);
}

TraceContext trace_of(std::optional<std::string_view> traceparent) {
  std::optional<TraceContext> context = traceparent ? parse(*traceparent) : std::nullopt;
  if (!context) context = TraceContext{random_hex(trace_digits), "", "", false};
  context->span_id = random_hex(span_digits);
  return *std::move(context);
}

std::string random_hex_id() { return random_hex(trace_digits); }

}  // namespace premise
