// Chromium, where this machine has it.

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * The path of a browser. Without one the test of `what` is left out, with a line that says so; in CI it
 * runs, and fails.
 */
export function browserPath(what: string): string | undefined {
  const path = PATHS.find((one) => {
    try {
      return Deno.statSync(one).isFile;
    } catch {
      return false;
    }
  });
  if (path === undefined) {
    if (Deno.env.has("CI")) return PATHS[0];
    console.log(`No Chromium on this machine: ${what} cannot be tried`);
  }
  return path;
}
