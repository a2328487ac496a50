// What the tests of this room share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "planning/sized_model.h"

namespace premise::testing {

/// A published model as a recipe; the name and the recipe are known ones.
inline SizedModel published(std::string_view name, std::string_view recipe) {
  const auto shapes = published_shapes();
  const auto found = std::ranges::find(shapes, name, &PublishedShape::name);
  EXPECT_NE(found, shapes.end()) << name;
  const ShapeChoice choice{&*found, found->shape, false, {}};
  auto model = published_model(choice, found->billions * 1e9, *find_recipe(recipe));
  EXPECT_TRUE(model.ok());
  return std::move(model).value();
}

/// A folder of its own, gone with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "premise-planning-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::filesystem::path& name, std::string_view contents) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << contents;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

inline constexpr const char* golden_folder = PREMISE_SOURCE_DIR "/tests/golden/planning/";

}  // namespace premise::testing
