// Credentials of this server for a NATS server that authenticates users by keys. NATS-015, NATS-019.
import { type Authenticator, jwtAuthenticator, nkeyAuthenticator } from "@nats-io/transport-node";

/** Base64url in three parts, as in a credentials file. */
const JWT = /BEGIN NATS USER JWT-+\s+([\w-]+\.[\w-]+\.[\w-]+)/;
/** The seed of a user's key, alone or in a credentials file. */
const SEED = /\bSU[A-Z2-7]{56}\b/;

interface Credentials {
  readonly jwt: string | undefined;
  readonly seed: Uint8Array;
}

/**
 * @param read gives the text of a credentials file, or of a file with the seed of an nkey; it is
 *   called for every connection, so that credentials can be renewed
 * @throws {Error} if the text is neither; the message does not contain the text
 */
export function authenticatorOf(read: () => Uint8Array): Authenticator {
  const { jwt } = parse(read());
  const seed = () => parse(read()).seed;
  const authenticator = jwt === undefined
    ? nkeyAuthenticator(seed)
    : jwtAuthenticator(() => parse(read()).jwt ?? "", seed);
  try {
    authenticator("any");
  } catch {
    throw new Error("invalid seed (SU…)");
  }
  return authenticator;
}

function parse(bytes: Uint8Array): Credentials {
  const text = new TextDecoder().decode(bytes);
  const seed = SEED.exec(text)?.[0];
  if (seed === undefined) throw new Error("no user seed (SU…) in it");
  return { jwt: JWT.exec(text)?.[1], seed: new TextEncoder().encode(seed) };
}
