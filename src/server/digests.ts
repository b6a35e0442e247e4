// Digests for scripts and for links to other servers. The first digest loads Node's cryptography, which takes long.

// deno-lint-ignore no-process-global -- importing node:process takes long as well
const node = () => process.getBuiltinModule("node:crypto");

/** Loads Node's cryptography ahead, so that the first digest of a script is fast. */
export function prepareDigests(): void {
  node();
}

export const md5 = (bytes: Uint8Array) =>
  new Uint8Array(node().createHash("md5").update(bytes).digest());

export const sha256 = (bytes: Uint8Array) =>
  new Uint8Array(node().createHash("sha256").update(bytes).digest());

export const hmacSha256 = (key: Uint8Array, message: Uint8Array) =>
  new Uint8Array(node().createHmac("sha256", key).update(message).digest());
