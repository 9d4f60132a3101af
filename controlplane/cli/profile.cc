// SPDX-License-Identifier: Apache-2.0
// cordonctl get profiles, cordonctl describe profile.
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

// "infusion-pump, syringe-pump (vendor Example*)": classes, each with what else has to fit.
std::string FormatMatch(const v1::Profile& profile) {
  std::vector<std::string> alternatives;
  for (const v1::ProfileMatch& match : profile.match()) {
    std::vector<std::string> more;
    if (!match.vendor().empty()) more.push_back("vendor " + match.vendor());
    if (!match.model().empty()) more.push_back("model " + match.model());
    const std::string device_class =
        match.device_class().empty() ? "any class" : match.device_class();
    alternatives.push_back(more.empty() ? device_class : device_class + " (" + Join(more) + ")");
  }
  return alternatives.empty() ? "by name only" : Join(alternatives);
}

ExitCode GetOne(Context& context, const std::string& name, v1::Profile* profile) {
  const auto stub = v1::ProfileService::NewStub(context.channel());
  v1::GetProfileRequest request;
  request.set_name(name);
  return context.Call(&v1::ProfileService::Stub::GetProfile, *stub, request, profile,
                      "See: cordonctl get profiles");
}

void PrintProfiles(Context& context, const v1::ListProfilesResponse& response) {
  Table table(
      {{"NAME"}, {"RULES", Table::Align::kRight}, {"CHANGED"}, {"FOR CLASS"}, {"DESCRIPTION"}});
  for (const v1::Profile& profile : response.profiles()) {
    table.AddRow({profile.name(), Cell::Number(static_cast<uint64_t>(profile.rules_size())),
                  Ago(profile, &v1::Profile::has_changed, &v1::Profile::changed, context.now()),
                  FormatMatch(profile), profile.description()});
  }
  table.Print(context.out(), context.style());
}

ExitCode RunGet(Context& context, const std::string& name) {
  v1::ListProfilesResponse response;
  if (!name.empty()) {
    const ExitCode code = GetOne(context, name, response.add_profiles());
    if (code != ExitCode::kDone) return code;
    context.structured() ? context.Write(response.profiles(0)) : PrintProfiles(context, response);
    return code;
  }
  const auto stub = v1::ProfileService::NewStub(context.channel());
  const ExitCode code = context.Call(&v1::ProfileService::Stub::ListProfiles, *stub,
                                     v1::ListProfilesRequest(), &response);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(response);
    return code;
  }
  if (response.profiles().empty()) {
    context.err() << "No profile yet: cordonctl apply -f configs/profiles\n";
  }
  PrintProfiles(context, response);
  return code;
}

ExitCode RunDescribe(Context& context, const std::string& name) {
  v1::Profile profile;
  const ExitCode code = GetOne(context, name, &profile);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(profile);
    return code;
  }
  Sheet sheet;
  sheet.Add("Profile", {profile.name(), Tone::kStrong});
  sheet.Add("Description", profile.description());
  sheet.Add("For class", FormatMatch(profile));
  sheet.Add("Changed",
            Ago(profile, &v1::Profile::has_changed, &v1::Profile::changed, context.now()));
  sheet.Print(context.out(), context.style());
  if (!profile.knobs().empty()) {
    context.out() << "\nSets for its devices:\n";
    PrintKnobs(profile.knobs(), context.out(), context.style());
  }
  context.out() << (profile.rules().empty() ? "\nNo rule: nothing is allowed.\n" : "\nAllows:\n");
  RuleTable(profile).Print(context.out(), context.style());
  return code;
}

}  // namespace

void AddProfileCommands(CommandTree& tree) {
  auto one = std::make_shared<std::string>();
  CLI::App* get = AddCommand(*tree.get, "profiles", "Profiles: what each kind of device needs.",
                             "  cordonctl get profiles")
                      ->alias("profile");
  get->add_option("NAME", *one, "Only this one");
  tree.Run(get, [one](Context& context) { return RunGet(context, *one); });

  auto name = std::make_shared<std::string>();
  CLI::App* describe =
      AddCommand(*tree.describe, "profile", "A profile's rules, each with its reason.",
                 "  cordonctl describe profile ct-scanner")
          ->alias("profiles");
  describe->add_option("NAME", *name, "Name of the profile")->required();
  tree.Run(describe, [name](Context& context) { return RunDescribe(context, *name); });
}

}  // namespace cordon::cp::cli
