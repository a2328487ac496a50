// A plan, compiled for the CPU: a list of phases with a barrier after each.
//
//   row phase        several operations, each on one row at a time; a thread takes a run of rows
//                    and does all operations on one row before the next, so that rows stay in L1
//   matmul phase     all linear operations on the same input (query, key and value; gate and up);
//                    a thread takes a run of panels of each
//   attention phase  tasks of one sequence, KV head and run of queries, handed out dynamically
//
// Grouping rows is what fuses norm, residual, rotation, cache write and quantization; a step of a
// layer takes about seven barriers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/backend/cpu/memory_plan.h"
#include "engine/backend/cpu/weights.h"
#include "model/plan/plan.h"
#include "numerics/device/isa.h"
#include "numerics/kernels/attention.h"
#include "numerics/kernels/matmul.h"

namespace premise {

/// Rounds a row of `in` for the matmul phase that follows: to the tiles of bf16 in steps that take
/// them (takes_tiles()), else to int16 where a kernel of the phase wants that.
struct QuantizeOp {
  ValueId in;
  ActivationBits bits;
  bool quantizes;
  bool has_tiles;
};

/// value += bias
struct BiasOp {
  ValueId value;
  WeightId bias;
};

/// Cosines and sines of the row's position, for every rope table.
struct RopeAnglesOp {};

using RowOp = std::variant<EmbedOp, RmsNormOp, RopeOp, KvWriteOp, GluOp, AddOp, ScaleOp, SoftcapOp,
                           SelectRowsOp, QuantizeOp, BiasOp, RopeAnglesOp>;

struct RowPhase {
  Rows rows;
  std::vector<RowOp> ops;
};

struct MatmulPhase {
  struct Part {
    LinearOp op;
    const MatmulKernel* kernel;
    const MatmulKernel* tile_kernel;  // all parts have one, or none has
  };
  ValueId in;
  std::vector<Part> parts;
  std::size_t tile_clock = 0;  // Phase::clock of a step on tiles

  bool has_tiles() const { return parts.front().tile_kernel != nullptr; }
};

struct AttentionPhase {
  AttentionOp op;
};

struct Phase {
  std::variant<RowPhase, MatmulPhase, AttentionPhase> body;
  std::size_t clock;  // index into Program::clocks
};

/// Where a value lies: a slice is a part of the value it was cut from.
struct ValueSource {
  ValueId owner;         // the value whose memory it is
  std::uint64_t column;  // first column in the owner
};

struct Program {
  std::vector<Phase> phases;
  std::vector<ValueSource> sources;     // by ValueId
  std::vector<Lifetime> lifetimes;      // by ValueId; bytes are left to the caller
  std::uint64_t quantized_columns = 0;  // widest input that is quantized; 0: none is
  std::uint64_t tile_columns = 0;       // widest input that is rounded to tiles; 0: none is
  std::vector<std::string> clocks;      // names under which the time of phases is counted
  std::optional<WeightId> head;  // the matrix whose products are the logits as they are, in the
                                 // last phase; nothing where they are biased, scaled or capped
};

/// Whether a step of so many tokens computes on tiles what has kernels for them. One answer for a
/// whole step: its rows are rounded in the form that its kernels take.
constexpr bool takes_tiles(std::size_t tokens) { return tokens >= tile_rows_min; }

/// Fails where no kernel of this instruction set takes a weight's layout, by name. Rows whose
/// logits are wanted are few, and errors in the head are seen most: they keep sixteen bits in any
/// case. Tiles do not keep the contract of sixteen bits, so they compute where `bits` is mixed.
Result<Program> compile_program(const Plan& plan, const CpuWeights& weights,
                                const AttentionKernel& attention, Isa isa, ActivationBits bits);

}  // namespace premise
