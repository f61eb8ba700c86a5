/** Completion of commands and options for bash. */
import type { Command } from "commander";

/** The script: completes the words that may come after the words before. */
export function completion(program: Command): string {
  const cases = pathsOf(program, "").map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`);
  return [
    "_estuary() {",
    '  local path="" word words="" i',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    word="${COMP_WORDS[i]}"',
    '    [[ "$word" == -* ]] || path="${path:+$path }$word"',
    "  done",
    '  case "$path" in',
    ...cases,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    "}",
    "complete -o default -F _estuary estuary",
  ].join("\n");
}

function pathsOf(command: Command, path: string): { path: string; words: string[] }[] {
  const options = command.options.flatMap(({ long }) => (typeof long === "string" ? [long] : []));
  const words = [...command.commands.map((child) => child.name()), ...options];
  return [
    { path, words },
    ...command.commands.flatMap((child) => pathsOf(child, path === "" ? child.name() : `${path} ${child.name()}`)),
  ];
}
