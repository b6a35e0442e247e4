// The board in two windows of a real browser.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connect } from "../../clients/js/cumulus.js";
import { browserPath } from "../support/browser.ts";
import { TestBrowser } from "../support/test_browser.ts";
import { until } from "../support/wait.ts";
import { startWeb } from "../web/support.ts";

// Functions for `evaluate` run in the page.
// deno-lint-ignore no-explicit-any
declare const document: any;

const path = browserPath("the board");
const file = (name: string) =>
  Deno.readTextFileSync(new URL(`../../www/board/${name}`, import.meta.url));
const pages = ["web/index.html", "web/board.js", "web/board.css"];
const www = {
  "": "",
  "/board": file("main.lua"),
  ...Object.fromEntries(pages.map((name) => [`www/board/${name}`, file(name)])),
};

/** Number of painted points of the board. */
const painted = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const canvas = document.getElementById("board");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let i = 3; i < data.length; i += 4) if (data[i] > 0) count++;
    return count;
  });

/** Whether a number of points is painted. */
const drawn = async (page: Page, count: number) => await painted(page) >= count;

/** Number of painted points, once two readings agree. */
async function settled(page: Page): Promise<number> {
  let before = -1;
  return await until(async () => {
    const now = await painted(page);
    const same = now === before && now > 0;
    before = now;
    return same && now;
  }, "a picture that stays");
}

Deno.test({
  name:
    "www/board shows the strokes of two windows in a third, and clears only a window's own strokes",
  ignore: path === undefined,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const { server, http } = await startWeb(www);
    try {
      await using browser = await TestBrowser.launch(path);
      const open = async () => {
        const page = await browser.newPage();
        await page.goto(`${http}/board/`);
        await page.getByText("Draw. Everybody here sees it.").waitFor();
        return page;
      };
      const draw = async (page: Page, y: number) => {
        await page.mouse.move(100, y);
        await page.mouse.down();
        await page.mouse.move(300, y, { steps: 5 });
        await page.mouse.up();
      };
      const [one, two] = [await open(), await open()];
      await draw(one, 200);
      await until(() => drawn(one, 10), "the first stroke");
      await until(() => drawn(two, 10), "the first stroke in the other window");
      const first = await settled(one);
      await draw(two, 400);
      await until(async () => await painted(one) > 1.5 * first, "the second stroke in the first");
      const three = await open();
      await until(async () => await painted(three) > 1.5 * first, "both in a third window");
      await one.getByRole("button", { name: "Clear mine" }).click();
      await until(async () => {
        const count = await painted(two);
        return count > 0 && count < 1.5 * first;
      }, "one stroke is left");
      assert.deepEqual(browser.problems, []);
    } finally {
      await server.stop();
    }
  },
});

Deno.test("www/board lets a client change only its own strokes, and refuses too long ones", async () => {
  const { server, ws } = await startWeb(www);
  const [one, two] = [await connect(`${ws}/board`), await connect(`${ws}/board`)];
  try {
    const me = await one.call("me");
    const [mine, other] = [await one.sharedObject("board"), await two.sharedObject("board")];
    const refusals: string[] = [];
    for (const object of [mine, other]) {
      object.addEventListener("status", (event) => {
        refusals.push((event as CustomEvent).detail.code);
      });
    }
    const slot = `${me}/1`;
    const stroke = { color: "#123456", points: [1, 2, 3, 4] };
    const seen = () => JSON.stringify(other.data.get(slot));
    mine.set(slot, stroke);
    await until(() => other.data.has(slot), "the stroke");
    assert.equal(seen(), JSON.stringify(stroke));
    other.set(slot, { color: "red", points: [] });
    await until(() => refusals.length === 1, "a refusal");
    assert.equal(seen(), JSON.stringify(stroke), "it gets the present value");
    other.delete(slot);
    await until(() => refusals.length === 2, "another refusal");
    assert.equal(seen(), JSON.stringify(stroke));
    mine.set(`${me}/2`, { color: "red", points: new Array(2001).fill(0) });
    await until(() => refusals.length === 3, "a third");
    assert.ok(!mine.data.has(`${me}/2`));
    await assert.rejects(one.sharedObject("another"), /ObjectCreationFailed/);
  } finally {
    one.close();
    two.close();
    await server.stop();
  }
});
