#include "store/sources/wheel.h"

#include <zip.h>

#include <array>
#include <memory>

namespace premise {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t block_bytes = std::size_t{1} << 18;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Member = std::unique_ptr<zip_file_t, CloseMember>;

Error damaged(const fs::path& path, std::string_view what) {
  return error(ErrorCode::bad_input,
               {"{}: is no usable wheel: {}", "{}：不是可用的 wheel 文件：{}"}, path.string(),
               what);
}

Result<Archive> open_archive(const fs::path& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive) return archive;
  zip_error_t reason;
  zip_error_init_with_code(&reason, code);
  Error failed = damaged(path, zip_error_strerror(&reason));
  zip_error_fini(&reason);
  return failed;
}

Result<Member> open_member(zip_t* archive, const fs::path& path, std::string_view name,
                           std::uint64_t bytes) {
  const std::string wanted(name);
  zip_stat_t info;
  zip_stat_init(&info);
  if (zip_stat(archive, wanted.c_str(), 0, &info) != 0 || (info.valid & ZIP_STAT_SIZE) == 0) {
    return damaged(path, fmt::format("{}: {}", name, zip_strerror(archive)));
  }
  if (info.size != bytes) {
    return error(ErrorCode::bad_input,
                 {"{}: {} has {} bytes, expected {}", "{}：{} 为 {} 字节，应为 {} 字节"},
                 path.string(), name, info.size, bytes);
  }
  Member member(zip_fopen_index(archive, info.index, 0));
  if (!member) return damaged(path, fmt::format("{}: {}", name, zip_strerror(archive)));
  return member;
}

}  // namespace

Status append_member(const fs::path& path, std::string_view name, std::uint64_t bytes, File& out,
                     Hasher& hasher, const std::function<Status(std::size_t)>& unpacked) {
  PREMISE_TRY(const Archive archive, open_archive(path));
  PREMISE_TRY(const Member member, open_member(archive.get(), path, name, bytes));
  const auto block = std::make_unique<std::array<std::byte, block_bytes>>();
  for (std::uint64_t left = bytes;;) {
    // The last read, at the end of the member, is the one that checks its CRC.
    const zip_int64_t count = zip_fread(member.get(), block->data(), block->size());
    if (count < 0)
      return damaged(path, fmt::format("{}: {}", name, zip_file_strerror(member.get())));
    const auto length = static_cast<std::uint64_t>(count);
    if (length == 0 && left == 0) return {};
    if (length == 0 || length > left) {
      return damaged(path, fmt::format("{}: its length is not the one stated", name));
    }
    const std::span<const std::byte> piece(block->data(), length);
    PREMISE_CHECK(out.write(piece));
    hasher.update(piece);
    left -= length;
    PREMISE_CHECK(unpacked(length));
  }
}

}  // namespace premise
