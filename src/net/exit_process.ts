// Ends the process at once, from any thread: Deno.exit in a worker waits for the main thread.

/** By operating system: the library, and its function that takes the exit code. */
const CALLS: Partial<Record<typeof Deno.build.os, readonly [string, string]>> = {
  linux: ["libc.so.6", "_exit"],
  darwin: ["libSystem.B.dylib", "_exit"],
  windows: ["kernel32.dll", "ExitProcess"],
};

/** A function that ends the process with an exit code; undefined if the system's libraries may not be called. */
export function openExit(): ((code: number) => void) | undefined {
  const call = CALLS[Deno.build.os];
  if (!call) return undefined;
  const [library, name] = call;
  try {
    const { symbols } = Deno.dlopen(library, {
      exit: { name, parameters: ["i32"], result: "void" },
    });
    return (code) => symbols.exit(code);
  } catch {
    return undefined;
  }
}
