/** What `limit.c` prints: microseconds of CPU for each packet of `bytes`. */
export interface Limit {
  readonly bytes: number;
  readonly packets: number;
  readonly aes_us: number;
  readonly sendto_us: number;
  readonly sendmmsg_us: number;
  readonly aes_sendto_us: number;
  readonly aes_sendmmsg_us: number;
  readonly received_share: number;
}

/**
 * Compiles and runs `limit.c`.
 *
 * @returns why not, if there is no compiler or no libcrypto to compile with
 */
export async function runLimit(packets = 200_000): Promise<Limit | string> {
  const folder = Deno.makeTempDirSync({ prefix: "cumulus-limit-" });
  const source = new URL("../limit.c", import.meta.url).pathname;
  try {
    const compiled = await run(
      "cc",
      "-O2",
      "-o",
      `${folder}/limit`,
      source,
      "-lcrypto",
      "-lpthread",
    );
    if (!compiled.success) return `cc: ${compiled.text.split("\n", 1)[0]}`;
    const { success, text } = await run(`${folder}/limit`, String(packets));
    return success ? JSON.parse(text) : `limit: ${text}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no C compiler (cc) here";
    throw error;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

async function run(program: string, ...args: string[]) {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    stdout: "piped",
    stderr: "piped",
  }).output();
  return { success, text: new TextDecoder().decode(success ? stdout : stderr).trim() };
}
