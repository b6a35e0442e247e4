/** The server cannot start, for a reason that its operator can remove. */
export class StartError extends Error {
  override name = "StartError";
}
