// SPDX-License-Identifier: Apache-2.0
#include "controlplane/store/sqlite.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace cordon::cp {
namespace {

constexpr int kBusyTimeoutMilliseconds = 5000;

absl::Status ErrorOf(sqlite3* handle, int code) {
  const char* file = sqlite3_db_filename(handle, "main");
  std::string message = "controller database";
  if (file != nullptr && *file != '\0') message += std::string(" ") + file;
  message += std::string(": ") + sqlite3_errmsg(handle);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message + "; restore it from a backup");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message + "; is a second controller using it?");
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message + "; free space on its file system");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::FailedPreconditionError(
          message + "; the controller needs to read and write the file and its directory");
    default:
      return absl::InternalError(message);
  }
}

// SQLite would create the file world-readable and say no more than "unable to open". Its WAL and
// shared-memory files take over the mode of the main file.
absl::Status CreateFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::FailedPreconditionError(
        "controller database " + path + ": cannot be opened for reading and writing: " +
        std::strerror(errno) + "; name a file in a directory that the controller may write");
  }
  ::close(file);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return ErrorOf(sqlite3_db_handle(handle_.get()), code);
}

absl::Status Statement::Run() {
  absl::StatusOr<bool> row = Step();
  sqlite3_reset(handle_.get());
  return row.status();
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(handle_.get(), column); }

std::string_view Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

void Statement::BindOne(int index, int64_t value) {
  sqlite3_bind_int64(handle_.get(), index, value);
}

void Statement::BindOne(int index, std::string_view value) {
  // A null pointer would bind NULL; the empty string must stay a string.
  sqlite3_bind_text64(handle_.get(), index, value.data() == nullptr ? "" : value.data(),
                      value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

absl::StatusOr<Database> Database::Open(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("controller database: the path is empty");
  if (path != ":memory:") CORDON_RETURN_IF_ERROR(CreateFile(path));
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return ErrorOf(handle, code);
  sqlite3_extended_result_codes(handle, 1);
  CORDON_RETURN_IF_ERROR(database.Configure());
  CORDON_RETURN_IF_ERROR(database.CheckIntegrity());
  return database;
}

absl::Status Database::Configure() {
  sqlite3_busy_timeout(handle_.get(), kBusyTimeoutMilliseconds);
  CORDON_RETURN_IF_ERROR(Execute("PRAGMA journal_mode = WAL"));
  CORDON_RETURN_IF_ERROR(Execute("PRAGMA synchronous = FULL"));
  CORDON_RETURN_IF_ERROR(Execute("PRAGMA foreign_keys = ON"));
  // Content of a database that somebody else wrote is data, never code.
  return Execute("PRAGMA trusted_schema = OFF");
}

absl::Status Database::CheckIntegrity() {
  auto check = Prepare("PRAGMA quick_check(5)");
  if (!check.ok()) return check.status();
  std::string faults;
  while (true) {
    absl::StatusOr<bool> row = check->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    if (check->Text(0) == "ok") continue;
    if (!faults.empty()) faults += "; ";
    faults += check->Text(0);
  }
  if (faults.empty()) return absl::OkStatus();
  return absl::DataLossError("controller database " + path_ + " is damaged: " + faults +
                             "; restore it from a backup");
}

absl::Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : ErrorOf(handle_.get(), code);
}

absl::StatusOr<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                                      &statement, nullptr);
  if (code != SQLITE_OK) return ErrorOf(handle_.get(), code);
  return Statement(statement);
}

absl::StatusOr<int64_t> Database::QueryInteger(std::string_view sql) {
  auto query = Prepare(sql);
  if (!query.ok()) return query.status();
  absl::StatusOr<bool> row = query->Step();
  if (!row.ok()) return row.status();
  return *row ? query->Integer(0) : 0;
}

int64_t Database::RowsChanged() const { return sqlite3_changes64(handle_.get()); }

Transaction::~Transaction() {
  // A failed rollback leaves SQLite to roll back when the file is opened next.
  if (open_) (void)database_.Execute("ROLLBACK");
}

absl::Status Transaction::Begin() {
  absl::Status status = database_.Execute("BEGIN IMMEDIATE");
  open_ = status.ok();
  return status;
}

absl::Status Transaction::Commit() {
  CORDON_RETURN_IF_ERROR(database_.Execute("COMMIT"));
  open_ = false;
  return absl::OkStatus();
}

}  // namespace cordon::cp
