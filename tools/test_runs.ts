// Processes of `deno test`, and their results in one.
import { stripVTControlCharacters } from "node:util";

const root = new URL("../", import.meta.url);

/** Runs test files in one or more processes of `deno test`. */
export class TestRuns {
  /** Exit code: 0 while every process has ended with 0. */
  code = 0;
  readonly #times: { name: string; ms: number }[] = [];
  readonly #sum = { passed: 0, failed: 0, ignored: 0 };
  /** Errors of all processes, printed after the results of all tests. */
  readonly #errors: string[] = [];
  readonly #begun = performance.now();

  /** @param print writes a line of the output */
  constructor(readonly print: (line: string) => void = console.log) {}

  /** Runs files in a process each, in order, some at once. */
  async runEach(files: readonly string[], atOnce: number): Promise<void> {
    const waiting = [...files];
    const next = async () => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
        await this.run([file], 1);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, next));
  }

  /**
   * Runs files in one process.
   *
   * @param args files, folders and options of `deno test`
   * @param jobs number of files that the process runs at once, unless the environment has `DENO_JOBS`
   */
  async run(args: readonly string[], jobs: number): Promise<void> {
    const child = new Deno.Command(Deno.execPath(), {
      // Types are checked by `deno task ok`.
      args: [
        ...["test", "--config", "tests/deno.json", "--no-check", "--allow-all", "--parallel"],
        ...args,
      ],
      cwd: root,
      env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? String(jobs) },
      stdout: "piped",
    }).spawn();
    let ended = false; // the results of tests have ended: errors follow
    let rest = "";
    const line = (text: string) => {
      const plain = stripVTControlCharacters(text);
      if (this.#add(plain)) return;
      ended ||= plain === " ERRORS ";
      if (ended) this.#errors.push(text);
      else this.print(text);
      this.#takeTime(plain);
    };
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop()!;
      lines.forEach(line);
    }
    if (rest !== "") line(rest);
    const { code, signal } = await child.status;
    if (signal) this.#errors.push(`deno test was ended by ${signal}`);
    this.code ||= code;
  }

  /** Prints the errors, the slowest tests, and the sum of all processes in the form of `deno test`. */
  report(slowest: number): void {
    for (const text of this.#errors) this.print(text);
    if (slowest > 0) {
      const times = this.#times.toSorted((a, b) => b.ms - a.ms).slice(0, slowest);
      this.print(`\nThe ${times.length} slowest tests:`);
      for (const { name, ms } of times) {
        this.print(`${(ms / 1000).toFixed(1).padStart(7)} s  ${name}`);
      }
    }
    const { passed, failed, ignored } = this.#sum;
    const seconds = Math.round((performance.now() - this.#begun) / 1000);
    this.print(
      `\n${this.code === 0 ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed` +
        `${ignored > 0 ? ` | ${ignored} ignored` : ""} (${Math.floor(seconds / 60)}m${
          seconds % 60
        }s)`,
    );
  }

  /** Adds the numbers of a summary such as `ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)`. */
  #add(plain: string): boolean {
    if (!/^(ok|FAILED) \| /.test(plain)) return false;
    for (const [, count, what] of plain.matchAll(/(\d+) (passed|failed|ignored)/g)) {
      this.#sum[what as "passed" | "failed" | "ignored"] += Number(count);
    }
    return true;
  }

  /** Remembers the time of a line such as `name ... ok (1m2s)`. */
  #takeTime(plain: string): void {
    const [, name, time = ""] = /^(.*) \.\.\. (?:ok|FAILED) \((.*)\)$/.exec(plain) ?? [];
    if (name === undefined) return;
    const [, minutes = "0", number = "0", unit] = /^(?:(\d+)m)?(?:(\d+)(µs|ms|s))?$/.exec(time) ??
      [];
    const scale = unit === "s" ? 1000 : unit === "µs" ? 0.001 : 1;
    this.#times.push({ name, ms: Number(minutes) * 60_000 + Number(number) * scale });
  }
}
