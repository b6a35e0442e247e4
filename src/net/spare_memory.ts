// Returns freed memory of the C library to the system: the arena of each thread otherwise keeps its
// maximum size.

const symbols = {
  malloc_trim: { parameters: ["usize"], result: "i32", nonblocking: true },
} as const;

/**
 * Gives all of it back to the system, on another thread.
 *
 * @throws if this is not Linux with its usual C library, or that may not be loaded
 */
export function openTrim(): () => Promise<unknown> {
  if (Deno.build.os !== "linux") throw new Error("only Linux has it");
  const library = Deno.dlopen("libc.so.6", symbols).symbols;
  return () => library.malloc_trim(0n);
}
