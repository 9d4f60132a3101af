// SPDX-License-Identifier: Apache-2.0
// The part of SQLite that the store uses, with absl::Status for error codes and destructors for
// clean-up. Private to store/. Not thread-safe: SqliteStore holds its mutex around every use.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define CORDON_RETURN_IF_ERROR(expression) \
  if (absl::Status status_of_this = (expression); !status_of_this.ok()) return status_of_this

namespace cordon::cp {

class Statement {
 public:
  explicit Statement(sqlite3_stmt* handle) : handle_(handle, &sqlite3_finalize) {}

  // Binds all parameters, from the first on, and makes the statement ready to run again.
  template <typename... Values>
  void Bind(const Values&... values) {
    sqlite3_reset(handle_.get());
    int index = 0;
    (BindOne(++index, values), ...);
  }
  absl::StatusOr<bool> Step();  // true: a row can be read; false: done
  absl::Status Run();           // for statements without rows

  bool IsNull(int column) const;
  int64_t Integer(int column) const;
  std::string_view Text(int column) const;  // valid until the next Step or Bind

 private:
  void BindOne(int index, int64_t value);
  void BindOne(int index, std::string_view value);

  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> handle_;
};

class Database {
 public:
  // Opens or creates the file, readable by its owner only, in WAL mode with foreign keys and full
  // synchronisation, and checks its integrity.
  static absl::StatusOr<Database> Open(const std::string& path);

  absl::Status Execute(const char* sql);  // any number of statements, no parameters
  absl::StatusOr<Statement> Prepare(std::string_view sql);
  absl::StatusOr<int64_t> QueryInteger(std::string_view sql);
  int64_t RowsChanged() const;  // by the last INSERT, UPDATE or DELETE
  const std::string& path() const { return path_; }

 private:
  Database(sqlite3* handle, std::string path)
      : handle_(handle, &sqlite3_close_v2), path_(std::move(path)) {}
  absl::Status Configure();
  absl::Status CheckIntegrity();

  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
  std::string path_;
};

// Rolls back unless Commit succeeded.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {}
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  absl::Status Begin();  // takes the write lock at once, so that a commit cannot fail for it later
  absl::Status Commit();

 private:
  Database& database_;
  bool open_ = false;
};

}  // namespace cordon::cp
