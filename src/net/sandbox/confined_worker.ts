import type { FromWorker, ToWorker } from "./messages.ts";
import type { Permission } from "./policy.ts";

/** Starts a worker for sockets whose only permission is network access to the addresses of a list. */
export function startWorker(
  net: Permission,
  receive: (messages: FromWorker[]) => void,
  fail: (error: string) => void,
): { post(messages: ToWorker[], transfer: Transferable[]): void; terminate(): void } {
  const worker = new Worker(new URL("./socket_worker.ts", import.meta.url), {
    type: "module",
    name: "script sockets",
    // Deno enforces the list; all permissions but `net` are denied.
    deno: {
      permissions: {
        net: net === true ? true : [...net],
        env: false,
        ffi: false,
        import: false,
        read: false,
        run: false,
        sys: false,
        write: false,
      },
    },
  } as WorkerOptions);
  worker.onmessage = ({ data }: MessageEvent<FromWorker[]>) => receive(data);
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  return {
    post: (messages, transfer) => worker.postMessage(messages, transfer),
    terminate: () => worker.terminate(),
  };
}
