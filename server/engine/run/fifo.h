// A queue in one block of memory that grows to what it once held and stays: in steady use nothing
// is allocated (a std::deque takes and gives back a node every few elements).
//
// Threads: none. Values. Invariant: places that hold nothing hold T().
#ifndef ANEX_SERVER_ENGINE_RUN_FIFO_H_
#define ANEX_SERVER_ENGINE_RUN_FIFO_H_

#include <cstddef>
#include <utility>
#include <vector>

namespace anex::engine {

template <typename T>
class Fifo {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  // 0 = the front. REQUIRES: i < size().
  T& operator[](size_t i) { return places_[Place(i)]; }
  const T& operator[](size_t i) const { return places_[Place(i)]; }
  T& front() { return (*this)[0]; }
  const T& front() const { return (*this)[0]; }

  // Takes `value` only when it has room for it.
  void push_back(T&& value) {
    if (size_ == places_.size()) Grow();
    places_[Place(size_++)] = std::move(value);
  }
  // REQUIRES: !empty().
  T pop_front() {
    T value = std::exchange(front(), T());
    head_ = Place(1);
    --size_;
    return value;
  }
  // Drops all behind the first `size`. REQUIRES: size <= size().
  void Truncate(size_t size) {
    while (size_ > size) (*this)[--size_] = T();
  }

 private:
  size_t Place(size_t i) const { return (head_ + i) & (places_.size() - 1); }
  void Grow() {
    std::vector<T> larger(places_.empty() ? 8 : 2 * places_.size());  // powers of two
    for (size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    places_ = std::move(larger);
    head_ = 0;
  }

  std::vector<T> places_;
  size_t head_ = 0, size_ = 0;
};

}  // namespace anex::engine

#endif  // ANEX_SERVER_ENGINE_RUN_FIFO_H_
