// The signals that stop the server. CFG-077

/** With their numbers. */
export const SIGNALS: Partial<Record<Deno.Signal, number>> = Deno.build.os === "windows"
  ? { SIGINT: 2, SIGBREAK: 21 }
  : { SIGINT: 2, SIGTERM: 15, SIGQUIT: 3 };

/**
 * How long, in milliseconds, signals are taken for repetitions of the first one: Ctrl-C goes to all programs of the
 * terminal, and `deno task` passes its own on.
 */
export const SAME_SIGNAL = 250;
