// The values of templates, with Python's meaning: what is true, what is equal, what compares.
//
// A Value is small and cheap to copy. Strings, lists and dictionaries are shared and never change
// once made: the sandbox that published templates are written for forbids changing them, so that
// no value can hold itself and no template can change its input. What does change (namespaces,
// loops, a frame of variables) belongs to the evaluator and outlives every value that points to it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "model/chat/marked_string.h"

namespace premise {

class Value;
class Dict;
struct List;
struct IntegerRange;
struct Generator;
struct BoundMethod;
struct TemplateFailure;
struct Namespace;  // runtime.h
struct LoopState;  // runtime.h
struct Frame;      // runtime.h
struct MacroBody;  // ast.h

struct None {};
/// A name or attribute that is not there. Harmless until something is asked of it.
struct Undefined {
  const std::string* name = nullptr;  // lives in the syntax tree; null: an element without a name
  bool unsafe = false;                // a method that would change a list or dictionary
};
/// keys(), values() or items() of a dictionary.
struct DictView {
  enum class What : std::uint8_t { keys, values, items };
  std::shared_ptr<const Dict> dict;
  What what = What::items;
};
struct MacroRef {
  const MacroBody* body = nullptr;
  Frame* frame = nullptr;  // where its free names are looked up
};
enum class Builtin : std::uint8_t { range, dict, make_namespace, raise_exception, strftime_now };

/// How large a value is when it is walked: lists may hold one list many times over, so that a dozen
/// lines can make a value of 2^200 leaves, which no step counter inside a comparison could afford.
struct Extent {
  int depth = 0;             // of lists within lists
  std::uint64_t weight = 1;  // values in it, and each 64 bytes of text
};

class Value {
 public:
  using String = std::shared_ptr<const MarkedString>;
  using Storage =
      std::variant<Undefined, None, bool, std::int64_t, double, String, std::shared_ptr<const List>,
                   std::shared_ptr<const Dict>, DictView, std::shared_ptr<const IntegerRange>,
                   std::shared_ptr<Generator>, std::shared_ptr<const BoundMethod>, Namespace*,
                   LoopState*, MacroRef, Builtin>;

  Value() : storage_(None{}) {}
  Value(None value) : storage_(value) {}
  Value(Undefined value) : storage_(value) {}
  Value(bool value) : storage_(value) {}
  Value(int value) : storage_(std::int64_t{value}) {}
  Value(std::int64_t value) : storage_(value) {}
  Value(double value) : storage_(value) {}
  Value(MarkedString text);
  Value(std::string_view) = delete;  // say who wrote it: text() or data()
  Value(const char*) = delete;
  Value(std::shared_ptr<const List> value) : storage_(std::move(value)) {}
  Value(std::shared_ptr<const Dict> value) : storage_(std::move(value)) {}
  Value(Dict value);
  Value(DictView value) : storage_(std::move(value)) {}
  Value(std::shared_ptr<const IntegerRange> value) : storage_(std::move(value)) {}
  Value(std::shared_ptr<Generator> value) : storage_(std::move(value)) {}
  Value(std::shared_ptr<const BoundMethod> value) : storage_(std::move(value)) {}
  Value(Namespace* value) : storage_(value) {}
  Value(LoopState* value) : storage_(value) {}
  Value(MacroRef value) : storage_(value) {}
  Value(Builtin value) : storage_(value) {}

  /// A string of the template, or of whoever speaks for the model.
  static Value text(std::string bytes) { return MarkedString(std::move(bytes), true); }
  /// A string of a user, a tool, a document.
  static Value data(std::string bytes) { return MarkedString(std::move(bytes), false); }
  /// Throw TemplateFailure for a value deeper or heavier than TemplateLimits allow.
  static Value list(std::vector<Value> items);
  static Value tuple(std::vector<Value> items);
  static Value generator(std::vector<Value> items,
                         std::shared_ptr<const TemplateFailure> failure = nullptr);

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&storage_);
  }
  const MarkedString* string() const;
  const List* list() const;
  const Dict* dict() const;
  const Storage& storage() const { return storage_; }

  bool is_undefined() const { return as<Undefined>() != nullptr; }
  bool is_none() const { return as<None>() != nullptr; }
  bool is_number() const;  // int, float or bool

  /// For numbers and the like: whether their digits, printed, are the template's own.
  bool trusted() const { return trusted_; }
  Value&& marked(bool trusted) && {
    trusted_ = trusted;
    return std::move(*this);
  }

  /// A string that went through `safe` or `escape`: what is added to it with + is escaped for HTML,
  /// which markupsafe does even where nothing else is escaped, and published templates meet.
  bool is_markup() const { return markup_; }
  Value&& as_markup() && {
    markup_ = true;
    return std::move(*this);
  }

  /// Python's bool(value).
  bool truth() const;
  Extent extent() const;
  /// "int", "str", "NoneType": the name that authors of templates know it by.
  std::string_view type_name() const;

 private:
  Storage storage_;
  bool trusted_ = true;
  bool markup_ = false;
};

struct List {
  std::vector<Value> items;
  bool tuple = false;
  Extent extent{1, 1};
};

/// An ordered dictionary. Changed only while it is being built.
class Dict {
 public:
  using Entry = std::pair<Value, Value>;

  const std::vector<Entry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  Extent extent() const { return extent_; }
  const Value* find_key(const Value& key) const;
  const Value* find(std::string_view key) const;
  /// A key that is there keeps its place. Throws TemplateFailure for a key that cannot be one (a
  /// list), and for a value deeper or heavier than TemplateLimits allow.
  void insert(Value key, Value value);
  /// For a key known to be text of the program itself: Dict d; d.set("role", …).
  void set(std::string_view key, Value value) {
    insert(Value::text(std::string(key)), std::move(value));
  }

 private:
  std::size_t position(const Value& key, std::size_t hash) const;

  static constexpr std::size_t indexed_from = 12;  // below, a walk is faster than a hash table
  std::vector<Entry> entries_;
  std::unordered_multimap<std::size_t, std::size_t> index_;  // hash → position
  Extent extent_{1, 1};
};

struct IntegerRange {
  std::int64_t start = 0, stop = 0, step = 1;
  std::int64_t size() const;
};

/// What filters such as `map` and `select` yield: it can be walked once, has no length, and is true
/// even when nothing comes.
struct Generator {
  std::vector<Value> items;
  std::size_t next = 0;
  Extent extent{1, 1};
  std::shared_ptr<const TemplateFailure> failure{};  // what whoever walks on behind `items` meets
};

struct BoundMethod {
  Value object;
  std::string name;
};

/// Python's ==, and < where it is defined: otherwise TemplateFailure.
bool equal(const Value& a, const Value& b);
bool less(const Value& a, const Value& b);
/// Whether a value may be a key.
bool hashable(const Value& key);
/// The hash of a value that may be a key; TemplateFailure for one that may not.
std::size_t hash_of(const Value& key);

/// An integer (or boolean), or nothing.
const std::int64_t* integer_of(const Value& value, std::int64_t& storage);
/// Any number as a double.
double real_of(const Value& value);

}  // namespace premise
