// Returns freed memory of the C library to the system: the arena of each thread otherwise keeps its
// maximum size.

const symbols = {
  malloc_trim: { parameters: ["usize"], result: "i32", nonblocking: true },
} as const;

/**
 * A function that returns all freed memory to the system, on another thread.
 *
 * @throws if this is not Linux with glibc, or loading it is not allowed
 */
export function openTrim(): () => Promise<unknown> {
  if (Deno.build.os !== "linux") throw new Error("available on Linux only");
  const library = Deno.dlopen("libc.so.6", symbols).symbols;
  return () => library.malloc_trim(0n);
}
