import { FlvIndex } from "./flv_index.ts";
import type { StoredFile } from "./stored_file.ts";
import { FILE_HEADER, firstTagOffset, TagReader } from "./tag_reader.ts";

/** Bytes of a block. */
const BLOCK = 256 * 1024;

/**
 * Reads a file from its beginning to its last whole tag, block after block.
 *
 * @param done receives the index; undefined if the file is not FLV, or cannot be read
 */
export function buildIndex(file: StoredFile, done: (index: FlvIndex | undefined) => void): void {
  file.read(0, FILE_HEADER, (bytes) => {
    const first = bytes && firstTagOffset(bytes);
    if (first === undefined) return done(undefined);
    const index = new FlvIndex(first);
    const reader = new TagReader(first);
    const next = () => file.read(reader.position, Math.max(BLOCK, reader.needed), take);
    const take = (block: Uint8Array | undefined) => {
      if (!block) return done(undefined);
      reader.setBlock(block);
      const isLast = block.length < reader.needed;
      for (let tag = reader.next(false); tag; tag = reader.next(false)) {
        if (!index.add(tag, file.size)) return done(index);
      }
      if (isLast || reader.ended || reader.position >= file.size) return done(index);
      next();
    };
    next();
  });
}
