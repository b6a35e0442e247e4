/// <reference lib="deno.worker" />
// Diffie-Hellman on its own thread: answers each PowerRequest with a PowerReply.
import { publicKeyOf, sharedSecret } from "../rtmfp/crypto/dh.ts";
import type { PowerReply, PowerRequest } from "./powers.ts";

self.onmessage = ({ data: { id, group, wanted } }: MessageEvent<PowerRequest>) => {
  const powers = wanted.map(({ base, exponent }) =>
    base
      ? sharedSecret({ group, publicKey: base, privateKey: exponent }, base)!
      : publicKeyOf(group, exponent)
  );
  self.postMessage({ id, powers } satisfies PowerReply);
};
