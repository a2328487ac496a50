#include "model/tokenizer/tokenizer.h"

#include <utility>

#include "base/mapped_file.h"
#include "model/tokenizer/tokenizer_parts.h"

namespace premise {
namespace {

// Calls `on_text(fragment, offset)` and `on_token(id)` in the order of the text. `scope` is what
// SpecialTokens::find takes: whether control tokens are found, or where.
template <typename Scope, typename OnText, typename OnToken>
void cut_specials(const SpecialTokens& specials, std::string_view text, const Scope& scope,
                  OnText on_text, OnToken on_token) {
  std::size_t at = 0;
  while (const auto match = specials.find(text, at, scope)) {
    if (match->begin > at) on_text(text.substr(at, match->begin - at), at);
    on_token(match->id);
    at = match->end;
  }
  if (at < text.size()) on_text(text.substr(at), at);
}

// `normalize(fragment, offset)` yields the fragment's normalized text and the scope in it.
template <typename Scope, typename Normalize>
void encode_text(const TokenizerParts& parts, std::string_view text, const Scope& scope,
                 Normalize normalize, std::vector<TokenId>& ids) {
  const auto push = [&](TokenId id) { ids.push_back(id); };
  const auto encode_fragment = [&](std::string_view fragment, std::size_t offset) {
    const auto [normalized, inner_scope] = normalize(fragment, offset);
    cut_specials(
        parts.normalized_specials, normalized, inner_scope,
        [&](std::string_view piece, std::size_t within) {
          parts.model->encode(piece, offset == 0 && within == 0, ids);
        },
        push);
  };
  cut_specials(parts.raw_specials, text, scope, encode_fragment, push);
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<TokenizerParts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::from_gguf(const Metadata& metadata) {
  PREMISE_TRY(auto parts, load_gguf_tokenizer(metadata));
  return Tokenizer(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_json(std::string_view json) {
  PREMISE_TRY(auto parts, load_json_tokenizer(json));
  return Tokenizer(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_json_file(const std::filesystem::path& path) {
  PREMISE_TRY(const MappedFile file, MappedFile::open(path));
  const auto bytes = file.bytes();
  auto tokenizer = from_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (tokenizer.ok()) return tokenizer;
  Error failure = std::move(tokenizer).error();
  failure.what.en = fmt::format("{}: {}", path.string(), failure.what.en);
  failure.what.zh = fmt::format("{}：{}", path.string(), failure.what.zh);
  return failure;
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 2);
  if (options.add_special) ids = parts_->before;
  std::string storage;
  const auto normalize = [&](std::string_view fragment, std::size_t) {
    return std::pair{parts_->normalizer.apply(fragment, storage), options.parse_special};
  };
  encode_text(*parts_, text, options.parse_special, normalize, ids);
  if (options.add_special) ids.insert(ids.end(), parts_->after.begin(), parts_->after.end());
  return ids;
}

std::vector<TokenId> Tokenizer::encode(std::span<const TextSpan> spans,
                                       EncodeOptions options) const {
  std::string text;
  TrustedRuns runs;
  for (const TextSpan& span : spans) {
    text += span.text;
    runs.append(span.text.size(), span.trusted && options.parse_special);
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 2);
  if (options.add_special) ids = parts_->before;
  std::string storage;
  const auto normalize = [&](std::string_view fragment, std::size_t offset) {
    if (parts_->normalized_specials.empty())
      return std::pair{parts_->normalizer.apply(fragment, storage), TrustedRuns()};
    TrustedRuns inner = runs.part(offset, offset + fragment.size());
    const std::string_view normalized = parts_->normalizer.apply(fragment, storage, inner);
    return std::pair{normalized, std::move(inner)};
  };
  encode_text(*parts_, text, runs, normalize, ids);
  if (options.add_special) ids.insert(ids.end(), parts_->after.begin(), parts_->after.end());
  return ids;
}

std::string_view Tokenizer::bytes_of(TokenId id, bool show_special) const {
  const Vocabulary& vocabulary = parts_->vocabulary;
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary.pieces.size()) return {};
  const auto at = static_cast<std::size_t>(id);
  const TokenKind kind = vocabulary.kinds[at];
  if (kind == TokenKind::control || kind == TokenKind::unknown) {
    return show_special ? std::string_view(vocabulary.pieces[at]) : std::string_view();
  }
  return parts_->texts[at];
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool show_special) const {
  std::string text;
  bool drop_space = parts_->decode_drops_first_space;
  for (const TokenId id : ids) {
    std::string_view bytes = bytes_of(id, show_special);
    if (drop_space && !bytes.empty()) {
      if (bytes.front() == ' ') bytes.remove_prefix(1);
      drop_space = false;
    }
    text += bytes;
  }
  return text;
}

const Vocabulary& Tokenizer::vocabulary() const { return parts_->vocabulary; }

bool Tokenizer::ends_generation(TokenId id) const {
  return id >= 0 && static_cast<std::size_t>(id) < parts_->ends_generation.size() &&
         parts_->ends_generation[static_cast<std::size_t>(id)];
}

std::optional<TokenId> Tokenizer::find(std::string_view piece) const {
  const TokenId id = parts_->index->find(piece);
  if (id < 0) return std::nullopt;
  return id;
}

}  // namespace premise
