// SPDX-License-Identifier: Apache-2.0
// Writes the Prometheus text exposition format, version 0.0.4.
//
//   MetricsText text;
//   text.Family("cordon_frames_total", MetricType::kCounter, "Frames by pair, side and verdict.");
//   text.Sample({{"pair", "ct-suite"}, {"side", "device"}, {"verdict", "drop"}}, 12);
//   return text.Take();
//
// The output is in order of calls, so equal input gives equal text. Names follow the conventions:
// counters end in _total; base units (seconds, bytes, ratio). Not thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cordon::dp {

enum class MetricType { kCounter, kGauge, kHistogram };

using MetricLabel = std::pair<std::string_view, std::string_view>;  // name, value

// A histogram to be written: counts by upper bound, not cumulative; the last count is of all that
// is above the last bound, so counts.size() == bounds.size() + 1.
struct HistogramSample {
  std::vector<double> bounds;
  std::vector<uint64_t> counts;
  double sum = 0;
};

class MetricsText {
 public:
  // Begins a family. The samples that follow belong to it; each family is begun once.
  void Family(std::string_view name, MetricType type, std::string_view help);
  void Sample(std::initializer_list<MetricLabel> labels, uint64_t value);
  void Sample(std::initializer_list<MetricLabel> labels, double value);
  void Sample(std::span<const MetricLabel> labels, double value);
  void Sample(uint64_t value) { Sample({}, value); }
  void Sample(double value) { Sample({}, value); }
  void Histogram(std::initializer_list<MetricLabel> labels, const HistogramSample& sample);

  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  void Line(std::string_view suffix, std::span<const MetricLabel> labels, std::string_view value);

  std::string text_;
  std::string family_;
};

}  // namespace cordon::dp
