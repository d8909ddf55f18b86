#include "server/device/cpu/einsum_shape.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace anex::device::cpu {
namespace {

// The letters of "x,y->out".
struct Letters {
  std::string x, y, out;
};

Letters LettersOf(const std::string& equation) {
  Letters letters;
  std::string* now = &letters.x;
  for (const char c : equation) {
    if (c == ',') now = &letters.y;
    if (c == '>') now = &letters.out;
    if (c != ',' && c != '-' && c != '>' && c != ' ') now->push_back(c);
  }
  return letters;
}

// How far apart neighbours along `letter` are in packed memory; 0 if it does not occur or has
// size 1.
int64_t StrideOf(const std::string& letters, const Shape& shape, char letter) {
  const size_t axis = letters.find(letter);
  if (axis == std::string::npos || shape[static_cast<int>(axis)] == 1) return 0;
  return PackedStrides(shape)[axis];
}

int64_t SizeOf(const std::string& letters, const Shape& shape, char letter) {
  const size_t axis = letters.find(letter);
  return axis == std::string::npos ? 1 : shape[static_cast<int>(axis)];
}

}  // namespace

EinsumShape ReadEinsum(const OpSite& site, const Shape& x, const Shape& y) {
  const Letters letters = LettersOf(site.Text("equation"));
  const Shape& out = site.ResultType().shape;
  const auto axis = [&](char letter) {
    EinsumAxis result;
    result.size = std::max(SizeOf(letters.x, x, letter), SizeOf(letters.y, y, letter));
    result.x = StrideOf(letters.x, x, letter);
    result.y = StrideOf(letters.y, y, letter);
    result.out = StrideOf(letters.out, out, letter);
    return result;
  };
  EinsumShape shape;
  for (const char letter : letters.out) shape.kept.push_back(axis(letter));
  std::string seen = letters.out;
  for (const char letter : letters.x + letters.y) {
    if (seen.find(letter) != std::string::npos) continue;
    seen.push_back(letter);
    shape.summed.push_back(axis(letter));
  }
  return shape;
}

}  // namespace anex::device::cpu
