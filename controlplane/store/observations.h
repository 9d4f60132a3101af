// SPDX-License-Identifier: Apache-2.0
// The table of observed conversations. Private to store/; the caller holds the lock and, for Add,
// a transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/profile/learn.h"
#include "controlplane/store/sqlite.h"

namespace cordon::cp {

struct ObservationLimits {
  size_t rows = 0;
  size_t rows_per_device = 0;
};

// Merges each observation into the row of its conversation, then prunes to the limits. `rows` is
// the caller's count of the table; it is brought up to date, so that nobody has to count millions.
absl::Status AddObservationRows(Database& database, const std::vector<Observation>& observations,
                                const ObservationLimits& limits, int64_t& rows);

absl::StatusOr<std::vector<Observation>> LoadObservationRows(
    Database& database, const std::vector<std::string>& devices);

// ns since 1970 and back; the domain's clock has the same resolution.
int64_t ToNanoseconds(std::chrono::system_clock::time_point time);
std::chrono::system_clock::time_point FromNanoseconds(int64_t nanoseconds);

}  // namespace cordon::cp
