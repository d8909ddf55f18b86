// Ends of XPC connections that follow none of the side channel's rules, for tests of those that do.
//
// Threads: any; what comes is kept until it is asked for.
#ifndef ANEX_TESTS_APPLE_RAW_XPC_H_
#define ANEX_TESTS_APPLE_RAW_XPC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/shm/shared_region.h"
#include "proto/wire/side_channel_frame.h"

namespace anex::shm {

// A message as it may be or should not be. What is not set is not in it.
struct RawMessage {
  std::optional<std::string> frame;       // as data
  std::optional<std::string> frame_text;  // as a string, in the same place
  int descriptor = -1;
  bool number_as_descriptor = false;
  const SharedRegion* surface = nullptr;
  bool text_as_surface = false;
  bool descriptor_as_surface = false;  // `descriptor`, in the surface's place
  std::string extra_key;

  static RawMessage Of(const SideChannelFrame& frame);
};

struct RawState;

class RawXpc {
 public:
  // A client of `service`.
  static RawXpc Connect(const std::string& service);
  // A service that takes all and answers nothing by itself. Send goes to its latest client.
  static RawXpc Serve(const std::string& service);
  RawXpc(RawXpc&&) = default;
  ~RawXpc();

  void Send(const RawMessage& message);
  void Send(const SideChannelFrame& frame) { Send(RawMessage::Of(frame)); }
  void StopReading();  // for good
  // Nothing after 20 s without one, or if the connection has ended before.
  std::optional<SideChannelFrame> Receive();
  bool WaitForEnd();

 private:
  explicit RawXpc(std::shared_ptr<RawState> state) : state_(std::move(state)) {}
  std::shared_ptr<RawState> state_;
};

}  // namespace anex::shm

#endif  // ANEX_TESTS_APPLE_RAW_XPC_H_
