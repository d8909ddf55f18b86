// A table of text: columns as wide as their widest cell, two spaces apart, no trailing spaces.
// Values, any thread. Cells are made harmless when they are added, so no name can move the cursor.
#ifndef ANEX_CLIENT_CLI_OUTPUT_TABLE_H_
#define ANEX_CLIENT_CLI_OUTPUT_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/output/style.h"

namespace anex::cli {

enum class Align { kLeft, kRight };

struct Cell {
  std::string text;
  Tint tint = Tint::kPlain;
  Cell(std::string text, Tint tint = Tint::kPlain) : text(std::move(text)), tint(tint) {}  // NOLINT
  Cell(std::string_view text) : text(text) {}                                              // NOLINT
  Cell(const char* text) : text(text) {}                                                   // NOLINT
};

class Table {
 public:
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns);

  // REQUIRES: as many cells as columns.
  void Add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  // With the head line; "" for a table without rows.
  std::string Render(const Style& style) const;

 private:
  void AppendRow(const std::vector<Cell>& cells, const std::vector<size_t>& widths,
                 const Style& style, std::string& out) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace anex::cli

#endif  // ANEX_CLIENT_CLI_OUTPUT_TABLE_H_
