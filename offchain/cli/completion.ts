/** Completion of commands and options for bash, zsh and fish: words by the command that the line has come to. */
import type { Command } from "commander";
import { AppError, EXIT } from "../util/errors.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;

/** What may come after a command's words; what is no command, as an argument or an option's value, is passed over. */
interface Place {
  /** The commands' names up to here, separated by blanks. */
  readonly trail: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
}

/** The shell's script. @throws AppError (usage) for another shell */
export function completion(program: Command, shell: string): string {
  const places = placesOf(program, "", optionsOf(program));
  switch (shell) {
    case "bash":
      return bash(places);
    case "zsh":
      return zsh(places);
    case "fish":
      return fish(places);
    default:
      throw new AppError(EXIT.usage, `shell: one of ${SHELLS.join(", ")}, not ${shell}`);
  }
}

function placesOf(command: Command, trail: string, shared: Place["words"]): Place[] {
  const children = command.commands.map((child) => ({ word: child.name(), about: child.description() }));
  const own = command.parent === null ? [] : optionsOf(command);
  return [
    { trail, words: [...children, ...own, ...shared] },
    ...command.commands.flatMap((child) => placesOf(child, `${trail} ${child.name()}`.trim(), shared)),
  ];
}

function optionsOf(command: Command): Place["words"] {
  const help = command.parent === null ? [{ word: "--help", about: "display help for command" }] : [];
  const options = command.options.flatMap(({ long, description }) =>
    typeof long === "string" ? [{ word: long, about: description }] : [],
  );
  return [...options, ...help];
}

function bash(places: readonly Place[]): string {
  return [
    "_estuary() {",
    '  local trail="" words="" next i',
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    '    next="${trail:+$trail }${COMP_WORDS[i]}"',
    '    case "$next" in',
    `      ${trailsOf(places)}) trail="$next" ;;`,
    "    esac",
    "  done",
    '  case "$trail" in',
    ...places.map(({ trail, words }) => `    "${trail}") words="${words.map(({ word }) => word).join(" ")}" ;;`),
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))',
    "}",
    "complete -o default -F _estuary estuary",
  ].join("\n");
}

function zsh(places: readonly Place[]): string {
  const described = ({ word, about }: Place["words"][number]): string =>
    quoted(`${word}:${about.replace(/:/g, "\\:")}`);
  return [
    "#compdef estuary",
    "_estuary() {",
    '  local trail="" next i',
    "  local -a candidates",
    "  for ((i = 2; i < CURRENT; i++)); do",
    '    next="${trail:+$trail }${words[i]}"',
    '    case "$next" in',
    `      (${trailsOf(places)}) trail="$next" ;;`,
    "    esac",
    "  done",
    '  case "$trail" in',
    ...places.map(({ trail, words }) => `    ("${trail}") candidates=(${words.map(described).join(" ")}) ;;`),
    "  esac",
    "  _describe estuary candidates || _files",
    "}",
    "compdef _estuary estuary",
  ].join("\n");
}

function fish(places: readonly Place[]): string {
  const offer = (trail: string, { word, about }: Place["words"][number]): string =>
    `complete -c estuary -n '__estuary_at "${trail}"' ${word.startsWith("--") ? `-l ${word.slice(2)}` : `-a ${word}`} -d ${quoted(about)}`;
  return [
    "function __estuary_at",
    '  set -l trail ""',
    "  for word in (commandline -opc)[2..-1]",
    '    set -l next (string trim -- "$trail $word")',
    `    contains -- "$next" ${places.flatMap(({ trail }) => (trail === "" ? [] : [`"${trail}"`])).join(" ")}; and set trail $next`,
    "  end",
    '  test "$trail" = "$argv[1]"',
    "end",
    ...places.flatMap(({ trail, words }) => words.map((word) => offer(trail, word))),
  ].join("\n");
}

function trailsOf(places: readonly Place[]): string {
  return places.flatMap(({ trail }) => (trail === "" ? [] : [`"${trail}"`])).join("|");
}

/** For the three shells, which agree where the text has no quote and no backslash of its own at the end. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "’")}'`;
}
