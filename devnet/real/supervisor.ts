/** Child processes: started and waited for, restarted when they die unasked, stopped in order. Their output goes to files. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

export interface ProcessSpec {
  readonly name: string;
  /** Arguments of Node. */
  readonly args: readonly string[];
  readonly cwd?: string;
  /** Beside this process's own environment; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
  /** Whether it can be used; polled after each start. */
  isHealthy(): Promise<boolean>;
}

export class ProcessError extends Error {
  override readonly name = "ProcessError";
}

const END_WITH_PARENT = import.meta.resolve("./endWithParent.ts");
const POLL_MS = 50;
const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 15_000;
const RESTARTS_A_MINUTE = 5;

export class Supervised {
  readonly spec: ProcessSpec;
  readonly #onEvent: (line: string) => void;
  readonly #starts: number[] = [];
  #child: ChildProcess | undefined;
  #isWanted = false;
  #isKilled = false;
  #crashes = 0;

  /** @param onEvent told when the process dies, restarts or is given up */
  constructor(spec: ProcessSpec, onEvent: (line: string) => void) {
    this.spec = spec;
    this.#onEvent = onEvent;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** How often it ended without being asked to. */
  get crashes(): number {
    return this.#crashes;
  }

  /** @throws ProcessError when it dies or is not healthy in time, with the end of its log */
  async start(signal?: AbortSignal): Promise<void> {
    this.#isWanted = true;
    this.#spawn();
    await this.whenHealthy(signal);
  }

  async whenHealthy(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS;
    while (!(await this.spec.isHealthy().catch(() => false))) {
      signal?.throwIfAborted();
      if (!this.#isWanted || performance.now() > deadline) {
        await this.stop();
        throw new ProcessError(`${this.spec.name} did not start; the end of ${this.spec.logFile}:\n${this.#logEnd()}`);
      }
      await sleep(POLL_MS);
    }
  }

  /** SIGTERM, and SIGKILL if that is not enough. */
  async stop(): Promise<void> {
    this.#isWanted = false;
    await this.#end("SIGTERM");
  }

  /** As a crash would: the supervisor starts it again. */
  kill(): void {
    this.#isKilled = true;
    this.#child?.kill("SIGKILL");
  }

  /** Kills it, and waits until it is well again. */
  async restart(): Promise<void> {
    const { pid } = this;
    this.kill();
    while (this.pid === pid) await sleep(POLL_MS);
    await this.whenHealthy();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    const limit = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(limit);
  }

  #spawn(): void {
    const { name, args, cwd, env, logFile } = this.spec;
    this.#starts.push(Date.now());
    const log = openSync(logFile, "a");
    const child = spawn(process.execPath, [`--import=${END_WITH_PARENT}`, ...args], {
      cwd,
      env: { ...process.env, ...env },
      // the channel ends with this process, and the child with the channel
      stdio: ["ignore", log, log, "ipc"],
      // Ctrl-C is for this process, which stops the others in order
      detached: true,
    });
    closeSync(log);
    this.#child = child;
    child.once("exit", (code, signal) => {
      this.#child = undefined;
      if (!this.#isWanted) return;
      if (!this.#isKilled) this.#crashes++;
      this.#isKilled = false;
      const recent = this.#starts.filter((time) => time > Date.now() - 60_000).length;
      if (recent > RESTARTS_A_MINUTE) {
        this.#isWanted = false;
        this.#onEvent(`${name} ended too often and stays down; see ${logFile}`);
        return;
      }
      this.#onEvent(`${name} ended (${signal ?? code}): starting it again`);
      this.#spawn();
    });
  }

  #logEnd(): string {
    return readFileSync(this.spec.logFile, "utf8").split("\n").slice(-15).join("\n");
  }
}
