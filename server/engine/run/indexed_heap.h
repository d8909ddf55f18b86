// A binary heap of slots, least key first, which knows where each slot stands: a slot can be taken
// out or moved by its number. Equal keys leave in the order in which they came.
//
// Threads: none. Values: a copy is a heap of its own. Push, Erase and top cost O(log n) at most and
// allocate nothing once Grow has made room.
#ifndef ANEX_SERVER_ENGINE_RUN_INDEXED_HEAP_H_
#define ANEX_SERVER_ENGINE_RUN_INDEXED_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace anex::engine {

template <typename Key>
class IndexedHeap {
 public:
  // From now on slots below `slots` may be pushed.
  void Grow(size_t slots) {
    if (place_.size() >= slots) return;
    heap_.reserve(slots);
    place_.resize(slots, kAbsent);
  }

  bool empty() const { return heap_.empty(); }
  size_t size() const { return heap_.size(); }
  bool contains(uint32_t slot) const { return place_[slot] != kAbsent; }
  uint32_t top() const { return heap_.front().slot; }  // REQUIRES: !empty()

  // REQUIRES: !contains(slot).
  void Push(uint32_t slot, Key key) {
    heap_.emplace_back();
    Rise(heap_.size() - 1, {key, ++last_order_, slot});
  }
  // REQUIRES: contains(slot).
  void Erase(uint32_t slot) {
    const size_t hole = place_[slot];
    place_[slot] = kAbsent;
    const Item last = heap_.back();
    heap_.pop_back();
    if (hole == heap_.size()) return;
    Sink(Rise(hole, last), last);
  }
  // Behind those that have the same key. REQUIRES: contains(slot).
  void Move(uint32_t slot, Key key) {
    const Item item{key, ++last_order_, slot};
    Sink(Rise(place_[slot], item), item);
  }
  // Every key changes by `change`, which must keep their order.
  template <typename Change>
  void ChangeAll(Change change) {
    for (Item& item : heap_) item.key = change(item.key);
  }

 private:
  static constexpr uint32_t kAbsent = UINT32_MAX;
  struct Item {
    Key key;
    uint64_t order = 0;
    uint32_t slot = 0;
    bool operator<(const Item& other) const {
      return key != other.key ? key < other.key : order < other.order;
    }
  };

  // Both put `item` where it belongs, from the hole at `at` on. It comes as a value: read back from
  // where its parts were just written it would be late (a load of 16 bytes over two stores of 8).
  size_t Rise(size_t at, const Item& item) {
    for (; at > 0 && item < heap_[(at - 1) / 2]; at = (at - 1) / 2) Put(at, heap_[(at - 1) / 2]);
    Put(at, item);
    return at;
  }
  void Sink(size_t at, const Item& item) {
    const size_t from = at;
    for (size_t child = 2 * at + 1; child < heap_.size(); child = 2 * at + 1) {
      if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
      if (!(heap_[child] < item)) break;
      Put(at, heap_[child]);
      at = child;
    }
    if (at != from) Put(at, item);
  }
  void Put(size_t at, const Item& item) {
    heap_[at] = item;
    place_[item.slot] = static_cast<uint32_t>(at);
  }

  std::vector<Item> heap_;
  std::vector<uint32_t> place_;  // of each slot in heap_
  uint64_t last_order_ = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_INDEXED_HEAP_H_
