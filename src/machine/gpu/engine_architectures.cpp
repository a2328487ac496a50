#include "machine/gpu/engine_architectures.h"

#include "machine/facts/words.h"

// As CMake's CMAKE_CUDA_ARCHITECTURES becomes nvcc's -gencode: words separated by blanks. The build
// defines it where the engine has CUDA kernels.
#ifndef PREMISE_CUDA_ARCHITECTURES
#define PREMISE_CUDA_ARCHITECTURES ""
#endif

namespace premise {

std::vector<std::string> engine_cuda_architectures() {
  std::vector<std::string> list;
  for (const std::string_view word : words_of(PREMISE_CUDA_ARCHITECTURES)) list.emplace_back(word);
  return list;
}

}  // namespace premise
