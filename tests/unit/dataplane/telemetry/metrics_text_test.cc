// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/metrics_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace cordon::dp {
namespace {

TEST(MetricsText, WritesHelpAndTypeBeforeSamples) {
  MetricsText text;
  text.Family("cordon_frames_total", MetricType::kCounter, "Frames.");
  text.Sample({{"pair", "a"}, {"side", "device"}}, uint64_t{12});
  text.Sample({{"pair", "b"}, {"side", "device"}}, uint64_t{18446744073709551615ULL});
  EXPECT_EQ(text.text(),
            "# HELP cordon_frames_total Frames.\n"
            "# TYPE cordon_frames_total counter\n"
            "cordon_frames_total{pair=\"a\",side=\"device\"} 12\n"
            "cordon_frames_total{pair=\"b\",side=\"device\"} 18446744073709551615\n");
}

TEST(MetricsText, EscapesLabelValuesAndHelp) {
  MetricsText text;
  text.Family("x", MetricType::kGauge, "a\\b\n\"c\"");
  text.Sample({{"l", "q\"b\\n\n"}}, 1.5);
  EXPECT_EQ(text.text(), "# HELP x a\\\\b\\n\"c\"\n# TYPE x gauge\nx{l=\"q\\\"b\\\\n\\n\"} 1.5\n");
}

TEST(MetricsText, WritesNumbersThatAreNotFinite) {
  MetricsText text;
  text.Family("x", MetricType::kGauge, "h");
  text.Sample(std::numeric_limits<double>::quiet_NaN());
  text.Sample(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(text.Take(), "# HELP x h\n# TYPE x gauge\nx NaN\nx -Inf\n");
}

TEST(MetricsText, WritesHistogramsCumulatively) {
  MetricsText text;
  text.Family("took_seconds", MetricType::kHistogram, "h");
  text.Histogram({{"m", "Apply"}}, {.bounds = {0.1, 1}, .counts = {3, 0, 2}, .sum = 7.25});
  EXPECT_EQ(text.text(),
            "# HELP took_seconds h\n# TYPE took_seconds histogram\n"
            "took_seconds_bucket{m=\"Apply\",le=\"0.1\"} 3\n"
            "took_seconds_bucket{m=\"Apply\",le=\"1\"} 3\n"
            "took_seconds_bucket{m=\"Apply\",le=\"+Inf\"} 5\n"
            "took_seconds_sum{m=\"Apply\"} 7.25\ntook_seconds_count{m=\"Apply\"} 5\n");
}

}  // namespace
}  // namespace cordon::dp
