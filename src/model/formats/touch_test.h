// Reads what an opened model claims to have: every metadata value, and the first and last byte of
// every tensor. For tests and fuzzers of readers, whose promise is that all of it is there.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "model/formats/tensor_source.h"

namespace premise {

/// A number that depends on all bytes read, so that no compiler drops the reads; never 0.
inline std::uint64_t touch(const TensorSource& source) {
  std::uint64_t sum = 1;
  const auto add = [&](std::uint64_t value) { sum = (sum * 31 + value) | 1; };
  const auto add_text = [&](const std::string& text) {
    for (const char c : text) add(static_cast<unsigned char>(c));
  };
  for (const auto& [key, value] : source.metadata().values()) {
    add_text(key);
    std::visit(
        [&](const auto& v) {
          using V = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<V, std::string>)
            add_text(v);
          else if constexpr (std::is_same_v<V, std::vector<std::string>>)
            for (const std::string& text : v) add_text(text);
          else if constexpr (std::is_arithmetic_v<V>)
            add(v != V{});
          else
            for (const auto element : v) add(element != 0);
        },
        value);
  }
  for (std::size_t i = 0; i < source.tensors().size(); ++i) {
    const TensorView view = source.view(i);
    add(static_cast<std::uint64_t>(view.bytes.front()));
    add(static_cast<std::uint64_t>(view.row(view.shape.rows() - 1).back()));
    add(source.find(source.tensors()[i].name) == i);
  }
  return sum;
}

}  // namespace premise
