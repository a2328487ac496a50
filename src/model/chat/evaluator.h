// Walks a syntax tree and writes what it says.
//
// Scopes are Jinja's: a for, a macro, a with open a frame; an if does not; what a loop sets is
// forgotten with each round (namespaces exist for that). A macro looks its free names up where it
// was written, when it is called; frames that a macro may come back to are kept to the end, all
// others are used again.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "model/chat/ast.h"
#include "model/chat/runtime.h"

namespace premise {

struct Frame {
  Frame* parent = nullptr;  // null: the template itself, whose variables are the evaluator's
  std::vector<std::pair<NameId, Value>> variables;
  bool captured = false;
};

/// Renders once. Not thread-safe; the tree is only read and may be shared.
class Evaluator final : public Runtime {
 public:
  Evaluator(const SyntaxTree& tree, const Dict& variables, const TemplateLimits& limits,
            std::chrono::system_clock::time_point now);

  /// The rendered text. Throws TemplateFailure; line() is then where.
  MarkedString run();
  int line() const { return line_; }

  Budget& budget() override { return budget_; }
  std::chrono::system_clock::time_point now() const override { return now_; }
  Value attribute(const Value& object, const std::string& name) override;
  Value item(const Value& object, const Value& key) override;
  Value call(const Value& callee, const Arguments& arguments) override;
  Value filter(std::string_view name, const Value& value, const Arguments& arguments) override;
  bool test(std::string_view name, const Value& value, const Arguments& arguments) override;
  Namespace* make_namespace() override;

 private:
  enum class Flow { onward, leave_loop, next_round };
  class FrameScope;

  Flow execute(const Block& block, Frame& frame);
  Flow execute(const TemplateStatement& statement, Frame& frame);
  Flow run_branch(const TemplateStatement& statement, Frame& frame);
  Flow run_for(const TemplateStatement& statement, Frame& frame);
  Flow run_loop(const TemplateStatement& statement, Frame& frame, std::shared_ptr<const List> items,
                int depth0);
  void run_macro_definition(const TemplateStatement& statement, Frame& frame);
  void run_call_block(const TemplateStatement& statement, Frame& frame);
  MarkedString capture(const Block& block, Frame& frame);
  void write(const MarkedString& text);

  Value evaluate(const Expression& node, Frame& frame);
  Value evaluate_operator(const Expression& node, Frame& frame);
  Value evaluate_list(const Expression& node, Frame& frame, bool tuple);
  Value evaluate_dict(const Expression& node, Frame& frame);
  Value evaluate_call(const Expression& node, Frame& frame, const Value* caller = nullptr);
  Value evaluate_filter(const Expression& node, Frame& frame, const Value* subject);
  Value evaluate_compare(const Expression& node, Frame& frame);
  Value evaluate_concatenation(const Expression& node, Frame& frame);
  bool compare(Comparison comparison, const Value& left, const Value& right);
  Arguments evaluate_arguments(const CallArguments& arguments, Frame& frame);

  Value look_up(NameId id, const Frame& frame) const;
  void assign(const AssignmentTarget& target, const Value& value, Frame& frame);
  void set_variable(NameId id, Value value, Frame& frame);
  Value call_macro(const MacroRef& macro, const Arguments& arguments);
  void bind_parameters(const MacroBody& body, const Arguments& arguments, Frame& frame);
  Value call_loop(LoopState& loop, const Arguments& arguments);
  Value loop_attribute(const LoopState& loop, const std::string& name) const;
  Value loop_method(LoopState& loop, std::string_view name, const Arguments& arguments);
  static void keep(Frame& frame);

  const SyntaxTree& tree_;
  Budget budget_;
  const std::chrono::system_clock::time_point now_;
  int line_ = 0;
  MarkedString* out_ = nullptr;

  std::vector<Value> globals_;    // by NameId
  std::vector<bool> is_defined_;  // by NameId
  Frame root_;
  std::vector<std::unique_ptr<Frame>> frames_;
  std::vector<Frame*> free_frames_;
  std::deque<Namespace> namespaces_;
  std::deque<LoopState> loops_;
};

/// A frame for as long as this stands, or for good once a macro refers to it.
class Evaluator::FrameScope {
 public:
  FrameScope(Evaluator& evaluator, Frame* parent) : evaluator_(evaluator) {
    if (evaluator.free_frames_.empty()) {
      evaluator.budget_.take(sizeof(Frame) + 64);
      evaluator.frames_.push_back(std::make_unique<Frame>());
      frame_ = evaluator.frames_.back().get();
    } else {
      frame_ = evaluator.free_frames_.back();
      evaluator.free_frames_.pop_back();
    }
    frame_->parent = parent;
  }
  ~FrameScope() {
    if (frame_->captured) return;
    frame_->variables.clear();
    evaluator_.free_frames_.push_back(frame_);
  }
  FrameScope(const FrameScope&) = delete;
  FrameScope& operator=(const FrameScope&) = delete;
  Frame& operator*() const { return *frame_; }
  Frame* operator->() const { return frame_; }

 private:
  Evaluator& evaluator_;
  Frame* frame_;
};

}  // namespace premise
