// What every kind of side channel must do, written once against the interface. A kind registers
// itself with INSTANTIATE_TEST_SUITE_P; a test that it cannot pass is skipped with the reason that
// it gives.
#ifndef ANEX_TESTS_SHM_SIDE_CHANNEL_SUITE_H_
#define ANEX_TESTS_SHM_SIDE_CHANNEL_SUITE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "gtest/gtest.h"
#include "proto/shm/side_channel.h"

namespace anex::shm {

struct ChannelKind {
  std::string name;
  std::function<SideChannelPair()> make;
  std::string cannot_poll;  // "" = its second end can be polled; otherwise why not
  // A port as this kind carries it, and whether two ports are of the same memory; null for a kind
  // that carries none and says so.
  std::function<OwnedDescriptor()> make_port;
  std::function<bool(const OwnedDescriptor&, const OwnedDescriptor&)> same_memory;
};
inline void PrintTo(const ChannelKind& it, std::ostream* out) { *out << it.name; }

class SideChannelSuite : public ::testing::TestWithParam<ChannelKind> {
 protected:
  SideChannelPair pair_ = GetParam().make();
  SideChannel& left_ = *pair_.first;
  SideChannel& right_ = *pair_.second;
};

}  // namespace anex::shm

#endif  // ANEX_TESTS_SHM_SIDE_CHANNEL_SUITE_H_
