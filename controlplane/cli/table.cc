// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/table.h"

#include <algorithm>
#include <numeric>

#include "controlplane/cli/text.h"

namespace cordon::cp::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 8;  // no column is cut below this

std::string_view EscapeFor(Tone tone) {
  switch (tone) {
    case Tone::kPlain:
      return "";
    case Tone::kStrong:
      return "\033[1m";
    case Tone::kGood:
      return "\033[32m";
    case Tone::kWarning:
      return "\033[33m";
    case Tone::kBad:
      return "\033[31m";
    case Tone::kFaint:
      return "\033[2m";
  }
  return "";
}

}  // namespace

std::string Paint(std::string_view text, Tone tone, const Style& style) {
  const std::string_view escape = EscapeFor(tone);
  if (style.color == Style::Color::kNever || escape.empty()) return std::string(text);
  return std::string(escape).append(text).append("\033[0m");
}

Cell Cell::Number(uint64_t number) { return Cell(FormatCount(number)); }

void Table::AddRow(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = cell.text.empty() ? "-" : Printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<size_t> Table::Widths(size_t limit) const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(column.header.size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
    }
  }
  if (limit == 0) return widths;
  size_t total = std::accumulate(widths.begin(), widths.end(), (widths.size() - 1) * kGap);
  while (total > limit) {
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= kNarrowest) break;
    --*widest;
    --total;
  }
  return widths;
}

void Table::Print(std::ostream& out, const Style& style) const {
  if (rows_.empty()) return;
  const std::vector<size_t> widths = Widths(style.width);
  const auto print_row = [&](const auto& text_of, const auto& tone_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string text = Ellipsize(text_of(i), widths[i]);
      const std::string padding(widths[i] - std::min(widths[i], DisplayWidth(text)), ' ');
      const std::string painted = Paint(text, tone_of(i), style);
      const bool last = i + 1 == columns_.size();
      line += columns_[i].align == Align::kRight ? padding + painted
              : last                             ? painted
                                                 : painted + padding;
      if (!last) line += std::string(kGap, ' ');
    }
    out << line << '\n';
  };
  print_row([&](size_t i) { return columns_[i].header; }, [](size_t) { return Tone::kStrong; });
  for (const auto& row : rows_) {
    print_row([&](size_t i) { return row[i].text; }, [&](size_t i) { return row[i].tone; });
  }
}

void Sheet::Add(std::string key, Cell value) {
  if (value.text.empty()) return;
  value.text = Printable(value.text);
  lines_.emplace_back(std::move(key), std::move(value));
}

void Sheet::Print(std::ostream& out, const Style& style) const {
  size_t width = 0;
  for (const auto& [key, value] : lines_) width = std::max(width, key.size());
  for (const auto& [key, value] : lines_) {
    out << Paint(key + ':', Tone::kStrong, style) << std::string(width - key.size() + kGap, ' ')
        << Paint(value.text, value.tone, style) << '\n';
  }
}

}  // namespace cordon::cp::cli
