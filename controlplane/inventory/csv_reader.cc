// SPDX-License-Identifier: Apache-2.0
#include "controlplane/inventory/csv_reader.h"

#include <array>
#include <cstdint>
#include <utility>

namespace cordon::cp {
namespace {

// Code page 1252 from 0x80 to 0x9f; the rest is Latin-1. 0xfffd where it has no character.
constexpr std::array<uint16_t, 32> kWindows1252 = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};

void AppendUtf8(uint16_t code_point, std::string& text) {
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0 | code_point >> 6);
    text += static_cast<char>(0x80 | (code_point & 0x3f));
  } else {
    text += static_cast<char>(0xe0 | code_point >> 12);
    text += static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    text += static_cast<char>(0x80 | (code_point & 0x3f));
  }
}

// Length of the well-formed sequence at the start of `text`, which is not empty; 0 if there is none
// (RFC 3629 section 4: no overlong forms, no surrogates, nothing above U+10FFFF).
size_t Utf8SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const uint8_t second = byte(1);
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8SequenceLength(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string DecodeCsvText(std::string_view content) {
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);
  if (IsUtf8(content)) return std::string(content);
  std::string text;
  text.reserve(content.size() + content.size() / 8);
  for (const char c : content) {
    const auto byte = static_cast<uint8_t>(c);
    AppendUtf8(byte >= 0x80 && byte < 0xa0 ? kWindows1252[byte - 0x80] : byte, text);
  }
  return text;
}

char DetectDelimiter(std::string_view text) {
  constexpr std::string_view kCandidates = ",;\t|";
  std::array<size_t, kCandidates.size()> counts{};
  const size_t header = text.find_first_not_of("\r\n");
  if (header == std::string_view::npos) return ',';
  bool quoted = false;
  for (const char c : text.substr(header)) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    const size_t candidate = kCandidates.find(c);
    if (candidate != std::string_view::npos) ++counts[candidate];
  }
  size_t best = 0;
  for (size_t i = 1; i < counts.size(); ++i) {
    if (counts[i] > counts[best]) best = i;
  }
  return kCandidates[best];
}

bool CsvReader::Record::IsBlank() const {
  if (!fault.empty()) return false;
  for (const std::string& cell : cells) {
    if (cell.find_first_not_of(" \t") != std::string::npos) return false;
  }
  return true;
}

bool CsvReader::AtLineEnd() const {
  return AtEnd() || text_[position_] == '\n' || text_[position_] == '\r';
}

// Moves behind one line end. Inside quotes it is content, in one form whatever the file's.
void CsvReader::TakeLineEnd(std::string* cell) {
  if (text_.substr(position_).starts_with("\r\n")) ++position_;
  ++position_;
  ++line_;
  if (cell != nullptr) *cell += '\n';
}

bool CsvReader::Next(Record& record) {
  record.cells.clear();
  record.fault.clear();
  if (AtEnd()) return false;
  record.line = line_;
  while (true) {
    ReadCell(record);
    if (AtLineEnd()) break;
    ++position_;  // the delimiter
  }
  if (!AtEnd()) TakeLineEnd(nullptr);
  return true;
}

void CsvReader::ReadCell(Record& record) {
  std::string cell;
  if (!AtEnd() && text_[position_] == '"') {
    ReadQuoted(record, cell);
  } else {
    const size_t start = position_;
    SkipToCellEnd();
    cell = text_.substr(start, position_ - start);
  }
  if (cell.size() > kMaxCellSize) {
    record.fault = "a cell is longer than " + std::to_string(kMaxCellSize) + " bytes";
    return;
  }
  if (record.cells.size() == kMaxCells) {
    record.fault = "more than " + std::to_string(kMaxCells) + " cells";
    return;
  }
  record.cells.push_back(std::move(cell));
}

void CsvReader::ReadQuoted(Record& record, std::string& cell) {
  const int opened = line_;
  ++position_;
  while (!AtEnd()) {
    const char c = text_[position_];
    if (c == '"' && position_ + 1 < text_.size() && text_[position_ + 1] == '"') {
      cell += '"';
      position_ += 2;
    } else if (c == '"') {
      ++position_;
      const size_t closed = position_;
      SkipToCellEnd();
      if (text_.substr(closed, position_ - closed).find_first_not_of(" \t") !=
          std::string_view::npos) {
        record.fault =
            "text follows the closing quote of a cell; write a quote inside quotes twice: \"\"";
      }
      return;
    } else if (c == '\n' || c == '\r') {
      TakeLineEnd(&cell);
    } else {
      cell += c;
      ++position_;
    }
  }
  record.fault = "the quote opened in line " + std::to_string(opened) + " is never closed";
}

void CsvReader::SkipToCellEnd() {
  while (!AtLineEnd() && text_[position_] != delimiter_) ++position_;
}

}  // namespace cordon::cp
