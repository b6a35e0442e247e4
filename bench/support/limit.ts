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

/** `limit.c`, compiled. */
export class LimitProgram {
  readonly #folder = Deno.makeTempDirSync({ prefix: "cumulus-limit-" });
  #failure: string | undefined;

  /** Compiles the program. Without compiler or libcrypto {@link run} returns the reason. */
  static async compile(): Promise<LimitProgram> {
    const program = new LimitProgram();
    const source = new URL("../limit.c", import.meta.url).pathname;
    const libraries = ["-lcrypto", "-lpthread"];
    try {
      const compiled = await run("cc", "-O2", "-o", program.#path, source, ...libraries);
      if (!compiled.success) program.#failure = `cc: ${compiled.text.split("\n", 1)[0]}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      program.#failure = "no C compiler (cc) on this machine";
    }
    return program;
  }

  /** @returns the figures; the reason, as text, if the program cannot be compiled or fails */
  async run(packets = 200_000): Promise<Limit | string> {
    if (this.#failure !== undefined) return this.#failure;
    const { success, text } = await run(this.#path, String(packets));
    return success ? JSON.parse(text) : `limit: ${text}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }

  get #path(): string {
    return `${this.#folder}/limit`;
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
