// SPDX-License-Identifier: Apache-2.0
// CSV as spreadsheets and asset systems really write it: RFC 4180, and what they do instead.
// Private to inventory/.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cordon::cp {

// The text as UTF-8 without byte order mark: what is not valid UTF-8 was written by a Windows
// program in code page 1252.
std::string DecodeCsvText(std::string_view content);
bool IsUtf8(std::string_view text);

// Which of , ; tab | occurs most in the header line, outside quotes; the comma if none does.
char DetectDelimiter(std::string_view text);

// Splits text into records. Lines end with LF, CRLF or CR, also inside quotes.
class CsvReader {
 public:
  static constexpr size_t kMaxCells = 1000;       // of one record
  static constexpr size_t kMaxCellSize = 65'536;  // bytes

  CsvReader(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {}

  struct Record {
    int line = 0;  // where it begins, counted from 1
    std::vector<std::string> cells;
    std::string fault;  // why it is no record; its cells are not to be used. Reading may go on.
    // No cells at all, or nothing but a blank.
    bool IsBlank() const;
  };
  bool Next(Record& record);  // false at the end

 private:
  bool AtEnd() const { return position_ >= text_.size(); }
  bool AtLineEnd() const;
  void TakeLineEnd(std::string* cell);
  void ReadCell(Record& record);
  void ReadQuoted(Record& record, std::string& cell);
  void SkipToCellEnd();

  const std::string_view text_;
  const char delimiter_;
  size_t position_ = 0;
  int line_ = 1;
};

}  // namespace cordon::cp
