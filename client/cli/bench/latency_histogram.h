// Durations counted into log-linear buckets, 1,024 per power of two: a percentile is off by less
// than 0.1 % of its value, whatever its size; least and most are exact. In the manner of HDR
// histograms, so that a tail of a million samples costs no memory per sample.
//
// Threads: one owner. Value; 450 KB.
#ifndef ANEX_CLIENT_CLI_BENCH_LATENCY_HISTOGRAM_H_
#define ANEX_CLIENT_CLI_BENCH_LATENCY_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anex::bench {

class LatencyHistogram {
 public:
  LatencyHistogram();

  void Add(int64_t ns, uint64_t count = 1);  // negative counts as 0
  void Merge(const LatencyHistogram& other);

  uint64_t count() const { return count_; }
  int64_t least() const { return count_ == 0 ? 0 : least_; }
  int64_t most() const { return most_; }
  double mean() const;
  // The value that `q` of all samples do not exceed: the upper end of its bucket, at most most().
  // 0 when empty.
  int64_t Percentile(double q) const;

  struct Bucket {
    int64_t up_to_ns;  // the largest value that falls into it
    uint64_t count;
  };
  std::vector<Bucket> Buckets() const;  // those that hold something, ascending

 private:
  static size_t IndexOf(uint64_t ns);
  static int64_t UpperEnd(size_t index);

  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  int64_t least_ = INT64_MAX, most_ = 0;
  double sum_ = 0;
};

}  // namespace anex::bench

#endif  // ANEX_CLIENT_CLI_BENCH_LATENCY_HISTOGRAM_H_
