// Runs the command-line client as a process, like users do.

const main = new URL("../../main.ts", import.meta.url).pathname;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running client process. */
export interface RunningCommand {
  readonly result: Promise<CommandResult>;
  kill(signal: Deno.Signal): void;
}

/** Starts `main.ts client …` as a process. */
export function startClientProcess(...args: string[]): RunningCommand {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", main, "client", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    result: child.output().then(({ code, stdout, stderr }) => ({
      code,
      stdout: text(stdout),
      stderr: text(stderr),
    })),
    kill: (signal) => child.kill(signal),
  };
}

/** Runs `main.ts client …` to its end. */
export function runClientProcess(...args: string[]): Promise<CommandResult> {
  return startClientProcess(...args).result;
}
