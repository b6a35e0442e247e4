// Third-party programs that run against this server; CI must have them.
import { createHash } from "node:crypto";
import { FlvReader } from "../../src/flv/reader.ts";
import { type FlvTag, TagType } from "../../src/flv/tags.ts";
import { freePort } from "../support/ports.ts";
import { PATIENCE } from "../support/wait.ts";

/** Whether a program is in PATH. */
export function hasProgram(name: string): boolean {
  const folders = (Deno.env.get("PATH") ?? "").split(":").concat("/usr/sbin");
  return folders.some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}

/**
 * A test with third-party programs. Without one of them the test is skipped with a message; with `CI` set it
 * fails.
 */
export function peerTest(
  name: string,
  programs: readonly string[],
  run: () => Promise<void>,
): void {
  const missing = programs.filter((program) => !hasProgram(program));
  if (missing.length === 0) return Deno.test(name, run);
  const text = `${missing.join(", ")} not installed`;
  if (!Deno.env.get("CI")) return Deno.test({ name: `${name} (${text})`, ignore: true, fn: run });
  Deno.test(name, () => {
    throw new Error(text);
  });
}

export interface PeerResult {
  readonly code: number;
  readonly error: string;
}

/** A running program; it is killed after its time-out. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly result: Promise<PeerResult>;

  constructor(program: string, args: readonly string[]) {
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => this.stop(), PATIENCE);
    this.result = this.#child.output().then(({ code, stderr }) => {
      clearTimeout(timer);
      return { code, error: new TextDecoder().decode(stderr) };
    });
  }

  stop(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.result;
  }
}

const QUIET = ["-hide_banner", "-nostdin", "-loglevel", "error"];

/** ffmpeg publishes a file at full speed, or at `pace` times real time. */
export const ffmpegPublishes = (file: string, url: string, pace?: number): Peer =>
  new Peer("ffmpeg", [
    ...QUIET,
    ...pace === undefined ? [] : ["-readrate", `${pace}`],
    ...["-i", file, "-c", "copy", "-f", "flv", url],
  ]);

/** ffmpeg plays into a file, until the publisher ends. */
export const ffmpegPlays = (url: string, file: string): Peer =>
  new Peer("ffmpeg", [...QUIET, "-y", "-i", url, "-c", "copy", file]);

/** ffmpeg plays a recording from a time in seconds on. */
export const ffmpegSeeks = (url: string, start: number, file: string): Peer =>
  new Peer("ffmpeg", [...QUIET, "-y", "-ss", `${start}`, "-i", url, "-c", "copy", file]);

/** rtmpdump plays into a file, until the publisher ends. */
export const rtmpdumpPlays = (url: string, file: string): Peer =>
  new Peer("rtmpdump", ["-q", "-v", "-r", url, "-o", file]);

/** rtmpdump plays a recording, or the seconds of it from `start` to `stop`. */
export const rtmpdumpReads = (url: string, file: string, start = 0, stop?: number): Peer =>
  new Peer("rtmpdump", [
    ...["-q", "-r", url, "-o", file],
    ...start > 0 ? ["--start", `${start}`] : [],
    ...stop === undefined ? [] : ["--stop", `${stop}`],
  ]);

/** Errors that ffprobe reports after decoding every frame of a file; "" without errors. */
export async function faultsOf(file: string): Promise<string> {
  const args = ["-hide_banner", "-v", "error", "-show_frames", "-of", "compact", file];
  const { stderr } = await new Deno.Command("ffprobe", { args, stdout: "null" }).output();
  return new TextDecoder().decode(stderr);
}

/** A file whose tags every test may publish: H.264 and AAC, 5 s. */
export const FILE = new URL("../fixtures/test.flv", import.meta.url).pathname;

export function tagsOf(file: string): FlvTag[] {
  return new FlvReader().push(Deno.readFileSync(file));
}

/** Pictures and sounds of a file: each with its time (ms) since the first of its kind, length and digest. */
export function mediaOf(tags: readonly FlvTag[]): Record<"audio" | "video", string[]> {
  const lines = (type: TagType) => {
    const frames = tags.filter((tag) => tag.type === type && tag.data[1] === 1);
    return frames.map(({ timestamp, data }) => {
      const digest = createHash("sha256").update(data).digest("hex").slice(0, 16);
      return `${timestamp - frames[0].timestamp} ${data.length} ${digest}`;
    });
  };
  return { audio: lines(TagType.audio), video: lines(TagType.video) };
}

/** nginx with its RTMP module in a temporary folder; it serves the application `live`. */
export class NginxRtmp implements AsyncDisposable {
  readonly port = freePort();
  readonly #folder = Deno.makeTempDirSync();
  readonly #peer: Peer;

  constructor(more = "") {
    const module = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
    Deno.writeTextFileSync(
      `${this.#folder}/nginx.conf`,
      `load_module ${module}; daemon off; master_process off;
      pid nginx.pid; error_log stderr error; events {}
      rtmp { server { listen 127.0.0.1:${this.port}; application live { live on; ${more} } } }`,
    );
    this.#peer = new Peer("/usr/sbin/nginx", ["-p", this.#folder, "-c", "nginx.conf"]);
  }

  url(name: string): string {
    return `rtmp://127.0.0.1:${this.port}/live/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer[Symbol.asyncDispose]();
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
