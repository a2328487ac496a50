#include "model/formats/file_kind.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace premise {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  FileKind kind;
};

// Old ggml magics are 32-bit numbers ("ggml", "ggmf", "ggjt"), so that their letters are reversed.
constexpr std::array magics = {
    Magic{"GGUF"sv, FileKind::gguf},
    Magic{"lmgg"sv, FileKind::old_ggml},
    Magic{"fmgg"sv, FileKind::old_ggml},
    Magic{"tjgg"sv, FileKind::old_ggml},
    Magic{"PK\x03\x04"sv, FileKind::zip},
    Magic{"\x89HDF\r\n\x1a\n"sv, FileKind::hdf5},
    Magic{"version https://git-lfs"sv, FileKind::lfs_pointer},
    Magic{"\x1f\x8b"sv, FileKind::compressed},          // gzip
    Magic{"\x28\xb5\x2f\xfd"sv, FileKind::compressed},  // zstd
    Magic{"\xfd"
          "7zXZ\0"sv,
          FileKind::compressed},
    Magic{"7z\xbc\xaf\x27\x1c"sv, FileKind::compressed},
    Magic{"BZh"sv, FileKind::compressed},
    Magic{"\x7f"
          "ELF"sv,
          FileKind::program},
    Magic{"MZ"sv, FileKind::program},
    Magic{"#!"sv, FileKind::program},
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Without byte order mark and leading white space.
std::string_view text_start(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  while (!head.empty() && is_space(head.front())) head.remove_prefix(1);
  return head;
}

bool starts_with_tag(std::string_view text, std::string_view tag) {
  return text.size() >= tag.size() && std::equal(tag.begin(), tag.end(), text.begin(),
                                                 [](char t, char c) { return t == lower(c); });
}

bool is_html(std::string_view text) {
  for (const std::string_view tag : {"<!doctype html", "<html", "<head", "<?xml", "<!--"})
    if (starts_with_tag(text, tag)) return true;
  return false;
}

/// A header length in 8 bytes that fits the file, then a JSON object.
bool is_safetensors(std::string_view head, std::uint64_t size) {
  if (head.size() < 10 || head[8] != '{') return false;
  std::uint64_t length = 0;
  std::memcpy(&length, head.data(), sizeof length);
  return length >= 2 && length <= size - 8;
}

/// Python's pickle from protocol 2 on: PROTO opcode, version.
bool is_pickle(std::string_view head) {
  return head.size() >= 2 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5;
}

}  // namespace

FileKind file_kind(std::span<const std::byte> bytes, std::uint64_t size) {
  if (size == 0) return FileKind::empty;
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Magic& magic : magics)
    if (head.starts_with(magic.bytes)) return magic.kind;
  if (is_safetensors(head, size)) return FileKind::safetensors;
  if (is_pickle(head)) return FileKind::pickle;
  if (head.size() >= 262 && head.substr(257, 5) == "ustar") return FileKind::tar;
  const std::string_view text = text_start(head);
  if (is_html(text)) return FileKind::html;
  if (text.starts_with('{') || text.starts_with('[')) return FileKind::json;
  const bool zeros = std::ranges::all_of(head, [](char c) { return c == 0; });
  return zeros ? FileKind::zeros : FileKind::unknown;
}

FileKindText describe(FileKind kind) {
  const Text convert = text({"this version opens GGUF files; convert the model or fetch its GGUF",
                             "本版本可打开 GGUF 文件；请转换模型或获取其 GGUF 版本"});
  const Text again = text({"fetch the file again, from the model's download address",
                           "请从模型的下载地址重新获取文件"});
  switch (kind) {
    case FileKind::gguf:
      return {text({"a GGUF file", "GGUF 文件"}), {}};
    case FileKind::old_ggml:
      return {text({"a GGML file from before GGUF", "GGUF 之前的旧版 GGML 文件"}), convert};
    case FileKind::safetensors:
      return {text({"a safetensors file", "safetensors 文件"}), convert};
    case FileKind::zip:
      return {text({"a ZIP archive, perhaps a PyTorch checkpoint",
                    "ZIP 压缩包，可能是 PyTorch 检查点"}),
              convert};
    case FileKind::pickle:
      return {text({"a Python pickle, perhaps an old PyTorch checkpoint",
                    "Python pickle 文件，可能是旧版 PyTorch 检查点"}),
              convert};
    case FileKind::hdf5:
      return {text({"an HDF5 file", "HDF5 文件"}), convert};
    case FileKind::html:
      return {text({"a web page", "网页"}),
              text({"a login or error page was saved instead of the model; fetch it again",
                    "保存下来的是登录页或错误页，不是模型；请重新下载"})};
    case FileKind::lfs_pointer:
      return {text({"a Git LFS pointer, not the file itself", "Git LFS 指针，不是文件本身"}),
              text({"run: git lfs pull", "请执行：git lfs pull"})};
    case FileKind::json:
      return {text({"a JSON file", "JSON 文件"}),
              text({"name the file that holds the weights", "请指定保存权重的文件"})};
    case FileKind::compressed:
      return {text({"a compressed file", "压缩文件"}), text({"unpack it first", "请先解压"})};
    case FileKind::tar:
      return {text({"a tar archive", "tar 归档文件"}), text({"unpack it first", "请先解包"})};
    case FileKind::program:
      return {text({"a program or script", "程序或脚本"}),
              text({"name the file that holds the weights", "请指定保存权重的文件"})};
    case FileKind::empty:
      return {text({"an empty file", "空文件"}), again};
    case FileKind::zeros:
      return {text({"a file of zero bytes", "内容全为零的文件"}),
              text({"its download was prepared, but never arrived; fetch it again",
                    "文件已预留空间但未下载；请重新下载"})};
    case FileKind::unknown:
      break;
  }
  return {text({"a file of unknown format", "未知格式的文件"}), convert};
}

}  // namespace premise
