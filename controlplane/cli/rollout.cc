// SPDX-License-Identifier: Apache-2.0
#include "controlplane/cli/rollout.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "controlplane/cli/show.h"
#include "controlplane/cli/text.h"
#include "controlplane/cli/tree.h"
#include "cordon/v1/policy_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

constexpr size_t kChangesShown = 20;

// One rollout as it is told: what every gateway said last.
class RolloutStory {
 public:
  RolloutStory(Context& context, uint64_t generation, const std::vector<std::string>& gateways)
      : context_(context), generation_(generation) {
    for (const std::string& gateway : gateways) {
      last_[gateway].set_gateway(gateway);
      width_ = std::max(width_, gateway.size());
    }
  }

  void Tell(const v1::RolloutUpdate& update) {
    v1::RolloutUpdate& last = last_[update.gateway()];
    const bool news = last.state() != update.state();
    last = update;
    if (!news || update.state() == v1::ROLLOUT_STATE_PENDING) return;
    std::ostream& out = context_.progress();
    const std::string name = Printable(update.gateway());
    out << "  " << name << std::string(width_ - std::min(width_, DisplayWidth(name)), ' ') << "  "
        << Sentence(update) << std::endl;
    if (!update.note().empty()) context_.Warn(update.gateway() + ": " + update.note());
  }

  size_t Count(v1::RolloutState state) const {
    return static_cast<size_t>(std::count_if(last_.begin(), last_.end(), [&](const auto& entry) {
      return entry.second.state() == state;
    }));
  }

  // What the stream's end means.
  ExitCode Conclude(const WaitOptions& options) {
    const size_t enforced = Count(v1::ROLLOUT_STATE_ENFORCED);
    const size_t refused = Count(v1::ROLLOUT_STATE_REFUSED);
    const size_t disconnected = Count(v1::ROLLOUT_STATE_DISCONNECTED);
    const bool all = enforced == last_.size();
    const std::string title = "Generation " + std::to_string(generation_);
    context_.progress() << title << " is enforced by "
                        << (all ? "" : std::to_string(enforced) + " of ")
                        << Plural(last_.size(), "gateway");
    if (enforced > 0) context_.progress() << ", after " << FormatDuration(Slowest());
    context_.progress() << ".\n";
    if (refused > 0) return FailRefused();
    const size_t silent = last_.size() - enforced - disconnected;
    if (silent > 0) {
      return context_.Fail(ExitCode::kUnreachable,
                           Plural(silent, "gateway") + " did not answer: " + StoredText(),
                           "See: cordonctl gateways");
    }
    if (disconnected == 0) return ExitCode::kDone;
    const std::string text = Plural(disconnected, "gateway") + " not connected: " + StoredText();
    if (options.require_all) {
      return context_.Fail(ExitCode::kUnreachable, text, "See: cordonctl gateways");
    }
    context_.Warn(text);
    return ExitCode::kDone;
  }

  void Export(boost::json::array* updates) const {
    if (updates == nullptr) return;
    for (const auto& [name, update] : last_) updates->push_back(ToTree(update));
  }

  std::string StoredText() const {
    return "generation " + std::to_string(generation_) +
           " is stored and each gateway gets it as soon as it connects";
  }

 private:
  std::string Sentence(const v1::RolloutUpdate& update) const {
    const Style& style = context_.progress_style();
    switch (update.state()) {
      case v1::ROLLOUT_STATE_ENFORCED:
        return Paint("enforced", Tone::kGood, style) + " after " +
               FormatDuration(ToChrono(update.elapsed()));
      case v1::ROLLOUT_STATE_REFUSED:
        return Paint("refused", Tone::kBad, style) + " after " +
               FormatDuration(ToChrono(update.elapsed())) + ", " +
               Plural(static_cast<uint64_t>(update.faults_size()), "fault");
      case v1::ROLLOUT_STATE_DISCONNECTED:
        return Paint("not connected", Tone::kWarning, style) + ": gets it when it connects";
      default:
        return Word(update.state());
    }
  }

  std::chrono::nanoseconds Slowest() const {
    std::chrono::nanoseconds slowest{0};
    for (const auto& [name, update] : last_) {
      if (update.state() != v1::ROLLOUT_STATE_ENFORCED) continue;
      slowest = std::max(slowest, ToChrono(update.elapsed()));
    }
    return slowest;
  }

  ExitCode FailRefused() {
    for (const auto& [name, update] : last_) {
      if (update.state() != v1::ROLLOUT_STATE_REFUSED) continue;
      context_.Fail(ExitCode::kRefused, name + " refused generation " +
                                            std::to_string(generation_) +
                                            " and keeps the one it has:");
      PrintFaults(context_, update.faults());
    }
    context_.err() << "Apply a corrected policy, or go back with: cordonctl rollback\n";
    return ExitCode::kRefused;
  }

  Context& context_;
  uint64_t generation_;
  size_t width_ = 0;
  std::map<std::string, v1::RolloutUpdate> last_;
};

}  // namespace

void WaitOptions::AddTo(CLI::App& command) {
  command.add_flag("--no-wait", no_wait,
                   "Return when the generation is stored, before the gateways enforce it");
  command.add_flag("--require-all", require_all,
                   "Exit 3 also if a gateway is not connected (it is only named otherwise)");
}

ExitCode AwaitRollout(Context& context, const WaitOptions& options, uint64_t generation,
                      const std::vector<std::string>& gateways, boost::json::array* updates) {
  std::ostream& out = context.progress();
  const std::string title = "Generation " + std::to_string(generation) + " is stored";
  if (gateways.empty()) {
    out << title << "; it changes the policy of no gateway.\n";
    return ExitCode::kDone;
  }
  if (options.no_wait) {
    out << title << " for " << Plural(gateways.size(), "gateway")
        << "; watch them with: cordonctl gateways\n";
    return ExitCode::kDone;
  }
  out << title << "; waiting for " << Plural(gateways.size(), "gateway") << '.' << std::endl;
  RolloutStory story(context, generation, gateways);
  const auto stub = v1::PolicyService::NewStub(context.channel());
  CallScope scope(context.interrupt(), context.options());
  v1::WatchRolloutRequest request;
  request.set_generation(generation);
  const auto reader = stub->WatchRollout(scope.get(), request);
  v1::RolloutUpdate update;
  while (reader->Read(&update)) story.Tell(update);
  const grpc::Status status = reader->Finish();
  story.Export(updates);
  if (status.ok()) return story.Conclude(options);
  const ExitCode code =
      status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED
          ? context.Fail(ExitCode::kUnreachable,
                         "only " + std::to_string(story.Count(v1::ROLLOUT_STATE_ENFORCED)) +
                             " of " + Plural(gateways.size(), "gateway") + " enforced it within " +
                             FormatDuration(context.options().timeout))
          : context.Report(status);
  context.err() << "The change is made: " << story.StoredText() << ". See: cordonctl gateways\n";
  return code;
}

ExitCode FinishChange(Context& context, const WaitOptions& options, Intent intent,
                      const v1::ApplyResponse& response) {
  boost::json::object tree = ToTree(response);
  boost::json::array updates;
  ExitCode code = ExitCode::kDone;
  PrintWarnings(context, response.warnings());
  std::ostream& out = context.progress();
  const std::vector<std::string> gateways = ToStrings(response.gateways());
  if (response.faults_size() > 0) {
    const auto count = static_cast<uint64_t>(response.faults_size());
    code = context.Fail(ExitCode::kRefused,
                        "refused for " + Plural(count, "fault") + ", nothing was changed:");
    PrintFaults(context, response.faults());
  } else if (response.changes_size() == 0 && response.generation() == 0) {
    out << "Nothing to change: the configuration is this already.\n";
  } else {
    out << (intent == Intent::kValidateOnly ? "Sound; would change: " : "Changed: ")
        << CountChanges(response.changes()) << '\n';
    PrintChanges(response.changes(), kChangesShown, out, context.progress_style());
    if (intent == Intent::kValidateOnly) {
      out << "Concerns " << (gateways.empty() ? "no gateway" : "gateways " + Join(gateways))
          << "; nothing was changed.\n";
    } else {
      code = AwaitRollout(context, options, response.generation(), gateways, &updates);
    }
  }
  if (context.structured()) {
    tree["rollout"] = std::move(updates);
    context.Write(tree);
  }
  return code;
}

}  // namespace cordon::cp::cli
