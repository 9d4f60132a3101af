// SPDX-License-Identifier: Apache-2.0
// Aligned columns for people. Pure: writes to a stream, knows no terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace cordon::cp::cli {

// How a text feels; a colour on a terminal, nothing elsewhere.
enum class Tone { kPlain, kStrong, kGood, kWarning, kBad, kFaint };

// Where the text goes: with colour or without, and how wide it may be (0: as wide as it likes).
struct Style {
  enum class Color { kNever, kAlways };
  Color color = Color::kNever;
  size_t width = 0;
};

// The text in the colour of its tone, if the style has colour.
std::string Paint(std::string_view text, Tone tone, const Style& style);

struct Cell {
  Cell(std::string cell_text, Tone cell_tone = Tone::kPlain)  // NOLINT: rows are lists of texts
      : text(std::move(cell_text)), tone(cell_tone) {}
  Cell(const char* cell_text) : text(cell_text) {}  // NOLINT: rows are lists of texts
  static Cell Number(uint64_t number);

  std::string text;
  Tone tone = Tone::kPlain;
};

// Cells are made Printable(). An empty cell is shown as "-". Where the rows do not fit, the widest
// column is cut. Cost: all rows are kept until Print.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns.
  void AddRow(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  // Nothing for a table without rows: the caller says what that means.
  void Print(std::ostream& out, const Style& style) const;

 private:
  std::vector<size_t> Widths(size_t limit) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// "Key:   value" lines with aligned values, for `describe`. Lines without a value are left out.
class Sheet {
 public:
  void Add(std::string key, Cell value);
  void Print(std::ostream& out, const Style& style) const;

 private:
  std::vector<std::pair<std::string, Cell>> lines_;
};

}  // namespace cordon::cp::cli
