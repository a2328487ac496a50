// Cases of the standard: https://www.w3.org/TR/trace-context/#traceparent-header
#include "serve/observe/trace_context.h"

#include <gtest/gtest.h>

namespace premise {
namespace {

constexpr const char* trace = "0af7651916cd43dd8448eb211c80319c";
constexpr const char* parent = "b7ad6b7169203331";

TEST(TraceContext, continues_the_trace_of_the_caller_with_a_span_of_its_own) {
  const TraceContext context = trace_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_EQ(context.trace_id, trace);
  EXPECT_EQ(context.parent_id, parent);
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(context.span_id.size(), 16u);
  EXPECT_NE(context.span_id, parent);
  EXPECT_EQ(context.header(), std::string("00-") + trace + "-" + context.span_id + "-01");
}

TEST(TraceContext, reads_versions_to_come) {
  EXPECT_EQ(trace_of("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more").trace_id,
            trace);
}

TEST(TraceContext, begins_a_trace_where_the_header_is_absent_or_broken) {
  for (const char* broken : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                             "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                             "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                             "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                             "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
                             "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                             "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"}) {
    const TraceContext context = trace_of(broken);
    EXPECT_NE(context.trace_id, trace) << broken;
    EXPECT_TRUE(context.parent_id.empty()) << broken;
  }
  EXPECT_NE(trace_of(std::nullopt).trace_id, trace_of(std::nullopt).trace_id);
}

}  // namespace
}  // namespace premise
