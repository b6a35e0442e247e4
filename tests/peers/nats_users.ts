// Users that a nats-server authorizes by keys: with an nkey, or with a JWT signed by an account.
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";
import { toUtf8 } from "../../src/bytes/text.ts";

const base64Url = (bytes: Uint8Array): string =>
  bytes.toBase64({ alphabet: "base64url", omitPadding: true });
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const HEADER = base64Url(toUtf8(JSON.stringify({ typ: "JWT", alg: "ed25519-nkey" })));

let lastId = 0;

/** A JWT of version 2. */
function sign(issuer: KeyPair, subject: KeyPair, nats: Record<string, unknown>): string {
  const claims = {
    jti: `test${++lastId}`,
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    nats: { version: 2, ...nats },
  };
  const signed = `${HEADER}.${base64Url(toUtf8(JSON.stringify(claims)))}`;
  return `${signed}.${base64Url(issuer.sign(toUtf8(signed)))}`;
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 };

/** A user that may use the subjects of one cluster. */
export interface KeyUser {
  /** Part of the configuration of nats-server. */
  readonly conf: string;
  /** Content of the file in `[bus] credentials`. */
  readonly file: string;
}

export function nkeyUser(cluster: string): KeyUser {
  const user = createUser();
  const subjects = `{ allow: ["cum.${cluster}.>"] }`;
  return {
    conf: `authorization { users = [ { nkey: ${user.getPublicKey()}, permissions: {
      publish: ${subjects}, subscribe: ${subjects} } } ] }`,
    file: textOf(user.getSeed()) + "\n",
  };
}

export function jwtUser(cluster: string): KeyUser {
  const [operator, account, user] = [createOperator(), createAccount(), createUser()];
  const limits = {
    ...UNLIMITED,
    imports: -1,
    exports: -1,
    wildcards: true,
    conn: -1,
    leaf: -1,
  };
  const ofAccount = sign(operator, account, { type: "account", limits });
  const subjects = { allow: [`cum.${cluster}.>`] };
  const ofUser = sign(account, user, {
    type: "user",
    pub: subjects,
    sub: subjects,
    ...UNLIMITED,
  });
  return {
    conf: `operator: ${sign(operator, operator, { type: "operator" })}
      resolver: MEMORY
      resolver_preload: { ${account.getPublicKey()}: ${ofAccount} }`,
    file: `-----BEGIN NATS USER JWT-----
${ofUser}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.
NKEYs are sensitive and should be treated as secrets.

-----BEGIN USER NKEY SEED-----
${textOf(user.getSeed())}
------END USER NKEY SEED------

*************************************************************
`,
  };
}
