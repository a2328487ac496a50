// What computes each matrix of a model, and how much of the work is done as fast as this machine
// can: a benchmark of a model that fell off the fast path measures something else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/backend/backend.h"

namespace premise {

/// A matrix, or several of one kind that are computed alike.
struct MatrixKernel {
  std::string tensor;       // "blk.3.attn_q.weight", of several "blk.*.attn_q.weight"
  std::size_t count = 1;    // of matrices
  std::string type;         // in the file: "q4_k"
  std::string layout;       // packed: "p4"; empty where the file's blocks are read
  std::string kernel;       // "matmul.p4.avx512"
  std::string tile_kernel;  // in steps of many tokens; empty where none is
  ProductPath path;
  bool fast = false;
  std::uint64_t bytes = 0;     // packed
  std::uint64_t products = 0;  // multiplications a token
};

/// Every matrix that activations are multiplied by, in the order of the plan. An embedding whose
/// rows are only looked up is none of them.
std::vector<MatrixKernel> matrix_kernels(std::span<const OpReport> ops);

/// One row for those whose names differ in the number of the layer alone and that are of one type
/// and computed alike, where the first of them stands.
std::vector<MatrixKernel> by_kind(std::span<const MatrixKernel> matrices);

/// The part of all products, and of all bytes, that is on the fast path: 0 to 1; 0 where there is
/// nothing.
struct FastShare {
  double products = 0.0;
  double bytes = 0.0;
};
FastShare fast_share(std::span<const MatrixKernel> matrices);

/// The share of products from which on a benchmark says what a machine can do with a model.
/// Matrices of a few rows may be elsewhere; nothing that is felt may.
inline constexpr double fast_share_expected = 0.95;

}  // namespace premise
