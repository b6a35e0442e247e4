import type { FromWorker, ToWorker } from "./messages.ts";
import type { Permission } from "./policy.ts";

/** Starts the worker of some sockets, with permission for the addresses of a list only. */
export function startWorker(
  net: Permission,
  receive: (messages: FromWorker[]) => void,
  fail: (error: string) => void,
): { post(messages: ToWorker[], transfer: Transferable[]): void; terminate(): void } {
  const worker = new Worker(new URL("./socket_worker.ts", import.meta.url), {
    type: "module",
    name: "script sockets",
    // The list is Deno's to enforce; everything but `net` is denied.
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
