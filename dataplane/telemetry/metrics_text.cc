// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>

namespace cordon::dp {
namespace {

std::string_view TypeName(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      return "histogram";
  }
  return "untyped";
}

// HELP text escapes backslash and line feed; label values escape the double quote as well.
void AppendEscaped(std::string& out, std::string_view text, char also) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == also) out += '\\';
    out += c;
  }
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return std::string(buffer.data(), end);
}

}  // namespace

void MetricsText::Family(std::string_view name, MetricType type, std::string_view help) {
  family_ = name;
  text_ += "# HELP ";
  text_ += name;
  text_ += ' ';
  AppendEscaped(text_, help, '\\');
  text_ += "\n# TYPE ";
  text_ += name;
  text_ += ' ';
  text_ += TypeName(type);
  text_ += '\n';
}

void MetricsText::Line(std::string_view suffix, std::span<const MetricLabel> labels,
                       std::string_view value) {
  text_ += family_;
  text_ += suffix;
  char separator = '{';
  for (const auto& [name, label_value] : labels) {
    text_ += separator;
    text_ += name;
    text_ += "=\"";
    AppendEscaped(text_, label_value, '"');
    text_ += '"';
    separator = ',';
  }
  if (!labels.empty()) text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

void MetricsText::Sample(std::initializer_list<MetricLabel> labels, uint64_t value) {
  Line("", {labels.begin(), labels.size()}, std::to_string(value));
}

void MetricsText::Sample(std::initializer_list<MetricLabel> labels, double value) {
  Line("", {labels.begin(), labels.size()}, Number(value));
}

void MetricsText::Sample(std::span<const MetricLabel> labels, double value) {
  Line("", labels, Number(value));
}

void MetricsText::Histogram(std::initializer_list<MetricLabel> labels,
                            const HistogramSample& sample) {
  std::vector<MetricLabel> with_bound(labels);
  with_bound.emplace_back("le", "");
  uint64_t cumulative = 0;
  for (size_t i = 0; i < sample.counts.size(); ++i) {
    cumulative += sample.counts[i];
    const std::string bound = i < sample.bounds.size() ? Number(sample.bounds[i]) : "+Inf";
    with_bound.back().second = bound;
    Line("_bucket", with_bound, std::to_string(cumulative));
  }
  const std::span<const MetricLabel> plain(labels.begin(), labels.size());
  Line("_sum", plain, Number(sample.sum));
  Line("_count", plain, std::to_string(cumulative));
}

}  // namespace cordon::dp
