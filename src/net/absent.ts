/** Whether an error means that a file is missing, or that this process may not open it. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.InvalidData ||
    error instanceof Deno.errors.FilesystemLoop ||
    (error as { code?: string }).code === "ENAMETOOLONG";
}
