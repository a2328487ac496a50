// How scales are found
//
// For fixed codes the best scale is a linear least-squares problem with a closed answer; for a
// fixed scale the best codes are the nearest ones. Alternating the two only finds the minimum next
// to the start, so each group tries a range of starts around "the largest element gets the
// outermost code", from clipping it a little to leaving it room, and keeps the best answer.
//
// The scales of a block's groups are then rounded to small integers times d (and minimums times
// dmin), which moves them off their optimum; so each integer is compared with its neighbours over
// the group's real error, the codes are chosen again, and d and dmin are fitted once more with all
// integers fixed. All errors are plain sums of squares: an element counts as much as another.
//
// Searching scales for ggml's formats this way is Iwan Kawrakow's idea (k-quants, llama.cpp pull
// request 1684); the particular search is ours. Rejected: weights growing with |x|, which ggml uses
// where it has no importance matrix; they cost RMS error without evidence from activations.
#include "numerics/quant/block_search.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <span>

#include "numerics/quant/blocks.h"
#include "numerics/quant/half.h"

namespace premise {
namespace {

using Values = std::span<const float>;

// Far below what the least f16 times any code can say; keeps reciprocals finite.
constexpr float negligible = 0x1p-60f;
// Beyond what any format says (65504 · 128 · 32), and far from overflow in what follows.
constexpr float hopeless = 0x1p30f;
constexpr std::uint16_t f16_infinity = 0x7c00;
constexpr int refinement_rounds = 2;

// The code of the level nearest to half · 0.5 − 128: borders between levels are multiples of 0.5.
constexpr auto nearest_iq4 = [] {
  std::array<std::uint8_t, 512> table{};
  for (int half = 0; half < 512; ++half)
    for (int code = 0; code < 15; ++code)
      if (half - 256 >= iq4_levels[code] + iq4_levels[code + 1]) ++table[half];
  return table;
}();

// The format is a template argument throughout, so that this compiles to a few instructions.
template <GroupedTraits t>
std::uint8_t nearest_code(float level) {
  if constexpr (t.codebook != nullptr) {
    static_assert(t.codebook == iq4_levels);
    return nearest_iq4[static_cast<std::size_t>(std::clamp(2.0f * level + 256.0f, 0.0f, 511.0f))];
  } else {
    constexpr auto top = static_cast<float>((1 << t.code_bits) - 1);
    return static_cast<std::uint8_t>(std::clamp(level + static_cast<float>(t.offset), 0.0f, top) +
                                     0.5f);
  }
}

/// The element of the largest magnitude.
float peak_of(Values values) {
  return *std::ranges::max_element(values, {}, [](float v) { return std::abs(v); });
}

/// The nearest f16; the least one rather than zero, since integer scales can still count it down.
std::uint16_t factor(double value) {
  const std::uint16_t half = f32_to_f16(static_cast<float>(value));
  if ((half & 0x7fffu) != 0 || std::abs(value) < negligible) return half;
  return static_cast<std::uint16_t>(half | 1u);
}

struct Line {  // value = scale · level − min
  float scale = 0;
  float min = 0;
};

template <GroupedTraits t>
double squared_error(Values values, Line line) {
  const float inverse = line.scale != 0 ? 1.0f / line.scale : 0.0f;
  double sum = 0;
  for (const float v : values) {
    const int level = t.level(nearest_code<t>((v + line.min) * inverse));
    const double miss = v - (static_cast<double>(line.scale) * level - line.min);
    sum += miss * miss;
  }
  return sum;
}

/// Scale of a group without minimum, of either sign: the lowest level reaches furthest, so the
/// largest element may sit there.
template <GroupedTraits t>
float fit_scale(Values values) {
  const float peak = peak_of(values);
  if (std::abs(peak) < negligible) return 0;
  const auto edge = static_cast<float>(t.level(0));
  const float tenth = edge / static_cast<float>(10 << (t.code_bits - 1));  // of a code's width
  double best_gain = 0;
  double best = 0;
  for (int step = -9; step <= 9; ++step)
    for (const float sign : {1.0f, -1.0f}) {
      const float inverse = sign * (edge + tenth * static_cast<float>(step)) / peak;
      double value_level = 0;
      int squares = 0;
      for (const float v : values) {
        const int level = t.level(nearest_code<t>(v * inverse));
        value_level += static_cast<double>(v) * level;
        squares += level * level;
      }
      const double level_level = squares;
      // Σ(v − s·l)² = Σv² − gain at the best s.
      const double gain = level_level > 0 ? value_level * value_level / level_level : 0;
      if (gain > best_gain) {
        best_gain = gain;
        best = value_level / level_level;
      }
    }
  return static_cast<float>(best);
}

/// Least squares of value ≈ scale · code − min with min ≥ 0, for the codes nearest on `start`.
template <GroupedTraits t>
Line fit_line_once(Values values, Line start) {
  const float inverse = 1.0f / start.scale;
  const auto n = static_cast<double>(values.size());
  int codes = 0, squares = 0;
  double v1 = 0, vc = 0;
  for (const float v : values) {
    const int code = nearest_code<t>((v + start.min) * inverse);
    codes += code;
    squares += code * code;
    v1 += v;
    vc += static_cast<double>(v) * code;
  }
  const double c1 = codes, c2 = squares;
  const double determinant = n * c2 - c1 * c1;
  if (determinant <= 0) return start;
  const double min = (c1 * vc - c2 * v1) / determinant;
  const double scale = min > 0 ? (n * vc - c1 * v1) / determinant : vc / c2;
  if (scale < negligible) return start;
  return {static_cast<float>(scale), static_cast<float>(std::max(min, 0.0))};
}

/// Scale and minimum of a group whose codes start at zero.
template <GroupedTraits t>
Line fit_line(Values values) {
  const auto [low, high] = std::ranges::minmax(values);
  const float floor = std::min(low, 0.0f);
  const float range = high - floor;
  if (range < negligible) return {0, -floor};
  const auto top = static_cast<float>((1 << t.code_bits) - 1);
  Line best{range / top, -floor};
  double best_error = squared_error<t>(values, best);
  for (int step = -10; step <= 10; ++step) {
    const Line start{range / (top + 0.1f * static_cast<float>(step)), -floor};
    const Line line = fit_line_once<t>(values, start);
    const double error = squared_error<t>(values, line);
    if (error < best_error) {
      best_error = error;
      best = line;
    }
  }
  return best;
}

/// The block under work: its format, its values, its parts.
template <GroupedTraits t>
class Search {
 public:
  Search(const float* values, GroupedBlock& out) : values_(values, t.elements), out_(out) {}

  void run() {
    out_.d = f16_infinity;
    out_.dmin = 0;
    if (std::abs(peak_of(values_)) >= hopeless) return;
    std::array<Line, max_block_groups> lines{};
    for (std::size_t g = 0; g < t.groups(); ++g)
      lines[g] = t.has_min ? fit_line<t>(group(g)) : Line{fit_scale<t>(group(g)), 0};
    choose_factors(lines);
    if (!finite()) return;
    choose_integers(lines);
    choose_codes();
    if (t.scale_bits == 0) return;
    for (int round = 0; round < refinement_rounds; ++round)
      if (!refit_factors(lines)) return;
  }

 private:
  Values group(std::size_t g) const {
    return values_.subspan(g * t.group_elements, t.group_elements);
  }
  bool finite() const { return is_finite_f16(out_.d) && is_finite_f16(out_.dmin); }
  int min_high() const { return (1 << t.min_bits) - 1; }

  Line line_of(int scale, int min) const {
    return {f16_to_f32(out_.d) * static_cast<float>(scale),
            f16_to_f32(out_.dmin) * static_cast<float>(min)};
  }

  void choose_factors(std::span<const Line> lines) {
    Line peak;
    for (std::size_t g = 0; g < t.groups(); ++g) {
      if (std::abs(lines[g].scale) > std::abs(peak.scale)) peak.scale = lines[g].scale;
      peak.min = std::max(peak.min, lines[g].min);
    }
    // Signed integers reach one further down than up; unsigned ones only up.
    const int reach = t.scale_low < 0 ? t.scale_low : t.scale_high();
    out_.d = factor(static_cast<double>(peak.scale) / reach);
    out_.dmin = t.has_min ? factor(static_cast<double>(peak.min) / min_high()) : std::uint16_t{0};
  }

  void choose_integers(std::span<const Line> lines) {
    out_.scale.fill(1);
    out_.min.fill(0);
    if (t.scale_bits == 0) return;
    for (std::size_t g = 0; g < t.groups(); ++g) {
      const int scale = quotient(lines[g].scale, out_.d);
      const int min = quotient(lines[g].min, out_.dmin);
      double best = INFINITY;
      for (int s = scale - 1; s <= scale + 1; ++s)
        for (int m = t.has_min ? min - 1 : 0; m <= (t.has_min ? min + 1 : 0); ++m)
          keep_if_better(g, std::clamp(s, int{t.scale_low}, t.scale_high()),
                         std::clamp(m, 0, t.has_min ? min_high() : 0), best);
    }
  }

  /// value ÷ factor as an integer, within what any format's integers can hold.
  static int quotient(float value, std::uint16_t factor) {
    const float divisor = f16_to_f32(factor);
    if (divisor == 0) return 0;
    return static_cast<int>(std::lround(std::clamp(value / divisor, -128.0f, 127.0f)));
  }

  void keep_if_better(std::size_t g, int scale, int min, double& best) {
    const double error = squared_error<t>(group(g), line_of(scale, min));
    if (error >= best) return;
    best = error;
    out_.scale[g] = static_cast<std::int8_t>(scale);
    out_.min[g] = static_cast<std::uint8_t>(min);
  }

  void choose_codes() {
    for (std::size_t g = 0; g < t.groups(); ++g) {
      const Line line = line_of(out_.scale[g], out_.min[g]);
      const float inverse = line.scale != 0 ? 1.0f / line.scale : 0.0f;
      for (std::size_t k = g * t.group_elements; k < (g + 1) * t.group_elements; ++k)
        out_.code[k] = nearest_code<t>((values_[k] + line.min) * inverse);
    }
  }

  double error() const {
    double sum = 0;
    for (std::size_t g = 0; g < t.groups(); ++g)
      sum += squared_error<t>(group(g), line_of(out_.scale[g], out_.min[g]));
    return sum;
  }

  /// Least squares for d and dmin with all integers as they are, then the integers and codes again;
  /// false, and the block as it was, where that is no gain.
  bool refit_factors(std::span<const Line> lines) {
    double aa = 0, ab = 0, bb = 0, va = 0, vb = 0;  // value ≈ d·a + dmin·b
    for (std::size_t k = 0; k < t.elements; ++k) {
      const std::size_t g = k / t.group_elements;
      const double a = out_.scale[g] * t.level(out_.code[k]);
      const double b = -out_.min[g];
      aa += a * a;
      ab += a * b;
      bb += b * b;
      va += a * values_[k];
      vb += b * values_[k];
    }
    const double determinant = aa * bb - ab * ab;
    const GroupedBlock before = out_;
    const double error_before = error();
    if (determinant > 0) {
      out_.d = factor((va * bb - vb * ab) / determinant);
      out_.dmin = factor(std::max((vb * aa - va * ab) / determinant, 0.0));
    } else if (aa > 0) {
      out_.d = factor((va - f16_to_f32(out_.dmin) * ab) / aa);
    }
    if (finite()) {
      choose_integers(lines);
      if (error() < error_before) {
        choose_codes();
        return true;
      }
    }
    out_ = before;
    return false;
  }

  Values values_;
  GroupedBlock& out_;
};

}  // namespace

void search_block(DType dtype, const float* values, GroupedBlock& out) {
  switch (dtype) {
    case DType::q2_k:
      return Search<BlockQ2_K::grouped>(values, out).run();
    case DType::q3_k:
      return Search<BlockQ3_K::grouped>(values, out).run();
    case DType::q4_k:
      return Search<BlockQ4_K::grouped>(values, out).run();
    case DType::q5_k:
      return Search<BlockQ5_K::grouped>(values, out).run();
    case DType::q6_k:
      return Search<BlockQ6_K::grouped>(values, out).run();
    case DType::iq4_nl:
      return Search<BlockIQ4_NL::grouped>(values, out).run();
    case DType::iq4_xs:
      return Search<BlockIQ4_XS::grouped>(values, out).run();
    default:
      assert(false && "a format whose scales are not searched");
  }
}

}  // namespace premise
