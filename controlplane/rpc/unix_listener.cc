// SPDX-License-Identifier: Apache-2.0
#include "controlplane/rpc/unix_listener.h"

#include <poll.h>
#include <pwd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "spdlog/spdlog.h"

namespace cordon::cp {
namespace {

absl::Status Failed(const std::string& path, const std::string& what) {
  return absl::FailedPreconditionError("listen.unix " + path + ": " + what);
}

bool SomebodyListens(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const bool connected =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(probe);
  return connected;
}

std::string UserOf(int descriptor) {
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "";
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(credentials.uid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_name : "uid " + std::to_string(credentials.uid);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixListener>> UnixListener::Bind(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Failed(path, "a socket's path has 1 to " + std::to_string(sizeof(address.sun_path) - 1) +
                            " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat existing {};
  if (::lstat(path.c_str(), &existing) == 0) {
    if (!S_ISSOCK(existing.st_mode)) return Failed(path, "exists and is not a socket");
    if (SomebodyListens(address)) return Failed(path, "another controller listens there");
    ::unlink(path.c_str());
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return Failed(path, std::strerror(errno));
  // Nobody can connect before listen, so the mode is right from the first connection on.
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::chmod(path.c_str(), 0660) != 0 || ::listen(descriptor, SOMAXCONN) != 0) {
    const std::string error = std::strerror(errno);
    ::close(descriptor);
    return Failed(path, error + "; the directory must exist and be writable");
  }
  const int stop = ::eventfd(0, EFD_CLOEXEC);
  return std::unique_ptr<UnixListener>(new UnixListener(path, descriptor, stop));
}

UnixListener::~UnixListener() {
  Stop();
  ::close(socket_);
  ::close(stop_);
  ::unlink(path_.c_str());
}

void UnixListener::Start(AcceptFunction accept) {
  accept_ = std::move(accept);
  thread_ = std::thread([this] { Run(); });
}

void UnixListener::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  if (::write(stop_, &one, sizeof(one)) != sizeof(one)) {
    spdlog::error("cannot stop the local socket: {}", std::strerror(errno));
  }
  thread_.join();
}

void UnixListener::Run() {
  constexpr int kRetryMilliseconds = 100;  // when there is no descriptor left
  std::array<pollfd, 2> waiting = {pollfd{.fd = stop_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = socket_, .events = POLLIN, .revents = 0}};
  while (true) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0) return;
    const int connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection >= 0) {
      accept_(connection, UserOf(connection));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      ::poll(waiting.data(), 1, kRetryMilliseconds);
    }
  }
}

}  // namespace cordon::cp
