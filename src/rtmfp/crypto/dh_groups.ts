// The Diffie-Hellman groups of the Flash profile. RFC 7425 §4.2. The generator of each is 2.

/** Group numbers on the wire. No client offers 5. */
export type GroupId = 2 | 14 | 16;

export interface Group {
  readonly id: GroupId;
  /** A safe prime. */
  readonly prime: bigint;
  /** Length of the prime in bytes. */
  readonly size: number;
  /** Bits of a private exponent: twice the strength of the group and some more. */
  readonly exponentBits: number;
}

export const groups: Record<GroupId, Group> = {
  /** RFC 2409 §6.2. */
  2: group(
    2,
    224,
    `
    ffffffff ffffffff c90fdaa2 2168c234 c4c6628b 80dc1cd1 29024e08 8a67cc74
    020bbea6 3b139b22 514a0879 8e3404dd ef9519b3 cd3a431b 302b0a6d f25f1437
    4fe1356d 6d51c245 e485b576 625e7ec6 f44c42e9 a637ed6b 0bff5cb6 f406b7ed
    ee386bfb 5a899fa5 ae9f2411 7c4b1fe6 49286651 ece65381 ffffffff ffffffff
  `,
  ),
  /** RFC 3526 §3. */
  14: group(
    14,
    320,
    `
    ffffffff ffffffff c90fdaa2 2168c234 c4c6628b 80dc1cd1 29024e08 8a67cc74
    020bbea6 3b139b22 514a0879 8e3404dd ef9519b3 cd3a431b 302b0a6d f25f1437
    4fe1356d 6d51c245 e485b576 625e7ec6 f44c42e9 a637ed6b 0bff5cb6 f406b7ed
    ee386bfb 5a899fa5 ae9f2411 7c4b1fe6 49286651 ece45b3d c2007cb8 a163bf05
    98da4836 1c55d39a 69163fa8 fd24cf5f 83655d23 dca3ad96 1c62f356 208552bb
    9ed52907 7096966d 670c354e 4abc9804 f1746c08 ca18217c 32905e46 2e36ce3b
    e39e772c 180e8603 9b2783a2 ec07a28f b5c55df0 6f4c52c9 de2bcbf6 95581718
    3995497c ea956ae5 15d22618 98fa0510 15728e5a 8aacaa68 ffffffff ffffffff
  `,
  ),
  /** RFC 3526 §5. */
  16: group(
    16,
    480,
    `
    ffffffff ffffffff c90fdaa2 2168c234 c4c6628b 80dc1cd1 29024e08 8a67cc74
    020bbea6 3b139b22 514a0879 8e3404dd ef9519b3 cd3a431b 302b0a6d f25f1437
    4fe1356d 6d51c245 e485b576 625e7ec6 f44c42e9 a637ed6b 0bff5cb6 f406b7ed
    ee386bfb 5a899fa5 ae9f2411 7c4b1fe6 49286651 ece45b3d c2007cb8 a163bf05
    98da4836 1c55d39a 69163fa8 fd24cf5f 83655d23 dca3ad96 1c62f356 208552bb
    9ed52907 7096966d 670c354e 4abc9804 f1746c08 ca18217c 32905e46 2e36ce3b
    e39e772c 180e8603 9b2783a2 ec07a28f b5c55df0 6f4c52c9 de2bcbf6 95581718
    3995497c ea956ae5 15d22618 98fa0510 15728e5a 8aaac42d ad33170d 04507a33
    a85521ab df1cba64 ecfb8504 58dbef0a 8aea7157 5d060c7d b3970f85 a6e1e4c7
    abf5ae8c db0933d7 1e8c94e0 4a25619d cee3d226 1ad2ee6b f12ffa06 d98a0864
    d8760273 3ec86a64 521f2b18 177b200c bbe11757 7a615d6c 770988c0 bad946e2
    08e24fa0 74e5ab31 43db5bfc e0fd108e 4b82d120 a9210801 1a723c12 a787e6d7
    88719a10 bdba5b26 99c32718 6af4e23c 1a946834 b6150bda 2583e9ca 2ad44ce8
    dbbbc2db 04de8ef9 2e8efc14 1fbecaa6 287c5947 4e6bc05d 99b2964f a090c3a2
    233ba186 515be7ed 1f612970 cee2d7af b81bdd76 2170481c d0069127 d5b05aa9
    93b4ea98 8d8fddc1 86ffb7dc 90a6c08f 4df435c9 34063199 ffffffff ffffffff
  `,
  ),
};

/** @returns undefined for a group that the server does not implement */
export function groupOf(id: number): Group | undefined {
  return Object.hasOwn(groups, id) ? groups[id as GroupId] : undefined;
}

function group(id: GroupId, exponentBits: number, hex: string): Group {
  const digits = hex.replace(/\s+/g, "");
  return { id, prime: BigInt(`0x${digits}`), size: digits.length / 2, exponentBits };
}
