// Finds Chromium on this machine.

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * The path of a browser. Without a browser the test of `what` is skipped with a message; in CI it
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
