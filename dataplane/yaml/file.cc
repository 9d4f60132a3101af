// SPDX-License-Identifier: Apache-2.0
// From bytes to the tree, by the events of yaml-cpp's parser: bounds hold while it reads.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <system_error>

#include "dataplane/yaml/tree.h"

namespace cordon::dp {
namespace {

// Thrown through yaml-cpp, whose parser cannot be stopped otherwise; caught in ParseInto.
struct Refusal {
  int line;
  std::string message;
};

int LineOf(const YAML::Mark& mark) { return mark.is_null() ? 1 : mark.line + 1; }

}  // namespace

// Builds one tree a document.
class TreeBuilder : public YAML::EventHandler {
 public:
  using Tree = YamlTree;
  TreeBuilder(const YamlLimits& limits, std::vector<Tree>& roots)
      : limits_(limits), roots_(roots) {}

  struct Repeated {
    int line;
    std::string key;
    int first_line;
  };
  const std::vector<Repeated>& repeated() const { return repeated_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    // yaml-cpp does not step over a token that cannot begin a document, such as a lone comma: it
    // would begin empty documents there for ever.
    if (mark.pos == document_position_) {
      throw Refusal{LineOf(mark), "is not valid YAML: nothing can begin here with this character"};
    }
    document_position_ = mark.pos;
    open_.clear();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    RefuseAnchor(mark, anchor);
    Add(mark, Tree::Kind::kNull, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{LineOf(mark), "aliases (*name) are not supported: write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    Add(mark, Tree::Kind::kScalar, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Tree::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, anchor, Tree::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Level {
    Tree tree;
    bool key_pending = false;  // a map has read a key and waits for its value
  };

  static void RefuseAnchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor == YAML::NullAnchor) return;
    throw Refusal{LineOf(mark), "anchors (&name) are not supported: write the value out"};
  }
  // "?" and "!" are the parser's own marks for plain and quoted.
  static void RefuseTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    throw Refusal{LineOf(mark), "tags (" + tag + ") are not supported"};
  }

  void Count(const YAML::Mark& mark) {
    if (++nodes_ > limits_.nodes) {
      throw Refusal{LineOf(mark),
                    "more than " + std::to_string(limits_.nodes) + " values in one file"};
    }
  }

  void Open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Tree::Kind kind) {
    RefuseAnchor(mark, anchor);
    RefuseTag(mark, tag);
    Count(mark);
    if (open_.size() >= limits_.depth) {
      throw Refusal{LineOf(mark),
                    "nested deeper than " + std::to_string(limits_.depth) + " levels"};
    }
    if (!open_.empty() && open_.back().tree.kind == Tree::Kind::kMap && !open_.back().key_pending) {
      throw Refusal{LineOf(mark), "a key must be a plain word, not a list or a map"};
    }
    Level level;
    level.tree.kind = kind;
    level.tree.line = LineOf(mark);
    open_.push_back(std::move(level));
  }

  void Close() {
    Tree tree = std::move(open_.back().tree);
    open_.pop_back();
    Attach(std::move(tree));
  }

  void Add(const YAML::Mark& mark, Tree::Kind kind, const std::string& value) {
    Count(mark);
    Tree tree;
    tree.kind = kind;
    tree.line = LineOf(mark);
    tree.scalar = value;
    Attach(std::move(tree));
  }

  void Attach(Tree tree) {
    if (open_.empty()) {
      if (tree.kind != Tree::Kind::kNull) roots_.push_back(std::move(tree));
      return;
    }
    Level& level = open_.back();
    if (level.tree.kind == Tree::Kind::kMap && !level.key_pending) {
      AddKey(level.tree, tree);
      level.key_pending = true;
      return;
    }
    level.key_pending = false;
    level.tree.children.push_back(std::move(tree));
  }

  void AddKey(Tree& map, const Tree& key) {
    const auto first = std::find_if(map.keys.begin(), map.keys.end(),
                                    [&](const auto& known) { return known.text == key.scalar; });
    if (first != map.keys.end()) repeated_.push_back({key.line, key.scalar, first->line});
    constexpr size_t kMostKeys = 1024;  // keys are compared one by one
    if (map.keys.size() >= kMostKeys) throw Refusal{key.line, "more than 1024 keys in one map"};
    map.keys.push_back({key.scalar, key.line});
  }

  const YamlLimits& limits_;
  std::vector<Tree>& roots_;
  std::vector<Level> open_;
  std::vector<Repeated> repeated_;
  size_t nodes_ = 0;
  int document_position_ = -1;
};

const YamlTree& YamlTree::Empty() {
  static const YamlTree empty{
      .kind = Kind::kMap, .line = 1, .scalar = {}, .keys = {}, .children = {}};
  return empty;
}

std::string YamlNode::File::Place(int line, const std::string& path) const {
  return name + ":" + std::to_string(line) + (path.empty() ? "" : ": " + path);
}

void YamlNode::File::Fail(int line, const std::string& path, std::string message) {
  if (faults.size() >= limits.faults) {
    ++faults_left_out;
    return;
  }
  faults.push_back({line, {Place(line, path), std::move(message)}});
}

YamlFile::YamlFile(std::shared_ptr<YamlNode::File> file) : file_(std::move(file)) {}

YamlFile YamlFile::Parse(std::string name, std::string_view content, const YamlLimits& limits) {
  auto state = std::make_shared<YamlNode::File>();
  state->name = std::move(name);
  state->limits = limits;
  YamlFile file(std::move(state));
  file.ParseInto(content);
  return file;
}

YamlFile YamlFile::Read(const std::string& path, const YamlLimits& limits) {
  std::ifstream stream(path, std::ios::binary);
  std::string content;
  if (stream) {
    content.resize(limits.bytes + 1);
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad() || (stream.fail() && !stream.eof())) {
    YamlFile file = Parse(path, "", limits);
    file.Fail("cannot be read: " + std::generic_category().message(errno));
    return file;
  }
  return Parse(path, content, limits);
}

void YamlFile::ParseInto(std::string_view content) {
  YamlNode::File& file = *file_;
  if (content.size() > file.limits.bytes) {
    file.Fail(1, "", "is larger than " + std::to_string(file.limits.bytes) + " bytes");
    return;
  }
  TreeBuilder builder(file.limits, file.roots);
  try {
    std::istringstream stream{std::string(content)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    file.Fail(refusal.line, "", refusal.message);
  } catch (const YAML::Exception& error) {
    file.Fail(LineOf(error.mark), "", "is not valid YAML: " + error.msg);
  }
  for (const auto& repeated : builder.repeated()) {
    file.Fail(repeated.line, "",
              "key '" + repeated.key + "' is given twice (first in line " +
                  std::to_string(repeated.first_line) + ")");
  }
  for (const YamlTree& root : file.roots) documents_.push_back(YamlNode(file_, &root, ""));
}

void YamlFile::Fail(std::string message) { file_->Fail(1, "", std::move(message)); }

std::vector<YamlFault> YamlFile::faults() const {
  auto sorted = file_->faults;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  std::vector<YamlFault> result;
  for (auto& placed : sorted) result.push_back(std::move(placed.fault));
  if (file_->faults_left_out > 0) {
    result.push_back(
        {file_->name, "and " + std::to_string(file_->faults_left_out) + " more faults"});
  }
  return result;
}

}  // namespace cordon::dp
