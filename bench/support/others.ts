// Other servers, for comparison, each on core 0.
import { listening, type Server } from "./process.ts";

/** A server whose cost is measured. */
export type Measured = Pick<Server, "pid" | "stop">;

const NGINX = "/usr/sbin/nginx";
const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** Starts nginx with its RTMP module. @returns undefined if the module is not installed */
export async function startNginx(port: number): Promise<Measured | undefined> {
  try {
    Deno.statSync(MODULE);
  } catch {
    return undefined;
  }
  const folder = Deno.makeTempDirSync({ prefix: "nginx-bench-" });
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `load_module ${MODULE}; daemon off; master_process off; pid nginx.pid; error_log stderr crit;
    worker_rlimit_nofile 20000; events { worker_connections 20000; }
    rtmp { server { listen 127.0.0.1:${port}; application bench { live on; } } }`,
  );
  return await started(port, NGINX, ["-p", folder, "-c", "nginx.conf"], () => {
    Deno.removeSync(folder, { recursive: true });
  });
}

/** @param folder has node-media-server in its node_modules */
export async function startNodeMediaServer(
  folder: string,
  rtmp: number,
  http: number,
): Promise<Measured> {
  const script = `const NMS = require("node-media-server"); new NMS({bind: "127.0.0.1", ` +
    `rtmp: {port: ${rtmp}}, http: {port: ${http}}, auth: {play: false, publish: false}}).run();`;
  return await started(rtmp, "node", ["-e", script], () => {}, folder);
}

async function started(
  port: number,
  program: string,
  args: string[],
  tidy: () => void,
  cwd?: string,
): Promise<Measured> {
  const child = new Deno.Command("taskset", {
    args: ["-c", "0", program, ...args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended by itself
    }
    await child.status;
    tidy();
  };
  try {
    await listening(port);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid, stop };
}
