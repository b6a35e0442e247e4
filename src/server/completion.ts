// Completion of the command line by shells: `CumulusServer completion bash`.

/** The words of the command line. */
export interface Words {
  /** Options of the server, such as `--port`. */
  readonly options: readonly string[];
  /** Commands of `client`, of one word or two, and their options. */
  readonly client: Readonly<Record<string, readonly string[]>>;
}

const SHELLS = ["bash", "zsh", "fish"];
const COMMANDS = ["check", "client", "completion", "man", "help"];

/**
 * @param shell bash, zsh or fish
 * @returns the script for that shell to evaluate; undefined for another shell
 */
export function completion(shell: string, words: Words): string | undefined {
  if (shell === "fish") return fish(words);
  if (shell === "bash") return bash(words);
  if (shell === "zsh") return `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`;
}

/** The words that may follow a beginning of the command line; longer beginnings first. */
function rules({ options, client }: Words): [before: string, words: readonly string[]][] {
  const commands = Object.keys(client).map((name) => name.split(" "));
  const second = new Map<string, string[]>();
  for (const [first = "", next] of commands) {
    if (next) second.set(first, [...second.get(first) ?? [], next]);
  }
  return [
    ...Object.entries(client).map(([name, own]) => [`client ${name}`, own] as const),
    ...[...second].map(([first, next]) => [`client ${first}`, next] as const),
    ["client", [...new Set(commands.map(([first = ""]) => first)), "--help"]] as const,
    ["completion", SHELLS] as const,
    ["check", options] as const,
    ["", [...COMMANDS, ...options]] as const,
  ].map(([before, words]) => [before, words]);
}

function bash(words: Words): string {
  const cases = rules(words).map(([before, next]) =>
    `    ${before === "" ? "*" : `"${before} "*`}) words="${next.join(" ")}" ;;`
  );
  return `_cumulus_server() {
  local words i line=
  for ((i = 1; i < COMP_CWORD; i++)); do line+="\${COMP_WORDS[i]} "; done
  case "$line" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _cumulus_server CumulusServer
`;
}

function fish(words: Words): string {
  const cases = rules(words).map(([before, next]) =>
    `    case ${before === "" ? "'*'" : `'${before} *'`}\n      printf '%s\\n' ${next.join(" ")}`
  );
  return `function __cumulus_server
  set -l line (string join ' ' (commandline -opc)[2..-1])' '
  switch $line
${cases.join("\n")}
  end
end
complete -c CumulusServer -a '(__cumulus_server)'
`;
}
