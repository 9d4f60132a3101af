// SPDX-License-Identifier: Apache-2.0
// cordonctl get peers, cordonctl describe peer.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"
#include "controlplane/cli/show.h"
#include "cordon/v1/inventory_service.grpc.pb.h"

namespace cordon::cp::cli {
namespace {

ExitCode GetOne(Context& context, const std::string& name, v1::Peer* peer) {
  const auto stub = v1::PeerService::NewStub(context.channel());
  v1::GetPeerRequest request;
  request.set_name(name);
  return context.Call(&v1::PeerService::Stub::GetPeer, *stub, request, peer,
                      "See: cordonctl get peers");
}

void PrintPeers(Context& context, const v1::ListPeersResponse& response) {
  Table table({{"NAME"}, {"ADDRESSES"}, {"CHANGED"}, {"DESCRIPTION"}});
  for (const v1::Peer& peer : response.peers()) {
    table.AddRow({peer.name(), Join(ToStrings(peer.addresses())),
                  Ago(peer, &v1::Peer::has_changed, &v1::Peer::changed, context.now()),
                  peer.description()});
  }
  table.Print(context.out(), context.style());
}

ExitCode RunGet(Context& context, const std::string& name) {
  v1::ListPeersResponse response;
  if (!name.empty()) {
    const ExitCode code = GetOne(context, name, response.add_peers());
    if (code != ExitCode::kDone) return code;
    context.structured() ? context.Write(response.peers(0)) : PrintPeers(context, response);
    return code;
  }
  const auto stub = v1::PeerService::NewStub(context.channel());
  const ExitCode code =
      context.Call(&v1::PeerService::Stub::ListPeers, *stub, v1::ListPeersRequest(), &response);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(response);
    return code;
  }
  if (response.peers().empty()) {
    context.err() << "No peer yet: apply a document of kind Peer with cordonctl apply -f FILE\n";
  }
  PrintPeers(context, response);
  return code;
}

// "ct-scanner/store-images" for every rule that names the peer.
std::vector<std::string> UsesOf(const std::string& peer, const v1::ListProfilesResponse& profiles) {
  std::vector<std::string> uses;
  for (const v1::Profile& profile : profiles.profiles()) {
    for (const v1::ProfileRule& rule : profile.rules()) {
      if (std::find(rule.peer().begin(), rule.peer().end(), peer) != rule.peer().end()) {
        uses.push_back(profile.name() + '/' + rule.id());
      }
    }
  }
  return uses;
}

ExitCode RunDescribe(Context& context, const std::string& name) {
  v1::Peer peer;
  const ExitCode code = GetOne(context, name, &peer);
  if (code != ExitCode::kDone) return code;
  if (context.structured()) {
    context.Write(peer);
    return code;
  }
  const auto stub = v1::ProfileService::NewStub(context.channel());
  v1::ListProfilesResponse profiles;
  const ExitCode listed = context.Call(&v1::ProfileService::Stub::ListProfiles, *stub,
                                       v1::ListProfilesRequest(), &profiles);
  if (listed != ExitCode::kDone) return listed;
  Sheet sheet;
  sheet.Add("Peer", {peer.name(), Tone::kStrong});
  sheet.Add("Description", peer.description());
  sheet.Add("Addresses", Join(ToStrings(peer.addresses())));
  const std::vector<std::string> uses = UsesOf(peer.name(), profiles);
  sheet.Add("Used by", uses.empty() ? "no rule" : Join(uses));
  sheet.Add("Changed", Ago(peer, &v1::Peer::has_changed, &v1::Peer::changed, context.now()));
  sheet.Print(context.out(), context.style());
  return code;
}

}  // namespace

void AddPeerCommands(CommandTree& tree) {
  auto one = std::make_shared<std::string>();
  CLI::App* get = AddCommand(*tree.get, "peers", "Peers: named groups of addresses.",
                             "  cordonctl get peers --output yaml")
                      ->alias("peer");
  get->add_option("NAME", *one, "Only this one");
  tree.Run(get, [one](Context& context) { return RunGet(context, *one); });

  auto name = std::make_shared<std::string>();
  CLI::App* describe = AddCommand(*tree.describe, "peer", "A peer, and the rules that name it.",
                                  "  cordonctl describe peer pacs-archive")
                           ->alias("peers");
  describe->add_option("NAME", *name, "Name of the peer")->required();
  tree.Run(describe, [name](Context& context) { return RunDescribe(context, *name); });
}

}  // namespace cordon::cp::cli
