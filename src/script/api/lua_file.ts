import { concat } from "../../bytes/concat.ts";
import type { HostFile } from "./host.ts";

/** Bytes read ahead at once. */
const CHUNK = 8192;
/** Maximum bytes of a number as text. Lua 5.4, liolib.c L_MAXLENNUM */
const MAX_NUMBER = 200;
const LINE_FEED = 10;

/** An open file of a script, with buffered reading. A string as result of writing is the reason of a failure. */
export class LuaFile {
  #file: HostFile | undefined;
  /** Bytes read ahead, from {@link #at} on. */
  #buffer = new Uint8Array(0);
  #at = 0;
  /** Reason why the last read failed; undefined at the end of the file. */
  error: string | undefined;

  constructor(file: HostFile, readonly onClose: () => void) {
    this.#file = file;
  }

  get open(): boolean {
    return this.#file !== undefined;
  }

  close(): void {
    const file = this.#file;
    if (!file) return;
    this.#file = undefined;
    this.#buffer = new Uint8Array(0);
    this.#at = 0;
    file.close();
    this.onClose();
  }

  /** Up to the next line feed; a line much longer than `limit` bytes in pieces. @returns undefined at the end */
  line(keepLineFeed: boolean, limit: number): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    for (let length = 0;; length += CHUNK) {
      if (length >= limit) return concat(parts);
      if (!this.#fill()) return parts.length > 0 ? concat(parts) : undefined;
      const end = this.#buffer.indexOf(LINE_FEED, this.#at);
      if (end < 0) {
        parts.push(this.#take(this.#buffer.length));
        continue;
      }
      parts.push(this.#take(keepLineFeed ? end + 1 : end));
      this.#at = end + 1;
      return concat(parts);
    }
  }

  /** Up to `count` bytes. @returns undefined at the end; with a count of 0, `""` before it */
  bytes(count: number): Uint8Array | undefined {
    if (!this.#fill()) return undefined;
    const parts: Uint8Array[] = [];
    let left = count;
    while (left > 0 && this.#fill()) {
      const part = this.#take(Math.min(this.#buffer.length, this.#at + left));
      parts.push(part);
      left -= part.length;
    }
    return concat(parts);
  }

  /** All bytes up to the end; none at the end. Stops soon after `limit` bytes. */
  all(limit: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (length < limit && this.#fill()) {
      const part = this.#take(this.#buffer.length);
      parts.push(part);
      length += part.length;
    }
    return concat(parts);
  }

  /** Reads characters for as long as they can begin a number. */
  number(): string {
    let text = "";
    let next = this.#peek();
    for (; next !== undefined && /\s/.test(next); next = this.#peek()) this.#at++;
    const starts = /^[+-]?(0x?[0-9a-f]*(\.[0-9a-f]*)?(p[+-]?\d*)?|\d*(\.\d*)?(e[+-]?\d*)?)$/i;
    for (; next !== undefined && starts.test(text + next); next = this.#peek()) {
      if (text.length === MAX_NUMBER) break;
      text += next;
      this.#at++;
    }
    return text;
  }

  /** @returns the reason of a failure */
  write(bytes: Uint8Array): string | undefined {
    if (!this.#file) return "file is closed";
    this.#forget();
    return this.#file.write(bytes);
  }

  seek(from: "start" | "current" | "end", by: number): number | string {
    if (!this.#file) return "file is closed";
    this.#forget();
    return this.#file.seek(from, by);
  }

  flush(): void {
    this.#file?.flush();
  }

  /** The next byte as a character, left unread; undefined at the end. */
  #peek(): string | undefined {
    const byte = this.#fill() ? this.#buffer[this.#at] : undefined;
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  #take(end: number): Uint8Array {
    const part = this.#buffer.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Reads ahead if the buffer is empty. @returns false at the end */
  #fill(): boolean {
    if (this.#at < this.#buffer.length) return true;
    if (!this.#file) return false;
    const chunk = new Uint8Array(CHUNK);
    const count = this.#file.read(chunk);
    if (typeof count === "string") {
      this.error = count;
      return false;
    }
    this.#buffer = chunk.subarray(0, count);
    this.#at = 0;
    return count > 0;
  }

  /** Discards what was read ahead, and moves the file's position back to match. */
  #forget(): void {
    const ahead = this.#buffer.length - this.#at;
    this.#buffer = new Uint8Array(0);
    this.#at = 0;
    if (ahead > 0) this.#file?.seek("current", -ahead);
  }
}
