import assert from "node:assert/strict";
import { COOKIE_LENGTH, COOKIE_LIFETIME, Cookies } from "../../../src/rtmfp/crypto/cookie.ts";
import { portable } from "../../../src/rtmfp/crypto/portable.ts";
import { seededBytes } from "../../support/random.ts";

const here = { hostname: "192.0.2.1", port: 1935 };

Deno.test("Cookies.check() accepts a cookie from its address until it expires", () => {
  const cookies = new Cookies(portable, seededBytes(1));
  for (const now of [0, 1234.5, 1.8e12]) {
    const cookie = cookies.make(here, now);
    assert.equal(cookie.length, COOKIE_LENGTH);
    assert.equal(cookies.check(cookie, here, now), "good");
    assert.equal(cookies.check(cookie, here, Math.floor(now) + COOKIE_LIFETIME), "good");
    assert.equal(cookies.check(cookie, here, Math.floor(now) + COOKIE_LIFETIME + 1), "bad");
    assert.equal(cookies.check(cookie, here, now - 1), "bad", "a cookie from the future");
  }
});

Deno.test("Cookies.check() returns moved for a cookie from another address, and bad for a cookie of another server", () => {
  const cookies = new Cookies(portable, seededBytes(1));
  const cookie = cookies.make(here, 1000);
  for (
    const address of [
      { hostname: "192.0.2.2", port: 1935 },
      { hostname: "192.0.2.1", port: 1936 },
      { hostname: "2001:db8::1", port: 1935 },
    ]
  ) {
    assert.equal(cookies.check(cookie, address, 2000), "moved");
    assert.equal(cookies.check(cookies.make(address, 2000), address, 2000), "good");
  }
  const other = new Cookies(portable, seededBytes(2));
  assert.equal(other.check(cookie, here, 2000), "bad");
  assert.equal(other.check(cookie, { hostname: "::1", port: 1 }, 2000), "bad");
});

Deno.test("Cookies.check() returns bad for any changed byte of a cookie, or moved if the address differs", () => {
  const cookies = new Cookies(portable, seededBytes(1));
  const cookie = cookies.make(here, 1000);
  for (let i = 0; i < COOKIE_LENGTH; i++) {
    const changed = cookie.slice();
    changed[i] ^= 0x10;
    assert.equal(cookies.check(changed, here, 2000), i < 32 ? "bad" : "moved", `byte ${i}`);
  }
  for (let length = 0; length < COOKIE_LENGTH; length++) {
    assert.equal(cookies.check(cookie.slice(0, length), here, 2000), "bad");
  }
  const longer = new Uint8Array(COOKIE_LENGTH + 1);
  longer.set(cookie);
  assert.equal(cookies.check(longer, here, 2000), "bad");
});
