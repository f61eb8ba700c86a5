/** Runs the `console` blocks of a document in bash, and compares what is shown with what comes, by its shape. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Command {
  readonly text: string;
  readonly line: number;
  /** As the document has it after `# exit code`; 0 otherwise. */
  readonly exitCode: number;
  readonly shown: readonly string[];
}

/** A block, or what must happen on the chain first: `<!-- test: ... -->`. */
export type Part = { readonly event: string } | { readonly commands: readonly Command[] };

export interface Outcome {
  readonly exitCode: number;
  readonly output: string;
}

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export function partsOf(markdown: string): Part[] {
  const parts: Part[] = [];
  let commands: { text: string; line: number; exitCode: number; shown: string[] }[] | undefined;
  markdown.split("\n").forEach((text, index) => {
    const [, event] = /^<!-- test: (.+) -->$/.exec(text) ?? [];
    if (event !== undefined) parts.push({ event });
    if (text === "```console") parts.push({ commands: (commands = []) });
    else if (text.startsWith("```")) commands = undefined;
    else if (commands !== undefined && text.startsWith("$ ")) {
      const [, code = "0"] = /# exit code (\d)/.exec(text) ?? [];
      commands.push({ text: text.slice(2), line: index + 1, exitCode: Number(code), shown: [] });
    } else commands?.at(-1)?.shown.push(text);
  });
  return parts;
}

/**
 * Runs commands one after the other in one shell; variables that are exported stay for the next call with the same folder.
 * @param folder working folder of a document
 */
export async function runCommands(commands: readonly Command[], folder: string): Promise<Outcome[]> {
  const state = join(folder, ".exported");
  if (!existsSync(state)) writeFileSync(state, "");
  const script = [
    `estuary() { node '${ROOT}scripts/estuary.ts' "$@"; }`,
    // npm run <daemon> -- <arguments>, in this folder
    `npm() { local name="$2"; shift 2; [ "$1" = -- ] && shift; node --import '${ROOT}node_modules/tsx/dist/esm/index.mjs' "${ROOT}scripts/$name.ts" "$@"; }`,
    `source '${state}'`,
    ...commands.flatMap(({ text }) => [`{ ${text}\n} 2>&1`, "printf '\\036%d\\037' $?"]),
    `export -p > '${state}'`,
  ].join("\n");
  const env = { PATH: process.env["PATH"], HOME: folder, LC_ALL: "C.UTF-8" };
  const output = await new Promise<string>((resolve, reject) => {
    const shell = spawn("bash", ["-c", script], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    const chunks: Buffer[] = [];
    shell.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    shell.once("error", reject).once("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
  return output
    .split("\u001f")
    .slice(0, -1)
    .map((part) => {
      const [text = "", code = "-1"] = part.split("\u001e");
      return { output: text, exitCode: Number(code) };
    });
}

/** The first line that is not as shown, in words; undefined where all are. `...` alone in a line stands for any lines. */
export function difference(shown: readonly string[], output: string): string | undefined {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  const wanted = shown.filter((line) => line.trim() !== "");
  let at = 0;
  for (const [index, line] of wanted.entries()) {
    if (line.trim() === "...") {
      const next = wanted[index + 1];
      const found = next === undefined ? lines.length : lines.findIndex((one, i) => i >= at && shapeOf(next).test(one));
      at = found === -1 ? lines.length : found;
      continue;
    }
    const given = lines[at++];
    if (given === undefined || !shapeOf(line).test(given)) return `shown: ${line}\ncame:  ${given ?? "nothing more"}`;
  }
  return at < lines.length ? `not shown: ${lines[at]}` : undefined;
}

/** Numbers, hexadecimal digits, dates and widths may be others; words may not. */
function shapeOf(line: string): RegExp {
  const pattern = line
    .trim()
    .split(/\s+/)
    .map((word) =>
      word
        .split(/(0x[0-9a-fA-F]+…?|\d[\d.,:-]*|─+)/)
        .map((part, i) => (i % 2 === 0 ? escaped(part) : kindOf(part)))
        .join(""),
    )
    .join("\\s+");
  return new RegExp(`^\\s*${pattern}\\s*$`);
}

function kindOf(part: string): string {
  if (part.startsWith("0x")) return "0x[0-9a-fA-F]+…?";
  return part.startsWith("─") ? "─+" : "\\d[\\d.,:-]*";
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}

export function readDocument(name: string): string {
  return readFileSync(`${ROOT}docs/${name}`, "utf8");
}
