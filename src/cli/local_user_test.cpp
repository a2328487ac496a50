#include "cli/local_user.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace premise {
namespace {

TEST(LocalUser, IsNamedAsTheSystemNamesHim) {
  EXPECT_EQ(user_called(0), "user root");
  EXPECT_TRUE(local_user().starts_with(user_called(geteuid()))) << local_user();
}

TEST(LocalUser, WithoutANameTheNumberIsSaid) {
  EXPECT_EQ(user_called(3'999'999'999), "user 3999999999");
}

}  // namespace
}  // namespace premise
