// The client's side channel against a daemon that is late, wrong, lying or gone.
#include "client/transport/side_channel_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "tests/system/descriptors.h"

namespace anex {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(20);
constexpr absl::Duration kShort = absl::Milliseconds(30);

SideChannelToken Token(uint8_t fill) {
  SideChannelToken token;
  token.fill(fill);
  return token;
}
std::string Hex(const SideChannelToken& token) {
  return absl::BytesToHexString(SideChannelTokenToBytes(token));
}

// A peer at the other end of a real socket pair, so that descriptors travel.
class SideChannelClientTest : public ::testing::Test {
 protected:
  SideChannelClientTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ours_ = *shm::AdoptSideChannel(shm::OwnedDescriptor(ends[0]));
    peer_ = *shm::AdoptSideChannel(shm::OwnedDescriptor(ends[1]));
  }
  ~SideChannelClientTest() override {
    if (script_.joinable()) script_.join();
  }

  // Runs `script` as the daemon, in its own thread.
  void Daemon(std::function<void()> script) { script_ = std::thread(std::move(script)); }
  void JoinDaemon() { script_.join(); }
  SideChannelFrame Take() {
    absl::StatusOr<shm::ReceivedFrame> got = peer_->Receive(kLong);
    EXPECT_TRUE(got.ok()) << got.status();
    if (!got.ok()) return SideChannelFrame::Wake();
    last_descriptor_ = std::move(got->descriptor);
    return got->frame;
  }
  void Give(const SideChannelFrame& frame, int descriptor = -1) {
    EXPECT_TRUE(peer_->Send(frame, descriptor, kLong).ok());
  }
  void Welcome() {
    Take();
    Give(SideChannelFrame::Welcome());
  }
  std::unique_ptr<SideChannelClient> Attach() {
    Daemon([this] { Welcome(); });
    auto client = SideChannelClient::Attach(std::move(ours_), Hex(Token(1)), kLong);
    JoinDaemon();
    EXPECT_TRUE(client.ok()) << client.status();
    return client.ok() ? *std::move(client) : nullptr;
  }
  absl::Status WaitUntilGone(const SideChannelClient& client) {
    for (int i = 0; i < 2000 && client.gone().ok(); ++i) absl::SleepFor(absl::Milliseconds(5));
    return client.gone();
  }

  std::unique_ptr<shm::SideChannel> ours_, peer_;
  shm::OwnedDescriptor last_descriptor_;
  std::thread script_;
};

TEST_F(SideChannelClientTest, SaysHelloWithItsTokenAndGoodbyeAtTheEnd) {
  SideChannelFrame hello = SideChannelFrame::Wake(), bye = hello;
  Daemon([&] {
    hello = Take();
    Give(SideChannelFrame::Welcome());
    bye = Take();
  });
  { auto client = SideChannelClient::Attach(std::move(ours_), Hex(Token(7)), kLong); }
  JoinDaemon();
  EXPECT_EQ(hello, SideChannelFrame::Hello(Token(7)));
  EXPECT_EQ(bye, SideChannelFrame::Bye(ByeReason::kClosed));
}

TEST_F(SideChannelClientTest, RefusalOfTheHelloKeepsItsCode) {
  Daemon([this] {
    Take();
    Give(SideChannelFrame::Bye(ByeReason::kRefused, absl::StatusCode::kUnauthenticated));
  });
  EXPECT_EQ(SideChannelClient::Attach(std::move(ours_), Hex(Token(1)), kLong).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(SideChannelClientTest, SilentDaemonTimesOut) {
  EXPECT_EQ(SideChannelClient::Attach(std::move(ours_), Hex(Token(1)), kShort).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST_F(SideChannelClientTest, WrongGreetingIsNotADaemon) {
  Daemon([this] {
    Take();
    Give(SideChannelFrame::Wake());
  });
  EXPECT_EQ(SideChannelClient::Attach(std::move(ours_), Hex(Token(1)), kLong).status().code(),
            absl::StatusCode::kInternal);
}

TEST_F(SideChannelClientTest, TokenThatIsNoHexIsRefusedBeforeAnythingIsSent) {
  for (const std::string& token : {std::string("zz"), std::string(64, 'g'), std::string(62, 'a')}) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    shm::OwnedDescriptor other(ends[1]);
    auto channel = *shm::AdoptSideChannel(shm::OwnedDescriptor(ends[0]));
    EXPECT_EQ(SideChannelClient::Attach(std::move(channel), token, kShort).status().code(),
              absl::StatusCode::kInternal);
  }
}

TEST_F(SideChannelClientTest, ClaimMapsTheDeliveredMemory) {
  auto client = Attach();
  auto region = *shm::CreateRegion(8192, "test");
  region->data()[4097] = std::byte{42};
  Daemon([&] {
    const SideChannelFrame claim = Take();
    EXPECT_EQ(claim.token, Token(9));
    const auto fd = *region->Share(shm::RegionAccess::kReadWrite);
    Give(SideChannelFrame::Deliver(claim.request, claim.token, region->size(), true), fd.get());
  });
  const auto mapped = client->Claim(Hex(Token(9)), 5000, shm::RegionAccess::kReadWrite, kLong);
  ASSERT_TRUE(mapped.ok()) << mapped.status();
  EXPECT_EQ((*mapped)->data()[4097], std::byte{42});
  (*mapped)->data()[17] = std::byte{3};
  EXPECT_EQ(region->data()[17], std::byte{3}) << "the same memory";
}

TEST_F(SideChannelClientTest, AnswersFindTheirAskersInAnyOrder) {
  auto client = Attach();
  auto first = *shm::CreateRegion(4096, "a"), second = *shm::CreateRegion(4096, "b");
  first->data()[0] = std::byte{1};
  second->data()[0] = std::byte{2};
  Daemon([&] {
    SideChannelFrame claims[2] = {Take(), Take()};
    for (const int i : {1, 0}) {
      const auto& region = claims[i].token == Token(1) ? first : second;
      const auto fd = *region->Share(shm::RegionAccess::kReadOnly);
      Give(SideChannelFrame::Deliver(claims[i].request, claims[i].token, 4096, false), fd.get());
    }
  });
  std::thread other([&] {
    const auto region = client->Claim(Hex(Token(1)), 1, shm::RegionAccess::kReadOnly, kLong);
    ASSERT_TRUE(region.ok()) << region.status();
    EXPECT_EQ(std::as_const(**region).data()[0], std::byte{1});
  });
  const auto region = client->Claim(Hex(Token(2)), 1, shm::RegionAccess::kReadOnly, kLong);
  ASSERT_TRUE(region.ok()) << region.status();
  EXPECT_EQ(std::as_const(**region).data()[0], std::byte{2});
  other.join();
}

TEST_F(SideChannelClientTest, RefusedClaimKeepsItsCodeAndTheChannel) {
  auto client = Attach();
  Daemon([this] {
    const SideChannelFrame claim = Take();
    Give(SideChannelFrame::DeliverError(claim.request, claim.token, absl::StatusCode::kNotFound));
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 1, shm::RegionAccess::kReadOnly, kLong).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(client->gone().ok());
}

TEST_F(SideChannelClientTest, MemorySmallerThanAnnouncedIsRefused) {
  auto client = Attach();
  auto region = *shm::CreateRegion(4096, "small");
  Daemon([&] {
    const SideChannelFrame claim = Take();
    const auto fd = *region->Share(shm::RegionAccess::kReadWrite);
    Give(SideChannelFrame::Deliver(claim.request, claim.token, 1 << 20, true), fd.get());
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 64, shm::RegionAccess::kReadWrite, kLong).status().code(),
            absl::StatusCode::kOutOfRange);
}

TEST_F(SideChannelClientTest, UnsealedMemoryIsRefused) {
  auto client = Attach();
  const shm::OwnedDescriptor shrinkable(test::NewLooseFile(4096));
  Daemon([&] {
    const SideChannelFrame claim = Take();
    Give(SideChannelFrame::Deliver(claim.request, claim.token, 4096, true), shrinkable.get());
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 64, shm::RegionAccess::kReadWrite, kLong).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(SideChannelClientTest, ReadOnlyMemoryIsNotMappedForWriting) {
  auto client = Attach();
  auto region = *shm::CreateRegion(4096, "ro");
  Daemon([&] {
    const SideChannelFrame claim = Take();
    const auto fd = *region->Share(shm::RegionAccess::kReadOnly);
    Give(SideChannelFrame::Deliver(claim.request, claim.token, 4096, false), fd.get());
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 64, shm::RegionAccess::kReadWrite, kLong).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(SideChannelClientTest, MemoryForAnotherTokenIsRefused) {
  auto client = Attach();
  auto region = *shm::CreateRegion(4096, "other");
  Daemon([&] {
    const SideChannelFrame claim = Take();
    const auto fd = *region->Share(shm::RegionAccess::kReadWrite);
    Give(SideChannelFrame::Deliver(claim.request, Token(99), 4096, true), fd.get());
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 64, shm::RegionAccess::kReadWrite, kLong).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(SideChannelClientTest, AnswerThatNobodyAskedForEndsTheChannel) {
  auto client = Attach();
  Give(SideChannelFrame::Refused(1234, absl::StatusCode::kInternal));
  EXPECT_THAT(WaitUntilGone(*client).message(), HasSubstr("nobody asked"));
  EXPECT_EQ(client->Claim(Hex(Token(3)), 1, shm::RegionAccess::kReadOnly, kLong).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(SideChannelClientTest, AnswerOfTheWrongKindEndsTheChannelAndTheWait) {
  auto client = Attach();
  Daemon([this] {
    const SideChannelFrame claim = Take();
    Give(SideChannelFrame::Accepted(claim.request, Token(5), 4096));
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 1, shm::RegionAccess::kReadOnly, kLong).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(SideChannelClientTest, FramesOfAClientEndTheChannel) {
  auto client = Attach();
  Give(SideChannelFrame::Claim(1, Token(1)));
  EXPECT_EQ(WaitUntilGone(*client).code(), absl::StatusCode::kUnavailable);
}

TEST_F(SideChannelClientTest, LateAnswerIsDroppedAndTheChannelLives) {
  auto client = Attach();
  EXPECT_EQ(client->Claim(Hex(Token(3)), 1, shm::RegionAccess::kReadOnly, kShort).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  const SideChannelFrame late = Take();
  Give(SideChannelFrame::DeliverError(late.request, late.token, absl::StatusCode::kNotFound));
  Daemon([this] {
    const SideChannelFrame claim = Take();
    Give(SideChannelFrame::DeliverError(claim.request, claim.token, absl::StatusCode::kAborted));
  });
  EXPECT_EQ(client->Claim(Hex(Token(4)), 1, shm::RegionAccess::kReadOnly, kLong).status().code(),
            absl::StatusCode::kAborted);
}

TEST_F(SideChannelClientTest, EvictionAndDeathAreNoticedWhileIdle) {
  auto client = Attach();
  Give(SideChannelFrame::Bye(ByeReason::kEvicted));
  const absl::Status gone = WaitUntilGone(*client);
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(gone.message(), HasSubstr(std::string(ByeReasonName(ByeReason::kEvicted))));
}

TEST_F(SideChannelClientTest, DeathWhileAskingEndsTheWait) {
  auto client = Attach();
  Daemon([this] {
    Take();
    peer_.reset();
  });
  EXPECT_EQ(client->Claim(Hex(Token(3)), 1, shm::RegionAccess::kReadOnly, kLong).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(SideChannelClientTest, ABrokenChannelIsExplainedAndNotOnlyNamedByItsSystemCall) {
  Daemon([this] { peer_.reset(); });
  const absl::Status cut =
      SideChannelClient::Attach(std::move(ours_), Hex(Token(1)), kLong).status();
  JoinDaemon();
  EXPECT_EQ(cut.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(cut.message(), HasSubstr("side channel to the daemon broke"));
  EXPECT_THAT(cut.message(), HasSubstr("ulimit -n"));
  const absl::Status nobody =
      SideChannelClient::Connect("/nonexistent/side.sock", Hex(Token(1)), kShort).status();
  EXPECT_EQ(nobody.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(nobody.message(), HasSubstr("the daemon ended"));
}

TEST_F(SideChannelClientTest, OfferCarriesTheDescriptorAndBringsTheToken) {
  auto client = Attach();
  auto region = *shm::CreateRegion(8192, "mine");
  Daemon([this] {
    const SideChannelFrame offer = Take();
    EXPECT_EQ(offer.kind, FrameKind::kOffer);
    EXPECT_EQ(offer.bytes, 8192u);
    EXPECT_TRUE(offer.writable);
    EXPECT_TRUE(
        shm::MapRegionUntrusted(std::move(last_descriptor_), 8192, shm::RegionAccess::kReadWrite)
            .ok());
    Give(SideChannelFrame::Accepted(offer.request, Token(0xab), offer.bytes));
  });
  const absl::StatusOr<std::string> token = client->Offer(*region, kLong);
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(*token, Hex(Token(0xab)));
}

TEST_F(SideChannelClientTest, RefusedOfferKeepsItsCode) {
  auto client = Attach();
  auto region = *shm::CreateRegion(4096, "mine");
  Daemon([this] {
    Give(SideChannelFrame::Refused(Take().request, absl::StatusCode::kResourceExhausted));
  });
  EXPECT_EQ(client->Offer(*region, kLong).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SideChannelClientTest, HeapMemoryCannotBeOffered) {
  auto client = Attach();
  EXPECT_EQ(client->Offer(**shm::CreateHeapRegion(64), kLong).status().code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace anex
