// SPDX-License-Identifier: Apache-2.0
// cordonctl completion.
#include "controlplane/cli/completion.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "controlplane/cli/command.h"

namespace cordon::cp::cli {
namespace {

struct Word {
  std::string text;
  std::string help;
};

std::vector<Word> CommandsOf(const CLI::App& app) {
  std::vector<Word> words;
  for (const CLI::App* command : app.get_subcommands({})) {
    words.push_back({command->get_name(), command->get_description()});
  }
  return words;
}

std::vector<Word> OptionsOf(const CLI::App& app) {
  std::vector<Word> words;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      words.push_back({"--" + name, option->get_description()});
    }
  }
  return words;
}

// The values a checked option or argument takes, which the parser shows as "{bash,zsh}".
std::string ChoicesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return {};
  std::string choices = type.substr(open + 1, close - open - 1);
  std::replace(choices.begin(), choices.end(), ',', ' ');
  return choices;
}

std::string ArgumentChoices(const CLI::App& app) {
  std::string choices;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) continue;
    choices += (choices.empty() ? "" : " ") + ChoicesOf(*option);
  }
  return choices;
}

// "    -o|--output) " + before + "table json yaml" + after, a line for every such global option.
std::string ChoiceCases(const CLI::App& root, const std::string& before, const std::string& after) {
  std::string cases;
  for (const CLI::Option* option : root.get_options()) {
    if (ChoicesOf(*option).empty()) continue;
    std::string names;
    for (const std::string& name : option->get_snames()) names += '-' + name + '|';
    for (const std::string& name : option->get_lnames()) names += "--" + name + '|';
    names.pop_back();
    cases += "    " + names + ") " + before + ChoicesOf(*option) + after + '\n';
  }
  return cases;
}

// All words that take a value: the word behind them is not a command.
void CollectValueOptions(const CLI::App& app, std::vector<std::string>& words) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 0) continue;
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
    for (const std::string& name : option->get_snames()) words.push_back("-" + name);
  }
  for (const CLI::App* command : app.get_subcommands({})) CollectValueOptions(*command, words);
}

std::string Alternatives(const CLI::App& root) {
  std::vector<std::string> words;
  CollectValueOptions(root, words);
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : "|") + word;
  return text;
}

template <typename Visit>
void ForEachCommand(const CLI::App& app, const std::string& path, const Visit& visit) {
  visit(app, path);
  for (const CLI::App* command : app.get_subcommands({})) {
    ForEachCommand(*command, path + '/' + command->get_name(), visit);
  }
}

// In single quotes for both shells.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// zsh separates a word from its help by a colon.
std::string ZshWord(const Word& word) {
  std::string text;
  for (const char c : word.text) text += c == ':' ? std::string("\\:") : std::string(1, c);
  return Quoted(text + ':' + word.help);
}

// Both scripts find the command by walking the words before the cursor; only how they offer words
// differs. `path` stays at the command reached: "" for cordonctl itself, "/get/devices" below.
std::string WalkFunction(const CLI::App& root) {
  std::ostringstream out;
  out << "__cordonctl_path() {\n"
         "  # Prints the command that the given words have reached.\n"
         "  local word path='' skip=''\n"
         "  for word in \"$@\"; do\n"
         "    if [[ -n $skip ]]; then skip=''; continue; fi\n"
         "    case $word in\n"
         "      "
      << Alternatives(root)
      << ") skip=1 ;;\n"
         "      -*) ;;\n"
         "      *)\n"
         "        case $path/$word in\n";
  ForEachCommand(root, "", [&](const CLI::App& app, const std::string& path) {
    if (path.empty()) return;
    const std::string parent = path.substr(0, path.rfind('/'));
    out << "          " << path;
    for (const std::string& alias : app.get_aliases()) out << '|' << parent << '/' << alias;
    out << ") path=" << path << " ;;\n";
  });
  out << "        esac ;;\n"
         "    esac\n"
         "  done\n"
         "  printf '%s' \"$path\"\n"
         "}\n";
  return out.str();
}

}  // namespace

std::string BashCompletion(const CLI::App& root) {
  std::ostringstream out;
  out << "# bash completion for cordonctl: source <(cordonctl completion bash)\n"
      << WalkFunction(root)
      << "_cordonctl() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=''\n"
         "  COMPREPLY=()\n"
         "  case $previous in\n"
      << ChoiceCases(root, "COMPREPLY=($(compgen -W '", "' -- \"$current\")); return ;;") << "    "
      << Alternatives(root)
      << ") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
         "  esac\n"
         "  case $(__cordonctl_path \"${COMP_WORDS[@]:1:COMP_CWORD-1}\") in\n";
  std::string global;
  for (const Word& option : OptionsOf(root)) global += ' ' + option.text;
  ForEachCommand(root, "", [&](const CLI::App& app, const std::string& path) {
    std::string commands, options;
    for (const Word& command : CommandsOf(app)) commands += ' ' + command.text;
    for (const Word& option : OptionsOf(app)) options += ' ' + option.text;
    const std::string offered = path.empty() ? global : options + global;
    out << "    " << Quoted(path) << ")\n      words='" << commands << ArgumentChoices(app) << "'\n"
        << "      [[ $current == -* ]] && words='" << offered << "' ;;\n";
  });
  out << "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  [[ ${#COMPREPLY[@]} -gt 0 || -n $words ]] || COMPREPLY=($(compgen -f -- "
         "\"$current\"))\n"
         "}\n"
         "complete -o filenames -F _cordonctl cordonctl\n";
  return out.str();
}

std::string ZshCompletion(const CLI::App& root) {
  std::ostringstream out;
  out << "#compdef cordonctl\n"
         "# zsh completion for cordonctl: source <(cordonctl completion zsh), after compinit\n"
      << WalkFunction(root)
      << "_cordonctl() {\n"
         "  local -a commands options\n"
         "  case ${words[CURRENT-1]} in\n"
      << ChoiceCases(root, "compadd ", "; return ;;") << "    " << Alternatives(root)
      << ") _files; return ;;\n"
         "  esac\n"
         "  case $(__cordonctl_path \"${(@)words[2,CURRENT-1]}\") in\n";
  ForEachCommand(root, "", [&](const CLI::App& app, const std::string& path) {
    out << "    " << Quoted(path) << ")\n      commands=(";
    for (const Word& command : CommandsOf(app)) out << ' ' << ZshWord(command);
    if (!ArgumentChoices(app).empty()) out << ' ' << ArgumentChoices(app);
    out << " )\n      options=(";
    for (const Word& option : OptionsOf(app)) out << ' ' << ZshWord(option);
    for (const Word& option : OptionsOf(root)) {
      if (!path.empty() && option.text != "--help") out << ' ' << ZshWord(option);
    }
    out << " ) ;;\n";
  });
  out << "  esac\n"
         "  if [[ ${words[CURRENT]} == -* ]]; then _describe option options\n"
         "  elif (( $#commands )); then _describe command commands\n"
         "  else _files; fi\n"
         "}\n"
         "(( $+functions[compdef] )) && compdef _cordonctl cordonctl\n";
  return out.str();
}

void AddCompletionCommand(CommandTree& tree) {
  auto shell = std::make_shared<std::string>();
  CLI::App* completion =
      AddCommand(tree.root, "completion", "Print the completion script for a shell.",
                 "  source <(cordonctl completion bash)\n"
                 "  cordonctl completion zsh > ~/.zfunc/_cordonctl");
  completion->add_option("SHELL", *shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  tree.Run(
      completion,
      [shell, &tree](Context& context) {
        context.out() << (*shell == "bash" ? BashCompletion(tree.root) : ZshCompletion(tree.root));
        return ExitCode::kDone;
      },
      CommandTree::Target::kNone);
}

}  // namespace cordon::cp::cli
