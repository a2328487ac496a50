// The logical plan: what a model computes in one step, as data.
//
// An architecture describes, it does not call. Once per configuration it lays down typed operations
// over named weights and values of symbolic length; nothing in it branches on a token. A backend
// compiles the plan for its device (fuses, plans memory, picks kernels, shards), the reference
// backend interprets it op by op and is the oracle of the others. The rejected alternative, a
// forward function per architecture, has to be written again for every device and hides from the
// loader what will be needed until it is needed.
//
// Values are in static single assignment: every op writes a new value, and reads only earlier ones.
// A value is a matrix [rows, width] of F32 where `rows` is the number of tokens in the step, or of
// rows whose logits are wanted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "numerics/tensor/tensor_view.h"

namespace premise {

using ValueId = std::int32_t;
using WeightId = std::int32_t;

enum class Rows : std::uint8_t {
  tokens,  // every token of the step
  logits,  // only the rows whose logits are wanted
};

struct PlanValue {
  std::string name;
  Rows rows = Rows::tokens;
  std::uint64_t width = 0;
};

/// A weight by the name and shape that the file must have.
struct Weight {
  std::string name;
  Shape shape;
  std::size_t source_index = 0;  // into TensorSource::tensors()
};

/// Rotary embedding, resolved to one angle per pair and position: angle = position * frequency.
/// Every kind of scaling (linear, YaRN, Llama-3, LongRoPE) ends in these frequencies and one
/// factor.
struct RopeTable {
  enum class Pairing : std::uint8_t { half, adjacent };  // contracts/elementwise.h
  Pairing pairing = Pairing::half;
  std::vector<float> frequencies;  // [rotary_dim / 2]
  float magnitude = 1.0f;          // cosine and sine are multiplied by it (YaRN, LongRoPE)
};

/// Layers whose cache lives and dies together. Layers of one group share block tables.
struct CacheGroup {
  std::uint32_t window = 0;  // 0: full attention; else positions visible, the own one included
  std::uint32_t layers = 0;  // cache slots in the group, one per layer
  std::uint32_t kv_heads = 0;
  std::uint32_t head_dim = 0;
};

// Operations. `out` is always a new value.

/// out[t] = table[token[t]] * scale
struct EmbedOp {
  WeightId table;
  float scale;
  ValueId out;
};

/// Root-mean-square norm of `heads` equal slices of each row; weight [width / heads].
struct RmsNormOp {
  ValueId in;
  WeightId weight;
  float eps;
  std::uint32_t heads;
  ValueId out;
};

/// out = in * weight^T (+ bias); weight [out width, in width], bias [out width].
struct LinearOp {
  ValueId in;
  WeightId weight;
  std::optional<WeightId> bias;
  ValueId out;
};

/// Columns [offset, offset + width of out) of each row.
struct SliceOp {
  ValueId in;
  std::uint64_t offset;
  ValueId out;
};

/// Rotates the first 2 * frequencies.size() dimensions of every head by the token's position.
struct RopeOp {
  ValueId in;
  std::uint32_t table;  // into Plan::ropes
  std::uint32_t heads;
  ValueId out;
};

/// Stores the step's keys and values, [tokens, kv_heads * head_dim] each, in slot `slot` of a
/// group.
struct KvWriteOp {
  std::uint32_t group;
  std::uint32_t slot;
  ValueId key;
  ValueId value;
};

/// Attention of each token over its sequence's cache (contracts/attention.h has the formula).
struct AttentionOp {
  std::uint32_t group;
  std::uint32_t slot;
  ValueId query;  // [tokens, heads * head_dim]
  std::uint32_t heads;
  float scale;
  float softcap;  // 0: none
  ValueId out;    // [tokens, heads * head_dim]
};

/// out = activation(gate) * up
struct GluOp {
  enum class Activation : std::uint8_t { silu, gelu_tanh };
  Activation activation;
  ValueId gate;
  ValueId up;
  ValueId out;
};

/// out = a + b
struct AddOp {
  ValueId a;
  ValueId b;
  ValueId out;
};

/// out = in * factor
struct ScaleOp {
  ValueId in;
  float factor;
  ValueId out;
};

/// out = cap * tanh(in / cap)
struct SoftcapOp {
  ValueId in;
  float cap;
  ValueId out;
};

/// From all tokens to the rows whose logits are wanted.
struct SelectRowsOp {
  ValueId in;
  ValueId out;
};

using OpBody = std::variant<EmbedOp, RmsNormOp, LinearOp, SliceOp, RopeOp, KvWriteOp, AttentionOp,
                            GluOp, AddOp, ScaleOp, SoftcapOp, SelectRowsOp>;

struct Op {
  std::int32_t layer = -1;  // -1 outside the layers
  OpBody body;
};

struct Plan {
  std::string architecture;
  std::vector<PlanValue> values;
  std::vector<Weight> weights;
  std::vector<RopeTable> ropes;
  std::vector<CacheGroup> groups;
  std::vector<Op> ops;
  ValueId logits = -1;               // [logits rows, vocabulary]
  std::uint64_t vocabulary = 0;      // rows of the output matrix
  std::uint64_t context_length = 0;  // tokens a sequence may have
  std::uint64_t layers = 0;
};

/// Name of an operation, as the printer writes it ("linear").
const char* op_name(const OpBody& body);

/// Values an operation reads.
std::vector<ValueId> inputs_of(const OpBody& body);

/// The value it writes; nothing for KvWriteOp.
std::optional<ValueId> output_of(const OpBody& body);

/// Weights it reads.
std::vector<WeightId> weights_of(const OpBody& body);

}  // namespace premise
