import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

const INSTALLED = resolve("node_modules");

/** A project of somebody who has nothing of this repository but a tarball, and the packages beside it. */
export class EmptyProject {
  readonly folder = mkdtempSync(join(tmpdir(), "estuary-project-"));

  constructor(beside: readonly string[]) {
    this.write("package.json", '{ "type": "module" }');
    for (const name of beside) {
      const place = join(this.folder, "node_modules", name);
      mkdirSync(dirname(place), { recursive: true });
      symlinkSync(join(INSTALLED, name), place);
    }
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(join(this.folder, name)), { recursive: true });
    writeFileSync(join(this.folder, name), text);
  }

  /** As npm unpacks it; no registry is asked. */
  async install(name: string, tarball: string): Promise<void> {
    const place = join(this.folder, "node_modules", name);
    mkdirSync(place, { recursive: true });
    await promisify(execFile)("tar", ["-xzf", tarball, "-C", place, "--strip-components=1"]);
  }

  /** @returns stdout @throws Error with all that was printed */
  async node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    try {
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        cwd: this.folder,
        env: { ...process.env, NODE_OPTIONS: "", ...env },
        maxBuffer: 2 ** 24,
      });
      return stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${args.join(" ")}:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
    }
  }
}
