// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "absl/status/status.h"
#include "controlplane/store/sqlite.h"

namespace cordon::cp {

// Brings the schema to this program's version, one transaction a step. FailedPrecondition, and
// nothing changed, if a newer Cordon or another program wrote the database.
absl::Status MigrateSchema(Database& database);

}  // namespace cordon::cp
