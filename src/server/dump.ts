// `--dump`: packets as hex. CFG-071, CFG-094.
import type { CryptoBackend } from "../rtmfp/crypto/backend.ts";

/** Lines of 16 bytes each, as hex and as text. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, "0").toUpperCase());
    const text = Array.from(
      row,
      (byte) => byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".",
    );
    lines.push(`${hex.join(" ").padEnd(48)} ${text.join("")}`);
  }
  return lines.join("\n");
}

/** A back-end that shows each packet before encryption and after decryption. */
export function dumping(
  inner: CryptoBackend,
  show: (header: string, packet: Uint8Array) => void,
): CryptoBackend {
  return {
    ...inner,
    name: inner.name,
    hmacSha256: (key) => inner.hmacSha256(key),
    sha256: (bytes) => inner.sha256(bytes),
    aes(key) {
      const aes = inner.aes(key);
      return {
        encrypt(buffer, start, end) {
          show(`Packet of ${end - start} bytes sent`, buffer.subarray(start, end));
          aes.encrypt(buffer, start, end);
        },
        decrypt(buffer, start, end) {
          aes.decrypt(buffer, start, end);
          show(`Packet of ${end - start} bytes received`, buffer.subarray(start, end));
        },
        free: () => aes.free(),
      };
    },
  };
}
