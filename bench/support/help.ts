// `--help` of the benchmarks that read their own arguments.

/** Prints the text and ends the process if the arguments include `--help`. */
export function helpOrRun(text: string): void {
  if (!Deno.args.includes("--help")) return;
  console.log(text.trim());
  Deno.exit(0);
}
