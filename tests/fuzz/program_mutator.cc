#include "tests/fuzz/program_mutator.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iterator>
#include <random>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace anex::mil {
namespace {

struct Word {
  size_t at = 0, length = 0;
  int depth = 0;        // of brackets
  bool quoted = false;  // a string
};

bool IsWordPart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}

std::vector<Word> WordsOf(const std::string& text) {
  std::vector<Word> words;
  int depth = 0;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '"') {
      end = std::min(text.find('"', i + 1), text.size() - 1) + 1;
      words.push_back({i, end - i, depth, true});
    } else if (IsWordPart(text[i])) {
      while (end < text.size() &&
             (IsWordPart(text[end]) ||
              ((text[end] == '+' || text[end] == '-') && text[end - 1] == 'p'))) {
        ++end;
      }
      words.push_back({i, end - i, depth});
    } else if (!std::isspace(static_cast<unsigned char>(text[i]))) {
      depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
      words.push_back({i, 1, depth});
    }
    i = end;
  }
  return words;
}

// `tensor<type, [dims]> name` that an operation gives or a function takes.
struct Declared {
  std::string dtype, name;
  std::vector<int64_t> dims;
  size_t end_of_statement = 0;  // behind the ';'; 0 for a parameter
};

using Family = std::vector<std::string_view>;
const Family kFamilies[] = {
    {"relu",
     "relu6",
     "sigmoid",
     "tanh",
     "exp",
     "exp2",
     "sqrt",
     "square",
     "abs",
     "sign",
     "floor",
     "ceil",
     "round",
     "silu",
     "softplus",
     "softsign",
     "erf",
     "sin",
     "cos",
     "atan",
     "identity",
     "gelu",
     "rsqrt",
     "log",
     "inverse",
     "softmax",
     "leaky_relu",
     "elu",
     "thresholded_relu",
     "sigmoid_hard"},
    {"add", "sub", "mul", "real_div", "maximum", "minimum", "floor_div", "mod", "pow"},
    {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"},
    {"logical_and", "logical_or", "logical_xor"},
    {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1_norm",
     "reduce_l2_norm", "reduce_sum_square", "reduce_log_sum", "reduce_log_sum_exp"},
    {"reduce_argmax", "reduce_argmin"},
    {"max_pool", "avg_pool", "l2_pool"},
    {"scatter_along_axis", "gather_along_axis"},
    {"concat", "stack"},
};
const Family kUnary = kFamilies[0];

class Mutator {
 public:
  Mutator(const std::string& text, uint32_t seed) : text_(text), random_(seed) {}

  std::string Next() {
    words_ = WordsOf(text_);
    if (!words_.empty()) Change();
    return text_;
  }

 private:
  size_t Below(size_t bound) { return bound == 0 ? 0 : random_() % bound; }
  std::string_view TextOf(const Word& word) const {
    return std::string_view(text_).substr(word.at, word.length);
  }
  bool Is(size_t i, std::string_view what) const {
    return i < words_.size() && TextOf(words_[i]) == what;
  }
  static bool IsNumber(std::string_view word) {
    return !word.empty() && word.size() < 10 &&
           std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
  }
  void Replace(const Word& word, std::string_view with) {
    text_.replace(word.at, word.length, with);
  }

  void Change() {
    switch (Below(13)) {
      case 0:
      case 1:
        return ChangeDimension();
      case 2:
      case 3:
        return ChangeOperation();
      case 4:
        return ChangeNumber();
      case 5:
        return ChangeElementType();
      case 6:
      case 7:
        return ChangeOperand();
      case 8:
        return AddOutput();
      case 9:
        return SendNumbersAlong();
      default:
        return InsertMove();
    }
  }

  // One number in brackets becomes another one wherever it stands in brackets.
  void ChangeDimension() {
    std::vector<Word> numbers;
    for (const Word& word : words_) {
      if (word.depth > 0 && !word.quoted && IsNumber(TextOf(word))) numbers.push_back(word);
    }
    if (numbers.empty()) return;
    const std::string old(TextOf(numbers[Below(numbers.size())]));
    const int64_t value = std::atoll(old.c_str());
    const int64_t others[] = {value + 1, value - 1, 2 * value, value / 2, 1, 3, 17};
    const std::string fresh = absl::StrCat(std::max<int64_t>(1, others[Below(std::size(others))]));
    for (auto word = numbers.rbegin(); word != numbers.rend(); ++word) {
      if (TextOf(*word) == old) Replace(*word, fresh);
    }
  }

  void ChangeOperation() {
    std::vector<std::pair<Word, const Family*>> found;
    for (size_t i = 1; i + 1 < words_.size(); ++i) {
      if (!Is(i - 1, "=") || !Is(i + 1, "(")) continue;
      for (const Family& family : kFamilies) {
        if (std::ranges::find(family, TextOf(words_[i])) != family.end())
          found.push_back({words_[i], &family});
      }
    }
    if (found.empty()) return;
    const auto& [word, family] = found[Below(found.size())];
    Replace(word, (*family)[Below(family->size())]);
  }

  // A literal in parentheses: fp16(0x1p+0), int32([1, -1]), bool(true).
  void ChangeNumber() {
    static constexpr std::string_view kFloats[] = {
        "0x0p+0", "-0x0p+0", "1", "-1", "0.5", "inf", "-inf", "nan", "65504", "0x1p-24", "3.7"};
    static constexpr std::string_view kInts[] = {"0", "1", "2", "-1", "-2", "3", "100"};
    std::vector<Word> found;
    for (size_t i = 3; i < words_.size(); ++i) {
      const std::string_view word = TextOf(words_[i]);
      const bool literal =
          std::isdigit(static_cast<unsigned char>(word[0])) || word == "true" || word == "false";
      if (literal && (Is(i - 1, "(") || Is(i - 1, ",") || Is(i - 1, "[") || Is(i - 1, "-")))
        found.push_back(words_[i]);
    }
    if (found.empty()) return;
    const Word& word = found[Below(found.size())];
    const std::string old(TextOf(word));
    if (old == "true" || old == "false") return Replace(word, old == "true" ? "false" : "true");
    Replace(word,
            IsNumber(old) ? kInts[Below(std::size(kInts))] : kFloats[Below(std::size(kFloats))]);
  }

  void ChangeElementType() {
    const bool to_single = text_.find("fp16") != std::string::npos && Below(3) != 0;
    const std::string_view from = to_single ? "fp16" : "fp32", to = to_single ? "fp32" : "fp16";
    for (size_t at = 0; (at = text_.find(from, at)) != std::string::npos;) text_.replace(at, 4, to);
  }

  std::vector<Declared> Declarations() const {
    std::vector<Declared> all;
    for (size_t i = 0; i + 8 < words_.size(); ++i) {
      if (!Is(i, "tensor") || !Is(i + 1, "<") || !Is(i + 3, ",") || !Is(i + 4, "[")) continue;
      Declared one{.dtype = std::string(TextOf(words_[i + 2]))};
      size_t at = i + 5;
      for (; at < words_.size() && !Is(at, "]"); ++at) {
        if (IsNumber(TextOf(words_[at])))
          one.dims.push_back(std::atoll(std::string(TextOf(words_[at])).c_str()));
        if (Is(at, "?")) one.dims.push_back(-1);
      }
      if (!Is(at + 1, ">") || at + 3 >= words_.size()) continue;
      one.name = TextOf(words_[at + 2]);
      if (Is(at + 3, "=") && Is(at + 4, "const")) continue;
      if (Is(at + 3, "=")) one.end_of_statement = EndOfStatement(at);
      if (Is(at + 3, "=") || Is(at + 3, ",") || Is(at + 3, ")")) all.push_back(std::move(one));
    }
    return all;
  }
  size_t EndOfStatement(size_t i) const {
    while (i < words_.size() && !Is(i, ";")) ++i;
    return i < words_.size() ? words_[i].at + 1 : 0;
  }

  // `x = a` becomes `x = b` where b is of the type of a.
  void ChangeOperand() {
    const std::vector<Declared> declared = Declarations();
    if (declared.size() < 2) return;
    const Declared& one = declared[Below(declared.size())];
    std::vector<Word> uses;
    for (size_t i = 1; i < words_.size(); ++i) {
      if (TextOf(words_[i]) == one.name && (Is(i - 1, "=") || Is(i - 1, "(")) && !words_[i].quoted)
        uses.push_back(words_[i]);
    }
    if (uses.empty()) return;
    for (int tries = 0; tries < 20; ++tries) {
      const Declared& other = declared[Below(declared.size())];
      if (other.name == one.name || other.dtype != one.dtype || other.dims != one.dims) continue;
      return Replace(uses[Below(uses.size())], other.name);
    }
  }

  // A list that stands in the text becomes one of a weight file.
  void SendNumbersAlong() {
    std::vector<std::pair<size_t, size_t>> lists;
    for (size_t i = 1; i + 1 < words_.size(); ++i) {
      if (!Is(i - 1, "(") || !Is(i, "[")) continue;
      size_t end = i;
      while (end < words_.size() && !Is(end, ")")) ++end;
      if (end < words_.size()) lists.push_back({words_[i].at, words_[end].at});
    }
    if (lists.empty()) return;
    const auto [begin, end] = lists[Below(lists.size())];
    text_.replace(
        begin, end - begin,
        absl::StrCat("BLOBFILE(path = string(\"@model_path/lists.bin\"), offset = uint64(",
                     64 * (1 + Below(4)), "))"));
  }

  void AddOutput() {
    const std::vector<Declared> declared = Declarations();
    const size_t arrow = text_.rfind("-> (");
    if (declared.empty() || arrow == std::string::npos) return;
    text_.insert(arrow + 4, absl::StrCat(declared[Below(declared.size())].name, ", "));
  }

  // Statements that take `from` apart and put it together as `to`, of the same type.
  std::string Move(const Declared& one, const std::string& from, const std::string& to) {
    const size_t rank = one.dims.size();
    const size_t axis = Below(rank);
    const std::string type = TypeOf(one.dtype, one.dims), half = absl::StrCat(to, "_h");
    switch (Below(6)) {
      case 0:
        return absl::StrCat(type, " ", to, " = reverse(x = ", from,
                            ", axes = ", Ints({static_cast<int64_t>(axis)}), ");");
      case 1: {  // there and back
        std::vector<int64_t> perm(rank), back(rank), turned(rank);
        for (size_t i = 0; i < rank; ++i) perm[i] = static_cast<int64_t>(i);
        std::ranges::shuffle(perm, random_);
        for (size_t i = 0; i < rank; ++i) {
          back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
          turned[i] = one.dims[static_cast<size_t>(perm[i])];
        }
        return absl::StrCat(TypeOf(one.dtype, turned), " ", half, " = transpose(x = ", from,
                            ", perm = ", Ints(perm), ");\n", type, " ", to,
                            " = transpose(x = ", half, ", perm = ", Ints(back), ");");
      }
      case 2: {
        std::vector<int64_t> flat = {1, 1};
        for (const int64_t dim : one.dims) flat[1] *= dim;
        return absl::StrCat(TypeOf(one.dtype, flat), " ", half, " = reshape(x = ", from,
                            ", shape = ", Ints(flat), ");\n", type, " ", to,
                            " = reshape(x = ", half, ", shape = ", Ints(one.dims), ");");
      }
      case 3: {  // twice as long, and every second one of it
        std::vector<int64_t> twice = one.dims, ones(rank, 1), begin(rank, 0), stride(rank, 1);
        twice[axis] *= 2;
        ones[axis] = 2;
        begin[axis] = static_cast<int64_t>(Below(2));
        stride[axis] = 2;
        return absl::StrCat(TypeOf(one.dtype, twice), " ", half, " = tile(x = ", from,
                            ", reps = ", Ints(ones), ");\n", type, " ", to,
                            " = slice_by_index(x = ", half, ", begin = ", Ints(begin),
                            ", end = ", Ints(twice), ", stride = ", Ints(stride), ");");
      }
      case 4: {
        if (one.dims[axis] < 2) break;
        std::vector<int64_t> rest = one.dims, first = one.dims;
        first[axis] = 1;
        rest[axis] -= 1;
        return absl::StrCat(TypeOf(one.dtype, first), " ", half, ", ", TypeOf(one.dtype, rest), " ",
                            half, "2 = split(x = ", from, ", axis = int32(", axis,
                            "), split_sizes = ", Ints({1, rest[axis]}), ");\n", type, " ", to,
                            " = concat(values = (", half, "2, ", half, "), axis = int32(", axis,
                            "), interleave = bool(false));");
      }
      default:
        break;
    }
    if (one.dtype != "fp16" && one.dtype != "fp32") {
      return absl::StrCat(type, " ", to, " = identity(x = ", from, ");");
    }
    return absl::StrCat(type, " ", to, " = ", std::string(kUnary[Below(kUnary.size())]),
                        "(x = ", from, ");");
  }
  static std::string Ints(const std::vector<int64_t>& values) {
    return absl::StrCat("tensor<int32, [", values.size(), "]>([", absl::StrJoin(values, ", "),
                        "])");
  }
  static std::string TypeOf(const std::string& dtype, const std::vector<int64_t>& dims) {
    return absl::StrCat("tensor<", dtype, ", [", absl::StrJoin(dims, ", "), "]>");
  }

  // Behind the statement that gives a value; whatever uses it then uses what was made of it.
  void InsertMove() {
    const std::vector<Declared> declared = Declarations();
    if (declared.empty()) return;
    const Declared& one = declared[Below(declared.size())];
    const bool plain = std::ranges::all_of(one.dims, [](int64_t dim) { return dim > 0; });
    if (one.end_of_statement == 0 || one.dims.empty() || one.dims.size() > 5 || !plain) return;
    const std::string fresh = absl::StrCat("moved_", Below(1000000));
    for (auto word = words_.rbegin(); word != words_.rend() && word->at >= one.end_of_statement;
         ++word) {
      if (!word->quoted && TextOf(*word) == one.name) Replace(*word, fresh);
    }
    text_.insert(one.end_of_statement, absl::StrCat("\n", Move(one, one.name, fresh)));
  }

  std::string text_;
  std::vector<Word> words_;
  std::mt19937 random_;
};

}  // namespace

std::string Mutated(const std::string& text, uint32_t seed) { return Mutator(text, seed).Next(); }

}  // namespace anex::mil
