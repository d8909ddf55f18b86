#include "client/cli/output/table.h"

#include <algorithm>
#include <utility>

#include "client/cli/output/text.h"

namespace anex::cli {

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Harmless(cell.text);
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

void Table::AppendRow(const std::vector<Cell>& cells, const std::vector<size_t>& widths,
                      const Style& style, std::string& out) const {
  std::string line;
  size_t pending = 0;  // spaces that are only written if something follows
  for (size_t i = 0; i < cells.size(); ++i) {
    const size_t pad = widths[i] - DisplayWidth(cells[i].text);
    const bool right = columns_[i].align == Align::kRight;
    if (right) pending += pad;
    if (!cells[i].text.empty()) {
      line.append(pending, ' ').append(style.Paint(cells[i].text, cells[i].tint));
      pending = 0;
    }
    pending += 2 + (right ? 0 : pad);
  }
  out.append(line).push_back('\n');
}

std::string Table::Render(const Style& style) const {
  if (rows_.empty()) return "";
  std::vector<size_t> widths;
  std::vector<Cell> head;
  for (const Column& column : columns_) {
    widths.push_back(DisplayWidth(column.title));
    head.emplace_back(column.title, Tint::kDim);
  }
  for (const std::vector<Cell>& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  std::string out;
  AppendRow(head, widths, style, out);
  for (const std::vector<Cell>& row : rows_) AppendRow(row, widths, style, out);
  return out;
}

}  // namespace anex::cli
