/** Whether an error says that there is no such file, or none that this process may open. */
export function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.InvalidData ||
    error instanceof Deno.errors.FilesystemLoop ||
    (error as { code?: string }).code === "ENAMETOOLONG";
}
